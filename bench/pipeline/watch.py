"""Measures this checkout and a stored commit in turn, and says which figures of the spine became worse.

The machine's hours differ by a factor of two, so only two runs beside each other can be compared, and each
pair of runs gives a ratio. A figure counts as worse only if the median ratio is beyond its limit and all
pairs agree.

The pipeline benchmark also measures another commit on the same machine once, right after this checkout.
"""

import json
import os
import statistics
import subprocess
import time
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from rich.console import Console

from bench.tables import print_notes, print_table
from common.errors import SoukError, UserError
from common.settings import ROOT

FILE = Path(__file__).with_name("watched.toml")

Verdict = Literal["worse", "better", "within noise"]

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


def run_against(commit: str, events: int, rate: int, seconds: int, console: Console) -> dict[str, Any]:
    """Return the JSON of `./souk bench pipeline` of a commit, which runs from its own clone.

    Raises: as `clone_of` and `measure`.
    """
    with clone_of(commit) as clone:
        console.print(f"measuring {commit} from a clone with its own installation")
        return measure(clone, f"--events={events}", f"--rate={rate}", f"--seconds={seconds}")


def show_against(commit: str, here: Mapping[str, Any], there: Mapping[str, Any], console: Console) -> None:
    """Print the figures of both commits. A figure that a commit does not measure is left out."""
    rows = (
        (title, _figure_text(now), _figure_text(before), f"{now / before:.2f}" if now and before else "")
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


def _figure_text(figure: float | None) -> str:
    return "" if figure is None else f"{figure:,.0f}" if figure >= 10 else f"{figure:.3f}"


def _git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL)


@dataclass(frozen=True)
class Limit:
    """How far the median ratio of a figure may be from 1, and whether a larger figure is better."""

    share: float
    more_is_better: bool = False

    def worse(self, ratio: float) -> bool:
        """Whether a ratio, here to there, is worse than the same figure at all."""
        return ratio < 1 if self.more_is_better else ratio > 1

    def beyond(self, ratio: float) -> bool:
        """Whether a ratio is off by more than the limit, either way."""
        return abs(ratio - 1) > self.share


LIMITS = {
    "events/s overall": Limit(0.15, more_is_better=True),
    "CPU µs an event": Limit(0.15),
    "facts readable p50 ms": Limit(0.25),
    "aggregates readable p50 ms": Limit(0.25),
    "cores without traffic": Limit(0.15),
}
"""The watched figures. The p99 of freshness is printed; it swings too much to be watched."""

PRINTED = ("facts readable p99 ms", "aggregates readable p99 ms")


@dataclass(frozen=True)
class Watched:
    """The stored commit, and why it was chosen.

    `since_first` has the ratios of its figures to those of commit `first`, as they were measured when the
    stored commit was last moved.
    """

    commit: str
    reason: str
    first: str
    since_first: Mapping[str, float]


@dataclass(frozen=True)
class Pair:
    """The results of `bench pipeline` of this checkout and of the stored commit, measured in turn."""

    here: Mapping[str, Any]
    there: Mapping[str, Any]


@dataclass(frozen=True)
class WatchedFigure:
    """A figure of all pairs."""

    title: str
    here: float
    """The median of this checkout."""
    there: float
    """The median of the stored commit."""
    ratios: tuple[float, ...]
    """Here to there, by pair."""
    verdict: Verdict | None
    """None if the figure is only printed."""

    @property
    def ratio(self) -> float:
        """The median ratio."""
        return statistics.median(self.ratios)


def read(file: Path = FILE) -> Watched:
    """Return the stored commit.

    Raises:
        UserError: the file has no commit or no reason.
    """
    stored = tomllib.loads(file.read_text(encoding="utf-8"))
    if not stored.get("commit") or not str(stored.get("reason", "")).strip():
        raise UserError(f"{file} needs a commit, and the reason why it is compared with this one")
    return Watched(stored["commit"], stored["reason"], stored["first"], stored.get("since_first", {}))


