"""The message for one person on one route, with its links signed."""

from datetime import datetime
from uuid import UUID

from services.notifier.app.rules import Rules
from services.notifier.channels.channel import OutgoingMessage
from services.notifier.domain.delivery import Route
from services.notifier.domain.ledger import Intent
from services.notifier.domain.roster import Person, Roster
from services.notifier.domain.texts import Message, render
from shared.access.links import AcknowledgementLink, ReceiptAddress, sign_acknowledgement, sign_receipt_address
from shared.contracts.notifications import Subject
from shared.runtime.logging import redact


def compose_message(
    intent: Intent, route: Route, *, attempt_id: UUID, token: str, rules: Rules, now: datetime
) -> OutgoingMessage:
    """The text in the person's language and the organisation's time zone; numbers of people are blacked out.

    Raises LookupError when the roster has lost the person or the contact point meanwhile.
    """
    roster, person = _who(intent, rules)
    contact = next((one for one in person.contacts if one.id == route.contact), None)
    if contact is None:
        raise LookupError(route.contact)
    body, request, links = intent.request.body, intent.request, rules.links
    link = key_url = None
    if body.acknowledge:
        signed = AcknowledgementLink(
            request.case_id, intent.id, request.org, body.subject.plan, person.id, now + links.valid_for
        )
        token_of_link = sign_acknowledgement(signed, links.secret)
        link, key_url = f"{links.public}/a/{token_of_link}", f"{links.receipts}/v1/keys/{token_of_link}"
    address = ReceiptAddress(request.case_id, attempt_id, request.org, route.provider)
    text = render(
        Message(
            purpose=body.purpose,
            subject=_redacted(body.subject),
            language=person.language or body.language,
            zone=roster.zone,
            now=now,
            link=link,
            stale_after=body.stale_after,
            requested_at=body.requested_at,
            drill=body.drill,
        ),
        max_segments=rules.max_sms_segments,
    )
    return OutgoingMessage(
        token=token,
        attempt_id=attempt_id,
        case_id=request.case_id,
        channel=route.channel,
        to=contact.to,
        text=text,
        link=link,
        receipt_url=f"{links.receipts}/v1/receipts/{sign_receipt_address(address, links.secret)}",
        drill=body.drill,
        key_url=key_url,
    )


def _who(intent: Intent, rules: Rules) -> tuple[Roster, Person]:
    roster = rules.rosters.of(intent.request.org)
    if roster is None or intent.person is None:
        raise LookupError(intent.person)
    return roster, roster.people[intent.person]


def _redacted(subject: Subject) -> Subject:
    """Whoever reported it may have put a phone or card number into a title; it is not passed on."""
    cleaned = {
        name: redact(value)
        for name in ("title", "topic", "because", "expected")
        if (value := getattr(subject, name)) is not None
    }
    return subject.model_copy(update=cleaned)
