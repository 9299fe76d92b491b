import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from services.console.domain.lines import BAD, GOOD, lines_of
from services.console.domain.plan_words import PlanWords
from shared.contracts.classifications import DuplicateOf, OpenedBy, ProposedFact
from shared.contracts.commands import CommandKind
from shared.contracts.escalations import CaseErasedV1, CaseMergedV1, Change, ChangeKind, ErasedPart
from shared.contracts.notifications import Settlement
from shared.contracts.topics import TOPICS
from shared.contracts.values import Actor, ActorKind, Bilingual, Contract
from tests.support.console import (
    IDS,
    TELECOM,
    create_classified,
    create_command,
    create_escalated,
    create_event,
    create_report,
    create_settled,
    create_story,
)

NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
WORDS = PlanWords({})


def test_every_event_of_every_topic_has_a_line_in_both_languages() -> None:
    merged = CaseMergedV1(number="N-1", plan=TELECOM, revision=2, into=IDS.new(), changed_at=NOON)
    erased = CaseErasedV1(number="N-1", part=ErasedPart.PERSONAL_DATA, last_changed_at=NOON, erased_at=NOON)
    further = (
        create_command(NOON),
        merged,
        merged.model_copy(update={"into": None}),
        erased,
        erased.model_copy(update={"part": ErasedPart.CASE}),
    )
    events = [*create_story("N-1", at=NOON), *(create_event(one, IDS.new()) for one in further)]
    told: set[type[Contract]] = set()
    for event in events:
        lines = lines_of(event, WORDS)
        assert lines
        assert all(line.zh and line.en for line in lines)
        json.dumps([line.details for line in lines])
        told.add(type(event.data))
    missing = {model.__name__ for topic in TOPICS for model in topic.models} - {model.__name__ for model in told}
    # Incidents share the line of complaints.
    assert missing == {"IncidentReportedV1"}, "word it in services/console/domain/lines.py and add it to this test"


def test_each_change_of_a_case_is_a_line_of_its_own() -> None:
    changes = (
        Change(kind=ChangeKind.LEVEL_RAISED, at=NOON, because="橙色 → 红色"),
        Change(kind=ChangeKind.TIER_REACHED, at=NOON, because="业务部门领导"),
    )
    lines = lines_of(create_event(create_escalated("N-1", "red", NOON, changes=changes), IDS.new()), WORDS)
    assert [line.kind for line in lines] == ["level-raised", "tier-reached"]
    assert lines[0].zh == "级别提升：橙色 → 红色"
    assert lines[0].tone == BAD


def test_a_change_is_told_in_the_language_of_the_reader_and_as_it_came_where_it_came_in_one_only() -> None:
    words = Bilingual(zh="首次通知：接口人", en="first page: Liaison")
    changes = (
        Change(kind=ChangeKind.TIER_REACHED, at=NOON, because=words.zh, words=words),
        Change(kind=ChangeKind.TIER_REACHED, at=NOON, because="业务部门领导"),
    )
    told, before = lines_of(create_event(create_escalated("N-1", "red", NOON, changes=changes), IDS.new()), WORDS)
    assert told.zh.endswith("：首次通知：接口人")
    assert told.en.endswith(": first page: Liaison")
    assert before.en.endswith(": 业务部门领导")


def test_a_classification_says_what_else_it_rests_on() -> None:
    classified = create_classified(
        "N-1",
        "red",
        NOON,
        proposed=(
            ProposedFact(
                fact="injured",
                value=True,
                signal="injury",
                word="受伤",
                where="narrative",
                position=3,
                excerpt="两人受伤",
            ),
        ),
        opened_by=OpenedBy(plan="mall", opening="media-track", because=Bilingual(zh="媒体关注", en="media attention")),
        duplicate_of=DuplicateOf(case_id=UUID(int=1), number="N-0", rule="same-person", then="merge"),
    )
    line = lines_of(create_event(classified, IDS.new()), WORDS)[0]
    assert line.zh.endswith("；文字线索：受伤；由预案 mall 带入（媒体关注）；与案件 N-0 为同一事件")
    assert line.en.endswith(
        "; words of the text: 受伤; opened by plan mall (media attention); the same event as case N-0"
    )


def test_the_end_of_a_warning_says_why() -> None:
    ended = create_classified(
        "N-1",
        "red",
        NOON,
        resolved=True,
        resolved_because=Bilingual(zh="2小时内没有新的事件", en="no further case for 2 h"),
    )
    line = lines_of(create_event(ended, IDS.new()), WORDS)[0]
    assert line.zh.endswith("；预警结束，2小时内没有新的事件")


def test_a_classification_says_which_criterion_decided_and_what_it_read() -> None:
    line = lines_of(create_event(create_classified("N-1", "red", NOON), IDS.new()), WORDS)[0]
    assert "超过 50000 户" in line.zh
    assert line.details["values"] == {"line": "network", "customers_affected": 62000}


@pytest.mark.parametrize(
    ("settlement", "tone"), [(Settlement.DELIVERED, GOOD), (Settlement.FAILED, BAD), (Settlement.NOBODY, BAD)]
)
def test_a_settlement_shows_whether_it_went_well(settlement: Settlement, tone: str) -> None:
    data = create_settled("N-1", NOON, IDS.new(), settlement=settlement)
    assert lines_of(create_event(data, IDS.new()), WORDS)[0].tone == tone


def test_a_command_names_who_gave_it_and_why() -> None:
    line = lines_of(create_event(create_command(NOON, CommandKind.RESOLVE), IDS.new()), WORDS)[0]
    assert line.zh == "值班经理甲 操作：解决，理由：已到现场"
    assert line.actor == {"kind": "person", "ref": "值班经理甲"}


def test_a_command_of_a_key_that_names_nobody_names_the_key() -> None:
    data = create_command(NOON, actor=Actor(kind=ActorKind.SYSTEM, ref="交接台"), reason=None)
    line = lines_of(create_event(data, IDS.new()), WORDS)[0]
    assert (line.zh, line.en) == ("交接台（API 密钥） 操作：确认接手", "交接台 (API key): acknowledge")


def test_both_halves_of_a_split_say_what_they_are() -> None:
    new = create_report("N-2", NOON, split_from="N-1")
    old = create_report("N-1", NOON, sequence=3, title=None, topic=None, facts={}, moved_facts=("people",))
    first, second = (lines_of(create_event(report, IDS.new()), WORDS)[0] for report in (new, old))
    assert "由案件 N-1 拆分" in first.zh
    assert "split from case N-1" in first.en
    assert (second.zh, second.details["moved_facts"]) == ("部分内容移至另一案件", ["people"])
