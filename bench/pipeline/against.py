"""Runs the pipeline benchmark of another commit on the same machine, right after that of this checkout.

The machine's hours differ by a factor of two, so only two runs beside each other can be compared.
"""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console

from bench.tables import print_table
from common.errors import SoukError, UserError
from common.settings import ROOT

_NAMES = ("pipeline", "spine")
"""The command's name, and its name in older commits."""


@contextmanager
def clone_of(commit: str) -> Iterator[Path]:
    """Yield a clone of this repository at a commit. Its first command makes an installation of its own.

    Raises:
        UserError: the repository has no such commit.
    """
    with TemporaryDirectory(prefix="souk-against-") as folder:
        clone = Path(folder) / "souk"
        Path(folder).chmod(0o755)  # under root, PostgreSQL runs as another user
        _git("clone", "--quiet", "--shared", str(ROOT), str(clone))
        try:
            _git("-C", str(clone), "checkout", "--quiet", commit)
        except subprocess.CalledProcessError as error:
            raise UserError(f"there is no commit {commit}: {error.stderr.strip()}") from error
        yield clone


def measure(checkout: Path, *options: str) -> dict[str, Any]:
    """Return the JSON of `./souk bench pipeline` of a checkout, which runs with its own installation.

    Raises:
        SoukError: the benchmark fails, or that of an older commit lacks an option.
    """
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SOUK_")}
    failures = []
    for name in _NAMES:
        done = subprocess.run(
            [str(checkout / "souk"), "bench", name, *options, "--json"],
            env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode == 0:
            return dict(json.loads(done.stdout))
        failures.append(done.stderr.strip().rpartition("\n")[2])
    raise SoukError(f"the benchmark of {checkout} failed: {'; '.join(failures)}")


def run(commit: str, events: int, rate: int, seconds: int, console: Console) -> dict[str, Any]:
    """Return the JSON of `./souk bench pipeline` of a commit, which runs from its own clone.

    Raises: as `clone_of` and `measure`.
    """
    with clone_of(commit) as clone:
        console.print(f"measuring {commit} from a clone with its own installation")
        return measure(clone, f"--events={events}", f"--rate={rate}", f"--seconds={seconds}")


def show(commit: str, here: Mapping[str, Any], there: Mapping[str, Any], console: Console) -> None:
    """Print the figures of both commits. A figure that a commit does not measure is left out."""
    rows = (
        (title, _text(now), _text(before), f"{now / before:.2f}" if now and before else "")
        for title, (now, before) in figures(here, there).items()
    )
    print_table(console, ("", "this checkout", commit, "ratio"), rows, title="Beside another commit")


def figures(
    here: Mapping[str, Any], there: Mapping[str, Any]
) -> dict[str, tuple[float | None, float | None]]:
    """Return the comparable figures of two results: title → (this checkout's, the other commit's)."""
    return {title: (figure(here, title), figure(there, title)) for title in _FIGURES}


_FIGURES = {
    "events/s overall": ("flink", "per_second"),
    "events/s steady": ("flink", "steady_per_second"),
    "CPU µs an event": ("total_cpu_us_per_event",),
    "facts readable p50 ms": ("freshness", "facts", "p50_ms"),
    "facts readable p99 ms": ("freshness", "facts", "p99_ms"),
    "aggregates readable p50 ms": ("freshness", "aggregates", "p50_ms"),
    "aggregates readable p99 ms": ("freshness", "aggregates", "p99_ms"),
    "cores without traffic": ("total_idle_cores",),
}


def figure(result: Mapping[str, Any], title: str) -> float | None:
    """Return the figure with this title in a result; None if it was not measured."""
    found: Any = result
    for name in _FIGURES[title]:
        found = found.get(name) if isinstance(found, Mapping) else None
    return float(found) if found is not None else None


def _text(figure: float | None) -> str:
    return "" if figure is None else f"{figure:,.0f}" if figure >= 10 else f"{figure:.3f}"


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)
