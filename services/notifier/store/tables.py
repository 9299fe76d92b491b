"""The notifier's schema, declared for migrations: requests, and the ledger intent → attempt → outcome → receipt."""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.access.key_store import api_keys_table
from shared.db.erasures import erasures_table
from shared.db.tables import messaging_tables, new_metadata

metadata: Final[MetaData] = new_metadata()
messaging_tables(metadata)
erasures_table(metadata)
api_keys_table(metadata)

requests: Final = Table(
    "requests",
    metadata,
    Column("request_id", Uuid, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("org", Text, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("plan", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("traceparent", Text),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    # The topic of a warning case: what such a case stands for is looked up by it.
    Column("warning_topic", Text),
)
Index(
    "ix_requests_warnings",
    requests.c.org,
    requests.c.plan,
    requests.c.warning_topic,
    postgresql_where=text("warning_topic IS NOT NULL"),
)
Index("ix_requests_case", requests.c.org, requests.c.case_id, requests.c.plan)

intents: Final = Table(
    "intents",
    metadata,
    Column("intent_id", Uuid, primary_key=True),
    Column("request_id", Uuid, ForeignKey("requests.request_id"), nullable=False),
    Column("org", Text, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("plan", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("role", Text, nullable=False),
    # A roster id; "role:<id>" where nobody was found, so that the unique key holds for both.
    Column("recipient", Text, nullable=False),
    Column("person", Text),
    Column("person_label", Text),
    Column("because", JSONB, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("urgency", Integer, nullable=False),
    # The channel that the next step concerns; with due_at, all that claiming asks. No due_at: nothing is awaited.
    Column("next_channel", Text),
    Column("due_at", DateTime(timezone=True)),
    Column("stopped", Text),
    Column("stopped_zh", Text),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    Column("settlement", Text),
    Column("channel", Text),
    Column("provider", Text),
    Column("contact", Text),
    Column("reason", Text),
    Column("settled_at", DateTime(timezone=True)),
    Column("reason_zh", Text),
    # Why it waits, waited or was left out: rule, words, since when and until when it was to wait.
    Column("noise_rule", Text),
    Column("noise_because", JSONB),
    Column("held_at", DateTime(timezone=True)),
    Column("held_until", DateTime(timezone=True)),
    # The intent whose message carries this one too; its own id where it is the carrier.
    Column("bundle", Uuid),
    # The unique key is what keeps a request seen twice from telling anybody twice.
    UniqueConstraint("request_id", "recipient"),
)
Index("ix_intents_case", intents.c.org, intents.c.case_id, intents.c.plan)
Index(
    "ix_intents_claim",
    intents.c.next_channel,
    intents.c.lane,
    intents.c.urgency.desc(),
    intents.c.due_at,
    postgresql_where=text("due_at IS NOT NULL"),
)
Index("ix_intents_due", intents.c.due_at, postgresql_where=text("due_at IS NOT NULL"))

Index("ix_intents_noise", intents.c.org, intents.c.intent_id, postgresql_where=text("noise_rule IS NOT NULL"))
Index("ix_intents_bundle", intents.c.bundle, postgresql_where=text("bundle IS NOT NULL"))

attempts: Final = Table(
    "attempts",
    metadata,
    Column("attempt_id", Uuid, primary_key=True),
    Column("intent_id", Uuid, ForeignKey("intents.intent_id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("channel", Text, nullable=False),
    Column("provider", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("token", Text, nullable=False),
    Column("doubtful", Boolean, nullable=False),
    Column("started_at", DateTime(timezone=True), nullable=False),
    Column("answer_until", DateTime(timezone=True), nullable=False),
    # Two senders that decided the same step collide here.
    UniqueConstraint("intent_id", "number"),
)

outcomes: Final = Table(
    "outcomes",
    metadata,
    # The first outcome stands: a worker whose time is over cannot overwrite what was concluded.
    Column("attempt_id", Uuid, ForeignKey("attempts.attempt_id"), primary_key=True),
    Column("answer", Text, nullable=False),
    Column("provider_message_id", Text),
    Column("code", Text),
    Column("why", Text, nullable=False),
    Column("retry_after_ms", Integer, nullable=False, server_default=text("0")),
    Column("ended_at", DateTime(timezone=True), nullable=False),
)

receipts: Final = Table(
    "receipts",
    metadata,
    Column("event_id", Uuid, primary_key=True),
    Column("attempt_id", Uuid, ForeignKey("attempts.attempt_id"), nullable=False, index=True),
    Column("status", Text, nullable=False),
    Column("provider_message_id", Text),
    Column("code", Text),
    Column("detail", Text),
    Column("received_at", DateTime(timezone=True), nullable=False),
)

# By arrival: what the weighing of providers reads are always the newest rows.
Index("ix_attempts_started_at", attempts.c.started_at, postgresql_using="brin")
Index(
    "ix_outcomes_provider_message_id",
    outcomes.c.provider_message_id,
    postgresql_where=text("provider_message_id IS NOT NULL"),
)
Index("ix_intents_not_reached", intents.c.settled_at, postgresql_where=text("settlement IN ('failed', 'nobody')"))

provider_days: Final = Table(
    "provider_days",
    metadata,
    Column("provider", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    # Millionths of the currency of the provider file.
    Column("spent", BigInteger, nullable=False),
)

roster_versions: Final = Table(
    "roster_versions",
    metadata,
    Column("org", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("sha256", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("origin", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
)

roster_changes: Final = Table(
    "roster_changes",
    metadata,
    Column("change_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("withdrawn_by", Text),
    Column("withdrawn_at", DateTime(timezone=True)),
)
Index("ix_roster_changes_org", roster_changes.c.org, roster_changes.c.made_at)

roster_notices: Final = Table(
    "roster_notices",
    metadata,
    # The key keeps two replicas, or one after a restart, from telling anybody twice.
    Column("org", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("announced_at", DateTime(timezone=True), nullable=False),
)

silences: Final = Table(
    "silences",
    metadata,
    Column("silence_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("body", JSONB, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
    Column("ended_by", Text),
    Column("ended_at", DateTime(timezone=True)),
)
Index("ix_silences_org", silences.c.org, silences.c.made_at)

answered_cases: Final = Table(
    "answered_cases",
    metadata,
    Column("org", Text, primary_key=True),
    Column("case_id", Uuid, primary_key=True),
    Column("plan", Text, primary_key=True),
    # Pages asked for until then need no answer any more; `is_over`: nor does anything else.
    Column("answered_at", DateTime(timezone=True), nullable=False),
    Column("is_over", Boolean, nullable=False),
)

merged_cases: Final = Table(
    "merged_cases",
    metadata,
    Column("org", Text, primary_key=True),
    Column("case_id", Uuid, primary_key=True),
    Column("plan", Text, primary_key=True),
    # Absent for one that stands by itself again.
    Column("goes_on", Uuid),
    Column("revision", Integer, nullable=False),
)

live_tests: Final = Table(
    "live_tests",
    metadata,
    # The case id of its messages as well.
    Column("test_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("ends_at", DateTime(timezone=True), nullable=False),
)
Index("ix_live_tests_org", live_tests.c.org, live_tests.c.ends_at)

live_test_people: Final = Table(
    "live_test_people",
    metadata,
    Column("test_id", Uuid, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("answered_at", DateTime(timezone=True)),
)

complainant_notices: Final = Table(
    "complainant_notices",
    metadata,
    Column("notice_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("plan", Text, nullable=False),
    Column("notice", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("reason", Text),
    Column("outcome", Text),
    Column("noted_at", DateTime(timezone=True), nullable=False),
    # When to try next; absent once nothing further is to be done.
    Column("due_at", DateTime(timezone=True)),
    Column("attempts", Integer, nullable=False),
    # sent, delivered, failed, or not-asked: the complainant did not ask to be told.
    Column("settlement", Text),
    Column("channel", Text),
    Column("provider", Text),
    Column("why", Text),
    Column("settled_at", DateTime(timezone=True)),
)
Index("ix_complainant_notices_case", complainant_notices.c.org, complainant_notices.c.case_id)
Index("ix_complainant_notices_due", complainant_notices.c.due_at, postgresql_where=text("due_at IS NOT NULL"))

verifications: Final = Table(
    "verifications",
    metadata,
    # The case id of its message as well. No code is kept: it follows from this id and the address.
    Column("verification_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("contact", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("asked_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Column("tries", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("ended_at", DateTime(timezone=True)),
    Column("answered_by", Text),
)
Index("ix_verifications_person", verifications.c.org, verifications.c.person, verifications.c.asked_at)
Index(
    "ix_verifications_proven",
    verifications.c.org,
    verifications.c.fingerprint,
    postgresql_where=text("state = 'verified'"),
)
