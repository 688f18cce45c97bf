"""The peer of the pipeline: ClickHouse's own Kafka engine and materialised views, on the same topics."""
