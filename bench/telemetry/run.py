"""Measures what telemetry costs of checkouts and events a second, and of CPU time.

Rounds with tracing on and off are on the same platform, whose processes are restarted before each. The order
within a pair is drawn: the speed of a machine that is shared rises and falls every few minutes, and a fixed
order may follow it for a whole run. Logs can't be turned off; what writing their lines costs is measured
by itself.
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import exp, log, sqrt
from random import shuffle
from statistics import mean, stdev

from rich.console import Console
from scipy.stats import t

from bench.serving.spike import open_shop
from bench.tables import print_notes, print_table
from bench.telemetry.load import PROBE, CheckoutLoad, EventLoad, await_calm, measure_checkouts, measure_events
from bench.telemetry.span_collector import SpanCollector, span_collector
from bench.telemetry.unit_costs import LogCost, SpanCost, count_lines, log_cost, span_cost
from bench.temporary_platform import TemporaryPlatform, temporary_platform
from common.clock import system_clock
from common.errors import SoukError
from common.settings import Settings
from local import stack
from local.state_directory import StateDirectory
from local.supervision.supervisor import Supervisor

ALLOWED_COST = 0.05
"""The largest loss of checkouts a second, and of events a second."""

WARM_UP_ROUNDS = 4
"""The first rounds are not counted: until then, the servers in Java become faster."""

TRACED_PARTS = ("serving", "commerce", "jobs")
"""The parts whose processes make spans."""


@dataclass(frozen=True)
class TelemetryBenchPlan:
    """`pairs` of rounds, one with and one without tracing, each with `seconds` of checkouts and `events`."""

    pairs: int
    seconds: float
    events: int
    sampling: float


@dataclass(frozen=True)
class PairedCost:
    """The relative cost of something that was alternately on and off, with its 95 % interval over the pairs.

    0.03 is 3 % more.
    """

    estimate: float
    low: float
    high: float

    @classmethod
    def of(cls, ratios: Sequence[float]) -> "PairedCost":
        """Return the cost from one ratio (with : without) of each pair.

        The interval is Student's t over the logarithms of the ratios, because ratios multiply.
        """
        logs = [log(ratio) for ratio in ratios]
        middle = mean(logs)
        half = float(t.ppf(0.975, len(logs) - 1)) * stdev(logs) / sqrt(len(logs)) if len(logs) > 1 else 0.0
        return cls(*(round(exp(value) - 1, 4) for value in (middle, middle - half, middle + half)))

    @classmethod
    def lost(cls, ratios: Sequence[float]) -> "PairedCost":
        """Return the share that is lost, from ratios (with : without) of what should be high."""
        gain = cls.of(ratios)
        return cls(-gain.estimate, -gain.high, -gain.low)


@dataclass(frozen=True)
class Round:
    """What was measured with one setting.

    `spans` of the checkouts arrived at the collector, and `lines` about them were written to the logs.
    """

    is_traced: bool
    checkouts: CheckoutLoad
    events: EventLoad
    spans: int
    lines: int


@dataclass(frozen=True)
class TelemetryBenchResult:
    """The costs of tracing by what they reduce or increase, of each round, of spans and of lines of logs."""

    checkouts_lost: PairedCost
    """Loss of checkouts a second: 0.03 if there are 3 % fewer on a machine of constant speed."""
    checkouts_lost_as_measured: PairedCost
    """The same with the changes of the machine's speed."""
    events_lost: PairedCost
    checkout_cpu: PairedCost
    """Further CPU time for a checkout, with all that it causes, in all parts."""
    event_cpu: PairedCost
    checkout_cpu_ms_by_part: dict[str, float]
    """Part → its further CPU time for a checkout in milliseconds, on average over the pairs."""
    spans: SpanCost
    """Those of our processes, and of the follower's what it had sent at the end of a round's checkouts."""
    logs: LogCost
    rounds: list[Round]

    @property
    def missed(self) -> list[str]:
        """The goals that were missed, by the estimate."""
        return [goal for goal, cost in self._goals().items() if cost.estimate > ALLOWED_COST]

    @property
    def undecided(self) -> list[str]:
        """The goals that the estimate reaches, and not the whole interval: a further run may miss them."""
        return [goal for goal, cost in self._goals().items() if cost.estimate <= ALLOWED_COST < cost.high]

    def _goals(self) -> dict[str, PairedCost]:
        return {
            f"tracing costs at most {ALLOWED_COST:.0%} of checkouts a second": self.checkouts_lost,
            f"tracing costs at most {ALLOWED_COST:.0%} of events a second": self.events_lost,
        }


