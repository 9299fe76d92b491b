"""The single truth about topics: what is on them, who writes, who reads, how long they are kept."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from shared.contracts.classifications import CaseClassifiedV1
from shared.contracts.commands import CommandIssuedV1
from shared.contracts.escalations import CaseErasedV1, CaseEscalatedV1, CaseMergedV1
from shared.contracts.notifications import NotificationRequestedV1, NotificationSettledV1
from shared.contracts.receipts import ReceiptReceivedV1
from shared.contracts.reports import ComplaintReceivedV1, IncidentReportedV1
from shared.contracts.values import Contract


@dataclass(frozen=True)
class Topic:
    """A topic's contract. The key of every record is the case id, so one case's facts stay in order."""

    name: str
    summary: str
    owner: str
    consumers: tuple[str, ...]
    models: tuple[type[Contract], ...]
    retention: timedelta = timedelta(days=7)
    partitions: int = 6
    key: str = field(default="case_id", init=False)

    @property
    def dead_letters(self) -> str:
        """Name of the topic's twin for records that could not be applied."""
        return f"{self.name}-dlq"


COMPLAINTS_RECEIVED: Final = Topic(
    "complaints-received",
    "Complaints as registered, one record per registered fact",
    "intake",
    ("classifier", "console"),
    (ComplaintReceivedV1,),
)
INCIDENTS_REPORTED: Final = Topic(
    "incidents-reported",
    "Incidents and alerts as registered",
    "intake",
    ("classifier", "console"),
    (IncidentReportedV1,),
)
COMMANDS_ISSUED: Final = Topic(
    "commands-issued",
    "What people decided about a case",
    "intake",
    ("classifier", "escalator", "notifier", "console"),
    (CommandIssuedV1,),
)
RECEIPTS_RECEIVED: Final = Topic(
    "receipts-received",
    "Delivery receipts of providers",
    "intake",
    ("notifier", "console"),
    (ReceiptReceivedV1,),
)
CASES_CLASSIFIED: Final = Topic(
    "cases-classified",
    "The level of a case under a plan, with every criterion",
    "classifier",
    ("escalator", "console"),
    (CaseClassifiedV1,),
)
CASES_ESCALATED: Final = Topic(
    "cases-escalated",
    "State, level, tier and clocks of a case after each change",
    "escalator",
    ("notifier", "console"),
    (CaseEscalatedV1,),
)
CASES_MERGED: Final = Topic(
    "cases-merged",
    "Which case goes on for another",
    "escalator",
    ("classifier", "notifier", "console"),
    (CaseMergedV1,),
)
CASES_ERASED: Final = Topic(
    "cases-erased",
    "Of which case what has to be deleted",
    "escalator",
    ("intake", "classifier", "notifier", "console"),
    (CaseErasedV1,),
)
NOTIFICATIONS_REQUESTED: Final = Topic(
    "notifications-requested",
    "Whom to tell, why and how",
    "escalator",
    ("notifier", "console"),
    (NotificationRequestedV1,),
)
NOTIFICATIONS_SETTLED: Final = Topic(
    "notifications-settled",
    "Who was told, by what, and who could not be reached",
    "notifier",
    ("escalator", "console"),
    (NotificationSettledV1,),
)

TOPICS: Final[tuple[Topic, ...]] = (
    COMPLAINTS_RECEIVED,
    INCIDENTS_REPORTED,
    COMMANDS_ISSUED,
    RECEIPTS_RECEIVED,
    CASES_CLASSIFIED,
    CASES_ESCALATED,
    CASES_MERGED,
    CASES_ERASED,
    NOTIFICATIONS_REQUESTED,
    NOTIFICATIONS_SETTLED,
)
DEAD_LETTER_RETENTION: Final = timedelta(days=30)


def topic_of(model: type[Contract]) -> Topic:
    """The topic that carries this model. Raises KeyError for a model without a topic."""
    return _TOPIC_BY_MODEL[model]


_TOPIC_BY_MODEL: Final[dict[type[Contract], Topic]] = {model: topic for topic in TOPICS for model in topic.models}
