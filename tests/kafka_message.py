"""A message of Kafka's client, which the client itself makes only of what it has read."""

from collections.abc import Iterable


class KafkaMessage:
    """Has the methods of `confluent_kafka.Message` that its readers call."""

    def __init__(
        self,
        value: bytes | None,
        headers: Iterable[tuple[str, bytes | None]] = (),
        key: bytes = b"o1",
        topic: str = "order_placed",
        timestamp_ms: int = 0,
    ) -> None:
        self._value, self._headers, self._key = value, list(headers), key
        self._topic, self._timestamp_ms = topic, timestamp_ms

    def error(self) -> None:
        return None

    def topic(self) -> str:
        return self._topic

    def partition(self) -> int:
        return 3

    def offset(self) -> int:
        return 42

    def key(self) -> bytes:
        return self._key

    def value(self) -> bytes | None:
        return self._value

    def headers(self) -> list[tuple[str, bytes | None]]:
        return self._headers

    def timestamp(self) -> tuple[int, int]:
        return 1, self._timestamp_ms
