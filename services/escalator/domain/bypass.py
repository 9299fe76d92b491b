"""Leave to skip the ladder: the plan says when, and it is written down who took it."""

from services.escalator.domain import recusal
from services.escalator.domain.orders import Order
from shared.contracts.escalations import ChangeKind
from shared.contracts.notifications import Purpose
from shared.contracts.values import ChannelKind

_AT_ONCE = (ChannelKind.VOICE, ChannelKind.SMS)


def take(order: Order) -> None:
    """`bypass`: argument `way`, one that the plan opens now. Its roles are paged at once, a number is recorded.

    The ladder goes on as it was: nobody on it is relieved by somebody else having been called.
    """
    turn, wanted = order.turn, order.word("way")
    case = turn.case
    open_ways = turn.rules.plan.bypasses_for(case.level, case.inputs)
    way = next((way for way in open_ways if way.id == wanted), None)
    if way is None:
        order.refuse("refused_bypass", open=", ".join(one.id for one in open_ways) or "—")
        return
    roles = recusal.without(turn.rules, case, way.roles, "pages")
    label = way.words or way.id
    sentence = "bypass_dialled" if way.dial is not None else "bypassed"
    values = {"way": label, "dial": way.dial or "", "roles": ", ".join(roles)}
    order.note(ChangeKind.BYPASSED, sentence, values=values, way=way.id, roles=list(roles), dial=way.dial or "")
    if roles:
        turn.set(paged_roles=tuple(dict.fromkeys((*case.paged_roles, *roles))))
        because = turn.both("bypassed", **values)
        turn.request(Purpose.PAGE, roles, channels=_AT_ONCE, all_channels=True, because=because)
