"""PostgreSQL: engine, transaction, inbox, outbox, relay, partitions, migrations."""
