"""What a signal does to a demo, a benchmark and their parts depends on the process that started these."""

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from common.errors import INTERRUPTED
from common.settings import ROOT
from local.supervision import launch

DEMO = """
import time
from common.signal_handlers import interrupted_by_signals
with interrupted_by_signals():
    try:
        print("ready", flush=True)
        while True:
            time.sleep(0.02)  # signal.pause() would miss a signal that comes just before it
    except KeyboardInterrupt:
        print("stopped", flush=True)
"""


SIGNALS = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM)


def ignoring(*ignored: signal.Signals) -> Callable[[], None]:
    """Return what a parent does between fork and exec so that its child ignores these signals and no others.

    The tests themselves may run in the background of a script, with SIGINT ignored.
    """

    def set_actions() -> None:
        for each in SIGNALS:
            signal.signal(each, signal.SIG_IGN if each in ignored else signal.SIG_DFL)

    return set_actions


def ignored_signals(pid: int) -> set[signal.Signals]:
    return _signals(pid, "SigIgn")


def caught_signals(pid: int) -> set[signal.Signals]:
    return _signals(pid, "SigCgt")


def _signals(pid: int, field: str) -> set[signal.Signals]:
    (mask,) = re.findall(rf"{field}:\s*(\w+)", Path(f"/proc/{pid}/status").read_text())
    return {each for each in signal.Signals if int(mask, 16) >> (each - 1) & 1}


def ended_by(signals: list[signal.Signals], ignored: list[signal.Signals]) -> str:
    """Start the demo's signal handling, send the signals in this order, and return what it prints."""
    command = [sys.executable, "-c", DEMO]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, preexec_fn=ignoring(*ignored)
    ) as demo:
        try:
            assert demo.stdout
            assert demo.stdout.readline() == "ready\n"
            assert ignored_signals(demo.pid) & set(ignored) == set(ignored)
            for each in signals:
                demo.send_signal(each)
            said = demo.stdout.read()
        except BaseException:
            demo.kill()
            raise
    assert demo.returncode == 0
    return said.strip()


def test_a_demo_under_nohup_goes_on_after_its_terminal_closes_and_kill_ends_it() -> None:
    assert ended_by([signal.SIGHUP, signal.SIGTERM], ignored=[signal.SIGHUP]) == "stopped"


@pytest.mark.nightly
def test_a_demo_that_a_script_started_in_the_background_ignores_ctrl_c_and_kill_ends_it() -> None:
    assert ended_by([signal.SIGTERM], ignored=[signal.SIGINT, signal.SIGQUIT]) == "stopped"


@pytest.mark.parametrize(
    ("sent", "printed"),
    [(signal.SIGINT, "stopped"), (signal.SIGTERM, "stopped"), (signal.SIGHUP, "")],
)
def test_a_demo_in_the_foreground_ends_by_each_of_the_signals(sent: signal.Signals, printed: str) -> None:
    assert ended_by([sent], ignored=[]) == printed


def test_a_benchmark_that_kill_ends_cleans_up_as_after_ctrl_c(
    wait_until: Callable[..., object],
) -> None:
    command = [sys.executable, "-m", "cli", "bench", "recommenders"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, preexec_fn=ignoring()) as bench:
        try:
            wait_until(lambda: caught_signals(bench.pid) >= {signal.SIGTERM, signal.SIGHUP}, 60)
            bench.terminate()
            _, said = bench.communicate(timeout=60)
        except BaseException:
            bench.kill()
            raise
    assert (bench.returncode, said.splitlines()[-1:]) == (INTERRUPTED, [b"souk: stopped"])


def test_a_part_of_a_demo_in_the_background_reacts_to_its_stop_signal(tmp_path: Path) -> None:
    ask = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"
    spec = {
        "argv": [sys.executable, "-c", ask], "cwd": str(tmp_path), "env": {}, "nice": 0, "uid": None,
        "log": str(tmp_path / "part.log"), "digest": "", "stop_signal": "INT",
    }  # fmt: skip
    (tmp_path / "part.launch.json").write_text(json.dumps(spec))
    background = ignoring(signal.SIGINT, signal.SIGQUIT, signal.SIGHUP)

    command = [sys.executable, "-IS", launch.__file__, str(tmp_path), "part"]
    subprocess.run(command, preexec_fn=background, check=True)

    assert (tmp_path / "part.log").read_text() == "True\n"
