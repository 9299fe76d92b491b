"""Settings of the classifier, from the environment (prefix FENGHUO_)."""

from typing import Annotated

from pydantic import Field

from shared.runtime.settings import ServiceSettings


class ClassifierSettings(ServiceSettings):
    """Besides the common ones: how long counts are kept, and how late a reconsideration may be."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8602
    windows_kept_days: Annotated[int, Field(ge=40, description="At least as long as the longest window")] = 400
    reconsider_grace_s: Annotated[float, Field(gt=0)] = 60.0
