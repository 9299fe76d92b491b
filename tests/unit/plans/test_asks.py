"""What a compiled plan asks for at a level with given facts: gates, approvals, people, papers, duties, consequences."""

from datetime import timedelta

import pytest

from shared.contracts.notifications import Purpose
from shared.plans.compiled import CompiledPlan, Scope
from shared.plans.library import parse_plan, plan_from_snapshot
from shared.plans.limits import Limit, LimitBase
from tests.support.plans import NOW, SOUND

MORE = """\
confidential: {narrative: withheld, complainant: hidden, visible_to: [discipline]}
baselines:
  usual: {of: today, over: 28, at_least: 7}
signals:
  injury: {proposes: {hurt: true}, zh: [受伤], en: [injured]}
duplicates:
  - {id: twice, same: [complainant, topic], within: 24h, then: merge, when: not hurt}
warnings: {ends_after: 24h, ends_when: today < 2}
opens:
  - {id: press, plan: press-plan, when: media == 'province' or today > 3 * usual, carry: [media],
     words: {zh: 媒体, en: Press}}
  - {id: always, plan: other-plan, levels: [grave], words: {zh: 另, en: Other}}
activation:
  - {id: chair, words: {zh: 启动, en: Start}, roles: [chairman], within: 10m, on_silence: activate,
     levels: [grave], when: hurt}
  - {id: head, words: {zh: 启动, en: Start}, roles: [head], within: {parameter: wait}, levels: [grave]}
approvals:
  - {id: reply, words: {zh: 答复, en: Reply}, of: answered, by: [[head], [director, deputy]],
     within: 2wd, levels: [grave]}
  - {id: pay, words: {zh: 赔偿, en: Pay}, action: compensation, by: [[director]], when: hurt}
recusal:
  - {id: accused, words: {zh: 回避, en: Keep out}, who: accused, covers: [pages], instead: [director]}
inform:
  - {id: press-office, roles: [press-office], channels: [email], when: media == 'province'}
  - {id: at-the-end, roles: [archive], on: closed}
bypass:
  - {id: police, dial: "110", when: hurt, words: {zh: 报警, en: Police}}
record:
  - {id: who, field: complainant, before: received, words: {zh: 投诉人, en: Complainant}}
  - {id: cause, fact: accused, before: resolved, may_stay_blank_until: answered, words: {zh: 原因, en: Cause}}
checklist:
  - {id: photo, words: {zh: 拍照, en: Photo}, kind: evidence, by: [clerk], before: answered, when: hurt}
  - {id: file, words: {zh: 归档, en: File}, before: closed, levels: [grave]}
notices:
  - {id: taken, on: received, words: {zh: 已受理, en: Taken up}}
  - {id: longer, on: extended, within: 1wd, opt_in: true, words: {zh: 延期, en: Longer}}
duties:
  - {id: half-year, words: {zh: 半年报, en: Report}, kind: report, every: half-year, on: [end],
     roles: [compliance], within: 5wd}
  - {id: look, words: {zh: 察看, en: Look}, every: day, from: acknowledged, until: resolved,
     levels: [grave], roles: [clerk]}
consequences:
  - {id: bonus, words: {zh: 奖金, en: Bonus}, when: today >= 2, amount: 0.1 * loss,
     up_to: 0.2 * loss + 5, unit: CNY, by: [office], needs: pay}
drills:
  - {id: yearly, case: a-case, every: year, roles: [office], words: {zh: 演练, en: Drill}}
not_automated:
  - {id: cut, reason: gap, words: {zh: 原文缺, en: Cut}}
"""
FULL = SOUND.replace("  hurt: bool\n", "  hurt: bool\n  accused: text\n  loss: {number: {min: 0}}\n") + MORE
EXTENDED = """\
    basis: {day_zero: before, ends: end-of-hours}
    overrun: {every: 1h, count: 5}
    retarget: tighten-only
    late: from-now
    breach: raise-level
    raises: grave
    extension: {approve_by: [director], by: 15wd, to: 60wd, count: 2, tell_complainant: true}
"""
FULL = FULL.replace("levels: [grave]\n    when: media", "levels: [mild, grave]\n    when: media")
FULL = FULL.replace("    when: media == 'province'\ntiers:\n", f"    when: media == 'province'\n{EXTENDED}tiers:\n")
FULL = FULL.replace(
    "tiers:\n",
    "  - {id: peak, label: {zh: 峰前, en: Peak}, from: classified, until: answered, limit: 24h, before: expected_at}\n"
    "  - {id: ups, label: {zh: 电池, en: UPS}, from: received, until: answered,"
    " limit: {fact: expected_at, otherwise: same-day}}\n"
    "tiers:\n",
    1,
).replace(
    "roles: [head], levels: [grave]}",
    "roles: [head], levels: [grave], off_hours: [duty], hours: any, wait: 5m, repeat_from: first, when: not hurt}",
)


