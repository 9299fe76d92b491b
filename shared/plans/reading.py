"""From a file's text to a model, every problem with its line and column."""

from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from shared.plans.model import Plan
from shared.plans.problems import PlanLibraryError, Problem
from shared.plans.yaml_text import KeyPath, Positions, read_yaml

M = TypeVar("M", bound=BaseModel)


def read_plan(text: str, file: str) -> tuple[Plan | None, Positions, list[Problem]]:
    """The plan as written, not yet linted, or the problems that keep it from being one."""
    return read_model(Plan, text, file)


def read_model(model: type[M], text: str, file: str) -> tuple[M | None, Positions, list[Problem]]:
    """A model from YAML. Never raises: what is wrong comes back as problems."""
    try:
        data, positions = read_yaml(text, file)
    except PlanLibraryError as error:
        return None, Positions(file), list(error.problems)
    try:
        return model.model_validate(data), positions, []
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=True)
        return None, positions, [_problem(detail, data, positions) for detail in details]


def _problem(detail: ErrorDetails, data: Any, positions: Positions) -> Problem:
    path = _written_path(detail["loc"], data)
    message = detail["msg"].removeprefix("Value error, ")
    if detail["type"] == "extra_forbidden":
        return positions.key_problem(path, f"unknown key '{detail['loc'][-1]}'")
    if detail["type"] == "missing":
        return positions.problem(path, f"'{detail['loc'][-1]}' is missing")
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
