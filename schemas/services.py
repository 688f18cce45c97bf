"""The commerce services and the other rooms that emit or read events: `services.toml`, checked."""

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("services.toml")

COMMERCE = "producers/services"
"""The folder of the commerce services."""

EXTERNAL = "external"
"""Owner of an event that no room of this repository emits. Other systems send it to Kafka directly, as do the
replay and the simulator."""


class WrongServices(ValueError):
    """`services.toml` contradicts itself, or the code."""


@dataclass(frozen=True)
class Room:
    """What a room emits to Kafka and reads from it.

    `name` is its folder: `jobs/signals`; that of a commerce service is in `producers/services/`. `takes` are
    events that it accepts from outside and sends to Kafka, although another room emits those of this shop.
    `tags` (tag → text) describe the routes of a service.
    """

    name: str
    emits: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    tags: Mapping[str, str] = field(default_factory=dict)

    def check_reads(self, read: Iterable[str]) -> tuple[str, ...]:
        """Return the events that the room's code reads.

        Raises:
            WrongServices: `services.toml` says something else.
        """
        found = tuple(read)
        if set(found) != set(self.reads) or len(found) != len(self.reads):
            differing = ", ".join(sorted(set(found) ^ set(self.reads))) or "an event is there twice"
            raise WrongServices(f"{self.name} does not read what {FILE.name} says that it reads: {differing}")
        return found


def read_rooms(file: Path = FILE) -> tuple[dict[str, Room], dict[str, Room]]:
    """Return the commerce services by name (`orders`), and the other rooms by folder (`jobs/signals`).

    Raises:
        WrongServices: two rooms emit one event, or a key is unknown.
    """
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    services = {name: _room(f"{COMMERCE}/{name}", entry) for name, entry in content.pop("services").items()}
    others = {name: _room(name, entry) for name, entry in content.pop("others").items()}
    if content:
        raise WrongServices(f"{file.name}: unknown {', '.join(content)}")
    owner_of: dict[str, str] = {}
    for room in (*services.values(), *others.values()):
        for event in room.emits:
            if (owner := owner_of.setdefault(event, room.name)) != room.name:
                raise WrongServices(f"{file.name}: {owner} and {room.name} both emit {event}")
    return services, others


def _room(name: str, entry: Mapping[str, Any]) -> Room:
    if unknown := entry.keys() - {"emits", "reads", "takes", "tags"}:
        raise WrongServices(f"{FILE.name}: {name} has unknown keys: {', '.join(sorted(unknown))}")
    events = {key: tuple(entry.get(key, ())) for key in ("emits", "reads", "takes")}
    return Room(name, **events, tags=entry.get("tags", {}))


SERVICES, OTHERS = read_rooms()

ROOMS = {room.name: room for room in (*SERVICES.values(), *OTHERS.values())}
"""Every room by its folder."""

_OWNERS = {event: room.name for room in ROOMS.values() for event in room.emits}


def owner_of(event: str) -> str:
    """Return the folder of the room that emits an event, or `EXTERNAL`."""
    return _OWNERS.get(event, EXTERNAL)


def takers_of(event: str) -> tuple[str, ...]:
    """Return the folders of the rooms that accept an event from outside, besides its owner's own."""
    return tuple(room.name for room in ROOMS.values() if event in room.takes)


def consumers_of(event: str) -> tuple[str, ...]:
    """Return the folders of the rooms that read an event, besides job `facts`, which reads every event."""
    return tuple(room.name for room in ROOMS.values() if event in room.reads)


def services_that_emit(events: Collection[str]) -> tuple[str, ...]:
    """Return the names of the commerce services that emit any of these events."""
    return tuple(name for name, service in SERVICES.items() if not set(events).isdisjoint(service.emits))


def consumer_group(service: str) -> str:
    """Return the consumer group of a commerce service in Kafka."""
    return f"souk_{service}"


TOPICS_BY_GROUP = {consumer_group(name): service.reads for name, service in SERVICES.items() if service.reads}
"""Consumer group of a commerce service → the topics that it reads."""
