"""The peer: the same topics through ClickHouse's own Kafka engine and materialised views."""
