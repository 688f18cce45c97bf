"""The simulator as the demo's child, where it can't do what it was started for."""

import os
import signal
import socket

import pytest

from common.errors import PartUnavailable, UserError
from common.settings import LOOPBACK, Settings
from local.demo.simulator import Simulator
from local.home import Home
from local.supervision.launch import marked
from local.supervision.processes import read_record
from tests.integration.servers import await_true
from tests.ports import free_offset


@pytest.fixture
def settings(tmp_path):
    """A copy in which no part runs."""
    settings = Settings(home=tmp_path / ".souk", port_offset=free_offset())
    Home(settings.home).make()
    return settings


def test_a_mistake_that_the_simulator_finds_is_said_in_its_own_words(settings):
    with Simulator(settings, "live", "--rate", "0") as simulator, pytest.raises(UserError) as raised:
        await_true(simulator.ended, "the simulator's end")

    assert str(raised.value) == "--rate 0: give events a second, above 0 and up to 20,000"


def test_a_simulator_that_fails_is_told_of_with_the_end_of_its_log(settings):
    with Simulator(settings, "backfill") as simulator, pytest.raises(PartUnavailable) as raised:
        await_true(simulator.ended, "the simulator's end")

    assert "the simulator ended with exit code 1" in str(raised.value)
    assert f"the end of {settings.home}/logs/simulator.log" in str(raised.value)
    assert "registry" in str(raised.value)


def test_a_simulator_that_someone_else_stops_has_not_done_what_it_was_started_for(settings):
    with socket.create_server((LOOPBACK, 0)) as deaf:
        deaf.settimeout(60)
        registry = f"http://{LOOPBACK}:{deaf.getsockname()[1]}"
        settings = settings.model_copy(update={"registry_url": registry})
        with Simulator(settings, "backfill") as simulator:
            asked, _ = deaf.accept()
            os.kill(read_record(settings.home / "run", "simulator").pid, signal.SIGINT)
            with asked, pytest.raises(PartUnavailable, match="goes on from here"):
                await_true(simulator.ended, "the simulator's end")


def test_leaving_the_simulator_ends_it(settings):
    with Simulator(settings, "backfill"):
        pass

    assert marked(str(settings.home / "run"), "simulator") == []