@pytest.fixture(scope="module")
def plan() -> CompiledPlan:
    return CompiledPlan.of(parse_plan(FULL, "plan.yaml"))


def ids(entries: object) -> list[str]:
    return [entry.id for entry in entries]  # type: ignore[attr-defined]  # every entry has an id


def test_a_plan_with_everything_is_kept_and_revived_alike(plan: CompiledPlan) -> None:
    revived = plan_from_snapshot(plan.snapshot())
    assert revived.plan == plan.plan
    assert revived.ref == plan.ref


def test_the_first_gate_that_applies_counts(plan: CompiledPlan) -> None:
    hurt, other = plan.activation_for("grave", {"hurt": True}), plan.activation_for("grave", {})
    assert hurt is not None
    assert (hurt.id, hurt.on_silence, hurt.within) == ("chair", "activate", timedelta(minutes=10))
    assert other is not None
    assert (other.id, other.within) == ("head", timedelta(minutes=15))
    assert plan.activation_for("mild", {"hurt": True}) is None
    assert plan.activation_for(None, {"hurt": True}) is None


def test_approvals_have_steps_and_limits(plan: CompiledPlan) -> None:
    (reply,) = plan.approvals_for("grave", {})
    assert reply.by == (("head",), ("director", "deputy"))
    assert reply.within is not None
    assert (reply.within.base, reply.within.amount) == (LimitBase.WORKING_DAYS, 2)
    assert ids(plan.approvals_for("mild", {"hurt": True})) == ["pay"]
    assert plan.approvals_for("mild", {}) == ()


def test_nobody_is_recused_while_it_is_not_known_who(plan: CompiledPlan) -> None:
    assert plan.recusals_for("mild", {}) == ()
    (rule,) = plan.recusals_for("mild", {"accused": "head"})
    assert (rule.covers, rule.instead) == (frozenset({"pages"}), ("director",))


def test_people_are_told_at_milestones_and_under_conditions(plan: CompiledPlan) -> None:
    assert ids(plan.informs_at("classified", "mild", {"media": "province"})) == ["press-office"]
    assert plan.informs_at("classified", "mild", {"media": "city"}) == ()
    assert ids(plan.informs_at("closed", "mild", {})) == ["at-the-end"]
    assert [rule.dial for rule in plan.bypasses_for("mild", {"hurt": True})] == ["110"]
    assert plan.bypasses_for("mild", {}) == ()


def test_record_and_checklist_are_asked_for_before_their_milestones(plan: CompiledPlan) -> None:
    assert ids(plan.record_for("mild", {})) == ["who", "cause"]
    assert ids(plan.record_for("mild", {}, before="received")) == ["who"]
    assert plan.record_for("mild", {}, before="resolved")[0].may_stay_blank_until == "answered"
    assert ids(plan.checklist_for("grave", {"hurt": True})) == ["photo", "file"]
    assert ids(plan.checklist_for("mild", {"hurt": True}, before="answered")) == ["photo"]
    assert plan.checklist_for("mild", {}) == ()


def test_the_complainant_is_told_at_moments(plan: CompiledPlan) -> None:
    assert ids(plan.notices_on("received", None, {})) == ["taken"]
    (longer,) = plan.notices_on("extended", "mild", {})
    assert longer.opt_in
    assert longer.within is not None


def test_duties_are_the_organisations_or_a_cases(plan: CompiledPlan) -> None:
    (report,) = plan.duties
    assert (report.every, report.on, report.roles) == ("half-year", ("end",), ("compliance",))
    assert ids(plan.case_duties_for("grave", {})) == ["look"]
    assert plan.case_duties_for("mild", {}) == ()
    assert [drill.case for drill in plan.drills] == ["a-case"]


def test_other_plans_open_by_facts_and_by_counts(plan: CompiledPlan) -> None:
    assert ids(plan.opens_for("mild", {"media": "province"}, {})) == ["press"]
    assert ids(plan.opens_for("mild", {"media": "city"}, {"today": 31, "usual": 10.0})) == ["press"]
    assert plan.opens_for("mild", {"media": "city"}, {"today": 30, "usual": 10.0}) == ()
    assert ids(plan.opens_for("grave", {}, {})) == ["always"]


def test_consequences_are_proposed_with_their_amounts(plan: CompiledPlan) -> None:
    (found,) = plan.consequences_for("mild", {"loss": 1000}, {"today": 2})
    assert (found.consequence.id, found.amount, found.up_to) == ("bonus", 100.0, 205.0)
    (unknown,) = plan.consequences_for("mild", {}, {"today": 2})
    assert (unknown.amount, unknown.up_to) == (None, None)
    assert plan.consequences_for("mild", {"loss": 1000}, {"today": 1}) == ()
    assert plan.consequences_for("mild", {"loss": 1000}, {}) == ()


