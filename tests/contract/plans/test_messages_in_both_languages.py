"""Every message that the escalator asks for, of every pack, is whole in the reader's language, whatever the case's."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from services.escalator.domain.classification import open_case, reclassify
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.organisation_duties import DutyOf, request_for
from services.escalator.domain.settlement import notification_settled
from services.escalator.domain.time_bases import Rules
from services.notifier.domain.templates import Templates
from services.notifier.domain.texts import Message, Rendered, render, worded
from services.notifier.domain.texts_bundle import Other, render_bundle
from shared.calendars.library import CalendarLibrary
from shared.contracts.classifications import CaseClassifiedV1, CriterionResult, Holds
from shared.contracts.commands import CommandIssuedV1, CommandKind
from shared.contracts.notifications import NotificationRequestedV1, NotificationSettledV1, Purpose, Settlement
from shared.contracts.values import Actor, ActorKind, Bilingual, CaseKind, FactValue, Language
from shared.plans.compiled import CompiledPlan
from shared.plans.library import PlanLibrary
from shared.plans.model import FactSpec
from tests.contract.plans.test_packs import NAMES
from tests.support.plans import PACKS

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CASE = UUID("019a0000-0000-7000-8000-000000000009")
SHANGHAI = ZoneInfo("Asia/Shanghai")
FIRINGS = 25
CJK = re.compile(r"[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
# Three English words in a row; identifiers of roles and units of a limit are no sentence.
SENTENCE = re.compile(r"\b[A-Za-z]{2,}(?:,? [A-Za-z]{2,}){2,}")


@pytest.fixture(scope="module")
def library() -> PlanLibrary:
    return PlanLibrary.load(PACKS)


@pytest.fixture(scope="module")
def calendars() -> CalendarLibrary:
    return CalendarLibrary.load(PACKS.parent / "calendars")


def _sample(spec: FactSpec | None) -> FactValue:
    """A value that is a word of no language."""
    if spec is None or spec.int_ is not None or spec.number is not None:
        return 7
    if spec.bool_ is not None:
        return True
    if spec.instant is not None:
        return NOW.isoformat()
    return spec.enum[0] if spec.enum else "x-1"


def _classified(plan: CompiledPlan, level: str, revision: int, language: Language, **other: object) -> CaseClassifiedV1:
    criterion = next((one for one in plan.plan.criteria if one.level == level), plan.plan.criteria[0])
    facts = {
        name: _sample(spec) for name, spec in plan.plan.facts.items() if spec.int_ is not None or spec.bool_ is not None
    }
    when = str(criterion.when)
    named = set(re.findall(r"[a-z][a-z0-9_]*", when)) & {*plan.plan.facts, *plan.windows}
    values: dict[str, FactValue | None] = {name: _sample(plan.plan.facts.get(name)) for name in named}
    held = CriterionResult(
        id=criterion.id,
        level=level,
        result=Holds.HELD,
        when=when[:100],
        values=values,
        label=criterion.label.as_contract(),
    )
    return CaseClassifiedV1.model_validate(
        {
            "number": "2026-11-000123",
            "kind": CaseKind.COMPLAINT,
            "plan": plan.ref,
            "revision": revision,
            "level": level,
            "level_rank": plan.rank(level),
            "criteria": (held,),
            "decided_by": criterion.id,
            "source": "hotline",
            "language": language,
            "facts": facts,
            "occurred_at": NOW - timedelta(minutes=5),
            "received_at": NOW - timedelta(minutes=4),
            "classified_at": NOW,
            **other,
        }
    )


def _commands(plan: CompiledPlan, level: str) -> Iterator[CommandIssuedV1]:
    """Whatever makes a request: refused ones are as good as none."""
    for gate in plan.activations:
        for role in gate.roles[:1]:
            yield command(CommandKind.ACTIVATE, role=role)
    yield command(CommandKind.CANNOT_HANDLE)
    for clock in (one for one in plan.clocks if one.extension is not None):
        yield command(CommandKind.EXTENSION_REQUEST, clock=clock.id, by="1d")
        for role in clock.extension.approve_by if clock.extension is not None else ():
            yield command(CommandKind.EXTENSION_APPROVE, "manager-b", clock=clock.id, role=role)
    yield from _asked_of_people(plan)
    for other in plan.plan.levels:
        yield command(
            CommandKind.RAISE_LEVEL if plan.rank(other.id) > plan.rank(level) else CommandKind.LOWER_LEVEL,
            level=other.id,
        )


def command(kind: CommandKind, ref: str = "manager-a", **arguments: FactValue) -> CommandIssuedV1:
    actor = Actor(kind=ActorKind.PERSON, ref=ref)
    return CommandIssuedV1(command=kind, actor=actor, issued_at=NOW, reason="7", arguments=arguments)


def _asked_of_people(plan: CompiledPlan) -> Iterator[CommandIssuedV1]:
    for way in plan.bypasses:
        yield command(CommandKind.BYPASS, way=way.id)
    for rule in plan.approvals:
        yield command(CommandKind.APPROVAL_REQUEST, approval=rule.id)
    for milestone in plan.plan.milestones:
        yield command(CommandKind.MILESTONE, milestone=milestone.id)


def _requests(rules: Rules, level: str, language: Language) -> Iterator[NotificationRequestedV1]:
    """What a case of the level asks to be told while time passes, people act and it ends, by every way it may end."""
    plan = rules.plan
    when = NOW
    decision = open_case(
        rules,
        org="org-a",
        case_id=CASE,
        plan=plan.ref,
        classified=_classified(plan, level, 1, language),
        now=when,
    )
    yield from decision.requests
    for command in _commands(plan, level):
        decision = apply_command(rules, decision.case, command, when)
        yield from decision.requests
    for _ in range(FIRINGS):
        if not decision.timers:
            break
        timer = min(decision.timers, key=lambda one: one.due_at)
        when = max(when, timer.due_at)
        decision = fire(rules, decision.case, timer, when)
        yield from decision.requests
    nobody = notification_settled(rules, decision.case, _nobody(decision, Purpose.INFORM), when)
    yield from nobody.requests
    for ending in (
        _ended(rules, decision, CommandKind.RESOLVE, when),
        _ended(rules, decision, CommandKind.WITHDRAW, when),
        _ended(rules, decision, CommandKind.INVALIDATE, when),
        reclassify(rules, decision.case, _classified(plan, level, 9, language, resolved=True), when),
    ):
        yield from ending.requests


def _nobody(decision: Decision, purpose: Purpose) -> NotificationSettledV1:
    return NotificationSettledV1(
        request_id=CASE,
        intent_id=CASE,
        number="2026-11-000123",
        plan=decision.case.plan.name,
        purpose=purpose,
        step=decision.case.steps,
        role="office",
        role_words=Bilingual(zh="办公室", en="Office"),
        person=None,
        settlement=Settlement.NOBODY,
        attempts=0,
        reason="nobody is on duty",
        settled_at=NOW,
    )


def _ended(rules: Rules, decision: Decision, kind: CommandKind, when: datetime) -> Decision:
    actor = Actor(kind=ActorKind.PERSON, ref="manager-a")
    return apply_command(
        rules, decision.case, CommandIssuedV1(command=kind, actor=actor, issued_at=when, reason="7"), when
    )


def _forms(request: NotificationRequestedV1, language: Language) -> dict[str, str]:
    message = Message(
        purpose=request.purpose,
        subject=worded(request.subject, language),
        language=language,
        zone=SHANGHAI,
        now=NOW + timedelta(hours=3),
        link="https://fenghuo.example.org/a/xyz" if request.acknowledge else None,
        stale_after=NOW,
        requested_at=NOW,
        drill=True,
        templates=request.templates,
    )
    usual = render(message)
    own = Templates({}).render(message, usual, max_segments=6)
    bundle = render_bundle(
        message, [Other(worded(request.subject, language), request.purpose, NOW, message.link)], max_segments=6
    )
    made: dict[str, Rendered] = {"usual": usual, "own": own, "bundle": bundle}
    return {
        f"{name} {form}": getattr(one, form)
        for name, one in made.items()
        for form in ("headline", "plain", "html", "sms", "spoken")
    }


def _problems(request: NotificationRequestedV1) -> Iterator[str]:
    languages: tuple[Language, Language] = ("zh", "en")
    for reader in languages:
        for form, text in _forms(request, reader).items():
            if found := _foreign(text, reader):
                yield f"{request.purpose} of a {request.language} case for {reader}, {form}: {found}"


def _foreign(text: str, reader: Language) -> str | None:
    bare = re.sub(r"<[^>]*>|https://\S+", " ", text).replace("【", "[").replace("】", "]")
    found = (CJK if reader == "en" else SENTENCE).search(bare)
    return f"…{bare[max(0, found.start() - 30) : found.end() + 30]}…" if found else None


@pytest.mark.parametrize("name", NAMES)
def test_no_message_of_a_plan_mixes_languages(name: str, library: PlanLibrary, calendars: CalendarLibrary) -> None:
    plan = library.get(name)
    rules = Rules(plan, calendars)
    problems: set[str] = set()
    seen: set[str] = set()
    languages: tuple[Language, Language] = ("zh", "en")
    for level in plan.plan.levels:
        for language in languages:
            for request in _requests(rules, level.id, language):
                told = f"{request.purpose}/{language}/{request.subject.level}/{request.subject.because}"
                if told in seen:
                    continue
                seen.add(told)
                problems.update(_problems(request))
    for duty in plan.duties:
        problems.update(_problems(request_for(DutyOf("org-a", rules, duty), NOW, NOW)))
    assert sorted(problems)[:10] == []


def test_every_purpose_is_among_what_is_looked_at(library: PlanLibrary, calendars: CalendarLibrary) -> None:
    found: set[Purpose] = set()
    for plan in library.plans:
        if plan.plan.levels and found != set(Purpose):
            level = plan.plan.levels[-1].id
            found |= {request.purpose for request in _requests(Rules(plan, calendars), level, "zh")}
    assert found == set(Purpose)
