"""The parts of the platform by the stage through which data flows, and the state of each. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from common.metrics import FLINK_HEAP_BYTES
from common.settings import Part
from serving.ops.overview.processes import OPTIONAL
from serving.ops.overview.samples import Samples
from serving.ops.overview.schemas import MemorySource, PartOverview, StageName
from serving.ops.overview.source import Reading
from serving.ops.schemas import PartState


@dataclass(frozen=True, slots=True)
class PartSources:
    """Where the state and the memory of a part come from.

    `check` is its check by this process, and `process` the process whose metrics it exports and whose
    `/ready` is asked if there is no check. `records` are the processes that `./souk up` starts for it.
    """

    name: str
    check: str | None = None
    process: Part | None = None
    records: tuple[str, ...] = ()


STAGES: Mapping[StageName, tuple[PartSources, ...]] = {
    "shop": (
        PartSources("commerce", "commerce", "commerce", ("commerce",)),
        PartSources("postgres", "postgres", None, ("postgres",)),
        PartSources("simulator", None, "simulator", ("simulator",)),
    ),
    "kafka": (
        PartSources("kafka", "kafka", None, ("kafka",)),
        PartSources("registry", "registry", None, ("registry",)),
    ),
    "jobs": (
        PartSources("flink", "flink", None, ("jobmanager", "taskmanager")),
        PartSources("jobs", None, "jobs", ("jobs",)),
    ),
    "stores": (
        PartSources("clickhouse", "clickhouse", "clickhouse", ("clickhouse",)),
        PartSources("redis", "redis", None, ("redis",)),
        PartSources("rollups", None, "rollups", ("rollups",)),
    ),
    "api": (
        PartSources("serving", None, "serving", ("serving",)),
        PartSources("seller_sql", None, "seller_sql", ("seller_sql",)),
        PartSources("search", None, "search", ("search",)),
    ),
    "night": (
        PartSources("training", None, "training", ("training",)),
        PartSources("audit", None, "audit", ("audit",)),
    ),
}
"""Stage → its parts, in the direction in which data flows."""


@dataclass(frozen=True, slots=True)
class PartReadings:
    """What is known of all parts. `checks` is None while the checks themselves do not end."""

    checks: Mapping[str, PartState] | None
    processes: Mapping[Part, Reading[Samples]]
    readiness: Mapping[Part, Reading[Mapping[str, str]]]
    """What processes with `/ready` miss, with the reasons."""
    redis_memory: int | None
    local_memory: Mapping[str, int]
    was_started_here: frozenset[str]
    """The parts that `./souk up` has started on this machine, also those that have died."""


class Outages:
    """Since when each part is not ready, as this process has seen it."""

    def __init__(self) -> None:
        self._since: dict[str, datetime] = {}

    def note(self, part: str, is_ready: bool, now: datetime) -> datetime | None:
        """Note the state of a part, and return since when it is not ready; None if it is."""
        if is_ready:
            self._since.pop(part, None)
            return None
        return self._since.setdefault(part, now)


def part_overview(
    part: PartSources, known: PartReadings, outages: Outages, now: datetime
) -> PartOverview | None:
    """Return a part as the page shows it; None for a simulator that does not run."""
    is_ready, needed, detail, is_off = _state(part, known)
    if is_off and part.name == "simulator":
        return None
    memory, memory_from = _memory(part, known)
    return {
        "part": part.name,
        "state": "ready" if is_ready else "off" if is_off else "not_ready",
        "needed": needed,
        "detail": detail,
        "not_ready_since": outages.note(part.name, is_ready or is_off, now),
        "memory_bytes": memory,
        "memory_from": memory_from,
    }


def _state(part: PartSources, known: PartReadings) -> tuple[bool, bool, str, bool]:
    """Return whether the part is ready, whether it is needed, its detail, and whether it is only off."""
    if part.check is not None:
        if known.checks is None:
            return False, True, "the checks of the parts do not end in time", False
        state = known.checks[part.check]
        return state["ready"], state["needed"], state["detail"], False
    assert part.process is not None
    if part.process == "serving":
        return True, True, "answers", False
    reading = known.readiness[part.process]
    if reading.value is not None:
        described = "; ".join(f"{name}: {reason}" for name, reason in reading.value.items())
        return not reading.value, False, described or "does its work", False
    was_here = reading.answered_at is not None or not known.was_started_here.isdisjoint(part.records)
    return False, False, reading.problem, part.process in OPTIONAL and not was_here


def _memory(part: PartSources, known: PartReadings) -> tuple[int | None, MemorySource | None]:
    samples = known.processes[part.process].value if part.process is not None else None
    if samples is not None and samples.memory_bytes is not None:
        return samples.memory_bytes, "metrics"
    if part.name == "redis" and known.redis_memory is not None:
        return known.redis_memory, "redis"
    found = [known.local_memory[name] for name in part.records if name in known.local_memory]
    if found:
        return sum(found), "this_machine"
    jobs = known.processes["jobs"].value
    heap = jobs.total(FLINK_HEAP_BYTES) if part.name == "flink" and jobs is not None else None
    return (int(heap), "flink_heap") if heap else (None, None)
