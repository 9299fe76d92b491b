"""The whole line on one machine: PostgreSQL, a broker and message sinks from wheels, and the five services."""
