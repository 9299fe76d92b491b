"""What a change says, in the case's language. Chinese first; one place, so that nothing is said two ways."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from shared.contracts.classifications import CriterionResult
from shared.contracts.values import MAX_TEXT, Actor, Bilingual, FactValue, Language, trusted
from shared.plans.description_words import length
from shared.plans.model import Plan
from shared.plans.words import Words

_BOTH: Final = (Words, Bilingual)
_SENTENCES: Final[dict[str, tuple[str, str]]] = {
    "yes": ("是", "yes"),
    "no": ("否", "no"),
    "no_level": ("未达到任何级别", "no level reached"),
    "level_kept": (
        "分级建议为 {proposed}，级别不自动降低，维持 {level}",
        "{proposed} was proposed; a level never falls by itself, {level} stays",
    ),
    "level_overruled": (
        "分级建议为 {proposed}，已由人工降级，维持 {level}",
        "{proposed} was proposed but lowered by a person; {level} stays",
    ),
    "level_unknown": ("分级建议 {proposed} 不属于本案所用预案版本", "{proposed} is no level of the plan of this case"),
    "facts_added": ("{facts}", "{facts}"),
    "source_resolved": ("来源报告已恢复", "the source reports that it is over"),
    "source_again": ("来源再次报告", "the source reports it again"),
    "worse": ("级别升高，自动重开", "reopened because the level rose"),
    "first_page": ("首次通知：{tier}", "first page: {tier}"),
    "raised_page": ("级别升高，重新通知：{tier}", "paged again for the higher level: {tier}"),
    "unacknowledged": ("{within} 内无人确认，升至 {tier}", "nobody acknowledged within {within}; up to {tier}"),
    "repeated": (
        "{within} 内无人确认，第 {count} 次通知 {tier}",
        "nobody acknowledged within {within}; page {count} to {tier}",
    ),
    "waited_page": ("到时通知：{tier}", "paged now that it is time: {tier}"),
    "chain_again": (
        "上报链无人确认，自 {tier} 起重新通知",
        "nobody of the chain acknowledged; it begins again at {tier}",
    ),
    "chain_ended": (
        "末级 {tier} 无人确认，继续反复通知",
        "the last tier {tier} did not acknowledge; it is paged on",
    ),
    "undeliverable": ("{tier} 的通知全部未送达，升至 {next}", "nobody of {tier} could be reached; up to {next}"),
    "not_reached": ("{role} 未送达：{reason}", "{role} was not reached: {reason}"),
    "not_reached_instead": (
        "{role} 未送达，改呼 {instead}：{reason}",
        "{role} was not reached, {instead} is asked instead: {reason}",
    ),
    "clock_start": ("时限 {clock} 自 {start} 起算", "clock {clock} counts from {start}"),
    "clock_warn": ("时限 {clock} 已到 {threshold}", "clock {clock} passed {threshold}"),
    "clock_warn_lead": (
        "时限 {clock} 距到期不超过{left}",
        "clock {clock} is within {left} of its end",
    ),
    "clock_breach": ("时限 {clock} 已超时，应于 {due} 前完成", "clock {clock} ran out; it was due at {due}"),
    "clock_breach_tier": ("时限 {clock} 已超时，升至 {tier}", "clock {clock} ran out; up to {tier}"),
    "clock_recounted": (
        "时限 {clock} 按新公布的日历重算：{before} → {due}",
        "clock {clock} was counted again by the calendar now in force: {before} → {due}",
    ),
    "clock_overrun": (
        "时限 {clock} 已超时，第 {count} 次提醒，应于 {due} 前完成",
        "clock {clock} ran out, reminder {count}; it was due at {due}",
    ),
    "clock_retargeted": ("时限 {clock} 改至 {due}", "clock {clock} now ends at {due}"),
    "clock_met": ("时限 {clock} 按时完成", "clock {clock} was met"),
    "clock_met_late_news": (
        "时限 {clock} 实际按时完成，超时记录因消息迟到",
        "clock {clock} was met in time; the breach was news come late",
    ),
    "clock_missed": ("时限 {clock} 超时后完成", "clock {clock} was completed after it ran out"),
    "clock_cancelled": ("时限 {clock} 不再适用", "clock {clock} no longer applies"),
    "by": ("{actor}：{what}", "{actor}: {what}"),
    "actor_person": ("{ref}", "{ref}"),
    "actor_link": ("{ref}（消息链接）", "{ref} (link of a message)"),
    "actor_sms": ("{ref}（短信回复）", "{ref} (reply by SMS)"),
    "actor_system": ("系统 {ref}", "system {ref}"),
    "actor_clock": ("时钟", "the clock"),
    "acknowledged": ("已确认", "acknowledged"),
    "also_acknowledged": ("再次确认，此前已由 {actor} 确认", "acknowledged again; {actor} had done so"),
    "acknowledged_earlier_level": ("确认的是升级前的通知，当前级别仍待确认", "acknowledged before the level rose"),
    "unacknowledged_by": ("撤销确认", "withdrew the acknowledgement"),
    "took_over": ("接手处理", "took the case over"),
    "started": ("开始处理", "started work"),
    "waiting": ("等待外部答复", "waiting for an answer from outside"),
    "resumed": ("恢复处理", "resumed work"),
    "milestone": ("完成：{milestone}", "done: {milestone}"),
    "raised": ("人工升级为 {level}", "raised to {level}"),
    "lowered": ("人工降级为 {level}", "lowered to {level}"),
    "lowered_already": ("人工降级为 {level}，当前已是该级别", "lowered to {level}, which it already is"),
    "cannot_handle": ("无法处理，升至 {tier}", "cannot handle it; up to {tier}"),
    "resolved": ("已解决", "resolved"),
    "closed": ("已办结", "closed"),
    "reopened": ("重新打开", "reopened"),
    "withdrawn": ("已撤回", "withdrawn"),
    "invalid": ("无效", "invalid"),
    "merged": ("并入 {into}", "merged into {into}"),
    "passed_on": (
        "确认已转至 {number}，本案已并入该案",
        "acknowledged; it counts for {number}, which goes on for this case",
    ),
    "said_of_merged": ("（以并入本案的 {number} 确认）", " (said of {number}, which was merged into this case)"),
    "commented": ("备注", "comment"),
    "refused_state": ("案件处于 {state}，不能执行 {command}", "not possible while {state}: {command}"),
    "refused_reason": ("{command} 必须说明理由", "{command} needs a reason"),
    "refused_person": ("{command} 只能由具名人员执行", "{command} needs a named person"),
    "refused_argument": (
        "{command} 缺少或不认识的参数 {argument}",
        "{command}: argument {argument} missing or unknown",
    ),
    "refused_not_higher": ("{level} 不高于当前级别", "{level} is not higher than the present level"),
    "refused_not_lower": ("{level} 不低于当前级别", "{level} is not lower than the present level"),
    "refused_not_acknowledged": ("尚未确认，不能执行 {command}", "{command}: not acknowledged yet"),
    "refused_extension": ("本预案未规定该时限可延期", "this plan does not provide for an extension of that clock"),
    "refused_clock": ("须指明一个正在计时的时限", "name one clock that is running"),
    "refused_pending": ("该时限已有待批的延期申请", "an extension of this clock is waiting for a decision already"),
    "refused_none_pending": ("没有待批的延期申请", "no extension is waiting for a decision"),
    "refused_count": ("该时限最多延期 {count} 次", "this clock can be extended {count} times at most"),
    "refused_own": ("申请人不得自行批准", "whoever asked cannot decide"),
    "refused_role": ("只能由 {roles} 决定", "only {roles} may decide"),
    "refused_cap": ("该时限已达上限，不能再延长", "this clock is as long as it may ever be"),
    "refused_span": ("须指明已过去的起止时间", "give a start and an end that lie in the past"),
    "refused_nothing_to_tell": ("没有须告知投诉人的事项", "there is nothing to tell the complainant of"),
    "extension_asked": ("申请将时限 {clock} 延长 {by}", "asked to extend clock {clock} by {by}"),
    "extension_granted": ("批准延期：时限 {clock} 至 {due}", "extension granted: clock {clock} ends at {due}"),
    "extension_late": (
        "超时后批准延期：时限 {clock} 至 {due}，超时记录保留",
        "extension granted after the clock ran out: {clock} ends at {due}; the breach stays on record",
    ),
    "extension_denied": ("不批准延期：时限 {clock}", "extension denied: clock {clock}"),
    "tell_complainant": ("请将延期及理由告知投诉人", "tell the complainant of the new limit and why"),
    "complainant_told": ("已告知投诉人延期：时限 {clock}", "told the complainant of the extension of clock {clock}"),
    "excluded": ("时限 {clock} 扣除 {start} 至 {end}", "clock {clock}: {start} to {end} does not count"),
    "restarted": ("时限 {clock} 重新计时", "clock {clock} counts anew"),
    "clock_raise": ("时限 {clock} 已超时，升为 {level}", "clock {clock} ran out; raised to {level}"),
    "wait_over": ("等待期限已到，恢复处理", "the wait is over; work goes on"),
    "customer_answered": ("来源有新消息，恢复处理", "news from the source; work goes on"),
    "gate_asked": (
        "{gate} 请 {roles} 决定，决定前不通知、不计时",
        "{gate} For {roles} to decide; nothing starts before",
    ),
    "gate_silent": ("逾期未决定，仅记录：{gate}", "nobody decided in time, which is recorded: {gate}"),
    "gate_silent_start": ("逾期未决定，按预案自动启动：{gate}", "nobody decided in time, so it starts: {gate}"),
    "gate_silent_page": ("逾期未决定，通知上报链：{gate}", "nobody decided in time; the ladder is paged: {gate}"),
    "gate_seen": ("已看到提请，尚未决定是否启动", "has seen the question; whether to start is not decided"),
    "activated": ("启动：{gate}", "started: {gate}"),
    "declined": ("不启动，案件保持开放：{gate}", "not started, the case stays open: {gate}"),
    "approval_asked": ("提请 {roles} 审批：{approval}", "approval by {roles} asked for: {approval}"),
    "approval_step": ("批准（第 {step}/{steps} 步）：{approval}", "approved, step {step} of {steps}: {approval}"),
    "approval_given": ("批准：{approval}", "approved: {approval}"),
    "approval_refused": ("不批准：{approval}", "refused: {approval}"),
    "approval_silent": ("审批逾期，待 {roles} 决定：{approval}", "approval overdue, {roles} to decide: {approval}"),
    "notice": ("请告知投诉人：{text}", "tell the complainant: {text}"),
    "notice_opt_in": ("如投诉人要求告知，请告知：{text}", "tell the complainant, if they asked to be told: {text}"),
    "notice_told": ("已告知投诉人：{text}", "told the complainant: {text}"),
    "duty_due": ("例行职责：{duty}", "duty: {duty}"),
    "ticked": ("完成核对：{item}", "ticked: {item}"),
    "incomplete": ("{milestone} 时尚缺：{items}", "missing at {milestone}: {items}"),
    "bypassed": ("越级通知 {roles}：{way}", "skipped the ladder to {roles}: {way}"),
    "bypass_dialled": ("拨打 {dial}：{way}", "called {dial}: {way}"),
    "duplicate_merged": ("规则 {rule}：与 {number} 为同一事件", "rule {rule}: the same event as {number}"),
    "duplicate_asked": (
        "规则 {rule}：疑与 {number} 为同一事件，请人工确认是否并案",
        "rule {rule}: perhaps the same event as {number}; should they be merged?",
    ),
    "duplicate_taken": ("并入 {number}：{facts}", "took in {number}: {facts}"),
    "merged_news": ("并入了另一案件，恢复处理", "another case was merged in; work goes on"),
    "clock_adopted": (
        "时限 {clock} 按并入的 {number} 较早的到期时刻：{due}",
        "clock {clock} goes on as that of {number}, which ends sooner: {due}",
    ),
    "refused_merge_unknown": (
        "没有按本预案处理的案件 {into}，不能并入",
        "there is no case {into} under this plan to merge into",
    ),
    "refused_merge_self": ("不能并入案件自身", "a case cannot be merged into itself"),
    "refused_merge_over": (
        "案件 {into} 处于 {other}，不能并入；请先重新打开",
        "case {into} is {other}; reopen it before merging into it",
    ),
    "told_instead": ("{role} 无人可达，改告知 {tier}", "{role} has nobody; {tier} is told instead"),
    "told_nobody": ("{role} 无人可达，各层级亦无人可代", "{role} has nobody, and no tier is left to tell instead"),
    "gate_lifted": (
        "按现有事实无需再作启动决定，按预案启动：{gate}",
        "what is known needs no decision any more, so it starts: {gate}",
    ),
    "refused_waits": ("本预案最多允许等待 {count} 次", "the plan lets a case wait {count} times at most"),
    "refused_wait_reason": ("等待须注明原因代码：{reasons}", "waiting takes one of these reason codes: {reasons}"),
    "refused_recused": ("{actor} 须回避本案", "{actor} keeps out of this case"),
    "split": ("部分内容拆分为案件 {into}", "part of it goes on as case {into}"),
    "split_from": (
        "由案件 {number} 拆分而来，受理时间不变",
        "split from case {number}; it was received when that case was",
    ),
    "duplicate_worse": (
        "并入 {number} 的级别更高，升为 {level}",
        "{number} that was taken in is graver; raised to {level}",
    ),
    "plan_moved": (
        "改用预案第 {after} 版（原第 {before} 版）：{previous} → {level}",
        "moved from version {before} to {after} of the plan: {previous} → {level}",
    ),
    "level_moved": ("按第 {version} 版预案降为 {level}", "lowered to {level}, as version {version} of the plan judges"),
    "moved_page": ("预案新版本的接收人：{tier}", "whom the plan's version now names: {tier}"),
    "moved_inform": ("按预案第 {version} 版知会", "named by version {version} of the plan"),
    "clock_gone": ("第 {version} 版预案没有时限 {clock}", "version {version} of the plan has no clock {clock}"),
    "clock_restarts": (
        "按第 {version} 版预案，时限 {clock} 自 {start} 起算，至 {due}",
        "by version {version} of the plan clock {clock} counts from {start}, until {due}",
    ),
    "approval_gone": (
        "第 {version} 版预案中审批 {approval} 已变更，须重新提请",
        "approval {approval} is another in version {version} of the plan: ask for it anew",
    ),
    "move_refused_state": (
        "案件已处于 {state}，仍用预案第 {before} 版",
        "the case is {state} by now and keeps version {before} of the plan",
    ),
    "move_refused_level": (
        "第 {version} 版预案没有级别 {level}，也无判据成立；须注明 levels=as-judged",
        "version {version} of the plan has no level {level} and none of its criteria holds: say levels=as-judged",
    ),
    "move_refused_warning": (
        "预警案的级别来自本期计数，本期各案由其自身版本的窗口计入，别的版本没有计过；本期结束后，新的预警按现行版本开案",
        (
            "a warning's level is a count of its period, and the cases in it were counted by the windows of the "
            "version they run under, not by another's; when the period is over, the next warning opens under the "
            "version in force"
        ),
    ),
    "move_refused_unknown": (
        "分级服务没有本案在该预案下的记录",
        "the classifier has no record of this case under the plan",
    ),
    "move_refused": ("未改用预案第 {version} 版：{why}", "not moved to version {version} of the plan: {why}"),
    "role_not_held": ("（按花名册此刻不任 {role}）", " (by the roster not on duty as {role})"),
    "refused_no_gate": ("没有待决定的启动事项", "there is nothing to start or decline"),
    "refused_waiting_approval": ("正在审批：{approval}", "waiting for approval: {approval}"),
    "refused_no_approval": ("没有待批事项", "nothing is waiting for approval"),
    "refused_ticked": ("已完成核对：{item}", "ticked already: {item}"),
    "refused_bypass": ("预案当前不允许此越级方式，可用：{open}", "the plan does not allow this way now; open: {open}"),
    "held": ("保全：不得删除", "hold: nothing of it may be erased"),
    "hold_released": ("解除保全", "the hold is released"),
    "erased": (
        "个人信息与所述内容已删除，保留编号、级别、时间与通知记录",
        "what was told and by whom is erased; number, levels, times and who was told stay",
    ),
    "erased_by_age": (
        "留存 {days} 天期满，个人信息与所述内容已删除，保留编号、级别、时间与通知记录",
        "kept for {days} days: what was told and by whom is erased; number, levels, times and who was told stay",
    ),
    "refused_held": ("{actor} 已保全本案", "{actor} holds the case already"),
    "refused_not_held": ("本案未被保全", "the case is not held"),
    "refused_erased": ("本案内容已删除，不能再执行 {command}", "the case was erased: no {command} any more"),
    "refused_erase_held": ("本案已保全，不得删除；请先解除保全", "the case is held; release the hold before"),
    "refused_erase_open": (
        "案件在所有预案下均已结束后才能删除",
        "a case can be erased once it is over under all its plans",
    ),
    "refused_erase_merged": (
        "并入的案件仍保存其内容，请先删除那一案件",
        "the case it was merged into still holds what was told: erase that one before",
    ),
    "refused_erase_elsewhere": ("在另一预案下被拒，未删除", "refused under another plan, so nothing is erased"),
    "refused_no_tier": ("没有可升的上一级", "there is no tier to go up to"),
}


def say(language: Language, sentence: str, **values: object) -> str:
    """The sentence in the language, at most as long as a contract's text; words among the values in the same one."""
    zh, en = _SENTENCES[sentence]
    told = {name: words(value, language) if isinstance(value, _BOTH) else value for name, value in values.items()}
    return (en if language == "en" else zh).format(**told)[:MAX_TEXT]


