"""Accepts browsing events from shops and apps: validates them and sends them to Kafka."""
