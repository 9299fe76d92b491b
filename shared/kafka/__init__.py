"""Kafka: the batch consumer, the closed set of outcomes, dead letters, the one producer, topic creation."""
