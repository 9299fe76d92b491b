"""Tables of the schema `classifier`, declared for migrations."""

from sqlalchemy import BigInteger, Boolean, Column, DateTime, Index, Integer, Table, Text, UniqueConstraint, Uuid, text

from shared.db.erasures import erasures_table
from shared.db.tables import messaging_tables, new_metadata

metadata = new_metadata()
messaging_tables(metadata)
erasures_table(metadata)

cases = Table(
    "cases",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("runs", Text, nullable=False),
    Column("unrouted_since", DateTime(timezone=True)),
    Column("updated_at", DateTime(timezone=True), nullable=False),
)
# Cases that no plan applies to, waiting for one. Nearly always empty.
Index("ix_cases_unrouted", cases.c.case_id, postgresql_where=text("unrouted_since IS NOT NULL"))

# Every plan text that ever decided: a case is judged by the one it opened with, whatever the library says today.
plans = Table(
    "plans",
    metadata,
    Column("sha256", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("snapshot", Text, nullable=False),
    Column("stored_at", DateTime(timezone=True), nullable=False),
)

# Locked, in the order of their ids, by whoever moves a count of the group: two replicas that together cross a
# threshold see each other's members, and one of them raises the warning.
window_groups = Table(
    "window_groups",
    metadata,
    Column("group_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("drill", Boolean, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("moved_at", DateTime(timezone=True), nullable=False),
)

window_counters = Table(
    "window_counters",
    metadata,
    Column("series_id", Uuid, primary_key=True),
    Column("bucket_start", DateTime(timezone=True), primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("window_id", Text, nullable=False),
    Column("count", BigInteger, nullable=False),
)
# Old buckets are dropped by age.
Index("ix_window_counters_bucket_start", window_counters.c.bucket_start)

# One row a member and the case that brought it: counts are of different members, and a warning links its cases.
window_members = Table(
    "window_members",
    metadata,
    Column("series_id", Uuid, primary_key=True),
    Column("bucket_start", DateTime(timezone=True), primary_key=True),
    Column("member", Text, primary_key=True),
    Column("case_id", Uuid, primary_key=True),
)

warnings = Table(
    "warnings",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("group_id", Uuid, nullable=False),
    Column("span", Text, nullable=False),
    Column("bucket_start", DateTime(timezone=True), nullable=False),
    Column("org", Text, nullable=False),
    Column("plan", Text, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("raised_at", DateTime(timezone=True), nullable=False),
    Column("may_end", Boolean, nullable=False, server_default=text("false")),
    Column("ended_at", DateTime(timezone=True)),
    # One warning a group and span, whoever crosses the threshold.
    UniqueConstraint("group_id", "span", "bucket_start"),
)

Index("ix_warnings_may_end", warnings.c.group_id, postgresql_where=text("may_end AND ended_at IS NULL"))

# What makes two cases one event: a hash of the rule and of the values that have to be equal, with the cases that had
# them. Old marks are dropped by age.
event_marks = Table(
    "event_marks",
    metadata,
    Column("mark", Uuid, primary_key=True),
    Column("case_id", Uuid, primary_key=True),
    Column("number", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("duplicate_of", Uuid),
)
Index("ix_event_marks_received_at", event_marks.c.received_at)

warning_numbers = Table(
    "warning_numbers",
    metadata,
    Column("org", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("last", Integer, nullable=False),
)

# When time alone may change a case's level. A row is taken together with its case's row, so each instant fires once.
reconsiderations = Table(
    "reconsiderations",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("plan", Text, primary_key=True),
    Column("due_at", DateTime(timezone=True), nullable=False),
)
Index("ix_reconsiderations_due_at", reconsiderations.c.due_at)
