"""Keeps the settings of a process up to date: a thread reads each change from the topic `setting_changed`."""

import threading
from collections.abc import Mapping
from typing import Any, Self

import orjson
import structlog
from confluent_kafka import OFFSET_BEGINNING, Consumer, KafkaError, KafkaException, Message, TopicPartition

from common.configuration.definitions import DEFINITIONS
from common.configuration.setting import InvalidValue
from common.configuration.values import SettingValue, SettingValues
from common.errors import PartUnavailable, Rejected
from common.kafka import offset_range
from common.metrics import SETTING_VERSION
from common.settings import Settings
from schemas.codec import Decoder, Record
from schemas.configuration.saved_values import SavedValues
from schemas.events import all_events
from schemas.registry import SchemaRegistry

log = structlog.get_logger()

TOPIC = "setting_changed"
PLATFORM = "platform"
"""The scope of settings that apply to the whole platform."""

_POLL_S = 0.5
_CONNECT_TIMEOUT_S = 5.0
_FIRST_DELAY_S, _MAX_DELAY_S = 0.1, 2.0
_STOP_TIMEOUT_S = 2 * _CONNECT_TIMEOUT_S

_CONSUMER: Mapping[str, Any] = {
    "group.id": "souk_configuration_watcher",  # required by the client; nothing is committed
    "enable.auto.commit": False,
    "auto.offset.reset": "earliest",
    "allow.auto.create.topics": False,
    "reconnect.backoff.max.ms": 1000,
    "log_level": 0,
}


class ConfigurationWatcher:
    """Reads the topic from its beginning, then each new change. Use it as a context manager.

    `values` is usable at once: it has the last known values of this copy (`SavedValues`), or the defaults.
    After any failure the thread connects again and reads the topic from its beginning. It applies the
    messages up to the end of the topic in one step, so that no older value returns for a moment.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._saved = SavedValues(settings)
        self.values = SettingValues()
        self._current = threading.Event()
        self._stopping = threading.Event()
        self._ignored: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="configuration watcher", daemon=True)

    def start(self) -> None:
        """Load the last known values and start the thread. Does not wait for Kafka."""
        self._apply(self._saved.load())
        self._thread.start()

    def stop(self) -> None:
        """Stop the thread and wait until it has closed its connections."""
        self._stopping.set()
        self._thread.join(_STOP_TIMEOUT_S)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def wait_until_current(self, timeout_s: float) -> bool:
        """Wait until `values` are those of the whole topic; return whether they are."""
        return self._current.wait(timeout_s)

    def _run(self) -> None:
        failures = 0
        with SchemaRegistry(self._settings.registry) as registry:
            decoder = Decoder(registry.schema)
            while not self._stopping.is_set():
                try:
                    self._watch(decoder)
                except (KafkaException, PartUnavailable) as error:
                    failures = 1 if self._current.is_set() else failures + 1
                    self._current.clear()
                    if failures == 1:
                        log.warning("waiting for changes of settings", error=str(error))
                    self._stopping.wait(min(_MAX_DELAY_S, _FIRST_DELAY_S * 2.0 ** min(failures, 10)))

    def _watch(self, decoder: Decoder) -> None:
        """Read the topic until `stop`.

        Raises:
            KafkaException: Kafka does not answer, or the topic does not exist.
            PartUnavailable: the registry does not answer.
        """
        errors: list[KafkaError] = []  # of the connection; `poll` calls `error_cb`
        consumer = Consumer(
            {**_CONSUMER, "bootstrap.servers": self._settings.kafka, "error_cb": errors.append}
        )
        try:
            partition = TopicPartition(TOPIC, 0, OFFSET_BEGINNING)
            first, end = offset_range(consumer, partition, _CONNECT_TIMEOUT_S)
            consumer.assign([partition])
            changes: dict[str, SettingValue] = {}
            is_current = first >= end
            if is_current:
                self._publish({})
            while not self._stopping.is_set():
                message = consumer.poll(_POLL_S)
                for error in errors:
                    if error.fatal() or error.code() == KafkaError._ALL_BROKERS_DOWN:
                        raise KafkaException(error)
                errors.clear()  # the client itself recovers from these
                if message is None:
                    continue
                changes |= self._read(message, decoder)
                is_current = is_current or (message.offset() or 0) + 1 >= end
                if is_current:
                    self._publish(changes)
                    changes = {}
        finally:
            consumer.close()

    def _publish(self, changes: dict[str, SettingValue]) -> None:
        self._apply(changes)
        if changes:
            self._saved.save(changes)
        self._current.set()

    def _apply(self, changes: dict[str, SettingValue]) -> None:
        self.values.update(changes)
        for setting in DEFINITIONS.values():
            SETTING_VERSION.labels(setting.name).set(self.values.version(setting))

    def _read(self, message: Message, decoder: Decoder) -> dict[str, SettingValue]:
        """Return the new value of one setting; empty for a message that changes none.

        Raises:
            KafkaException: the message is an error of Kafka's client.
            PartUnavailable: the registry does not answer.
        """
        error = message.error()
        if error is not None:
            raise KafkaException(error)
        name = (message.key() or b"").decode(errors="replace")
        try:
            return read_change(decoder.decode(message.value(), all_events()[TOPIC]))
        except (Rejected, InvalidValue) as reason:
            if name not in self._ignored:
                log.warning("a change of a setting is ignored", setting=name, reason=str(reason))
            self._ignored.add(name)
            return {}


def read_change(event: Record) -> dict[str, SettingValue]:
    """Return the new value that a `setting_changed` reports; empty for a setting of one seller.

    Raises:
        InvalidValue: there is no such setting, or it does not take the value.
    """
    if event["scope"] != PLATFORM:
        return {}
    name: str = event["name"]
    setting = DEFINITIONS.get(name)
    if setting is None:
        raise InvalidValue(f"there is no setting {name}; another version of the code may define it")
    try:
        value = orjson.loads(event["new_value"] or "null")
    except ValueError as error:
        raise InvalidValue(f"{name}: the value is not JSON") from error
    return {name: SettingValue(event["version"] or 0, setting.parse(value))}