def both(sentence: str, **values: object) -> Bilingual:
    """The sentence in both languages: for messages, whose readers may read either."""
    return pair(say("zh", sentence, **values), say("en", sentence, **values))


def pair(zh: str, en: str) -> Bilingual:
    """One sentence in both languages, cut to the length of a contract's text."""
    return trusted(Bilingual, zh=zh[:MAX_TEXT], en=en[:MAX_TEXT])


def length_in_words(text: str) -> Bilingual:
    """`5wd` as `5个工作日` and `5 working days`."""
    said = length(text)
    return pair(said.zh, said.en)


def moment(instant: datetime, timezone: str) -> str:
    """To the minute by the clock of the zone; with its seconds where it has any."""
    local = instant.astimezone(ZoneInfo(timezone))
    return f"{local:%Y-%m-%d %H:%M:%S}" if local.second else f"{local:%Y-%m-%d %H:%M}"


def words(text: Words | Bilingual, language: Language) -> str:
    return text.en if language == "en" else text.zh


def because_of(criterion: CriterionResult | None, plan: Plan) -> Bilingual:
    """`because_in` both languages."""
    return pair(because_in("zh", criterion, plan), because_in("en", criterion, plan))


def because_in(language: Language, criterion: CriterionResult | None, plan: Plan) -> str:
    """The criterion that decided, in the plan's own words, with the values it read.

    For example `网络或支撑问题影响客户超过50000（影响客户数 60000）`. A name without words stays as it is.
    """
    if criterion is None:
        return say(language, "no_level")
    label = criterion.id
    if criterion.label is not None:
        label = criterion.label.zh if language == "zh" else criterion.label.en
    # Figures first: they are what a person checks, and a short message cuts from the end.
    given = {name: value for name, value in criterion.values.items() if value is not None}
    read = sorted(
        ((name, value) for name, value in given.items() if name not in plan.parameters and name != "now"),
        key=lambda item: isinstance(item[1], bool | str | list),
    )
    separator = ", " if language == "en" else "，"
    values = separator.join(
        f"{_name(name, language, plan)} {_read(name, value, plan, language)}" for name, value in read
    )
    if not values:
        return label[:MAX_TEXT]
    return (f"{label} ({values})" if language == "en" else f"{label}（{values}）")[:MAX_TEXT]


