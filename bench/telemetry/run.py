"""Measures what telemetry costs of checkouts and events a second, and of CPU time.

Two platforms run side by side, one with tracing, and take turns of a few seconds, so that the noise of the
machine is in both. After half of the pairs they change places, so that what differs between them is in both,
too. Logs can't be turned off; what writing their lines costs is measured by itself.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace

from rich.console import Console
from rich.table import Table

from bench.serving.spike import open_shop
from bench.telemetry.load import CheckoutLoad, EventLoad, measure_checkouts, measure_events
from bench.telemetry.log_cost import LogCost, log_cost
from bench.telemetry.paired_cost import PairedCost
from bench.telemetry.span_collector import SpanCollector, span_collector
from bench.temporary_platform import TemporaryPlatform, temporary_platform
from common.errors import SoukError
from common.settings import Settings
from local import stack

ALLOWED_COST = 0.05
"""The largest loss of checkouts a second, and of events a second."""


@dataclass(frozen=True)
class TelemetryBenchPlan:
    """`pairs` of rounds, one with and one without tracing, each with `seconds` of checkouts and `events`.

    `pairs` is even.
    """

    pairs: int
    seconds: float
    events: int
    sampling: float


@dataclass(frozen=True)
class Round:
    """What was measured with one setting. `spans` arrived at the collector. Rounds to warm up don't count."""

    is_traced: bool
    checkouts: CheckoutLoad
    events: EventLoad
    spans: int
    is_counted: bool = True


@dataclass(frozen=True)
class TelemetryBenchResult:
    """The costs of tracing by what they reduce or increase, of each round, and of the lines of logs."""

    checkouts_lost: PairedCost
    """Loss of checkouts a second: 0.03 if there are 3 % fewer."""
    events_lost: PairedCost
    checkout_cpu: PairedCost
    """Further CPU time for a checkout, with all that it causes, in all parts."""
    event_cpu: PairedCost
    checkout_cpu_ms_by_part: dict[str, float]
    """Part → its further CPU time for a checkout in milliseconds, on average over the pairs."""
    logs: LogCost
    rounds: list[Round]

    @property
    def missed(self) -> list[str]:
        """The goals that were missed, by the estimate."""
        return [goal for goal, cost in self._goals() if cost.estimate > ALLOWED_COST]

    @property
    def undecided(self) -> list[str]:
        """The goals that the estimate reaches, and not the whole interval: a further run may miss them."""
        return [goal for goal, cost in self._goals() if cost.estimate <= ALLOWED_COST < cost.high]

    def _goals(self) -> list[tuple[str, PairedCost]]:
        return [
            (f"tracing costs at most {ALLOWED_COST:.0%} of {what}", cost)
            for what, cost in (
                ("checkouts a second", self.checkouts_lost),
                ("events a second", self.events_lost),
            )
        ]


