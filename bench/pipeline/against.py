"""Runs the pipeline benchmark of another commit on the same machine, right after that of this checkout.

The machine's hours differ by a factor of two, so only two runs beside each other can be compared.
"""

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from common.errors import SoukError, UserError
from common.settings import ROOT

_NAMES = ("pipeline", "spine")
"""The command's name, and its name in older commits."""


def run(commit: str, events: int, rate: int, seconds: int, console: Console) -> dict[str, Any]:
    """Return the JSON of `./souk bench pipeline` of a commit, which runs from its own clone and installation.

    Raises:
        UserError: the repository has no such commit.
        SoukError: the benchmark of that commit fails.
    """
    with TemporaryDirectory(prefix="souk-against-") as folder:
        clone = Path(folder) / "souk"
        Path(folder).chmod(0o755)  # under root, PostgreSQL runs as another user
        _git("clone", "--quiet", "--shared", str(ROOT), str(clone))
        try:
            _git("-C", str(clone), "checkout", "--quiet", commit)
        except subprocess.CalledProcessError as error:
            raise UserError(f"there is no commit {commit}: {error.stderr.strip()}") from error
        console.print(f"measuring {commit} from a clone with its own installation")
        options = [f"--events={events}", f"--rate={rate}", f"--seconds={seconds}", "--json"]
        environment = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
        failures = []
        for name in _NAMES:
            done = subprocess.run(
                [str(clone / "souk"), "bench", name, *options],
                env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
            )  # fmt: skip
            if done.returncode == 0:
                measured: dict[str, Any] = json.loads(done.stdout)
                return measured
            failures.append(done.stderr.strip().rpartition("\n")[2])
        raise SoukError(f"the benchmark of {commit} failed: {'; '.join(failures)}")


def show(commit: str, here: Mapping[str, Any], there: Mapping[str, Any], console: Console) -> None:
    """Print the figures of both commits. A figure that a commit does not measure is left out."""
    table = Table("", "this checkout", commit, "ratio", title="Beside another commit")
    for name, (now, before) in figures(here, there).items():
        ratio = f"{now / before:.2f}" if now and before else ""
        table.add_row(name, _text(now), _text(before), ratio)
    console.print(table)


def figures(
    here: Mapping[str, Any], there: Mapping[str, Any]
) -> dict[str, tuple[float | None, float | None]]:
    """Return the comparable figures of two results: title → (this checkout's, the other commit's)."""
    return {title: (_figure(here, *path), _figure(there, *path)) for title, path in _FIGURES.items()}


_FIGURES = {
    "events/s overall": ("flink", "per_second"),
    "events/s steady": ("flink", "steady_per_second"),
    "CPU µs an event": ("total_cpu_us_per_event",),
    "facts readable p50 ms": ("freshness", "facts", "p50_ms"),
    "facts readable p99 ms": ("freshness", "facts", "p99_ms"),
    "aggregates readable p50 ms": ("freshness", "aggregates", "p50_ms"),
    "aggregates readable p99 ms": ("freshness", "aggregates", "p99_ms"),
}


def _figure(result: Mapping[str, Any], *path: str) -> float | None:
    found: Any = result
    for name in path:
        found = found.get(name) if isinstance(found, Mapping) else None
    return float(found) if found is not None else None


def _text(figure: float | None) -> str:
    return "" if figure is None else f"{figure:,.0f}"


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