def _read(name: str, value: FactValue, plan: Plan, language: Language) -> str:
    declared = plan.facts.get(name)
    if declared is not None and declared.instant is not None and isinstance(value, str):
        return f"{datetime.fromisoformat(value).astimezone(ZoneInfo(plan.timezone)):%m-%d %H:%M}"
    if isinstance(value, bool):
        return say(language, "yes" if value else "no")
    return "/".join(value) if isinstance(value, list) else str(value)


def _name(name: str, language: Language, plan: Plan) -> str:
    declared = plan.facts.get(name) or plan.windows.get(name)
    text = None
    if declared is not None:
        text = declared.zh if language == "zh" else declared.en
    return text or name


def facts(found: Mapping[str, FactValue], plan: Plan) -> Bilingual:
    """Facts with the values they were given, as the plan calls them."""
    return pair(_facts(found, "zh", plan), _facts(found, "en", plan))


def _facts(found: Mapping[str, FactValue], language: Language, plan: Plan) -> str:
    separator = ", " if language == "en" else "，"
    return separator.join(
        f"{_name(name, language, plan)} = {_read(name, value, plan, language)}" for name, value in found.items()
    )


def by_both(actor: Actor, what: Words | Bilingual, reason: str | None) -> Bilingual:
    """Who did what and why, in both languages; the reason is as the person gave it."""
    return pair(by("zh", actor, what.zh, reason), by("en", actor, what.en, reason))


def by(language: Language, actor: Actor, what: str, reason: str | None) -> str:
    """Who did what and why."""
    text = say(language, "by", actor=say(language, f"actor_{actor.kind}", ref=actor.ref), what=what)
    return (f"{text}（{reason}）" if language == "zh" else f"{text} ({reason})")[:MAX_TEXT] if reason else text


def span(seconds: float) -> Bilingual:
    """A length of time in its largest fitting unit."""
    for size, zh, en in ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size and seconds % size == 0:
            return pair(f"{int(seconds // size)} {zh}", f"{int(seconds // size)} {en}")
    return pair(f"{seconds:g} 秒", f"{seconds:g} s")


def joined(first: Bilingual, then: Bilingual) -> Bilingual:
    """One after the other, in each language."""
    return pair(first.zh + then.zh, first.en + then.en)
