"""Validates browsing events from shops and apps, and sends them to Kafka."""
