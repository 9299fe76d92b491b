"""What a plan asks for besides clocks and tiers is executed, and every expectation about it can fail."""

from pathlib import Path

import pytest

from services.drill.app.simulate_plan import simulate_case
from services.drill.domain.comparison import differences
from shared.calendars.library import CalendarLibrary
from shared.plans.cases import Case, parse_case_file
from shared.plans.compiled import CompiledPlan
from shared.plans.library import parse_plan

PLAN = CompiledPlan.of(
    parse_plan(
        """
plan: canteen
version: 1
title: {zh: 食堂, en: Canteen}
timezone: Asia/Shanghai
calendar: china
applies: {kinds: [complaint]}
levels:
  - {id: valid, zh: 有效, en: Valid}
  - {id: food, zh: 食品, en: Food}
milestones:
  - {id: answered, zh: 已答复, en: Answered}
facts:
  doubtful: bool
  media: bool
  loss_cny: {int: {min: 0}}
windows:
  today: {count: complaint, per: day, by: [topic]}
signals:
  food: {proposes: {doubtful: true}, zh: [异物], words: {zh: 提到异物, en: Foreign matter}}
criteria:
  - {id: food, level: food, when: doubtful, label: {zh: 食品异常, en: Doubtful food}}
  - {id: any, level: valid, when: loss_cny >= 1, label: {zh: 有损失, en: Loss}}
  - {id: wave, level: food, when: today >= 3, label: {zh: 三件, en: Three}}
warnings: {ends_after: 2h}
clocks:
  - id: answer
    label: {zh: 答复, en: Answer}
    from: received
    until: answered
    limit: 15wd
    extension: {approve_by: [manager], by: 15wd, to: 60wd, count: 1, tell_complainant: true}
opens:
  - {id: press, plan: media-attention, when: media, words: {zh: 媒体, en: Media}}
record:
  - {id: who, field: complainant, before: received, words: {zh: 投诉人, en: Complainant}}
  - {id: loss, fact: loss_cny, before: resolved, words: {zh: 损失, en: Loss}}
checklist:
  - {id: seal, words: {zh: 封存, en: Seal}, kind: evidence, before: resolved, when: doubtful}
  - {id: letter, words: {zh: 回函, en: Letter}, by: [manager], before: closed, when: doubtful}
activation:
  - id: start
    words: {zh: 是否启动, en: Start}
    roles: [chief]
    within: 10m
    on_silence: record
    when: loss_cny >= 1000
approvals:
  - {id: reply, words: {zh: 答复审批, en: Reply}, of: answered, by: [[manager], [chief]], when: media}
notices:
  - {id: accepted, on: received, words: {zh: 已受理。, en: Taken up.}}
  - {id: replied, on: answered, within: 1wd, words: {zh: 已答复。, en: Answered.}}
bypass:
  - {id: police, dial: "110", levels: [food], words: {zh: 报警, en: Police}}
duties:
  - id: weekly
    words: {zh: 周汇总, en: Weekly summary}
    kind: report
    every: week
    on: [mon]
    at: ["09:00"]
    roles: [manager]
consequences:
  - id: pay
    words: {zh: 赔偿, en: Compensation}
    kind: compensation
    when: loss_cny >= 1
    amount: 2 * loss_cny
    unit: CNY
tiers:
  - {id: desk, zh: 值班, en: Desk, roles: [desk]}
""",
        "plan.yaml",
    )
)
CALENDARS = CalendarLibrary.load(Path("deploy/calendars"))
WAVE = "burst: {count: 3, every: 1m}\nreport: {topic: hair}\nrun_for: 3h\n"

LATE_NOTICE = "expect: {notices: [{at: 1s, notice: accepted}]}"
ANSWERED = "report: {facts: {loss_cny: 1}}\nthen:\n  - {at: 1h, command: milestone, milestone: answered, by: clerk}\n"
ASKED = "report: {facts: {media: true}}\nthen:\n  - {at: 1h, command: milestone, milestone: answered, by: clerk}\n"
HELD = "report: {facts: {loss_cny: 1000}}\nrun_for: 1h\n"
STARTED = "report: {facts: {loss_cny: 1000}}\nthen:\n  - {at: 1h, command: activate, by: chief}\n"
TICKED = "report: {facts: {doubtful: true}}\nthen:\n  - {at: 1h, command: tick, item: seal, by: clerk}\n"


def failures(text: str) -> tuple[str, ...]:
    head = "case: trial\nabout: {zh: 测试, en: test}\nstart: 2026-03-02T10:00:00+08:00\n"
    case = parse_case_file(head + text, "trial.yaml")
    assert isinstance(case, Case)
    return differences(case, simulate_case(PLAN, case, calendars=CALENDARS))


