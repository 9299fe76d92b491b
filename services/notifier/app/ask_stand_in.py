"""Somebody paged could not be reached by any way: their deputy is asked, by a request of the notifier's own."""

from uuid import uuid5

from services.notifier.app.publish_about import publish_about
from services.notifier.app.rules import Rules
from services.notifier.domain.delivery import Verdict
from services.notifier.domain.ledger import Intent
from services.notifier.domain.roster import Person
from services.notifier.domain.roster_duty import on_duty
from services.notifier.domain.stand_in import stand_in_of
from shared.contracts.notifications import Purpose, Settlement
from shared.db.tx import Tx
from shared.runtime.ids import Ids


def ask_stand_in(tx: Tx, intent: Intent, verdict: Verdict, rules: Rules, *, ids: Ids) -> Person | None:
    """Who is asked instead, with the transaction's commit; None where there is nobody or nothing to ask.

    Only for pages, and once a person: whoever was told already, or could not be reached either, is passed over. A
    message that was taken and then not delivered counts as one that could not be sent.
    """
    body = intent.request.body
    roster = rules.rosters.of(intent.request.org)
    before = intent.published.settlement if intent.published is not None else None
    is_news = verdict.settlement is Settlement.FAILED and before in {None, Settlement.SENT}
    if not is_news or body.purpose is not Purpose.PAGE or intent.person is None or roster is None:
        return None
    told = {duty.person.id for role in body.roles for duty in on_duty(roster, role, intent.request.accepted_at)}
    person = stand_in_of(roster, intent.person, tx.now, passed_over={*told, *body.people, *body.excluded})
    if person is None:
        return None
    instead = body.model_copy(
        update={
            "request_id": uuid5(intent.id, person.id),
            "roles": (intent.role,),
            "people": (person.id,),
            "in_place_of": intent.person,
            "excluded": (*body.excluded, intent.person),
        }
    )
    publish_about(tx, intent.request, instead, ids=ids)
    return person
