"""Doors from Kafka."""