@pytest.mark.parametrize(
    ("scenario", "right", "wrong"),
    [
        (
            "report: {narrative: 菜里有异物}\n",
            "expect: {level: food, proposed: {doubtful: true}}",
            "expect: {proposed: {}}",
        ),
        ("report: {facts: {media: true}}\n", "expect: {opened: [media-attention]}", "expect: {opened: []}"),
        (
            "report: {facts: {loss_cny: 1}}\n",
            "expect: {record_missing: [who]}",
            "expect: {record_missing: [who, loss]}",
        ),
        (
            "report: {facts: {doubtful: true}}\n",
            "expect: {checklist_open: [seal, letter]}",
            "expect: {checklist_open: []}",
        ),
        ("report: {facts: {doubtful: true}}\n", "expect: {bypasses: [police]}", "expect: {bypasses: []}"),
        (
            "report: {facts: {loss_cny: 50}}\n",
            "expect: {consequences: [{id: pay, amount: 100}]}",
            "expect: {consequences: [{id: pay, amount: 99}]}",
        ),
        ("report: {facts: {loss_cny: 50}}\n", "expect: {consequences: [{id: pay}]}", "expect: {consequences: []}"),
        (
            "report: {facts: {loss_cny: 1}}\nrun_for: 7d\n",
            "expect: {duties: [{at: 2026-03-09T09:00:00+08:00, duty: weekly}]}",
            "expect: {duties: [{at: 2026-03-10T09:00:00+08:00, duty: weekly}]}",
        ),
        (
            "report: {facts: {loss_cny: 1}}\n",
            "expect: {clocks: {answer: {due_at: 2026-03-24T00:00:00+08:00}}}",
            "expect: {clocks: {answer: {due_at: 2026-03-23T00:00:00+08:00}}}",
        ),
        ("report: {facts: {media: true}}\n", "expect: {notices: [{at: 0s, notice: accepted}]}", LATE_NOTICE),
        (ANSWERED, "expect: {notices: [{at: 1h, notice: replied}]}", "expect: {notices: [{at: 2h, notice: replied}]}"),
        (HELD, "expect: {activated: false}", "expect: {activated: true}"),
        (STARTED, "expect: {activated: true}", "expect: {activated: false}"),
        ("report: {facts: {media: true}}\n", "expect: {activated: null}", "expect: {activated: true}"),
        (TICKED, "expect: {checklist_open: [letter]}", "expect: {checklist_open: [seal, letter]}"),
        (
            ASKED,
            "expect: {approvals: {reply: {state: waiting, step: 1}}}",
            "expect: {approvals: {reply: {state: waiting, step: 2}}}",
        ),
        (
            ASKED + "  - {at: 2h, command: approve, by: manager}\n",
            "expect: {approvals: {reply: {state: waiting, step: 2}}}",
            "expect: {approvals: {reply: {state: approved}}}",
        ),
        (
            ASKED + "  - {at: 2h, command: refuse, by: manager, reason: too short}\n",
            "expect: {approvals: {reply: {state: refused}}}",
            "expect: {approvals: {reply: {state: waiting}}}",
        ),
        (
            ASKED + "  - {at: 2h, command: approve, by: manager}\n  - {at: 3h, command: approve, by: chief}\n",
            "expect: {approvals: {reply: {state: approved}}, notices: [{at: 3h, notice: replied}]}",
            "expect: {notices: [{at: 1h, notice: replied}]}",
        ),
        (ANSWERED, "expect: {state: classified}", "expect: {approvals: {reply: {state: waiting}}}"),
        (WAVE, "expect: {warning_level: food, warning_ended: 2h2m}", "expect: {warning_ended: 2h3m}"),
    ],
)
def test_every_expectation_holds_and_can_fail(scenario: str, right: str, wrong: str) -> None:
    assert failures(scenario + right) == ()
    assert len(failures(scenario + wrong)) == 1


def test_an_extension_is_asked_for_and_granted() -> None:
    asked = (
        "report: {facts: {loss_cny: 1}}\n"
        "then:\n"
        "  - {at: 1d, command: extension-request, clock: answer, by: clerk, reason: waits for the laboratory}\n"
        "  - {at: 2d, command: extension-approve, clock: answer, by: manager}\n"
    )
    assert failures(asked + "expect: {clocks: {answer: {extended: 1, due_at: 2026-04-15T00:00:00+08:00}}}") == ()
    assert len(failures(asked + "expect: {clocks: {answer: {extended: 0}}}")) == 1


def test_a_further_case_puts_the_end_of_a_warning_off() -> None:
    later = "then:\n  - {at: 1h, report: {topic: hair, complainant: late}, burst: {count: 1}}\n"
    assert failures(WAVE + later + "expect: {warning_ended: 3h}") == ()
