"""From a file's text to a model, every problem with its line and column."""

from dataclasses import dataclass
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, Field, ValidationError, create_model
from pydantic_core import ErrorDetails

from shared.plans.merging import FindBase, Written, read_written
from shared.plans.model import Plan
from shared.plans.problems import PlanLibraryError, Problem
from shared.plans.salvage import NOTHING_LOST, Lost, salvage
from shared.plans.words import PlanModel
from shared.plans.yaml_text import KeyPath, Positions, read_yaml

M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class Reading:
    """A plan's text as read, not yet linted, with the `problems` of its form.

    Where there are any, `plan` is what is left without the pieces that are `lost`, and only good to be linted. An
    abstract plan is only checked for its form: no plan and no problems mean that it can serve as a base.
    """

    plan: Plan | None
    positions: Positions
    problems: tuple[Problem, ...]
    lost: Lost = NOTHING_LOST


def read_plan(text: str, file: str, find_base: FindBase | None = None) -> Reading:
    """The plan as written, its bases put in. Never raises: what is wrong comes back as problems."""
    try:
        written = read_written(text, file, find_base)
    except PlanLibraryError as error:
        return Reading(None, Positions(file), error.problems)
    return _read(written)


def read_data(data: Any, file: str) -> Reading:
    """The same of data that stands in no file."""
    return _read(Written(data, Positions(file)))


def _read(written: Written) -> Reading:
    data, places = written.data, written.positions
    if isinstance(data, dict) and data.get("abstract") is True:
        return Reading(None, places, (*written.problems, *_validated(_Fragment, written)[2]))
    plan, _, problems = _validated(Plan, written)
    if not problems and not written.problems:
        return Reading(plan, places, ())
    damaged = frozenset(problem.field.partition(".")[0] for problem in written.problems)
    found = (*written.problems, *problems)
    rest = salvage(Plan, data, places, _written_path, damaged)
    return Reading(None, places, found) if rest is None else Reading(rest.model, rest.positions, found, rest.lost)


def read_model(model: type[M], text: str, file: str) -> tuple[M | None, Positions, list[Problem]]:
    """A model from YAML. Never raises: what is wrong comes back as problems."""
    try:
        data, positions = read_yaml(text, file)
    except PlanLibraryError as error:
        return None, Positions(file), list(error.problems)
    return _validated(model, Written(data, positions))


def _validated(model: type[M], written: Written) -> tuple[M | None, Positions, list[Problem]]:
    data, positions = written.data, written.positions
    try:
        return model.model_validate(data), positions, []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=True)
        return None, positions, [_problem(detail, data, positions) for detail in details]


def _fragment() -> type[PlanModel]:
    """A plan of which nothing but the name need be there."""
    fields: dict[str, Any] = {}
    for name, info in Plan.model_fields.items():
        needed = name == "plan"
        kind: Any = info.annotation if not info.metadata else Annotated[info.annotation, *info.metadata]
        fields[name] = (kind if needed else kind | None, Field(default=... if needed else None, alias=info.alias))
    fragment: type[PlanModel] = create_model("Fragment", __base__=PlanModel, **fields)
    return fragment


_Fragment: Final = _fragment()


def _problem(detail: ErrorDetails, data: Any, positions: Positions) -> Problem:
    path = _written_path(detail["loc"], data)
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        return positions.key_problem(path, f"unknown key '{detail['loc'][-1]}'")
    if detail["type"] == "missing":
        return positions.problem(path, f"'{detail['loc'][-1]}' is missing")
    if detail["type"] in {"model_type", "model_attributes_type"}:
        return positions.problem(path, "must be keys with their values, as in `key: value`")
    return positions.problem(path, message[:1].lower() + message[1:])


def _written_path(location: tuple[int | str, ...], data: Any) -> KeyPath:
    """The part of a validation error's location that exists in the file: tags of alternatives are left out."""
    path: list[str | int] = []
    here = data
    for step in location:
        try:
            here = here[step]
        except (KeyError, IndexError, TypeError):
            continue
        path.append(step)
    return tuple(path)
