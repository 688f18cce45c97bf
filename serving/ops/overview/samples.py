"""Reads a few metrics from a page in Prometheus' text format, and turns counters into rates. Pure."""

from collections import defaultdict, deque
from collections.abc import Collection
from dataclasses import dataclass

from prometheus_client import Counter, Gauge
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.samples import Sample

MEMORY = "process_resident_memory_bytes"
CLICKHOUSE_MEMORY = "ClickHouseAsyncMetrics_MemoryResident"
"""The memory of a ClickHouse server, which has no `process_resident_memory_bytes`."""
CLICKHOUSE_INSERTED = "ClickHouseProfileEvents_InsertedRows"


Metric = Counter | Gauge


def sample_name(metric: Metric) -> str:
    """Return the name of the samples of a metric of `common.metrics`."""
    name: str = next(iter(metric.describe())).name
    return f"{name}_total" if isinstance(metric, Counter) else name


@dataclass(frozen=True, slots=True)
class Samples:
    """The samples of the wanted metrics of a process."""

    samples: tuple[Sample, ...]

    def total(self, metric: Metric | str, **labels: str) -> float | None:
        """Return the sum of the samples with these labels; None if there is none."""
        name = metric if isinstance(metric, str) else sample_name(metric)
        values = [
            one.value
            for one in self.samples
            if one.name == name and all(one.labels.get(key) == value for key, value in labels.items())
        ]
        return sum(values) if values else None

    def by(self, metric: Metric, label: str) -> dict[str, float]:
        """Return value of a label → sum of its samples."""
        found: dict[str, float] = defaultdict(float)
        for one in self.samples:
            if one.name == sample_name(metric) and label in one.labels:
                found[one.labels[label]] += one.value
        return found

    @property
    def memory_bytes(self) -> int | None:
        """The resident memory of the process."""
        memory = self.total(MEMORY)
        if memory is None:
            memory = self.total(CLICKHOUSE_MEMORY)
        return None if memory is None else int(memory)


def read_samples(text: str, wanted: Collection[str]) -> Samples:
    """Return the samples whose names are in `wanted`. Others are not parsed, because a page has thousands.

    Raises:
        ValueError: a line can't be read.
    """
    names = frozenset(wanted)
    lines = [line for line in text.splitlines() if line.partition("{")[0].partition(" ")[0] in names]
    families = text_string_to_metric_families("\n".join(lines) + "\n")
    return Samples(tuple(sample for family in families for sample in family.samples))


WINDOW_S = 60.0
MIN_S = 1.0
"""Two readings nearer than this give no rate."""


class RateMeter:
    """The newest readings of counters, by name."""

    def __init__(self) -> None:
        self._readings: dict[str, deque[tuple[float, float]]] = defaultdict(deque)

    def rate(self, name: str, count: float | None, now_s: float) -> float | None:
        """Note a counter's value, and return how much it grows a second over the last minute.

        `now_s` is of a clock that never goes back. The first reading gives None. A counter that has fallen
        began again at 0, so what was before is forgotten.
        """
        readings = self._readings[name]
        if count is None:
            return None
        if readings and count < readings[-1][1]:
            readings.clear()
        readings.append((now_s, count))
        # The newest reading that is at least a window old stays, so that the rate covers the whole window.
        while len(readings) > 2 and readings[1][0] <= now_s - WINDOW_S:
            readings.popleft()
        first_s, first = readings[0]
        return None if now_s - first_s < MIN_S else (count - first) / (now_s - first_s)
