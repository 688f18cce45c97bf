"""The requests of the answers benchmark: kinds, rates, arrival times, and a log of outcomes. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from bench.durations import Quantiles
from bench.interference import InterferenceSample, InterferenceSummary, calm_intervals

RECOMMENDATIONS, ORDERS, ORDER, SALES, PAGE, LIST = (
    "recommendations",
    "orders",
    "an order",
    "a seller's sales",
    "a seller's page",
    "a list of the page",
)
KINDS = (RECOMMENDATIONS, ORDERS, ORDER, SALES, PAGE, LIST)

RATES: Mapping[str, float] = {RECOMMENDATIONS: 4.0, ORDERS: 0.6, SALES: 1.5, PAGE: 0.2}
"""Requests a second. An order is read once, `READ_ORDER_AFTER_S` after it was placed. The lists of a page are
requested together as soon as the page has arrived."""

READ_ORDER_AFTER_S = 1.0

TIMEOUT_S = 30.0
"""A request without an answer after this time counts as an error."""

SLOW_MS = 50.0

INTERVAL_S = 2.0
"""How often interference is sampled; two cores count four hundred ticks in this time."""


@dataclass(frozen=True)
class Workload:
    """How long to send requests, at which rates, and with which timeouts."""

    seconds: float
    rates: Mapping[str, float] = field(default_factory=lambda: RATES)
    read_order_after_s: float = READ_ORDER_AFTER_S
    timeout_s: float = TIMEOUT_S
    interval_s: float = INTERVAL_S


@dataclass(frozen=True)
class RequestFigures:
    """The outcomes of one kind of request.

    `answered` has the times of the expected answers (None without any), `calm` those of requests that began
    in calm intervals. `share_above_50_ms` is the share of answers slower than `SLOW_MS`. `errors` counts the
    other outcomes by reason, `under_way` the requests without an outcome yet.
    """

    answered: Quantiles | None
    calm: Quantiles | None
    share_above_50_ms: float
    errors: dict[str, int]
    under_way: int


def arrivals(rate: float, seconds: float, random: Random) -> Iterator[float]:
    """Yield arrival times, in seconds from the start: a Poisson process of `rate` a second.

    Arrivals do not depend on earlier answers (an open workload), so a slow answer does not delay the requests
    that would have been slow with it.
    """
    at_s = random.expovariate(rate)
    while at_s < seconds:
        yield at_s
        at_s += random.expovariate(rate)


class RequestLog:
    """Collects the outcome of each request, and the interference meanwhile."""

    def __init__(self) -> None:
        self._started: Counter[str] = Counter()
        self._answered: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        self._errors: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._samples: list[InterferenceSample] = []

    def __bool__(self) -> bool:
        """Whether any request has started."""
        return bool(self._started)

    def start(self, kind: str) -> int:
        """Record that a request starts, and return the index of the current interval."""
        self._started[kind] += 1
        return len(self._samples)

    def succeed(self, kind: str, interval: int, seconds: float) -> None:
        """Record an expected answer to a request that started in `interval`."""
        self._answered[kind].append((interval, seconds))

    def fail(self, kind: str, reason: str) -> None:
        """Record any other outcome."""
        self._errors[kind][reason] += 1

    def end_interval(self, sample: InterferenceSample) -> None:
        """Record the interference of the interval that ends now."""
        self._samples.append(sample)

    def interference(self) -> InterferenceSummary:
        """Summarise the interference of all ended intervals."""
        return InterferenceSummary.of(self._samples)

    def figures(self) -> dict[str, RequestFigures]:
        """Return the figures of every kind up to now."""
        calm = calm_intervals(self._samples)
        return {kind: self._figures(kind, calm) for kind in KINDS}

    def _figures(self, kind: str, calm: set[int]) -> RequestFigures:
        answered, errors = self._answered[kind], self._errors[kind]
        slow = sum(seconds * 1000 > SLOW_MS for _, seconds in answered)
        return RequestFigures(
            answered=_quantiles([seconds for _, seconds in answered]),
            calm=_quantiles([seconds for interval, seconds in answered if interval in calm]),
            share_above_50_ms=round(slow / max(1, len(answered)), 5),
            errors=dict(errors),
            under_way=self._started[kind] - len(answered) - errors.total(),
        )


def _quantiles(seconds: list[float]) -> Quantiles | None:
    return Quantiles.of(seconds) if seconds else None


def progress_line(
    minute: int, figures: Mapping[str, RequestFigures], interference: InterferenceSummary
) -> str:
    """Return one line of progress: p50 and p99 of each kind since the start, and the errors."""
    quantiles = (
        f"{kind} {each.answered.p50_ms:,.0f} and {each.answered.p99_ms:,.0f} ms"
        for kind, each in figures.items()
        if each.answered
    )
    errors = sum(sum(each.errors.values()) for each in figures.values())
    stolen = f"; the host took {interference.stolen:.1%} of the cores" if interference.stolen else ""
    return f"{minute} min, p50 and p99: {', '.join(quantiles) or 'no answers'}; errors: {errors:,}{stolen}"
