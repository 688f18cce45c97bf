"""The simulator as a child of the demo: what stops it, and what does not."""

import os
import signal
import socket
from collections.abc import Iterator

import pytest
from rich.console import Console

from common.errors import PartUnavailable, UserError
from common.process_records import read_process_record
from common.settings import LOOPBACK, Settings
from local import stack
from local.demo.simulator_process import SimulatorProcess
from local.parts.part import Part, Resolution
from local.state_directory import StateDirectory
from local.supervision.launch import find_processes
from local.supervision.launch_file import LaunchSpec
from local.supervision.supervisor import NAME as SUPERVISOR
from tests.integration.servers import await_true
from tests.ports import free_offset


@pytest.fixture
def settings(tmp_path):
    """A copy in which no part runs."""
    settings = Settings(home=tmp_path / ".souk", port_offset=free_offset())
    StateDirectory(settings.home).make()
    return settings


def test_a_users_mistake_is_reported_with_the_simulators_message(settings):
    with SimulatorProcess(settings, "live", "--rate", "0") as simulator, pytest.raises(UserError) as raised:
        await_true(simulator.ended, "the simulator's end")

    assert str(raised.value) == "--rate 0: give events per second, above 0 and up to 20,000"


def test_a_failed_simulator_is_reported_with_the_end_of_its_log(settings):
    with SimulatorProcess(settings, "backfill") as simulator, pytest.raises(PartUnavailable) as raised:
        await_true(simulator.ended, "the simulator's end")

    assert "the simulator ended with exit code 1" in str(raised.value)
    assert f"the end of {settings.home}/logs/simulator.log" in str(raised.value)
    assert "registry" in str(raised.value)


@pytest.fixture
def waiting(settings) -> Iterator[SimulatorProcess]:
    """A simulator that waits for a registry that never responds."""
    with socket.create_server((LOOPBACK, 0)) as deaf:
        deaf.settimeout(60)
        registry = f"http://{LOOPBACK}:{deaf.getsockname()[1]}"
        elsewhere = settings.model_copy(update={"registry_url": registry})
        with SimulatorProcess(elsewhere, "backfill") as simulator:
            asked, _ = deaf.accept()
            with asked:
                yield simulator


def kill(settings: Settings, name: str, sign: signal.Signals) -> None:
    os.kill(read_process_record(settings.home / "run", name).pid, sign)


def test_a_simulator_that_another_process_stopped_is_not_finished(settings, waiting):
    kill(settings, "simulator", signal.SIGINT)

    with pytest.raises(PartUnavailable, match="continues from here"):
        await_true(waiting.ended, "the simulator's end")


def test_up_after_the_supervisor_was_killed_keeps_the_simulator_and_down_stops_it(settings, waiting):
    console, home = Console(quiet=True), StateDirectory(settings.home)
    sleeps = LaunchSpec(["/bin/sleep", "600"], settings.home)
    part = Part("sleeper", Resolution("bundled", "", ""), "", lambda: None, sleeps)
    try:
        stack.bring_up(settings, home, [part], [], console)
        kill(settings, SUPERVISOR, signal.SIGKILL)
        stack.bring_up(settings, home, [part], [], console)
        assert not waiting.ended()
        assert read_process_record(home.run, "simulator").alive
    finally:
        stack.down(settings, console)

    assert find_processes(str(home.run)) == []


def test_the_end_of_the_with_block_stops_the_simulator(settings):
    with SimulatorProcess(settings, "backfill"):
        pass

    assert find_processes(str(settings.home / "run"), "simulator") == []
