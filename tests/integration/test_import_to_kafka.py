"""An import into a real Kafka that is killed and resumes: every event is there, by its id."""

import os
import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from common.settings import ROOT, Settings
from producers.importer import journal, run
from producers.importer.mapped.data_set import MappedDataSet
from schemas.setup import register
from tests.imports import MAPPING, row, write_table
from tests.integration.event_topics import ids_of, read_from, topic_ends
from tests.integration.servers import Server

ORDERS = 1_500

KILLED = """\
import os, signal, sys
from pathlib import Path
from common.settings import Settings
from producers.importer import journal, run
from producers.importer.mapped.data_set import MappedDataSet
from schemas.setup import register

settings = Settings.load()
plan = run.ReplayOptions(MappedDataSet.load(Path(sys.argv[2])), Path(sys.argv[1]), speed=300.0)

def kill_once_something_is_saved(_):
    if any(entry.position for entry in journal.read(settings.home, plan.data_set.NAME)):
        os.kill(os.getpid(), signal.SIGKILL)

with journal.exclusive(settings.home, plan.data_set.NAME):
    prepared = run.prepare(plan, settings, *run.convert(plan, settings), "a cluster")
    run.send(prepared, settings, register(settings).schema_ids, plan.speed, kill_once_something_is_saved)
"""
"""Sends an order each 1/300 s, and dies as soon as the journal has a position."""


@pytest.fixture(scope="module")
def schema_ids(settings: Settings, kafka: Server, registry: Server) -> dict[str, int]:  # noqa: ARG001
    return register(settings).schema_ids


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A table with an order a second, every tenth of which is returned on the next day."""
    directory = tmp_path / "shop"
    directory.mkdir()
    first = datetime(2024, 3, 5, 10, tzinfo=UTC)
    rows = [
        row(number, f"P{number % 40}", 2, Customer=f"c{number % 300}", Date=first + timedelta(seconds=number))
        for number in range(ORDERS)
    ]
    rows += [
        each | {"Invoice": f"C{each['Invoice']}", "Qty": -1, "Date": first + timedelta(days=1)}
        for each in rows[::10]
    ]
    write_table(directory / "sales.csv", rows)
    (tmp_path / "mapping.yaml").write_text(MAPPING + "returns: {order_prefix: C}\n")
    return directory


def test_an_import_that_was_killed_resumes_and_kafka_has_every_event(
    settings: Settings, schema_ids: dict[str, int], shop: Path, tmp_path: Path
) -> None:
    mapping = tmp_path / "mapping.yaml"
    own = settings.model_copy(update={"home": tmp_path / "home"})
    environment = os.environ | {
        "SOUK_HOME": str(own.home),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_REGISTRY_URL": settings.registry,
    }
    plan = run.ReplayOptions(MappedDataSet.load(mapping), shop)
    conversion, fingerprint = run.convert(plan, own)
    expected = {events.name: set(events.ids()) for events in conversion.events}
    begin = {name: topic_ends(settings, name) for name in expected}

    killed = subprocess.run(
        [sys.executable, "-c", KILLED, shop, mapping], cwd=ROOT, env=environment, check=False
    )
    resumed = run.prepare(plan, own, conversion, fingerprint, "a cluster")
    with journal.exclusive(own.home, plan.data_set.NAME):
        sent = run.send(resumed, own, schema_ids, None, lambda _: None)
    again = run.prepare(plan, own, *run.convert(plan, own), "a cluster")

    assert killed.returncode == -signal.SIGKILL
    assert 0 < resumed.entry.position < resumed.entry.total
    assert sent.complete
    assert again.entry.complete
    assert len(expected["order_returned"]) == len(expected["payment_refunded"]) == ORDERS / 10
    for name, ids in expected.items():
        assert ids_of(read_from(settings, begin[name])) == ids


@pytest.mark.nightly  # as that of the replay: a second import sends the same ids, which change nothing
def test_the_command_imports_once_and_again_only_when_told(
    settings: Settings,
    schema_ids: dict[str, int],  # noqa: ARG001
    shop: Path,
    tmp_path: Path,
) -> None:
    environment = os.environ | {
        "SOUK_HOME": str(tmp_path / "home"),
        "SOUK_PORT_OFFSET": str(settings.port_offset),
        "SOUK_REGISTRY_URL": settings.registry,
        "SOUK_SHOP_CURRENCY": "GBP",
        "COLUMNS": "120",
    }

    def souk_import(*options: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "cli",
            "import",
            str(shop),
            "--mapping",
            str(tmp_path / "mapping.yaml"),
        ]
        return subprocess.run(
            [*command, "--no-up", *options],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )

    first, again = souk_import(), souk_import()

    assert first.returncode == again.returncode == 0, first.stderr + again.stderr
    assert f"{ORDERS + ORDERS // 10:,} used, 0 not used" in first.stdout
    assert "were sent by" in again.stdout
    assert not (tmp_path / "home" / "demo_mode").exists()
