"""Publishes events to Kafka. An event and the change that it reports commit in one transaction."""
