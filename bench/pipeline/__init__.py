"""Measures Kafka → Flink → ClickHouse beside ClickHouse's own Kafka engine, and our clients beside others."""
