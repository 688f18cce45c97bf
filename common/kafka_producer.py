"""The configuration that all Kafka producers share."""


def producer_config(
    bootstrap: str, linger_ms: int, delivery_timeout_s: float | None
) -> dict[str, str | int | float | bool]:
    """Return librdkafka's configuration of a producer whose retries lose, reorder and duplicate no message.

    Args:
        bootstrap: `host:port[,host:port]`.
        linger_ms: how long a message waits for others of its batch.
        delivery_timeout_s: how long delivery is retried before it fails; None retries forever.
    """
    return {
        "bootstrap.servers": bootstrap,
        "enable.idempotence": True,  # acks=all, in order within a partition, no duplicates by retries
        "compression.type": "lz4",
        "linger.ms": linger_ms,
        "message.timeout.ms": 0 if delivery_timeout_s is None else int(delivery_timeout_s * 1000),
        "partitioner": "murmur2_random",  # as in Java clients: every client sends a key to one partition
        "retry.backoff.max.ms": 500,
        "reconnect.backoff.max.ms": 1000,
        "log_level": 0,
    }
