"""The message for one person on one route, with its links signed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from services.notifier.app.rules import Links, Rules
from services.notifier.channels.channel import OutgoingMessage
from services.notifier.domain.delivery import Route
from services.notifier.domain.ledger import Intent
from services.notifier.domain.roster import Person, Roster
from services.notifier.domain.texts import Message, redacted, worded
from services.notifier.domain.texts_bundle import Other, render_bundle
from services.notifier.domain.verification import code_of, fingerprint_of, with_code
from shared.access.links import AcknowledgementLink, ReceiptAddress, sign_acknowledgement, sign_receipt_address
from shared.contracts.notifications import CONTACT_CHECK_PLAN
from shared.contracts.values import Language

_NEVER: Final = datetime.max.replace(tzinfo=UTC)


def compose_message(
    intent: Intent,
    route: Route,
    *,
    attempt_id: UUID,
    token: str,
    rules: Rules,
    now: datetime,
    company: Sequence[Intent] = (),
) -> OutgoingMessage:
    """One message about the intent and its `company`, if any.

    The text is in the person's language and the organisation's time zone; numbers of people are blacked out.

    Raises LookupError when the roster has lost the person or the contact point meanwhile.
    """
    roster, person = _who(intent, rules)
    contact = next((one for one in person.contacts if one.id == route.contact), None)
    if contact is None:
        raise LookupError(route.contact)
    body, request, links = intent.request.body, intent.request, rules.links
    token_of_link = _link_token(intent, person.id, links, now)
    link = f"{links.public}/a/{token_of_link}" if token_of_link is not None else None
    key_url = f"{links.receipts}/v1/keys/{token_of_link}" if token_of_link is not None else None
    language = person.language or body.language
    subject = redacted(worded(body.subject, language))
    if subject.plan == CONTACT_CHECK_PLAN:
        fingerprint = fingerprint_of(person.id, contact.channel, contact.to)
        subject = with_code(subject, code_of(links.secret, request.case_id, fingerprint), route.channel, language)
    address = ReceiptAddress(request.case_id, attempt_id, request.org, route.provider)
    message = Message(
        purpose=body.purpose,
        subject=subject,
        language=language,
        zone=roster.zone,
        now=now,
        link=link,
        stale_after=min(body.stale_after or _NEVER, body.requested_at + rules.late_after),
        requested_at=body.requested_at,
        drill=body.drill,
        templates=body.templates,
    )
    others = [_other(one, person.id, links, now, language) for one in company]
    text = render_bundle(message, others, max_segments=rules.max_sms_segments) if others else rules.rendered(message)
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


def _link_token(intent: Intent, person: str, links: Links, now: datetime) -> str | None:
    body, request = intent.request.body, intent.request
    if not body.acknowledge:
        return None
    until = now + links.valid_for
    if body.subject.plan == CONTACT_CHECK_PLAN:
        until = min(until, body.subject.due_at or until)
    signed = AcknowledgementLink(request.case_id, intent.id, request.org, body.subject.plan, person, until)
    return sign_acknowledgement(signed, links.secret)


def _other(intent: Intent, person: str, links: Links, now: datetime, language: Language) -> Other:
    token = _link_token(intent, person, links, now)
    return Other(
        redacted(worded(intent.request.body.subject, language)),
        intent.request.body.purpose,
        intent.request.body.requested_at,
        f"{links.public}/a/{token}" if token is not None else None,
    )


def _who(intent: Intent, rules: Rules) -> tuple[Roster, Person]:
    roster = rules.rosters.of(intent.request.org)
    if roster is None or intent.person is None:
        raise LookupError(intent.person)
    return roster, roster.people[intent.person]
