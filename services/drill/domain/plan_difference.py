"""What changed between two plans, in words: entry by entry, key by key."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.plans.description_words import Said
from shared.plans.model import Plan

_NAMES: Final = {
    "levels": Said("级别", "level"),
    "expected": Said("要求", "expectation"),
    "milestones": Said("节点", "milestone"),
    "parameters": Said("参数", "parameter"),
    "facts": Said("事实", "fact"),
    "windows": Said("统计窗口", "window"),
    "criteria": Said("判据", "criterion"),
    "clocks": Said("时限", "clock"),
    "tiers": Said("上报层级", "tier"),
    "notify": Said("知会", "informed at level"),
    "inform": Said("知会", "inform"),
    "checklist": Said("检查单", "checklist item"),
    "record": Said("登记内容", "record entry"),
    "duties": Said("例行职责", "duty"),
    "approvals": Said("审批", "approval"),
    "consequences": Said("后果", "consequence"),
    "signals": Said("文字信号", "signal"),
    "drills": Said("演练", "drill"),
    "opens": Said("同时启动的预案", "plan opened"),
}


def plan_differences(before: Plan, after: Plan) -> tuple[Said, ...]:
    """One statement for each change; empty for plans that say the same."""
    return tuple(_differences(_written(before), _written(after)))


def _written(plan: Plan) -> dict[str, Any]:
    return plan.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[Said]:
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        olds, news = _entries(old), _entries(new)
        if olds is None or news is None:
            yield Said(f"{key}：{_shown(old)} → {_shown(new)}", f"{key}: {_shown(old)} → {_shown(new)}")
        else:
            yield from _entry_differences(_NAMES.get(key, Said(key, key)), olds, news)


def _entry_differences(name: Said, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Iterator[Said]:
    for entry in olds:
        if entry not in news:
            yield Said(f"{name.zh} {entry}：删去", f"{name.en} {entry}: removed")
    for entry, new in news.items():
        if entry not in olds:
            yield Said(f"{name.zh} {entry}：新增 {_shown(new)}", f"{name.en} {entry}: added {_shown(new)}")
        elif olds[entry] != new:
            for path, old, now in _changed(olds[entry], new):
                where = f" {path}" if path else ""
                text = f"{_shown(old)} → {_shown(now)}"
                yield Said(f"{name.zh} {entry}{where}：{text}", f"{name.en} {entry}{where}: {text}")
    kept = [entry for entry in olds if entry in news]
    order = [entry for entry in news if entry in olds]
    if kept != order:
        yield Said(
            f"{name.zh}顺序：{'、'.join(kept)} → {'、'.join(order)}",
            f"order of {name.en}s: {', '.join(kept)} → {', '.join(order)}",
        )


def _changed(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys([*old, *new]):
            if old.get(key) != new.get(key):
                yield from _changed(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    else:
        yield path, old, new


def _entries(value: Any) -> Mapping[str, Any] | None:
    """Entries by their id or key; None where the value is none of such."""
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and all(isinstance(one, Mapping) and "id" in one for one in value):
        return {str(one["id"]): one for one in value}
    return None


def _shown(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_shown(inner)}" for key, inner in value.items() if key != "id")
    if isinstance(value, list):
        return "[" + ", ".join(_shown(one) for one in value) + "]"
    return str(value)
