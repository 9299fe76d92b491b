"""Every event of a case as lines of its history, in both languages, with what a person may want to check."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from services.console.domain.plan_words import PlanWords
from services.console.domain.words import word
from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.commands import CommandIssuedV1
from shared.contracts.envelope import Event
from shared.contracts.escalations import (
    CaseErasedV1,
    CaseEscalatedV1,
    CaseMergedV1,
    Change,
    ChangeKind,
    ErasedPart,
)
from shared.contracts.notifications import NotificationRequestedV1, NotificationSettledV1, Settlement
from shared.contracts.receipts import ReceiptReceivedV1, ReceiptStatus
from shared.contracts.reports import CaseReport, ComplaintReceivedV1, IncidentReportedV1
from shared.contracts.values import ActorKind, Bilingual, Contract, Language

CALM: Final = "calm"
GOOD: Final = "good"
WARN: Final = "warn"
BAD: Final = "bad"

_SHOWN: Final = 240
_CHANGE_TONES: Final[Mapping[ChangeKind, str]] = {
    ChangeKind.OPENED: WARN,
    ChangeKind.LEVEL_RAISED: BAD,
    ChangeKind.TIER_REACHED: BAD,
    ChangeKind.TIER_REPEATED: WARN,
    ChangeKind.CHAIN_ENDED: BAD,
    ChangeKind.CLOCK_WARNED: WARN,
    ChangeKind.CLOCK_BREACHED: BAD,
    ChangeKind.NOTIFICATION_FAILED: BAD,
    ChangeKind.EXTENSION_REQUESTED: WARN,
    ChangeKind.EXTENSION_DENIED: WARN,
    ChangeKind.CLOCK_CHANGED: WARN,
    ChangeKind.COMMAND_REFUSED: WARN,
    ChangeKind.COMPLAINANT_NOTICE: WARN,
    ChangeKind.ACTIVATION_ASKED: WARN,
    ChangeKind.ACTIVATED: BAD,
    ChangeKind.DECLINED: WARN,
    ChangeKind.ACTIVATION_OVERDUE: BAD,
    ChangeKind.APPROVAL_REQUESTED: WARN,
    ChangeKind.APPROVED: GOOD,
    ChangeKind.REFUSED: WARN,
    ChangeKind.APPROVAL_OVERDUE: BAD,
    ChangeKind.DUTY_DUE: WARN,
    ChangeKind.TICKED: GOOD,
    ChangeKind.RECORD_INCOMPLETE: WARN,
    ChangeKind.BYPASSED: BAD,
    ChangeKind.PLAN_MOVED: WARN,
    ChangeKind.DUPLICATE_PROPOSED: WARN,
    ChangeKind.HELD: WARN,
    ChangeKind.HOLD_RELEASED: WARN,
    ChangeKind.ERASED: WARN,
}
_SETTLEMENT_TONES: Final[Mapping[Settlement, str]] = {
    Settlement.DELIVERED: GOOD,
    Settlement.SENT: GOOD,
    Settlement.FAILED: BAD,
    Settlement.NOBODY: BAD,
    Settlement.SUPPRESSED: CALM,
}
_RECEIPT_TONES: Final[Mapping[ReceiptStatus, str]] = {
    ReceiptStatus.DELIVERED: GOOD,
    ReceiptStatus.UNDELIVERED: BAD,
    ReceiptStatus.REJECTED: BAD,
}


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a history. `tone` is one of calm, good, warn, bad."""

    kind: str
    at: datetime
    zh: str
    en: str
    tone: str = CALM
    plan: str | None = None
    number: str | None = None
    details: dict[str, Any] = field(default_factory=dict)
    actor: dict[str, Any] | None = None


def lines_of(event: Event[Contract], words: PlanWords) -> tuple[Line, ...]:
    """The lines of one event, in order. At least one for every event that is on a topic."""
    if isinstance(event.data, CaseClassifiedV1):
        return _classified(event.data, words)
    return _WRITERS[type(event.data)](event.data)


