"""A signal that ends `./souk test` reaches its lanes, and they stop their servers first."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from common.settings import ROOT
from tests.integration.servers import await_true, terminated

LANE = """
import pathlib, signal, sys, time
signal.signal(signal.SIGTERM, signal.default_int_handler)  # as tests/conftest.py does
state = pathlib.Path(sys.argv[1])
try:
    state.write_text("running")
    time.sleep(60)
finally:
    time.sleep(0.3)
    state.write_text("stopped its servers")
"""
SOUK_TEST = """
import os, signal, sys
from cli.parallel import run_all
from common.command_line import exit_code
signal.signal(signal.SIGINT, signal.default_int_handler)  # whoever starts the tests may ignore signals
signal.signal(signal.SIGHUP, signal.SIG_DFL)
first, second = ([sys.executable, "-c", sys.argv[1], state] for state in sys.argv[2:])
commands = {"first": [first, first], "second": [second]}
sys.exit(exit_code(lambda: run_all(commands, os.environ, 1)))
"""


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_souk_test_ends_after_its_lanes_have_stopped_their_servers(
    sent: signal.Signals, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    command = [sys.executable, "-c", SOUK_TEST, LANE, first, second]
    with terminated(subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)) as souk_test:
        await_true(lambda: first.exists() and first.read_text() == "running")
        souk_test.send_signal(sent)

        assert souk_test.wait(30) == 128 + sent
    assert first.read_text() == "stopped its servers"
    assert not second.exists()
