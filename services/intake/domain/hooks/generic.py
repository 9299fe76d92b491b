"""Any system that can send our own body through a hook: `kind` says complaint or incident."""

from services.intake.domain.bodies import Route
from services.intake.domain.hooks.values import Mapped, MappedReport, Payload, UnmappableError


def map_payload(payload: Payload) -> tuple[Mapped, ...]:
    """One body, or several under `items`. Raises UnmappableError."""
    fields = dict(payload.fields)
    items = fields.get("items")
    if items is None:
        return (_one(fields, ""),)
    if not isinstance(items, list) or not items or set(fields) != {"items"}:
        raise UnmappableError("items", "must be a non-empty list and the only field")
    return tuple(_one(item, f"items.{index}.") for index, item in enumerate(items))


def _one(fields: object, prefix: str) -> MappedReport:
    if not isinstance(fields, dict):
        raise UnmappableError(prefix.rstrip("."), "must be an object")
    kind = fields.get("kind", "incident")
    if not isinstance(kind, str) or kind not in {route.value for route in Route}:
        raise UnmappableError(f"{prefix}kind", "must be complaint or incident")
    return MappedReport(Route(kind), {name: value for name, value in fields.items() if name != "kind"})