def run(
    settings: Settings, plan: TelemetryBenchPlan, port_offsets: tuple[int, int], console: Console
) -> TelemetryBenchResult:
    """Measure on two temporary platforms, which run all jobs except the nightly training.

    Raises:
        SoukError: a platform does not start, a shop does not open, or no span arrives.
    """
    with (
        span_collector() as collector,
        temporary_platform(settings, port_offsets[0], console, training_enabled=False) as first,
        temporary_platform(settings, port_offsets[1], console, training_enabled=False) as second,
    ):
        for platform in (first, second):
            open_shop(platform.settings, console)
        tracing: dict[str, str | float] = {
            "trace_endpoint": collector.endpoint,
            "trace_sampling": plan.sampling,
        }
        rounds: list[Round] = []
        for traced, other in ((second, first), (first, second)):
            sides = (_restarted(other, {}), _restarted(traced, tracing))
            rounds += _measure_pairs(sides, plan, collector, len(rounds), console)
        of_first = [
            rounds[at] for at in range(len(rounds)) if rounds[at].is_traced == (at >= len(rounds) // 2)
        ]
        logs = log_cost(first.settings, sum(each.checkouts.accepted for each in of_first))
    return compare([each for each in rounds if each.is_counted], logs)


def _restarted(platform: TemporaryPlatform, tracing: Mapping[str, str | float]) -> TemporaryPlatform:
    """Return a platform after a restart of our processes with these settings of tracing."""
    own = platform.settings.model_copy(update=tracing)
    return replace(platform, settings=stack.up(own, platform.console))


def _measure_pairs(
    sides: tuple[TemporaryPlatform, TemporaryPlatform],
    plan: TelemetryBenchPlan,
    collector: SpanCollector,
    done: int,
    console: Console,
) -> list[Round]:
    """Measure half of the pairs on a platform without and one with tracing, after a pair to warm up.

    `done` is the number of rounds before.
    """
    rounds: list[Round] = []
    for pair in range(1 + plan.pairs // 2):
        for is_traced in (False, True) if pair % 2 else (True, False):
            collector.take()
            number = done + len(rounds)
            checkouts = measure_checkouts(sides[is_traced], plan.seconds, number)
            events = measure_events(sides[is_traced], plan.events, number)
            rounds.append(Round(is_traced, checkouts, events, collector.take(), is_counted=pair > 0))
            note = "" if pair else ", to warm up"  # the servers are slower in their first round
            console.print(f"{_described(rounds[-1])}{note}", highlight=False, soft_wrap=True)
    if not any(each.spans for each in rounds if each.is_traced):
        raise SoukError("no span arrived at the collector")
    return rounds


def compare(rounds: list[Round], logs: LogCost) -> TelemetryBenchResult:
    """Return the costs from consecutive pairs of rounds, each with and without tracing, in either order."""
    pairs = [sorted(rounds[at : at + 2], key=lambda each: each.is_traced) for at in range(0, len(rounds), 2)]
    return TelemetryBenchResult(
        checkouts_lost=PairedCost.lost(
            [on.checkouts.per_second / off.checkouts.per_second for off, on in pairs]
        ),
        events_lost=PairedCost.lost([on.events.per_second / off.events.per_second for off, on in pairs]),
        checkout_cpu=PairedCost.of([on.checkouts.cpu_ms / off.checkouts.cpu_ms for off, on in pairs]),
        event_cpu=PairedCost.of([on.events.cpu_us / off.events.cpu_us for off, on in pairs]),
        checkout_cpu_ms_by_part=_further_cpu_ms(pairs),
        logs=logs,
        rounds=rounds,
    )


def _further_cpu_ms(pairs: list[list[Round]]) -> dict[str, float]:
    """Return part → further CPU time for a checkout (ms) from pairs (off, on); the largest first."""
    further: dict[str, float] = defaultdict(float)
    for pair in pairs:
        for each in pair:
            sign = 1 if each.is_traced else -1
            for part, cpu_ms in each.checkouts.cpu_ms_by_part.items():
                further[part] += sign * cpu_ms / len(pairs)
    return {part: round(further[part], 3) for part in sorted(further, key=lambda part: -further[part])}


def _described(each: Round) -> str:
    return (
        f"tracing {'on ' if each.is_traced else 'off'}: {each.checkouts.per_second:,.1f} checkouts/s, "
        f"{each.checkouts.cpu_ms:.1f} ms of CPU each; {each.events.per_second:,.0f} events/s, "
        f"{each.events.cpu_us:.0f} µs of CPU each; {each.spans:,} spans"
    )


def show(result: TelemetryBenchResult, console: Console) -> None:
    """Print the result."""
    table = Table("cost of tracing", "estimate", "95 % interval", title="Telemetry")
    for what, cost in (
        ("checkouts/s lost", result.checkouts_lost),
        ("events/s lost", result.events_lost),
        ("CPU of a checkout", result.checkout_cpu),
        ("CPU of an event", result.event_cpu),
    ):
        table.add_row(what, f"{cost.estimate:+.1%}", f"{cost.low:+.1%} to {cost.high:+.1%}")
    console.print(table)
    parts = Table("part", "further CPU of a checkout", title="Tracing by part")
    for part, cpu_ms in result.checkout_cpu_ms_by_part.items():
        parts.add_row(part, f"{cpu_ms:+.2f} ms")
    console.print(parts)
    logs = result.logs
    for line in (
        f"logs: {logs.lines_per_checkout:.1f} lines a checkout, {logs.line_us:.0f} µs of CPU each: "
        f"{logs.lines_per_checkout * logs.line_us / 1000:.2f} ms of a checkout's CPU time",
        *_verdicts(result),
    ):
        console.print(f"• {line}", highlight=False, soft_wrap=True)


def _verdicts(result: TelemetryBenchResult) -> list[str]:
    lines = [f"missed: {'; '.join(result.missed)}"] if result.missed else []
    if result.undecided:
        goals = "; ".join(result.undecided)
        lines.append(f"not decided, because the interval is too wide: {goals}. Measure more --pairs")
    return lines or ["every goal was reached"]
