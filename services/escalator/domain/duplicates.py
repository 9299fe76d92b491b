"""The same event told twice: the later case goes into the earlier one, or a person is asked whether it should."""

from services.escalator.domain import deadlines, informing, ladder, notices
from services.escalator.domain.case import Case
from services.escalator.domain.decision import Turn
from shared.contracts.classifications import DuplicateOf
from shared.contracts.escalations import CaseState, ChangeKind


def settle(turn: Turn, found: DuplicateOf | None, other: Case | None) -> bool:
    """Merge the case into `other`, or propose it once; whether it was merged.

    It merges by itself only into a case that is still open here, and only while nobody has taken this one: merging
    into what is over, or under somebody's hands, would hide an event.
    """
    case = turn.case
    if found is None or case.ended or case.duplicate == found.number:
        return False
    turn.set(duplicate=found.number)
    untouched = case.state is CaseState.CLASSIFIED and case.acknowledgement is None
    if found.then == "ask" or other is None or not other.open or not untouched:
        turn.note(
            ChangeKind.DUPLICATE_PROPOSED,
            turn.both("duplicate_asked", rule=found.rule, number=found.number),
            into=found.number,
            case=str(found.case_id),
            rule=found.rule,
        )
        return False
    because = turn.both("duplicate_merged", rule=found.rule, number=found.number)
    ladder.halt(turn)
    turn.set(state=CaseState.MERGED, merged_into=found.case_id)
    turn.note(
        ChangeKind.STATE_CHANGED,
        because,
        state=CaseState.MERGED,
        into=found.number,
        case=str(found.case_id),
        rule=found.rule,
    )
    notices.at(turn, "merged")
    deadlines.cancel_all(turn)
    informing.stand_down(turn, because)
    return True
