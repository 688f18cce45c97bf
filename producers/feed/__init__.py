"""Sends events in event-time order to Kafka: what a replay and the simulator have in common."""
