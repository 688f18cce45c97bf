"""The exit codes of the simulator's command line."""

import os
import subprocess
import sys

from common.settings import ROOT
from tests.log_lines import read_structured


def test_ctrl_c_is_one_line_and_exit_code_130(tmp_path) -> None:
    program = (
        "import signal, sys, producers.simulator.__main__ as simulator\n"
        "simulator._load_or_create = lambda *_: signal.raise_signal(signal.SIGINT)\n"
        "sys.argv = ['simulator', 'backfill']\n"
        "sys.exit(simulator.main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=os.environ | {"SOUK_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip

    [line] = read_structured(done.stderr.splitlines())
    assert (done.returncode, done.stdout) == (130, "")
    assert (line["level"], line["reason"]) == ("info", "stopped")
