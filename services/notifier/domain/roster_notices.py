"""What is said about rosters, to whom, and how it is told apart from what was said before."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

from services.notifier.domain.live_tests import LiveTest
from services.notifier.domain.roster import Person, Roster
from services.notifier.domain.roster_findings import Finding, FindingKind
from services.notifier.domain.roster_timeline import Handover
from shared.contracts.notifications import MessageTemplate, Subject, SubjectWords
from shared.contracts.values import MAX_TEXT, Bilingual, Language

PLAN: Final = "roster"
_LISTED: Final = 5
# About no case: number, level and plan would only take room from what is said.
TEMPLATES: Final = (
    MessageTemplate(
        form="sms",
        zh="{what}：{because}。{expected}[。本消息迟到{late}]",
        en="{what}: {because}. {expected}[. Late by {late}]",
    ),
    MessageTemplate(form="subject", zh="{what}", en="{what}"),
    MessageTemplate(form="voice", zh="{what}。{because}。{expected}。", en="{what}. {because}. {expected}."),
)
_PUT_RIGHT: Final = Bilingual(
    zh="请尽快安排人员或更正值班表", en="Please find people or correct the roster as soon as you can"
)
_HANDED_OVER: Final = Bilingual(
    zh="请当面或电话交接未办结事项", en="Please hand over what is open, in person or by telephone"
)
_REACH_THEM: Final = Bilingual(
    zh="请核实其联系方式，必要时改派值班", en="Please check how they can be reached, or put others on duty"
)
_NOTHING_OPEN: Final = Bilingual(zh="请当面或电话交接班", en="Please hand over in person or by telephone")
# These last until somebody puts them right: said again every week.
_LASTING: Final = frozenset({FindingKind.UNREACHABLE, FindingKind.UNVERIFIED, FindingKind.UNSTAFFED})
# These are how the roster is made: said once, and shown as long as they last.
_MADE_SO: Final = frozenset({FindingKind.SHARED, FindingKind.ALONE})


def keys_of(found: Finding, begins_at: datetime, ends_at: datetime) -> frozenset[str]:
    """By what a finding is known again while the checked time moves on: its beginning and its end, where they show.

    It is new only when none of its keys was announced.
    """
    what = f"{found.kind}/{found.role or ''}/{found.person or ''}"
    year, week, _ = begins_at.isocalendar()
    if found.kind in _MADE_SO:
        return frozenset({f"{what}/{sha256(found.what.en.encode()).hexdigest()[:16]}"})
    if found.kind in _LASTING:
        return frozenset({f"{what}/{year}-{week}"})
    keys = set()
    if found.begins_at > begins_at:
        keys.add(f"{what}/from {found.begins_at.isoformat()}")
    if found.ends_at < ends_at:
        keys.add(f"{what}/to {found.ends_at.isoformat()}")
    return frozenset(keys or {f"{what}/{year}-{week}"})


@dataclass(frozen=True, slots=True)
class OpenCase:
    """A case that is handed over."""

    number: str
    level_label: Bilingual | None
    acknowledged: bool


def handover_key(handover: Handover, *, passed: bool) -> str:
    """One key for the notice ahead, one for the moment itself."""
    return f"handover{'-now' if passed else ''}/{handover.role}/{handover.at.isoformat()}"


def about_findings(found: Sequence[Finding], days: int, now: datetime) -> Subject:
    """The message to the owner of the roster: how many, and the first ones."""
    gaps = sum(one.is_gap for one in found)
    rest = len(found) - _LISTED
    zh = "；".join(one.what.zh for one in found[:_LISTED]) + (f"；另有{rest}处" if rest > 0 else "")
    en = "; ".join(one.what.en for one in found[:_LISTED]) + (f"; and {rest} more" if rest > 0 else "")
    return _subject(
        Bilingual(zh="值班表检查", en="Roster check"),
        title=Bilingual(
            zh=f"今后{days}天值班表有{len(found)}处问题，其中缺口{gaps}处",
            en=f"{len(found)} findings in the roster of the next {days} days, {gaps} of them gaps",
        ),
        because=Bilingual(zh=zh[:MAX_TEXT], en=en[:MAX_TEXT]),
        expected=_PUT_RIGHT,
        at=now,
    )


def about_unanswered(roster: Roster, test: LiveTest) -> Subject:
    """The message to the owner of the roster: who did not answer a live test in time."""
    missing = test.unanswered()
    rest = len(missing) - _LISTED
    people = [roster.people.get(one) for one in missing[:_LISTED]]
    zh = "、".join(_known(one, at, "zh") for one, at in zip(people, missing, strict=False))
    en = ", ".join(_known(one, at, "en") for one, at in zip(people, missing, strict=False))
    return _subject(
        Bilingual(zh="联络测试", en="Test of the duty roster"),
        title=Bilingual(
            zh=f"联络测试{test.number}：{len(test.answers)}人中{len(missing)}人未按时确认",
            en=f"test {test.number}: {len(missing)} of {len(test.answers)} people did not answer in time",
        ),
        because=Bilingual(
            zh=(zh + (f"，另有{rest}人" if rest > 0 else ""))[:MAX_TEXT],
            en=(en + (f" and {rest} more" if rest > 0 else ""))[:MAX_TEXT],
        ),
        expected=_REACH_THEM,
        at=test.ends_at,
    )


def _known(person: Person | None, person_id: str, language: Language) -> str:
    if person is None:
        return person_id
    return f"{person.label.zh}（{person_id}）" if language == "zh" else f"{person.label.en} ({person_id})"


def about_handover(roster: Roster, handover: Handover, cases: Sequence[OpenCase], *, passed: bool) -> Subject:
    """The message to both sides: who hands over to whom, when, and which cases. `passed`: duty passes now."""
    role = roster.roles[handover.role].label
    at = f"{handover.at.astimezone(roster.zone):%Y-%m-%d %H:%M}"
    leaving, coming = (_named(roster, people) for people in (handover.leaving, handover.coming))
    listed = _listed(cases)
    return _subject(
        Bilingual(zh="值班交接", en="Hand-over of duty"),
        title=Bilingual(
            zh=f"{role.zh}{'现在' if passed else ''}交接班"[:MAX_TEXT],
            en=f"{role.en}: duty passes{' now' if passed else ''}"[:MAX_TEXT],
        ),
        because=Bilingual(
            zh=f"{at} {leaving.zh}交班，{coming.zh}接班；{listed.zh}"[:MAX_TEXT],
            en=f"{at} from {leaving.en} to {coming.en}; {listed.en}"[:MAX_TEXT],
        ),
        expected=_HANDED_OVER if cases else _NOTHING_OPEN,
        at=handover.at,
        due_at=handover.at,
    )


def _subject(
    plan: Bilingual,
    *,
    title: Bilingual,
    because: Bilingual,
    expected: Bilingual,
    at: datetime,
    due_at: datetime | None = None,
) -> Subject:
    return Subject(
        number="ROSTER",
        plan=PLAN,
        plan_title=plan.zh,
        level=None,
        level_label=None,
        level_rank=0,
        highest_rank=1,
        because=because.zh,
        title=title.zh,
        expected=expected.zh,
        due_at=due_at,
        occurred_at=at,
        en=SubjectWords(plan_title=plan.en, because=because.en, title=title.en, expected=expected.en),
    )


def _listed(cases: Sequence[OpenCase]) -> Bilingual:
    if not cases:
        return Bilingual(zh="无未办结事项", en="no case is open")
    rest = len(cases) - _LISTED
    zh = "、".join(_told(one, "zh") for one in cases[:_LISTED]) + (f"，另有{rest}件" if rest > 0 else "")
    en = ", ".join(_told(one, "en") for one in cases[:_LISTED]) + (f", and {rest} more" if rest > 0 else "")
    return Bilingual(zh=f"未办结{len(cases)}件：{zh}"[:MAX_TEXT], en=f"{len(cases)} open: {en}"[:MAX_TEXT])


def _told(case: OpenCase, language: Language) -> str:
    if language == "zh":
        level = case.level_label.zh if case.level_label is not None else "未定级"
        return f"{case.number}（{level}，{'已确认' if case.acknowledged else '未确认'}）"
    level = case.level_label.en if case.level_label is not None else "no level"
    return f"{case.number} ({level}, {'acknowledged' if case.acknowledged else 'not acknowledged'})"


def _named(roster: Roster, people: Sequence[str]) -> Bilingual:
    labels = [roster.people[one].label for one in people]
    return Bilingual(
        zh="、".join(one.zh for one in labels)[:MAX_TEXT] or "无人",
        en=", ".join(one.en for one in labels)[:MAX_TEXT] or "nobody",
    )
