"""Measures this checkout and a stored commit in turn, and says which figures of the spine became worse.

The machine's hours differ, so each pair of runs gives a ratio. A figure counts as worse only if the median
ratio is beyond its limit and all pairs agree.
"""

import json
import statistics
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from rich.console import Console

from bench.pipeline.against import clone_of, figure, measure
from bench.tables import print_notes, print_table
from common.errors import UserError
from common.settings import ROOT

FILE = Path(__file__).with_name("watched.toml")

Verdict = Literal["worse", "better", "within noise"]


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