def test_warnings_end_and_events_are_the_same(plan: CompiledPlan) -> None:
    assert plan.warning_ends({}, {"today": 1})
    assert not plan.warning_ends({}, {"today": 2})
    assert not plan.warning_ends({}, {})
    assert plan.warning_end is not None
    assert plan.warning_end.ends_after == timedelta(hours=24)
    (rule,) = plan.duplicates
    assert plan.same_event(rule, {"hurt": False})
    assert not plan.same_event(rule, {})


def test_what_is_kept_back_is_known(plan: CompiledPlan) -> None:
    assert plan.plan.confidential
    assert plan.confidentiality is not None
    assert plan.confidentiality.visible_to == ("discipline",)
    plain = CompiledPlan.of(parse_plan(SOUND, "plan.yaml"))
    assert plain.confidentiality is None
    whistle = CompiledPlan.of(parse_plan(SOUND + "confidential: true\n", "plan.yaml"))
    assert whistle.plan.confidential
    assert whistle.confidentiality is not None
    assert (whistle.confidentiality.narrative, whistle.confidentiality.complainant) == ("withheld", "shown")


def test_clocks_carry_what_they_are_counted_by(plan: CompiledPlan) -> None:
    clocks = {clock.id: clock for clock in plan.clocks}
    press, extension = clocks["press"], clocks["press"].extension
    assert (press.raises, press.retarget, press.late) == ("grave", "tighten-only", "from-now")
    assert press.overrun is not None
    assert (press.overrun.every, press.overrun.count) == (timedelta(hours=1), 5)
    assert (press.basis.day_zero, press.basis.ends) == ("before", "end-of-hours")
    assert extension is not None
    assert (extension.to.amount, extension.count, extension.tell_complainant) == (60, 2, True)
    assert extension.by is not None
    assert (extension.by.amount, extension.approve_by, extension.basis) == (15, ("director",), press.basis)
    assert clocks["peak"].before == "expected_at"
    assert clocks["ups"].limit_fact == "expected_at"
    assert (clocks["ups"].limit.base, clocks["ups"].limit.amount) == (LimitBase.CALENDAR_DAYS, 0)
    assert clocks["answer"].limit == Limit(LimitBase.ELAPSED, 7200)


def test_tiers_stand_aside_where_their_condition_does_not_hold(plan: CompiledPlan) -> None:
    assert ids(plan.tiers_for("grave", {"hurt": False})) == ["first", "second"]
    assert ids(plan.tiers_for("grave", {"hurt": True})) == ["first"]
    assert ids(plan.tiers_for("grave")) == ["first"]
    second = plan.tiers[1]
    assert (second.off_hours, second.wait, second.repeat_from) == (("duty",), timedelta(minutes=5), "first")


def test_a_baseline_is_read_beside_its_window_on_the_same_group() -> None:
    text = SOUND.replace("when: today > 2,", "when: today > 3 * usual,")
    plan = CompiledPlan.of(parse_plan(text + "baselines: {usual: {of: today, over: 28, at_least: 7}}\n", "plan.yaml"))
    assert plan.baselines["usual"].of == "today"

    inputs = plan.group_inputs((("topic", "roaming"),))
    assert plan.evaluate(inputs, {"today": 31, "usual": 10.0}, NOW, Scope.TOPIC).level == "mild"
    assert plan.evaluate(inputs, {"today": 30, "usual": 10.0}, NOW, Scope.TOPIC).level is None
    assert plan.evaluate(inputs, {"today": 31}, NOW, Scope.TOPIC).level is None


def test_the_text_that_names_the_purpose_goes_before_the_one_that_names_levels() -> None:
    written = """
messages:
  - {id: any, channel: sms, text: {zh: "一般{case}", en: "any {case}"}}
  - {id: red, channel: sms, levels: [grave], text: {zh: "严重{case}", en: "grave {case}"}}
  - {id: page, channel: sms, purpose: page, text: {zh: "呼叫{case}", en: "page {case}"}}
  - {id: said, channel: voice, levels: [grave], text: {zh: "{case}", en: "{case}"}}
"""
    plan = CompiledPlan.of(parse_plan(SOUND + written, "plan.yaml"))

    def texts(purpose: Purpose, level: str | None) -> dict[str, str]:
        return {one.form: one.en for one in plan.messages_for(purpose, level)}

    assert texts(Purpose.PAGE, "grave") == {"sms": "page {case}", "voice": "{case}"}
    assert texts(Purpose.WARN, "grave") == {"sms": "grave {case}", "voice": "{case}"}
    assert texts(Purpose.WARN, "mild") == {"sms": "any {case}"}
    assert texts(Purpose.INFORM, None) == {"sms": "any {case}"}
