"""The classifier's rows in PostgreSQL, read and written a batch at a time."""
