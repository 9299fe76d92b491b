"""PostgreSQL: cases, their history, clock logs, timers, fires and plan snapshots. Nothing here commits."""
