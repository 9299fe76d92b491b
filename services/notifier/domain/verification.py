"""Whether an address is its person's: a code goes to it and comes back, once, in time, within a few tries. Pure.

No code is stored or published: it follows from the secret, the check and the address it was sent to.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from shared.contracts.notifications import CONTACT_CHECK_PLAN, MessageTemplate, Subject, SubjectWords
from shared.contracts.values import ChannelKind, Language

VALID_FOR: Final = timedelta(hours=1)
TRIES: Final = 5
MOST_AN_HOUR: Final = 5
_DIGITS: Final = 6
_NUMBERS: Final = 1_000_000
TEMPLATES: Final = (
    MessageTemplate(form="subject", zh="{what} {case}", en="{what} {case}"),
    MessageTemplate(
        form="sms", zh="{what} {case}：{expected}，{due}前有效", en="{what} {case}: {expected}, until {due}"
    ),
    MessageTemplate(form="voice", zh="{what}。{expected}。", en="{what}. {expected}."),
)


class VerificationState(StrEnum):
    OPEN = "open"
    VERIFIED = "verified"
    EXPIRED = "expired"  # nobody answered in time
    SPENT = "spent"  # too many wrong codes
    REPLACED = "replaced"  # another code was sent to the same contact point
    LAPSED = "lapsed"  # verified once; the roster has another address now


@dataclass(frozen=True, slots=True)
class Verification:
    """One code sent to one contact point. `address` is shortened; `fingerprint` tells whether it is the same still.

    `answered_by`: link, sms or code; `ended_at`: when it was answered, or ended otherwise.
    """

    id: UUID
    org: str
    number: str
    person: str
    contact: str
    channel: ChannelKind
    address: str
    fingerprint: str
    made_by: str
    asked_at: datetime
    expires_at: datetime
    tries: int = 0
    state: VerificationState = VerificationState.OPEN
    ended_at: datetime | None = None
    answered_by: str | None = None

    def state_at(self, now: datetime) -> VerificationState:
        """An open one expires by itself."""
        is_late = self.state is VerificationState.OPEN and now >= self.expires_at
        return VerificationState.EXPIRED if is_late else self.state


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What came back. `code` is None where the signed link itself was used, which only the address knew."""

    check: UUID
    code: str | None
    by: str
    at: datetime


def fingerprint_of(person: str, channel: ChannelKind, to: str) -> str:
    """The same for the same address of the same person, whatever the contact point is called."""
    return hashlib.sha256(f"{person}\x00{channel.value}\x00{to}".encode()).hexdigest()


def code_of(secret: bytes, check: UUID, fingerprint: str) -> str:
    """Six digits, another for every check and address."""
    digest = hmac.digest(secret, b"fenghuo.contact-check" + check.bytes + fingerprint.encode(), "sha256")
    return f"{int.from_bytes(digest[:8]) % 10**_DIGITS:0{_DIGITS}d}"


def number_of(check: UUID, now: datetime) -> str:
    """What people call it by; it looks like no case of intake's."""
    return f"V-{now:%Y-%m}-{check.int % _NUMBERS:06d}"


def answered(checks: Sequence[Verification], given: Confirmation, secret: bytes) -> tuple[Verification, ...]:
    """Those that the answer changes. `checks` are all of one person; only open ones count.

    A code may be that of any of them; one that is none of them is a try for each.
    """
    waiting = [one for one in checks if one.state_at(given.at) is VerificationState.OPEN]
    if given.code is None:
        fitting = [one for one in waiting if one.id == given.check]
        return tuple(_verified(one, given) for one in fitting)
    fitting = [
        one
        for one in waiting
        if hmac.compare_digest(code_of(secret, one.id, one.fingerprint).encode(), given.code.encode())
    ]
    if fitting:
        return tuple(_verified(one, given) for one in fitting)
    return tuple(_tried(one, given.at) for one in waiting)


def about_check(number: str, now: datetime) -> Subject:
    """Of the highest rank, so that nothing keeps it back. What to do is put in by `with_code`, for each language."""
    return Subject(
        number=number,
        plan=CONTACT_CHECK_PLAN,
        plan_title="值班联系方式验证",
        level=None,
        level_label="验证",
        level_rank=1,
        highest_rank=1,
        because=None,
        title="联系方式验证",
        due_at=now + VALID_FOR,
        occurred_at=now,
        en=SubjectWords(plan_title="Contact verification", level_label="Check", title="Contact verification"),
    )


def with_code(subject: Subject, code: str, channel: ChannelKind, language: Language) -> Subject:
    """The subject with what to do in the reader's language. A voice says the digits one by one."""
    if channel is ChannelKind.VOICE:
        spoken = " ".join(code)
        expected = f"您的验证码是 {spoken}，或按 1 确认" if language == "zh" else f"Your code is {spoken}, or press 1"
    elif channel is ChannelKind.SMS:
        expected = (
            f"请点开链接确认，或回复“验证 {code}”"
            if language == "zh"
            else f"follow the link to confirm, or reply VERIFY {code}"
        )
    else:
        expected = (
            f"请点开链接确认，或把验证码 {code} 告知值班表管理员"
            if language == "zh"
            else f"follow the link to confirm, or give the code {code} to whoever keeps the roster"
        )
    return subject.model_copy(
        update={"expected": expected, "en": subject.en and subject.en.model_copy(update={"expected": expected})}
    )


def _verified(check: Verification, given: Confirmation) -> Verification:
    return replace(check, state=VerificationState.VERIFIED, ended_at=given.at, answered_by=given.by)


def _tried(check: Verification, at: datetime) -> Verification:
    tried = replace(check, tries=check.tries + 1)
    return tried if tried.tries < TRIES else replace(tried, state=VerificationState.SPENT, ended_at=at)
