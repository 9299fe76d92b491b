"""The door through which Kafka comes in."""
