"""Takes browsing events from shops and apps: validates them and puts them into Kafka."""
