"""Consumes events from Kafka. Each event takes effect once: its id and its effect share one transaction."""
