"""Tables of the schema `console`, declared for migrations. All but people, sessions and keys can be built again."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Integer,
    LargeBinary,
    PrimaryKeyConstraint,
    Sequence,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from shared.access.key_store import api_keys_table
from shared.db.erasures import erasures_table
from shared.db.tables import messaging_tables, new_metadata

metadata = new_metadata()
messaging_tables(metadata)
erasures_table(metadata)
api_keys_table(metadata)

# Rises with every change that a board must show. A live page asks for what is above the number it has seen.
board_seq = Sequence("board_seq", metadata=metadata)

cases = Table(
    "cases",
    metadata,
    Column("case_id", Uuid, nullable=False),
    Column("plan", Text, nullable=False),
    Column("org", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("title", Text),
    Column("topic", Text),
    Column("place", JSONB, nullable=False),
    Column("plan_version", Integer, nullable=False),
    Column("plan_sha256", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("level", Text),
    Column("level_label", Text),
    Column("level_rank", Integer, nullable=False),
    Column("highest_rank", Integer, nullable=False),
    Column("tier", Text),
    Column("tier_label", Text),
    Column("next_tier", Text),
    Column("next_tier_at", DateTime(timezone=True)),
    Column("acknowledged_by", JSONB),
    Column("handled_by", JSONB),
    Column("acknowledged_at", DateTime(timezone=True)),
    Column("decided_by", Text),
    Column("because", Text),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("due_at", DateTime(timezone=True)),
    Column("clocks", JSONB, nullable=False),
    # What people were asked: the gate, approvals, the checklist.
    Column("asked", JSONB),
    Column("is_open", Boolean, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("touched", BigInteger, nullable=False),
    PrimaryKeyConstraint("case_id", "plan"),
)
Index("ix_cases_number", cases.c.number)
Index("ix_cases_touched", cases.c.touched)
Index("ix_cases_listed", cases.c.org, cases.c.opened_at, cases.c.case_id, cases.c.plan)
Index("ix_cases_open", cases.c.org, postgresql_where=text("is_open"))

timeline = Table(
    "timeline",
    metadata,
    Column("event_id", Uuid, nullable=False),
    Column("line", Integer, nullable=False),
    Column("seq", BigInteger, Identity(always=True), nullable=False),
    Column("org", Text, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("plan", Text),
    Column("number", Text),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("tone", Text, nullable=False),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("actor", JSONB),
    Column("causation", Text),
    PrimaryKeyConstraint("event_id", "line"),
)
Index("ix_timeline_case_id", timeline.c.case_id, timeline.c.seq)
Index("ix_timeline_seq", timeline.c.seq)

reports = Table(
    "reports",
    metadata,
    Column("case_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("org", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("body", JSONB, nullable=False),
    PrimaryKeyConstraint("case_id", "sequence"),
)
Index("ix_reports_number", reports.c.number)
Index("ix_reports_received", reports.c.org, reports.c.received_at, reports.c.case_id, reports.c.sequence)

classifications = Table(
    "classifications",
    metadata,
    Column("case_id", Uuid, nullable=False),
    Column("plan", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("org", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("number", Text, nullable=False),
    Column("classified_at", DateTime(timezone=True), nullable=False),
    Column("body", JSONB, nullable=False),
    Column("decided", JSONB),
    PrimaryKeyConstraint("case_id", "plan", "revision"),
)

# The criteria of a plan text with nothing about any case: readable whatever plans are published today.
plan_criteria = Table(
    "plan_criteria",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("criteria", JSONB, nullable=False),
)

requests = Table(
    "requests",
    metadata,
    Column("request_id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("plan", Text, nullable=False),
    Column("org", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("roles", JSONB, nullable=False),
    Column("channels", JSONB, nullable=False),
    Column("requested_at", DateTime(timezone=True), nullable=False),
)
Index("ix_requests_case_id", requests.c.case_id)

deliveries = Table(
    "deliveries",
    metadata,
    Column("intent_id", Uuid, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("plan", Text, nullable=False),
    Column("org", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("request_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("role", Text, nullable=False),
    Column("role_words", JSONB),
    Column("person", Text),
    Column("person_label", Text),
    Column("channel", Text),
    Column("provider", Text),
    Column("settlement", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reason_words", JSONB),
    Column("settled_at", DateTime(timezone=True), nullable=False),
)
Index("ix_deliveries_case_id", deliveries.c.case_id)

dead_letters = Table(
    "dead_letters",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("org", Text),
    Column("case_id", Uuid),
    Column("topic", Text, nullable=False),
    Column("consumer", Text, nullable=False),
    Column("partition", Integer),
    Column("offset", BigInteger),
    Column("attempts", Integer),
    Column("reason", Text, nullable=False),
    Column("first_failed_at", DateTime(timezone=True)),
    Column("buried_at", DateTime(timezone=True), nullable=False),
    Column("record_key", LargeBinary),
    Column("headers", Text, nullable=False),
    Column("value", LargeBinary),
    Column("replayed_at", DateTime(timezone=True)),
    Column("replayed_by", Text),
)
Index("ix_dead_letters_listed", dead_letters.c.buried_at, dead_letters.c.id)

users = Table(
    "users",
    metadata,
    Column("name", Text, primary_key=True),
    Column("org", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False),
    Column("disabled_at", DateTime(timezone=True)),
)

sessions = Table(
    "sessions",
    metadata,
    Column("digest", LargeBinary, primary_key=True),
    Column("name", Text, ForeignKey("users.name", ondelete="CASCADE"), nullable=False),
    # Of the person when they signed in: another password, role or organisation ends the session.
    Column("fingerprint", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("expires_at", DateTime(timezone=True), nullable=False),
)
Index("ix_sessions_name", sessions.c.name)
