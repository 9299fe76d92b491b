"""Codes that prove an address: what counts, what does not, and what is used until then."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.notifier.domain.reach import reach
from services.notifier.domain.roster import ContactPoint, Person
from services.notifier.domain.texts import worded
from services.notifier.domain.verification import (
    TRIES,
    Confirmation,
    Verification,
    VerificationState,
    about_check,
    answered,
    code_of,
    fingerprint_of,
    with_code,
)
from shared.contracts.values import Bilingual, ChannelKind

SECRET = b"secret"
NOW = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)


def _check(number: int, contact: str = "sms-1", to: str = "13800000001") -> Verification:
    channel = ChannelKind(contact.split("-", maxsplit=1)[0])
    return Verification(
        id=UUID(int=number),
        org="demo",
        number=f"V-2026-11-{number:06d}",
        person="a",
        contact=contact,
        channel=channel,
        address="138****0001",
        fingerprint=fingerprint_of("a", channel, to),
        made_by="值班长",
        asked_at=NOW,
        expires_at=NOW + timedelta(hours=1),
    )


SMS, MAIL = _check(1), _check(2, "email-1", "a@example.org")


def _code(check: Verification) -> str:
    return code_of(SECRET, check.id, check.fingerprint)


def _given(code: str | None, *, check: Verification = SMS, after: timedelta = timedelta()) -> Confirmation:
    return Confirmation(check.id, code, "link" if code is None else "code", NOW + after)


def test_a_code_verifies_the_contact_point_it_was_sent_to_whichever_check_it_comes_back_by() -> None:
    [verified] = answered([SMS, MAIL], _given(_code(MAIL), check=SMS), SECRET)
    assert (verified.id, verified.state, verified.ended_at, verified.answered_by) == (
        MAIL.id,
        VerificationState.VERIFIED,
        NOW,
        "code",
    )


def test_a_code_counts_once_and_only_in_time() -> None:
    [verified] = answered([SMS], _given(_code(SMS)), SECRET)
    assert answered([verified], _given(_code(SMS)), SECRET) == ()
    just = timedelta(minutes=59, seconds=59)
    assert answered([SMS], _given(_code(SMS), after=just), SECRET)[0].state is VerificationState.VERIFIED
    assert answered([SMS], _given(_code(SMS), after=timedelta(hours=1)), SECRET) == ()
    assert SMS.state_at(NOW + timedelta(hours=1)) is VerificationState.EXPIRED
    for state in (VerificationState.REPLACED, VerificationState.SPENT, VerificationState.LAPSED):
        assert answered([replace(SMS, state=state)], _given(_code(SMS)), SECRET) == ()


def test_after_five_wrong_codes_the_right_one_comes_too_late() -> None:
    checks: tuple[Verification, ...] = (SMS, MAIL)
    wrong = next(f"{n:06d}" for n in range(3) if f"{n:06d}" not in {_code(SMS), _code(MAIL)})
    for tried in range(1, TRIES + 1):
        checks = answered(checks, _given(wrong), SECRET)
        assert {one.tries for one in checks} == {tried}
    assert {one.state for one in checks} == {VerificationState.SPENT}
    assert answered(checks, _given(_code(SMS)), SECRET) == ()


def test_a_link_verifies_only_the_check_that_it_was_made_for() -> None:
    [verified] = answered([SMS, MAIL], _given(None, check=MAIL), SECRET)
    assert (verified.id, verified.answered_by) == (MAIL.id, "link")
    assert answered([SMS], _given(None, check=MAIL), SECRET) == ()


def test_every_check_and_every_address_has_another_code() -> None:
    codes = {_code(one) for one in (SMS, MAIL, _check(3), _check(1, to="13800000009"))}
    assert len(codes) == 4
    assert all(len(one) == 6 and one.isdecimal() for one in codes)
    assert code_of(b"other", SMS.id, SMS.fingerprint) != _code(SMS)


def test_what_to_do_is_said_in_the_readers_language_and_digits_are_spoken_one_by_one() -> None:
    subject = about_check(SMS.number, NOW)
    chinese = with_code(worded(subject, "zh"), "012345", ChannelKind.SMS, "zh")
    assert chinese.expected == "请点开链接确认，或回复“验证 012345”"
    english = with_code(worded(subject, "en"), "012345", ChannelKind.SMS, "en")
    assert (english.title, english.plan_title) == ("Contact verification", "Contact verification")
    assert "VERIFY 012345" in (english.expected or "")
    spoken = with_code(worded(subject, "en"), "012345", ChannelKind.VOICE, "en").expected
    assert spoken == "Your code is 0 1 2 3 4 5, or press 1"


def test_an_address_that_nobody_verified_comes_last_or_is_left_out_with_its_reason() -> None:
    person = Person(
        "a",
        Bilingual(zh="甲", en="A"),
        (
            ContactPoint("sms-1", ChannelKind.SMS, "13800000001", verified=False),
            ContactPoint("sms-2", ChannelKind.SMS, "13800000002"),
            ContactPoint("email-1", ChannelKind.EMAIL, "a@example.org", verified=False),
        ),
    )
    providers = {ChannelKind.SMS: ["gateway"], ChannelKind.EMAIL: ["smtp"]}
    wanted = [ChannelKind.SMS, ChannelKind.EMAIL]
    assert [one.contact for one in reach(person, wanted, providers).routes] == ["sms-2", "sms-1", "email-1"]
    strict = reach(person, wanted, providers, unverified=False)
    assert [one.contact for one in strict.routes] == ["sms-2"]
    assert strict.skipped == ("email: a has no verified contact point",)
    only = reach(person, [ChannelKind.EMAIL], providers, only="email-1", unverified=False)
    assert [one.contact for one in only.routes] == ["email-1"]
