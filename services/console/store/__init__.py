"""The read model in PostgreSQL, schema `console`."""
