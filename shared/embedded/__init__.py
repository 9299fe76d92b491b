"""Real parts on one machine without Docker: PostgreSQL, a Kafka-compatible broker, a sink for messages, a supervisor.

The parts come from the `embedded` extra. Nothing here is imported by a service: the services only see addresses.
"""
