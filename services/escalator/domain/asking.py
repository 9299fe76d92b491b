"""What is published of what people were asked: the gate, approvals, the checklist."""

from services.escalator.domain import recusal, wording
from services.escalator.domain.case import Case
from services.escalator.domain.time_bases import Rules
from shared.contracts.escalations import ActivationStatus, ApprovalStatus, ChecklistItem
from shared.plans.obligations import Entry


def activation_of(rules: Rules, case: Case) -> ActivationStatus | None:
    """The gate as it stands; None where none applies."""
    known = case.activation
    gate = next((gate for gate in rules.plan.activations if known is not None and gate.id == known.id), None)
    if known is None or gate is None:
        return None
    return ActivationStatus(
        id=gate.id,
        label=_label(gate, case),
        state=known.decided or "waiting",
        roles=recusal.without(rules, case, gate.roles, "handling"),
        until=known.until,
    )


def approvals_of(rules: Rules, case: Case) -> tuple[ApprovalStatus, ...]:
    """Every approval that was asked for, in the order of the plan."""
    found = []
    for rule in rules.plan.approvals:
        asked = case.approval(rule.id)
        if asked is None:
            continue
        step = min(len(asked.given), len(rule.by) - 1)
        found.append(
            ApprovalStatus(
                id=rule.id,
                label=_label(rule, case),
                state=asked.state,
                step=step + 1,
                steps=len(rule.by),
                roles=recusal.without(rules, case, rule.by[step], "handling"),
                until=asked.until,
            )
        )
    return tuple(found)


def checklist_of(rules: Rules, case: Case) -> tuple[ChecklistItem, ...]:
    """What is to be ticked at the case's level with what is known, and what is ticked."""
    ticks = {tick.item: tick for tick in case.ticks}
    found = []
    for item in rules.plan.checklist_for(case.level, case.inputs):
        tick = ticks.get(item.id)
        found.append(
            ChecklistItem(
                id=item.id,
                label=_label(item, case),
                before=item.before,
                by=item.by,
                ticked_at=tick.at if tick is not None else None,
                ticked_by=tick.actor if tick is not None else None,
            )
        )
    return tuple(found)


def _label(entry: Entry, case: Case) -> str:
    return wording.words(entry.words, case.language) if entry.words is not None else entry.id
