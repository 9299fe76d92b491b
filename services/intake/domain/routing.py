"""What of a case decides which plans it runs under, put together from its reports."""

from dataclasses import dataclass

from services.intake.domain.reports import Report


@dataclass(frozen=True, slots=True)
class Routing:
    """The newest of each attribute, and every plan that was ever asked for by name."""

    topic: str | None = None
    category: str | None = None
    channel: str | None = None
    plans: tuple[str, ...] = ()

    def after(self, report: Report) -> "Routing":
        """With one more report: what it does not give stays as it was, as for the classifier."""
        body = report.body
        return Routing(
            body.topic or self.topic,
            body.category or self.category,
            body.channel or self.channel,
            tuple(dict.fromkeys((*self.plans, *body.plans))),
        )
