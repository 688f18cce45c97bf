"""The peer: the same topics read by ClickHouse's own Kafka engine and materialised views."""
