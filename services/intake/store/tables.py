"""Tables of the schema `intake`, declared for migrations."""

from typing import Final

from sqlalchemy import (
    Column,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)

from shared.access.key_store import api_keys_table
from shared.db.erasures import erasures_table
from shared.db.tables import messaging_tables, new_metadata

metadata: Final = new_metadata()
_MOMENT: Final = DateTime(timezone=True)

messaging_tables(metadata)
erasures_table(metadata)
api_keys_table(metadata)

cases: Final = Table(
    "cases",
    metadata,
    Column("case_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("number", Text, nullable=False),
    Column("last_sequence", Integer, nullable=False),
    Column("last_event_id", Text, nullable=False),
    Column("last_body_hash", LargeBinary, nullable=False),
    # What decides which plans the case runs under, so that later facts are checked by them; names of plans have no
    # spaces and stand with spaces between them.
    Column("topic", Text),
    Column("category", Text),
    Column("channel", Text),
    Column("plans", Text, nullable=False, server_default=text("''")),
    Column("opened_at", _MOMENT, nullable=False),
    Column("changed_at", _MOMENT, nullable=False),
    # The identity of a case; posts of the same reference wait for each other here.
    UniqueConstraint("org", "source", "reference"),
    UniqueConstraint("number", "org"),
)

events: Final = Table(
    "events",
    metadata,
    Column("org", Text, primary_key=True),
    Column("source", Text, primary_key=True),
    Column("event_id", Text, primary_key=True),
    Column("case_id", Uuid, nullable=False),
    Column("sequence", Integer, nullable=False),
    Column("body_hash", LargeBinary, nullable=False),
    Column("received_at", _MOMENT, nullable=False),
    Column("person_id", Uuid),
    # Sealed: what was posted, and who complained. Unreadable once the person's key is gone.
    Column("original", LargeBinary, nullable=False),
    Column("identity", LargeBinary),
    UniqueConstraint("case_id", "sequence"),
)

Index("ix_events_person_id", events.c.person_id, postgresql_where=events.c.person_id.is_not(None))

persons: Final = Table(
    "persons",
    metadata,
    Column("person_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("created_at", _MOMENT, nullable=False),
    Column("erased_at", _MOMENT),
)
# One living person per hash; an erased one stays as a tombstone.
Index("uq_persons_living", persons.c.org, persons.c.ref, unique=True, postgresql_where=text("erased_at IS NULL"))
Index("ix_persons_erased_at", persons.c.erased_at, postgresql_where=persons.c.erased_at.is_not(None))

person_keys: Final = Table(
    "person_keys",
    metadata,
    Column("person_id", Uuid, ForeignKey("persons.person_id"), primary_key=True),
    Column("wrapped_key", LargeBinary, nullable=False),
)

number_counters: Final = Table(
    "number_counters",
    metadata,
    Column("org", Text, primary_key=True),
    Column("month", Text, primary_key=True),
    Column("last", Integer, nullable=False),
)

commands: Final = Table(
    "commands",
    metadata,
    Column("org", Text, primary_key=True),
    # What makes it unrepeatable: the caller's id, or the provider's message id; else the event's own id.
    Column("request_key", Text, primary_key=True),
    Column("event_id", Uuid, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("command", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_ref", Text, nullable=False),
    Column("key_prefix", Text),
    Column("body_hash", LargeBinary, nullable=False),
    Column("issued_at", _MOMENT, nullable=False),
)
Index("ix_commands_case_id", commands.c.case_id)

used_links: Final = Table(
    "used_links",
    metadata,
    Column("intent_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("case_id", Uuid, nullable=False),
    Column("person", Text, nullable=False),
    Column("event_id", Uuid, nullable=False),
    Column("used_at", _MOMENT, nullable=False),
)

quarantine: Final = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", Uuid, primary_key=True),
    Column("org", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("received_at", _MOMENT, nullable=False),
    Column("field", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("size", Integer, nullable=False),
    Column("key_prefix", Text, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Column("replayed_at", _MOMENT),
)
Index("ix_quarantine_org_quarantine_id", quarantine.c.org, quarantine.c.quarantine_id)

replays: Final = Table(
    "replays",
    metadata,
    Column("org", Text, primary_key=True),
    Column("letter_id", Text, primary_key=True),
    Column("topic", Text, nullable=False),
    Column("key_prefix", Text, nullable=False),
    Column("replayed_at", _MOMENT, nullable=False),
)
