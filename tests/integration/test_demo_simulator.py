"""The simulator as the demo's child: what ends it, and what does not."""

import os
import signal
import socket
from collections.abc import Iterator

import pytest
from rich.console import Console

from common.errors import PartUnavailable, UserError
from common.settings import LOOPBACK, Settings
from local import stack
from local.demo.simulator import Simulator
from local.home import Home
from local.parts.part import Found, Part
from local.supervision.launch import marked
from local.supervision.launch_file import Launch
from local.supervision.processes import read_record
from local.supervision.supervisor import NAME as SUPERVISOR
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


@pytest.fixture
def waiting(settings) -> Iterator[Simulator]:
    """A simulator that waits for a registry's answer, which never comes."""
    with socket.create_server((LOOPBACK, 0)) as deaf:
        deaf.settimeout(60)
        registry = f"http://{LOOPBACK}:{deaf.getsockname()[1]}"
        elsewhere = settings.model_copy(update={"registry_url": registry})
        with Simulator(elsewhere, "backfill") as simulator:
            asked, _ = deaf.accept()
            with asked:
                yield simulator


def kill(settings: Settings, name: str, sign: signal.Signals) -> None:
    os.kill(read_record(settings.home / "run", name).pid, sign)


def test_a_simulator_that_someone_else_stops_has_not_done_what_it_was_started_for(settings, waiting):
    kill(settings, "simulator", signal.SIGINT)

    with pytest.raises(PartUnavailable, match="goes on from here"):
        await_true(waiting.ended, "the simulator's end")


def test_up_after_the_supervisor_was_killed_lets_the_simulator_be_and_down_ends_it(settings, waiting):
    console, home = Console(quiet=True), Home(settings.home)
    sleeps = Launch(["/bin/sleep", "600"], settings.home)
    part = Part("sleeper", Found("bundled", "", ""), "", lambda: None, sleeps)
    try:
        stack.bring_up(settings, home, [part], [], console)
        kill(settings, SUPERVISOR, signal.SIGKILL)
        stack.bring_up(settings, home, [part], [], console)
        assert not waiting.ended()
        assert read_record(home.run, "simulator").alive
    finally:
        stack.down(settings, console)

    assert marked(str(home.run)) == []


def test_leaving_the_simulator_ends_it(settings):
    with Simulator(settings, "backfill"):
        pass

    assert marked(str(settings.home / "run"), "simulator") == []