def _report(report: CaseReport) -> tuple[Line, ...]:
    resolved = isinstance(report, IncidentReportedV1) and report.status == "resolved"
    kind = word("kind", "complaint" if isinstance(report, ComplaintReceivedV1) else "incident")
    if resolved:
        zh, en = "来源报告：事件已恢复", "The source says the trouble is over"
    elif report.sequence == 1:
        zh, en = f"登记{kind.zh}", f"Registered {kind.en}"
    else:
        zh, en = f"补充登记（第 {report.sequence} 次）", f"More became known (report {report.sequence})"
    if report.split_from is not None:
        zh, en = f"{zh}（由案件 {report.split_from} 拆分）", f"{en} (split from case {report.split_from})"
    elif report.moved_facts or report.moved_reports:
        zh, en = "部分内容移至另一案件", "Part of it went to another case"
    about = report.title or report.topic
    details: dict[str, Any] = {
        "source": report.source,
        "reference": report.reference,
        "channel": report.channel,
        "topic": report.topic,
        "facts": report.facts,
        "split_from": report.split_from,
        "moved_facts": list(report.moved_facts),
        "moved_reports": list(report.moved_reports),
    }
    line = Line(
        "report",
        report.received_at,
        _with(zh, about, "："),
        _with(en, about, ": "),
        tone=GOOD if resolved else CALM,
        number=report.number,
        details=_known(details),
    )
    return (line,)


def _classified(found: CaseClassifiedV1, words: PlanWords) -> tuple[Line, ...]:
    decided = next((result for result in found.criteria if result.id == found.decided_by), None)
    level, title = words.level(found.plan.name, found.level), words.title(found.plan.name)
    because_zh = decided.label.zh if decided and decided.label else found.decided_by
    because_en = decided.label.en if decided and decided.label else found.decided_by
    zh = _with(f"按预案《{title.zh}》第 {found.plan.version} 版定级：{level.zh}", because_zh, "，因为 ")
    en = _with(f"Classified '{level.en}' by plan '{title.en}' version {found.plan.version}", because_en, ", because ")
    for more_zh, more_en in _besides(found):
        zh, en = f"{zh}；{more_zh}", f"{en}; {more_en}"
    line = Line(
        "classification",
        found.classified_at,
        zh,
        en,
        plan=found.plan.name,
        number=found.number,
        details=_known(
            {
                "level": found.level,
                "revision": found.revision,
                "decided_by": found.decided_by,
                "values": decided.values if decided else None,
                "linked_count": found.linked_count or None,
            }
        ),
    )
    return (line,)


def _besides(found: CaseClassifiedV1) -> Iterator[tuple[str, str]]:
    """What else the classification says, in both languages."""
    if found.proposed:
        words = sorted({one.word for one in found.proposed})
        yield f"文字线索：{'、'.join(words)}", f"words of the text: {', '.join(words)}"
    if found.opened_by is not None:
        because = found.opened_by.because
        zh, en = (because.zh, because.en) if because else (found.opened_by.opening, found.opened_by.opening)
        yield f"由预案 {found.opened_by.plan} 带入（{zh}）", f"opened by plan {found.opened_by.plan} ({en})"
    if found.duplicate_of is not None:
        other = found.duplicate_of.number
        yield f"与案件 {other} 为同一事件", f"the same event as case {other}"
    if found.resolved_because is not None:
        yield f"预警结束，{found.resolved_because.zh}", f"the warning ended, {found.resolved_because.en}"


def _escalated(case: CaseEscalatedV1) -> tuple[Line, ...]:
    return tuple(_change(change, case) for change in case.changes)


def _change(change: Change, case: CaseEscalatedV1) -> Line:
    words = word("change", change.kind)
    zh, en = (change.words.zh, change.words.en) if change.words is not None else (change.because, change.because)
    return Line(
        change.kind.value,
        change.at,
        _with(words.zh, zh, "："),
        _with(words.en, en, ": "),
        tone=_CHANGE_TONES.get(change.kind, CALM),
        plan=case.plan.name,
        number=case.number,
        details=_known(dict(change.details)),
    )


def _command(command: CommandIssuedV1) -> tuple[Line, ...]:
    words = word("command", command.command)
    by_key = command.actor.kind is ActorKind.SYSTEM
    who_zh, who_en = (command.actor.ref + (mark if by_key else "") for mark in ("（API 密钥）", " (API key)"))
    line = Line(
        "command",
        command.issued_at,
        _with(f"{who_zh} 操作：{words.zh}", command.reason, "，理由："),
        _with(f"{who_en}: {words.en}", command.reason, ", reason: "),
        tone=GOOD,
        plan=command.plan,
        details=_known({"arguments": command.arguments or None, "request_id": command.request_id}),
        actor=command.actor.model_dump(mode="json"),
    )
    return (line,)


