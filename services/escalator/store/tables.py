"""The escalator's schema, declared for migrations. Statements are written by hand beside what they serve."""

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Identity,
    Index,
    Integer,
    SmallInteger,
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

# `body` is the whole state; the columns beside it are what people and indexes ask for.
cases = Table(
    "cases",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("org", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("plan_sha256", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("level", Text),
    Column("revision", Integer, nullable=False),
    Column("is_open", Boolean, nullable=False),
    Column("clocks_running", Integer, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("changed_at", DateTime(timezone=True), nullable=False),
    Column("traceparent", Text),
    Column("body", JSON, nullable=False),
    # The case as it was published, its light firings since `body` was written, and how many clocks they ended
    # (`domain.light`).
    Column("card_head", Text),
    Column("card", Text),
    Column("fired", Text),
    Column("clocks_ended", Integer, nullable=False, server_default=text("0")),
    # How many timers it has in the table: the auditor compares.
    Column("timers_armed", Integer, nullable=False, server_default=text("0")),
)
Index("ix_cases_number", cases.c.number)
Index("ix_cases_open", cases.c.plan, cases.c.level, postgresql_where=text("is_open"))
# The auditor's question: which cases still wait for anything.
Index("ix_cases_waiting", cases.c.case_id, cases.c.plan, postgresql_where=text("is_open OR clocks_running > 0"))

changes = Table(
    "changes",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("kind", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("details", JSONB, nullable=False),
    Column("cause", Text, nullable=False),
)

clock_entries = Table(
    "clock_entries",
    metadata,
    Column("seq", BigInteger, Identity(always=True), primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("plan", Text, nullable=False),
    Column("clock", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("body", JSONB, nullable=False),
    Column("cause", Text, nullable=False),
)
Index("ix_clock_entries_case", clock_entries.c.case_id, clock_entries.c.plan, clock_entries.c.seq)

# Armed timers only: the next threshold of each clock, the next page of each ladder. A fired one is gone.
timers = Table(
    "timers",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("threshold", Text, nullable=False),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("ahead", Text),
    # `due_at`, or when it was armed if that was later.
    Column("wake_at", DateTime(timezone=True), nullable=False),
)
Index("ix_timers_lane_wake_at", timers.c.lane, timers.c.wake_at)

# The key acts as a lock: whoever writes the row has fired, and nobody fires it again.
fires = Table(
    "fires",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("subject", Text, primary_key=True),
    Column("generation", Integer, primary_key=True),
    Column("threshold", Text, primary_key=True),
    Column("due_at", DateTime(timezone=True), nullable=False),
    Column("fired_at", DateTime(timezone=True), nullable=False),
    Column("superseded", Boolean, nullable=False),
    Column("event_id", Uuid, nullable=False),
)
Index("ix_fires_fired_at", fires.c.fired_at, postgresql_using="brin")

plan_snapshots = Table(
    "plan_snapshots",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
)

# Cases of which nothing is erased; `cases.body` says who holds them and why.
holds = Table(
    "holds",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("held_at", DateTime(timezone=True), nullable=False),
)

# Which organisations have had cases under which plan: the duties of the plan are theirs.
plan_organisations = Table(
    "plan_organisations",
    metadata,
    Column("org", Text, primary_key=True),
    Column("plan", Text, primary_key=True),
)

duty_rounds = Table(
    "duty_rounds",
    metadata,
    Column("org", Text, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("duty", Text, primary_key=True),
    Column("schedule", Text, nullable=False),
    Column("through", DateTime(timezone=True), nullable=False),
    Column("next_at", DateTime(timezone=True)),
)

# The key acts as a lock: whoever writes the row tells the round.
duties_told = Table(
    "duties_told",
    metadata,
    Column("org", Text, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("duty", Text, primary_key=True),
    Column("due_at", DateTime(timezone=True), primary_key=True),
    Column("number", Text, nullable=False),
    Column("told", Boolean, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)
