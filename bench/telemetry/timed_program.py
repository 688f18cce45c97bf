"""Times a small program that does one thing many times, in a process of its own as the platform's are."""

import subprocess
import sys
from pathlib import Path

from common.settings import ROOT
from local.state_directory import base_environment


def time_program(program: str, log_path: Path, *arguments: str) -> float:
    """Run Python code, and return the seconds of CPU time that it prints. What it logs is in `log_path`."""
    with log_path.open("wb") as log:
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments],
            cwd=ROOT,
            env=base_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            check=True,
        )
    return float(done.stdout)