def _requested(request: NotificationRequestedV1) -> tuple[Line, ...]:
    purpose = word("purpose", request.purpose)
    roles = "、".join(request.roles)
    line = Line(
        "notification-requested",
        request.requested_at,
        f"{purpose.zh} {roles}",
        f"{purpose.en}: {', '.join(request.roles)}",
        plan=request.subject.plan,
        number=request.subject.number,
        details=_known(
            {
                "request_id": str(request.request_id),
                "roles": list(request.roles),
                "channels": [channel.value for channel in request.channels],
                "step": request.step,
                "expected": request.subject.expected,
                "because": request.subject.because,
            }
        ),
    )
    return (line,)


def _reason(settled: NotificationSettledV1, language: Language) -> str:
    words = settled.reason_words
    return settled.reason if words is None else getattr(words, language)


def _settled(settled: NotificationSettledV1) -> tuple[Line, ...]:
    whom = settled.person_label or settled.person or settled.role
    how = word("channel", settled.channel) if settled.channel else None
    result = word("settlement", settled.settlement)
    instead = settled.stand_in_label or settled.stand_in
    purpose = word("purpose", settled.purpose)
    by_zh = f" 经{how.zh}" if how else ""
    by_en = f" by {how.en}" if how else ""
    line = Line(
        "notification-settled",
        settled.settled_at,
        _with(
            f"{purpose.zh} {whom}{by_zh}：{result.zh}{f'，改呼 {instead}' if instead else ''}",
            _reason(settled, "zh"),
            "，",
        ),
        _with(
            f"{purpose.en} to {whom}{by_en}: {result.en}{f', {instead} instead' if instead else ''}",
            _reason(settled, "en"),
            ", ",
        ),
        tone=_SETTLEMENT_TONES[settled.settlement],
        plan=settled.plan,
        number=settled.number,
        details=_known(
            {
                "role": settled.role,
                "person": settled.person,
                "provider": settled.provider,
                "attempts": settled.attempts,
                "intent_id": str(settled.intent_id),
                "request_id": str(settled.request_id),
            }
        ),
    )
    return (line,)


def _receipt(receipt: ReceiptReceivedV1) -> tuple[Line, ...]:
    status = word("receipt", receipt.status)
    channel = word("channel", receipt.channel)
    line = Line(
        "receipt",
        receipt.received_at,
        _with(f"{channel.zh}回执（{receipt.provider}）：{status.zh}", receipt.detail, "，"),
        _with(f"{channel.en} receipt from {receipt.provider}: {status.en}", receipt.detail, ", "),
        tone=_RECEIPT_TONES.get(receipt.status, CALM),
        details=_known({"attempt_id": str(receipt.attempt_id), "code": receipt.code}),
    )
    return (line,)


def _merged(merged: CaseMergedV1) -> tuple[Line, ...]:
    """Why is told with the change of its state; this says from when on it is judged together with the other."""
    told = Bilingual(zh="所报事实并入另一案件一起判级", en="What was reported is judged together with another case")
    if merged.into is None:
        told = Bilingual(zh="所报事实重新单独判级", en="What was reported is judged by itself again")
    line = Line(
        "merged",
        merged.changed_at,
        told.zh,
        told.en,
        plan=merged.plan.name,
        number=merged.number,
        details=_known({"into": str(merged.into) if merged.into else None}),
    )
    return (line,)


def _erased(erased: CaseErasedV1) -> tuple[Line, ...]:
    """Why is told with the change; this says that every service was told to delete its share."""
    told = Bilingual(zh="各服务删除个人信息与所述内容", en="Every service deletes what was told and by whom")
    if erased.part is ErasedPart.CASE:
        told = Bilingual(zh="各服务删除整个案件", en="Every service deletes the whole case")
    line = Line(
        "case-erased", erased.erased_at, told.zh, told.en, number=erased.number, details={"part": erased.part.value}
    )
    return (line,)


def _with(head: str, tail: str | None, joint: str) -> str:
    return f"{head}{joint}{tail[:_SHOWN]}" if tail else head


def _known(details: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in details.items() if value not in (None, {}, [])}


_WRITERS: Final[Mapping[type[Contract], Callable[[Any], tuple[Line, ...]]]] = {
    ComplaintReceivedV1: _report,
    IncidentReportedV1: _report,
    CaseErasedV1: _erased,
    CaseEscalatedV1: _escalated,
    CaseMergedV1: _merged,
    CommandIssuedV1: _command,
    NotificationRequestedV1: _requested,
    NotificationSettledV1: _settled,
    ReceiptReceivedV1: _receipt,
}
