"""A world that was saved before there were versions stays as it is: products, visits, searches and orders."""

import json
from hashlib import blake2b
from pathlib import Path

import pytest

from common.errors import UserError
from producers.simulator import saved_world
from producers.simulator.history.days import SimulatedHistory
from producers.simulator.history.plan import HistoryPlan
from producers.simulator.saved_world import SavedWorld
from producers.simulator.world.shape import FIRST_VERSION, VERSION, WorldShape
from tests.unit.test_simulator_history import END_MS

OF_CONTENTS = {"description", "group_id", "attributes", "condition", "handling_days", "sku", "pictures"}
"""Columns that listings have got since."""

BEFORE = "0d51eee6260932e6420476787cf78bdb"
"""Digest of the events of this history, computed with the program before there were versions."""


def digest_of_columns(plan: HistoryPlan) -> str:
    """Return a digest of the events of a history, without the columns that were added later."""
    digest = blake2b(digest_size=16)
    for timeline in SimulatedHistory(plan).days():
        digest.update(timeline.which.tobytes() + timeline.due_at.tobytes())
        for events in timeline.events:
            digest.update(events.name.encode() + events.occurred_at.tobytes())
            for name in sorted(events.columns.keys() - OF_CONTENTS):
                digest.update(f"{name} {list(events.columns[name])}".encode())
    return digest.hexdigest()


def test_a_world_of_the_first_version_gives_the_events_of_before() -> None:
    shape = WorldShape(seed=7, sellers=30, products=300, shoppers=1_000, version=FIRST_VERSION)

    assert digest_of_columns(HistoryPlan(shape, END_MS, weeks=1, events=8_000)) == BEFORE


def test_its_listings_say_nothing_more_than_before() -> None:
    shape = WorldShape(seed=7, sellers=30, products=300, shoppers=1_000, version=FIRST_VERSION)
    timeline = next(SimulatedHistory(HistoryPlan(shape, END_MS, weeks=1, events=8_000)).days())
    [listed] = [events for events in timeline.events if events.name == "product_listed"]
    said = {name: {json.dumps(value) for value in listed.columns[name]} for name in OF_CONTENTS}

    assert said == {
        "description": {"null"}, "group_id": {"null"}, "attributes": {"{}"}, "condition": {'"new"'},
        "handling_days": {"null"}, "sku": {"null"}, "pictures": {"[]"},
    }  # fmt: skip


def test_a_saved_world_without_a_version_has_the_first_one(tmp_path: Path) -> None:
    saved_world.write(tmp_path, SavedWorld(WorldShape(seed=7), END_MS, 1, 40_000))
    path = tmp_path / "simulator" / "world.json"
    content = json.loads(path.read_text())
    del content["shape"]["version"]
    path.write_text(json.dumps(content))

    found = saved_world.read(tmp_path)

    assert found is not None
    assert found.shape.version == FIRST_VERSION
    assert found.shape.seed == 7


def test_a_new_world_keeps_its_version(tmp_path: Path) -> None:
    saved = SavedWorld(WorldShape(seed=7), END_MS, 1, 40_000)
    saved_world.write(tmp_path, saved)

    assert saved_world.read(tmp_path) == saved
    assert saved.shape.version == VERSION


def test_a_world_of_a_later_program_is_refused() -> None:
    with pytest.raises(UserError, match="version 99"):
        WorldShape(version=99)
