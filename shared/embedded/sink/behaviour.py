"""How the sink treats a recipient: scripted by tests and by people who want to see what happens when a phone is off."""

from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.embedded.sink.store import Kind


class Conduct(StrEnum):
    """What happens to a message. Those about receipts exist for SMS only."""

    DELIVER = "deliver"
    SLOW = "slow"  # kept at once, answered after `seconds`: the sender may have given up by then
    HANG = "hang"  # not kept; refused after `seconds`
    BUSY = "busy"  # not kept; a temporary failure: HTTP 503, SMTP 451, or the given `code`
    REFUSE = "refuse"  # not kept; a permanent failure: HTTP 400, SMTP 550, or the given `code`
    QUEUED = "queued"  # the message centre is away: accepted for later, receipts `seconds` later
    UNDELIVERED = "undelivered"  # accepted, then a receipt that the phone was not reached
    REJECTED = "rejected"  # accepted by the gateway, then a receipt that the message centre refused it
    NO_RECEIPT = "no-receipt"
    DUPLICATE_RECEIPTS = "duplicate-receipts"
    REVERSED_RECEIPTS = "reversed-receipts"  # delivered before accepted


RECEIPT_CONDUCTS: Final = frozenset(
    {
        Conduct.QUEUED,
        Conduct.UNDELIVERED,
        Conduct.REJECTED,
        Conduct.NO_RECEIPT,
        Conduct.DUPLICATE_RECEIPTS,
        Conduct.REVERSED_RECEIPTS,
    }
)
_HTTP_CODES: Final = range(400, 600)
_TEMPORARY_SMTP: Final = range(400, 500)
_PERMANENT_SMTP: Final = range(500, 600)


class Behaviour(BaseModel):
    """One rule. `to` is a recipient, with `*` and `?` as wildcards; `times` how many messages it still applies to."""

    model_config = ConfigDict(extra="forbid")

    to: Annotated[str, Field(min_length=1, max_length=320)]
    do: Conduct
    kind: Kind | None = None
    times: Annotated[int | None, Field(ge=1)] = None
    seconds: Annotated[float, Field(ge=0, le=3600)] = 30.0
    code: Annotated[int | None, Field(description="HTTP status or SMTP reply code of `busy` and `refuse`")] = None

    @model_validator(mode="after")
    def _fits_its_kind(self) -> Self:
        if self.kind == "mail" and self.do in RECEIPT_CONDUCTS:
            raise ValueError(f"`{self.do}` is about receipts, which mail does not have")
        if self.code is not None:
            if self.kind is None or self.do not in {Conduct.BUSY, Conduct.REFUSE}:
                raise ValueError("`code` needs `kind`, and `busy` or `refuse`")
            smtp = _TEMPORARY_SMTP if self.do is Conduct.BUSY else _PERMANENT_SMTP
            if self.code not in (smtp if self.kind == "mail" else _HTTP_CODES):
                raise ValueError(f"`code` {self.code} does not say `{self.do}` for {self.kind}")
        return self


_DEFAULT: Final = Behaviour(to="*", do=Conduct.DELIVER)


class Behaviours:
    """The rules in force; the newest that fits a message decides."""

    def __init__(self) -> None:
        self._rules: list[Behaviour] = []

    def add(self, rule: Behaviour) -> None:
        self._rules.append(rule)

    def clear(self) -> None:
        self._rules.clear()

    def rules(self) -> list[Behaviour]:
        """Oldest first; those with `times` show what is left."""
        return list(self._rules)

    def decide(self, kind: Kind, to: str) -> Behaviour:
        """How this message is treated; uses up one of the rule's `times`."""
        for place in range(len(self._rules) - 1, -1, -1):
            rule = self._rules[place]
            about_mail = kind == "mail" and rule.do in RECEIPT_CONDUCTS
            if rule.kind not in {None, kind} or about_mail or not fnmatchcase(to, rule.to):
                continue
            if rule.times == 1:
                del self._rules[place]
            elif rule.times is not None:
                self._rules[place] = rule.model_copy(update={"times": rule.times - 1})
            return rule
        return _DEFAULT
