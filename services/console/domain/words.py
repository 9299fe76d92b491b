"""What people read instead of machine words, Chinese first."""

from collections.abc import Mapping
from typing import Final

from shared.contracts.values import Bilingual


def _both(zh: str, en: str) -> Bilingual:
    return Bilingual(zh=zh, en=en)


STATES: Final[Mapping[str, Bilingual]] = {
    "received": _both("已受理", "received"),
    "classified": _both("待确认", "unacknowledged"),
    "acknowledged": _both("已确认", "acknowledged"),
    "in-progress": _both("处理中", "in progress"),
    "waiting": _both("等待中", "waiting"),
    "resolved": _both("已解决", "resolved"),
    "closed": _both("已办结", "closed"),
    "withdrawn": _both("已撤回", "withdrawn"),
    "invalid": _both("无效", "invalid"),
    "merged": _both("已合并", "merged"),
}
KINDS: Final[Mapping[str, Bilingual]] = {
    "complaint": _both("投诉", "complaint"),
    "incident": _both("事件", "incident"),
    "warning": _both("预警", "early warning"),
}
COMMANDS: Final[Mapping[str, Bilingual]] = {
    "acknowledge": _both("确认接手", "acknowledge"),
    "unacknowledge": _both("撤销确认", "take back the acknowledgement"),
    "take-over": _both("接管", "take over"),
    "start": _both("开始处理", "start"),
    "wait": _both("等待外部", "wait"),
    "resume": _both("恢复处理", "resume"),
    "milestone": _both("达成节点", "milestone reached"),
    "raise-level": _both("提升级别", "raise the level"),
    "lower-level": _both("降低级别", "lower the level"),
    "cannot-handle": _both("无力处置", "cannot handle"),
    "resolve": _both("解决", "resolve"),
    "close": _both("办结", "close"),
    "reopen": _both("重新打开", "reopen"),
    "withdraw": _both("撤回", "withdraw"),
    "invalidate": _both("判为无效", "mark as invalid"),
    "merge": _both("合并", "merge"),
    "split": _both("拆分", "split"),
    "extension-request": _both("申请延期", "ask for an extension"),
    "extension-approve": _both("批准延期", "approve the extension"),
    "extension-deny": _both("不批准延期", "deny the extension"),
    "complainant-told": _both("已告知投诉人", "the complainant was told"),
    "exclude": _both("扣除时间", "leave time out"),
    "restart": _both("重新计时", "count anew"),
    "activate": _both("启动预案", "start the plan"),
    "decline": _both("不启动预案", "do not start the plan"),
    "approval-request": _both("提请审批", "ask for approval"),
    "approve": _both("批准", "approve"),
    "refuse": _both("不批准", "refuse"),
    "tick": _both("完成核对项", "tick"),
    "bypass": _both("越级上报", "skip the ladder"),
    "move-plan": _both("移至预案新版本", "move to another version of the plan"),
    "comment": _both("备注", "comment"),
    "hold": _both("保全", "legal hold"),
    "release-hold": _both("解除保全", "release the hold"),
    "erase": _both("删除个人信息", "erase personal data"),
}
PURPOSES: Final[Mapping[str, Bilingual]] = {
    "page": _both("呼叫", "page"),
    "inform": _both("知会", "inform"),
    "warn": _both("时限提醒", "time warning"),
    "breach": _both("超时通报", "overdue notice"),
    "stand-down": _both("解除", "stand-down"),
}
CHANNELS: Final[Mapping[str, Bilingual]] = {
    "sms": _both("短信", "SMS"),
    "email": _both("邮件", "e-mail"),
    "voice": _both("语音", "voice"),
    "im": _both("即时消息", "chat"),
}
SETTLEMENTS: Final[Mapping[str, Bilingual]] = {
    "pending": _both("发送中", "on its way"),
    "delivered": _both("已送达", "delivered"),
    "sent": _both("已发出", "sent"),
    "failed": _both("失败", "failed"),
    "suppressed": _both("未发", "suppressed"),
    "nobody": _both("无人可达", "nobody reachable"),
}
CLOCK_STATES: Final[Mapping[str, Bilingual]] = {
    "running": _both("计时中", "running"),
    "paused": _both("暂停", "paused"),
    "met": _both("按时完成", "met"),
    "breached": _both("已超时", "overdue"),
    "missed": _both("超时完成", "met too late"),
    "cancelled": _both("已取消", "cancelled"),
}
CHANGES: Final[Mapping[str, Bilingual]] = {
    "opened": _both("立案", "Case opened"),
    "level-raised": _both("级别提升", "Level raised"),
    "level-lowered": _both("级别降低", "Level lowered"),
    "level-kept": _both("级别不变", "Level kept"),
    "facts-added": _both("补充事实", "Facts added"),
    "state-changed": _both("状态变化", "State changed"),
    "tier-reached": _both("上报至", "Escalated to"),
    "tier-repeated": _both("再次呼叫", "Paged again"),
    "chain-ended": _both("上报链已到头", "Escalation chain ended"),
    "clock-started": _both("开始计时", "Clock started"),
    "clock-warned": _both("时限提醒", "Clock warning"),
    "clock-breached": _both("时限已过", "Clock ran out"),
    "clock-stopped": _both("停止计时", "Clock stopped"),
    "clock-changed": _both("时限变更", "Clock changed"),
    "extension-requested": _both("申请延期", "Extension asked for"),
    "extension-denied": _both("不批准延期", "Extension denied"),
    "complainant-told": _both("已告知投诉人", "Complainant told"),
    "complainant-notice": _both("须告知投诉人", "To tell the complainant"),
    "activation-asked": _both("提请启动预案", "Asked whether to start the plan"),
    "activated": _both("启动预案", "Plan started"),
    "declined": _both("不启动预案", "Plan not started"),
    "activation-overdue": _both("启动决定逾期", "No decision whether to start"),
    "approval-requested": _both("提请审批", "Approval asked for"),
    "approved": _both("批准", "Approved"),
    "refused": _both("不批准", "Refused"),
    "approval-overdue": _both("审批逾期", "Approval overdue"),
    "duty-due": _both("例行职责到期", "Duty due"),
    "ticked": _both("核对完成", "Ticked"),
    "record-incomplete": _both("核对或记录不全", "Checklist or record incomplete"),
    "bypassed": _both("越级上报", "Ladder skipped"),
    "duplicate-proposed": _both("疑似重复", "Perhaps the same event"),
    "notification-failed": _both("通知失败", "Notification failed"),
    "split": _both("拆分", "Split"),
    "plan-moved": _both("改用预案新版本", "Moved to another version of the plan"),
    "command-refused": _both("操作被拒", "Command refused"),
    "commented": _both("备注", "Comment"),
    "held": _both("保全", "Legal hold"),
    "hold-released": _both("解除保全", "Hold released"),
    "erased": _both("删除", "Erased"),
}
RECEIPTS: Final[Mapping[str, Bilingual]] = {
    "accepted": _both("运营商已接收", "accepted by the operator"),
    "buffered": _both("排队中", "buffered"),
    "delivered": _both("已送达终端", "delivered to the device"),
    "undelivered": _both("未送达", "undelivered"),
    "rejected": _both("被拒收", "rejected"),
    "unknown": _both("结果不明", "unknown"),
}
VERIFICATIONS: Final[Mapping[str, Bilingual]] = {
    "open": _both("等待确认", "waiting for the code"),
    "verified": _both("已验证", "verified"),
    "expired": _both("已过期", "expired"),
    "spent": _both("错误次数过多", "too many wrong codes"),
    "replaced": _both("已被新验证码取代", "replaced by a newer code"),
    "lapsed": _both("地址已变更", "the address changed"),
}
HOLDS: Final[Mapping[str, Bilingual]] = {
    "held": _both("成立", "holds"),
    "not-held": _both("不成立", "does not hold"),
    "not-known": _both("未知", "not known"),
}
ROLES: Final[Mapping[str, Bilingual]] = {
    "viewer": _both("只读", "viewer"),
    "operator": _both("值班员", "operator"),
    "admin": _both("管理员", "administrator"),
}
_TABLES: Final[Mapping[str, Mapping[str, Bilingual]]] = {
    "state": STATES,
    "kind": KINDS,
    "command": COMMANDS,
    "purpose": PURPOSES,
    "channel": CHANNELS,
    "settlement": SETTLEMENTS,
    "clock": CLOCK_STATES,
    "change": CHANGES,
    "receipt": RECEIPTS,
    "verification": VERIFICATIONS,
    "holds": HOLDS,
    "role": ROLES,
}


def word(table: str, key: str | None) -> Bilingual:
    """The words for a machine word; the machine word itself where there are none. Raises KeyError for no table."""
    if key is None:
        return _both("—", "—")
    return _TABLES[table].get(key) or _both(key[:120], key[:120])
