"""What every process needs: time, ids, logs, metrics, health, background work."""
