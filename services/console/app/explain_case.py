"""Why a case is where it is: event → criterion → plan version → clocks → who was told → acknowledgement."""

from typing import Any

from services.console.app.read_case import CaseFile


def explain_case(case: CaseFile) -> dict[str, Any]:
    """The chain of reasons under each plan, from stored facts only."""
    first = case.reports[0] if case.reports else None
    return {
        "case_id": case.case_id,
        "number": case.number,
        "event": first,
        "reports": len(case.reports),
        "plans": [_chain(case, plan) for plan in case.plans],
    }


def _chain(case: CaseFile, plan: dict[str, Any]) -> dict[str, Any]:
    judged = case.classifications.get(plan["plan"], [])
    deciding = next((one for one in judged if one["decided_by"] == plan["decided_by"]), judged[0] if judged else None)
    return {
        "plan": {
            "name": plan["plan"],
            "title": plan["plan_words"],
            "version": plan["plan_version"],
            "sha256": plan["plan_sha256"],
        },
        "level": {"id": plan["level"], "label": plan["level_words"], "because": plan["because"]},
        "criterion": plan["criterion"],
        "criteria": deciding["criteria"] if deciding else [],
        "linked_cases": deciding["linked_cases"] if deciding else [],
        "linked": deciding["linked"] if deciding else [],
        "linked_count": deciding["linked_count"] if deciding else 0,
        "counted": deciding["counted"] if deciding else [],
        "proposed": judged[0].get("proposed", []) if judged else [],
        "opened_by": judged[0].get("opened_by") if judged else None,
        "duplicate_of": judged[0].get("duplicate_of") if judged else None,
        "moved": _moved(plan, judged),
        "state": plan["state"],
        "clocks": plan["clocks"],
        "tier": {
            "id": plan["tier"],
            "label": plan["tier_words"],
            "next": plan["next_tier"],
            "next_label": plan["next_tier_words"],
            "next_at": plan["next_tier_at"],
        },
        "told": plan["told"],
        "acknowledgement": {"by": plan["acknowledged_by"], "at": plan["acknowledged_at"]}
        if plan["acknowledged_at"]
        else None,
    }


def _moved(plan: dict[str, Any], judged: list[dict[str, Any]]) -> dict[str, Any] | None:
    """The move that brought the case under the version it is under: from where, by whom and why."""
    moves = (one["move"] for one in judged if one.get("move"))
    return next(
        (one for one in moves if one["refused"] is None and one["version"] == plan["plan_version"]),
        None,
    )