def run(commit: str, pairs: int, events: int, rate: int, seconds: int, console: Console) -> list[Pair]:
    """Measure this checkout and a commit, `pairs` times each, alternating which comes first.

    Raises: as `clone_of` and `measure`.
    """
    options = (
        f"--events={events}",
        f"--rate={rate}",
        f"--seconds={seconds}",
        f"--idle={seconds}",
        "--no-peers",
    )
    found = []
    with clone_of(commit) as clone:
        for number in range(pairs):
            results: dict[Path, dict[str, Any]] = {}
            for checkout in (ROOT, clone) if number % 2 == 0 else (clone, ROOT):
                begun = time.monotonic()
                results[checkout] = measure(checkout, *options)
                which = "this checkout" if checkout == ROOT else commit
                console.print(f"pair {number + 1}: {which} measured in {time.monotonic() - begun:.0f} s")
            found.append(Pair(results[ROOT], results[clone]))
    return found


def judge(pairs: Sequence[Pair]) -> list[WatchedFigure]:
    """Return every figure that each run of all pairs has."""
    found = []
    for title in (*LIMITS, *PRINTED):
        here = [figure(pair.here, title) for pair in pairs]
        there = [figure(pair.there, title) for pair in pairs]
        values = [(now, then) for now, then in zip(here, there, strict=True) if now and then]
        if len(values) == len(pairs):
            ratios = tuple(now / then for now, then in values)
            limit = LIMITS.get(title)
            found.append(
                WatchedFigure(
                    title,
                    statistics.median(now for now, _ in values),
                    statistics.median(then for _, then in values),
                    ratios,
                    verdict(limit, ratios) if limit else None,
                )
            )
    return found


def verdict(limit: Limit, ratios: Sequence[float]) -> Verdict:
    """Say whether a figure is worse, better, or the same as far as these pairs tell."""
    sides = {limit.worse(ratio) for ratio in ratios}
    if len(sides) > 1 or not limit.beyond(statistics.median(ratios)):
        return "within noise"
    return "worse" if sides.pop() else "better"


def growth(pairs: Sequence[Pair]) -> list[str]:
    """Return lines about what grew: things that cost, and CPU time by part, the largest growth first."""
    before = pairs[0].there.get("shape", {})
    lines = [
        f"{before.get(name, 0)} {name} → {count}"
        for name, count in pairs[0].here.get("shape", {}).items()
        if count != before.get(name, 0)
    ]
    for path, unit in (("cpu_us_per_event", "µs an event"), ("idle_cores", "cores without traffic")):
        grown = []
        for part in pairs[0].here.get(path, {}):
            now, then = (
                statistics.median(getattr(pair, side).get(path, {}).get(part, 0.0) for pair in pairs)
                for side in ("here", "there")
            )
            grown.append((now - then, f"{part}: {then:.3g} → {now:.3g} {unit}"))
        lines += [line for more, line in sorted(grown, reverse=True) if more > 0]
    return lines


def show(watched: Watched, pairs: Sequence[Pair], console: Console) -> None:
    """Print the figures, their ratios and verdicts, and what grew if one is worse."""
    figures = judge(pairs)
    print_table(
        console,
        ("", "this checkout", watched.commit[:8], "ratios", "median", f"to {watched.first[:8]}", "verdict"),
        (
            (
                each.title,
                _text(each.here),
                _text(each.there),
                " ".join(f"{ratio:.2f}" for ratio in each.ratios),
                f"{each.ratio:.2f}",
                f"{each.ratio * before:.2f}" if (before := watched.since_first.get(each.title)) else "",
                each.verdict or "",
            )
            for each in figures
        ),
        title="The spine beside the stored commit",
        caption=watched.reason,
    )
    lines = growth(pairs)
    if any(each.verdict == "worse" for each in figures):
        console.print("what grew:")
    elif lines:
        console.print("no figure is worse beyond its limit; what grew nevertheless:")
    print_notes(console, lines)


def as_json(watched: Watched, pairs: Sequence[Pair]) -> str:
    """Return everything that was measured as one JSON object."""
    return json.dumps(
        {
            "commit": watched.commit,
            "figures": [vars(each) | {"ratio": each.ratio} for each in judge(pairs)],
            "grew": growth(pairs),
            "pairs": [vars(pair) for pair in pairs],
        },
        indent=2,
    )


def _text(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
