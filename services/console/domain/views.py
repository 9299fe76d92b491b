"""A case as people see it: read-model rows put together, with words in both languages."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.console.domain.plan_words import PlanWords
from services.console.domain.rows import severity

Row = Mapping[str, Any]
View = dict[str, Any]

_COPIED: Final = (
    "number", "kind", "plan", "plan_version", "plan_sha256", "revision", "state", "level", "level_rank", "highest_rank",
    "title", "topic", "place", "tier", "next_tier", "drill",
)  # fmt: skip
_TOLD: Final = (
    "purpose", "step", "role", "person", "person_label", "channel", "provider", "settlement", "attempts", "reason",
    "role_words", "reason_words",
)  # fmt: skip


def case_view(row: Row, told: Sequence[Row], words: PlanWords) -> View:
    """One case under one plan, ready for JSON. `seq` is its board number."""
    plan = row["plan"]
    tier = words.tier(plan, row["tier"], row["tier_label"])
    next_tier = words.tier(plan, row["next_tier"])
    # A message on its way does not say yet how the roster calls its role; an earlier one to that role did.
    roles = {one["role"]: one["role_words"] for one in told if one["role_words"]}
    view: View = {name: row[name] for name in _COPIED}
    view |= {
        "case_id": str(row["case_id"]),
        "seq": row["touched"],
        "open": row["is_open"],
        "plan_words": words.title(plan).model_dump(),
        "level_label": row["level_label"],
        "level_words": words.level(plan, row["level"], row["level_label"]).model_dump(),
        "severity": severity(row["level_rank"], row["highest_rank"]),
        "because": row["because"],
        "decided_by": row["decided_by"],
        "criterion": criterion_view(row["decided"], plan, words) if row.get("decided") else None,
        "tier_label": row["tier_label"],
        "tier_words": tier.model_dump() if tier else None,
        "next_tier_words": next_tier.model_dump() if next_tier else None,
        "clocks": [
            clock | {"words": words.clock(plan, clock["id"], clock["label"]).model_dump()} for clock in row["clocks"]
        ],
        "asked": _asked(row["asked"] or {}, plan, words),
        "told": [told_view(one, roles) for one in told],
        "acknowledged_by": _who(row["acknowledged_by"], told),
        "handled_by": _who(row["handled_by"], told),
    }
    for name in ("next_tier_at", "acknowledged_at", "opened_at", "changed_at", "due_at"):
        view[name] = instant(row[name])
    return view


def _asked(asked: View, plan: str, words: PlanWords) -> View:
    items = asked.get("checklist") or ()
    return asked | {
        "checklist": [one | {"before_words": words.milestone(plan, one["before"]).model_dump()} for one in items]
    }


def _who(actor: Mapping[str, Any] | None, told: Sequence[Row]) -> View | None:
    """With `label`: as the roster called the person when they were told, else the id."""
    if actor is None:
        return None
    labels = (one["person_label"] for one in told if one["person"] == actor["ref"])
    return {**actor, "label": next(filter(None, labels), actor["ref"])}


def criterion_view(criterion: Row, plan: str, words: PlanWords) -> View:
    """A criterion with words for its level and for every name it reads."""
    return {
        **criterion,
        "level_words": words.level(plan, criterion["level"]).model_dump(),
        "names": {name: words.name(plan, name).model_dump() for name in criterion["values"]},
    }


def told_view(row: Row, roles: Mapping[str, Any]) -> View:
    """Who was told, by what, with what result. `roles` are the words for roles that others of the case were told as."""
    view: View = {name: row[name] for name in _TOLD}
    view["role_words"] = row["role_words"] or roles.get(row["role"])
    view["at"] = instant(row["settled_at"])
    view["asked_at"] = instant(row["requested_at"])
    view["request_id"] = str(row["request_id"])
    view["intent_id"] = str(row["intent_id"]) if row["intent_id"] else None
    return view


def line_view(row: Row) -> View:
    """A line of a history."""
    return {
        "seq": row["seq"],
        "event_id": str(row["event_id"]),
        "case_id": str(row["case_id"]),
        "number": row["number"],
        "plan": row["plan"],
        "at": instant(row["at"]),
        "kind": row["kind"],
        "tone": row["tone"],
        "zh": row["zh"],
        "en": row["en"],
        "details": row["details"],
        "actor": row["actor"],
        "causation": row["causation"],
    }


def with_names(lines: Sequence[View], told: Sequence[View]) -> list[View]:
    """The lines with roles and people as the roster called them when they were told; others keep their ids."""
    roles = {one["role"]: one["role_words"] for one in told if one["role_words"]}
    people = {one["person"]: one["person_label"] for one in told if one["person"] and one["person_label"]}
    return [_named(line, roles, people) for line in lines]


def _named(line: View, roles: Mapping[str, Mapping[str, str]], people: Mapping[str, str]) -> View:
    asked = line["details"].get("roles") if line["kind"] == "notification-requested" else None
    if asked:
        zh, en = ([roles[one][language] if one in roles else one for one in asked] for language in ("zh", "en"))
        purpose_zh, purpose_en = line["zh"].partition(" ")[0], line["en"].partition(":")[0]
        return line | {"zh": f"{purpose_zh} {'、'.join(zh)}", "en": f"{purpose_en}: {', '.join(en)}"}
    named = line["details"].get("roles")
    if isinstance(named, list):
        return line | {language: _roles_in(line[language], named, roles, language) for language in ("zh", "en")}
    ref = (line["actor"] or line["details"]).get("ref" if line["actor"] else "actor")
    if isinstance(ref, str) and ref in people:
        return line | {language: _person_in(line[language], ref, people[ref]) for language in ("zh", "en")}
    return line


def _person_in(text: str, ref: str, label: str) -> str:
    return re.sub(rf"(?<![\w-]){re.escape(ref)}(?![\w-])", lambda _: label, text, count=1)


def _roles_in(text: str, ids: Sequence[str], roles: Mapping[str, Mapping[str, str]], language: str) -> str:
    known = "|".join(re.escape(one) for one in ids if one in roles)
    # In one pass: a name that was put in is never looked through for the ids of other roles.
    return re.sub(rf"(?<![\w-])(?:{known})(?![\w-])", lambda id_: roles[id_[0]][language], text) if known else text


def by_case(rows: Sequence[Row]) -> dict[tuple[UUID, str], list[Row]]:
    """Rows grouped by case and plan, order kept."""
    found: dict[tuple[UUID, str], list[Row]] = {}
    for row in rows:
        found.setdefault((row["case_id"], row["plan"]), []).append(row)
    return found


def instant(value: datetime | None) -> str | None:
    """ISO 8601 with its offset."""
    return value.isoformat() if value is not None else None
