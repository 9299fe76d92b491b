"""Every line of a case's history is said in both languages, whatever the language of the case."""

import re
from collections.abc import Iterator

import pytest

from services.escalator.domain.classification import reclassify
from services.escalator.domain.commands import apply_command
from services.escalator.domain.decision import Decision
from services.escalator.domain.firing import fire
from services.escalator.domain.settlement import notification_settled
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import Change, ChangeKind
from shared.contracts.notifications import Settlement
from shared.contracts.values import Language
from tests.support.escalations import PLAN_TEXT, at, classified, command, opened, rules, settled

CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]")
ARGUMENTS = {"level": "orange", "role": "liaison", "until": "2026-11-03T09:00:00+08:00", "milestone": "plan-submitted"}


def _story(language: Language) -> Iterator[Change]:
    """A case from its first page to the end of its chain, judged anew, failing to reach people, told every command."""
    known = rules(PLAN_TEXT)
    decision = opened(known, language=language, split_from="2026-11-000009")
    yield from decision.changes
    case = decision.case
    news = [settled(case, "liaison", Settlement.FAILED), settled(case, "head", Settlement.NOBODY)]
    for number, one in enumerate(news, start=1):
        decision = notification_settled(known, decision.case, one, at(seconds=number))
        yield from decision.changes
    for _ in range(40):
        if not decision.timers:
            break
        first = min(decision.timers, key=lambda timer: timer.due_at)
        decision = fire(known, decision.case, first, first.due_at)
        yield from decision.changes
    for revision, (level, people) in enumerate((("red", 100), (None, 1)), start=2):
        judged = classified(known.plan.ref, level, revision=revision, when=at(days=2), facts={"people": people})
        decision = reclassify(known, decision.case, judged, at(days=2, minutes=revision))
        yield from decision.changes
    for number, kind in enumerate(CommandKind):
        decision = _told(decision, kind, number)
        yield from decision.changes


def _told(before: Decision, kind: CommandKind, number: int) -> Decision:
    when = at(days=3, minutes=number)
    return apply_command(
        rules(PLAN_TEXT), before.case, command(kind, when, arguments=dict(ARGUMENTS), reason="R"), when
    )


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_line_of_a_history_is_whole_in_both_languages(language: Language) -> None:
    lines = list(_story(language))
    assert len({line.kind for line in lines}) > 10
    assert {ChangeKind.CHAIN_ENDED, ChangeKind.NOTIFICATION_FAILED, ChangeKind.LEVEL_RAISED} <= {
        line.kind for line in lines
    }
    for line in lines:
        assert line.words is not None, line
        assert line.because == (line.words.en if language == "en" else line.words.zh)
        assert not CHINESE.search(line.words.en), line.words.en
        assert line.words.zh == line.words.en or CHINESE.search(line.words.zh), line.words.zh
