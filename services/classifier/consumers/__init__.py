"""Door: Kafka in."""