def run(
    settings: Settings, plan: TelemetryBenchPlan, port_offset: int, console: Console
) -> TelemetryBenchResult:
    """Measure on a temporary platform, which runs all jobs except the nightly training.

    Raises:
        SoukError: the platform does not start, the shop does not open, or no span arrives.
    """
    with (
        span_collector() as collector,
        temporary_platform(settings, port_offset, console) as platform,
    ):
        open_shop(platform.settings, console)
        rounds: list[Round] = []
        for number, is_traced in enumerate(order(WARM_UP_ROUNDS // 2) + order(plan.pairs)):
            rounds.append(_measure(platform, plan, collector, number, is_traced))
            note = "" if number >= WARM_UP_ROUNDS else ", to warm up"
            console.print(f"{_described(rounds[-1])}{note}", highlight=False, soft_wrap=True)
        traced = [each for each in rounds if each.is_traced]
        spans = span_cost(
            sum(each.spans for each in traced),
            sum(each.checkouts.in_all for each in traced),
            platform.settings.home / "span_cost.log",
        )
        logs = log_cost(
            sum(each.lines for each in rounds),
            sum(each.checkouts.in_all for each in rounds),
            platform.settings.home / "log_cost.log",
        )
    return compare(rounds[WARM_UP_ROUNDS:], spans, logs)


def order(pairs: int) -> list[bool]:
    """Return whether tracing is on in each round of these pairs: in half of them first, drawn anew."""
    is_first = [number % 2 == 0 for number in range(pairs)]
    shuffle(is_first)
    return [is_traced for first in is_first for is_traced in (first, not first)]


def _measure(
    platform: TemporaryPlatform,
    plan: TelemetryBenchPlan,
    collector: SpanCollector,
    number: int,
    is_traced: bool,
) -> Round:
    """Restart our processes with this setting, and measure both loads.

    They are restarted even if they have it, because just started ones are slower.
    """
    tracing = {"trace_endpoint": collector.endpoint, "trace_sampling": plan.sampling} if is_traced else {}
    Supervisor(StateDirectory(platform.settings.home)).stop_parts(TRACED_PARTS)
    own = replace(platform, settings=stack.up(platform.settings.model_copy(update=tracing), platform.console))
    await_calm(own)
    collector.take()
    begun = system_clock()
    checkouts = measure_checkouts(own, plan.seconds, number)
    spans, lines = collector.take(), count_lines(own.settings, begun)
    events = measure_events(own, plan.events, number)
    if is_traced and not spans:
        raise SoukError("no span arrived at the collector")
    return Round(is_traced, checkouts, events, spans, lines)


def compare(rounds: list[Round], spans: SpanCost, logs: LogCost) -> TelemetryBenchResult:
    """Return the costs from consecutive pairs of rounds, each with and without tracing, in either order."""
    pairs = [sorted(rounds[at : at + 2], key=lambda each: each.is_traced) for at in range(0, len(rounds), 2)]
    return TelemetryBenchResult(
        checkouts_lost=PairedCost.lost(
            [
                on.checkouts.per_second_at_equal_speed / off.checkouts.per_second_at_equal_speed
                for off, on in pairs
            ]
        ),
        checkouts_lost_as_measured=PairedCost.lost(
            [on.checkouts.per_second / off.checkouts.per_second for off, on in pairs]
        ),
        events_lost=PairedCost.lost([on.events.per_second / off.events.per_second for off, on in pairs]),
        checkout_cpu=PairedCost.of([on.checkouts.cpu_ms / off.checkouts.cpu_ms for off, on in pairs]),
        event_cpu=PairedCost.of([on.events.cpu_us / off.events.cpu_us for off, on in pairs]),
        checkout_cpu_ms_by_part=_further_cpu_ms(pairs),
        spans=spans,
        logs=logs,
        rounds=rounds,
    )


def _further_cpu_ms(pairs: list[list[Round]]) -> dict[str, float]:
    """Return part → further CPU time for a checkout (ms) from pairs (off, on); the largest first."""
    further: dict[str, float] = defaultdict(float)
    for pair in pairs:
        for each, sign in zip(pair, (-1, 1), strict=True):
            for part, cpu_ms in each.checkouts.cpu_ms_by_part.items():
                further[part] += sign * cpu_ms / len(pairs)
    return {part: round(further[part], 3) for part in sorted(further, key=lambda part: -further[part])}


def _described(each: Round) -> str:
    checkouts = each.checkouts
    return (
        f"tracing {'on ' if each.is_traced else 'off'}: {checkouts.per_second:,.1f} checkouts/s, "
        f"{checkouts.cpu_ms:.1f} ms of CPU each ({checkouts.cpu_ms_by_part[PROBE]:.1f} in {PROBE}); "
        f"{each.events.per_second:,.0f} events/s, "
        f"{each.events.cpu_us:.0f} µs of CPU each; {each.spans:,} spans"
    )


def show(result: TelemetryBenchResult, console: Console) -> None:
    """Print the result."""
    costs = {
        "checkouts/s lost, at equal speed of the machine": result.checkouts_lost,
        "checkouts/s lost, as measured": result.checkouts_lost_as_measured,
        "events/s lost": result.events_lost,
        "CPU of a checkout": result.checkout_cpu,
        "CPU of an event": result.event_cpu,
    }
    print_table(
        console,
        ("cost of tracing", "estimate", "95 % interval"),
        (
            (what, f"{cost.estimate:+.1%}", f"{cost.low:+.1%} to {cost.high:+.1%}")
            for what, cost in costs.items()
        ),
        title="Telemetry",
    )
    print_table(
        console,
        ("part", "further CPU of a checkout"),
        ((part, f"{cpu_ms:+.2f} ms") for part, cpu_ms in result.checkout_cpu_ms_by_part.items()),
        title="Tracing by part",
    )
    spans, logs = result.spans, result.logs
    print_notes(
        console,
        (
            f"spans: {spans.spans_per_checkout:.2f} a checkout, {spans.span_us:.0f} µs of CPU each: "
            f"{spans.spans_per_checkout * spans.span_us / 1000:.2f} ms of a checkout's CPU time",
            f"logs: {logs.lines_per_checkout:.1f} lines a checkout, {logs.line_us:.0f} µs of CPU each: "
            f"{logs.lines_per_checkout * logs.line_us / 1000:.2f} ms of a checkout's CPU time",
            *_verdicts(result),
        ),
    )


def _verdicts(result: TelemetryBenchResult) -> list[str]:
    lines = [f"missed: {'; '.join(result.missed)}"] if result.missed else []
    if result.undecided:
        goals = "; ".join(result.undecided)
        lines.append(f"not decided, because the interval is too wide: {goals}. Measure more --pairs")
    return lines or ["every goal was reached"]
