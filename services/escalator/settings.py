"""Settings of the escalator, from the environment with the prefix FENGHUO_."""

from typing import Annotated

from pydantic import Field, SecretStr

from shared.runtime.settings import KeepingSettings, ServiceSettings


class EscalatorSettings(ServiceSettings, KeepingSettings):
    """What only the escalator needs."""

    port: Annotated[int, Field(ge=0, le=65535)] = 8603
    sweep_longest_sleep_s: Annotated[
        float, Field(gt=0, le=60, description="Bounds how late the deadlines of a dead replica are kept")
    ] = 1.0
    keep_check_s: Annotated[float, Field(gt=0, description="How often to look for what was kept long enough")] = 3600.0
    audit_grace_s: Annotated[float, Field(gt=0, description="Overdue by more than this is an error")] = 10.0
    key_pepper: Annotated[SecretStr | None, Field(description="Absent: the routes that take an API key are closed")] = (
        None
    )
