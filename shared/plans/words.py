"""The base of every plan model, and texts in both languages of the product."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from shared.contracts.values import Bilingual, Text

Identifier = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""A name that conditions can read: facts, windows and parameters share one namespace."""


class PlanModel(BaseModel):
    """Frozen, and strict about keys: a misspelt key is refused, never ignored."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Words(PlanModel):
    """One text in Chinese and English; both are needed."""

    zh: Annotated[Text, Field(min_length=1)]
    en: Annotated[Text, Field(min_length=1)]

    def as_contract(self) -> Bilingual:
        """The same words as they travel between services."""
        return Bilingual(zh=self.zh, en=self.en)
