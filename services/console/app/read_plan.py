"""One published plan as people read it."""

from dataclasses import dataclass
from typing import Literal

from shared.plans.description import Description, describe
from shared.plans.flow_picture import flow_picture
from shared.plans.library import PlanLibrary


@dataclass(frozen=True, slots=True)
class PlanReading:
    """The plan in words, and its flow as an SVG element: empty for a plan without levels."""

    plan: Description
    flow: str


def read_plan(library: PlanLibrary, name: str, language: Literal["zh", "en"]) -> PlanReading | None:
    """None when no plan of this name is in force."""
    found = library.find(name)
    return PlanReading(describe(found), flow_picture(found, language)) if found is not None else None
