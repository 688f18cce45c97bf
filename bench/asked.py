"""Who asks the API while it is measured, how often, and what became of it. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from bench.recommendations import Quantiles

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
"""Requests a second; an order is looked at once, `LOOK_AFTER_S` after it was placed, and a page asks for its
lists together once it has come."""

LOOK_AFTER_S = 1.0

PATIENCE_S = 30.0
"""An answer that has not come by then is none."""

SLOW_MS = 50.0


@dataclass(frozen=True)
class Plan:
    """How long to ask, and how."""

    seconds: float
    rates: Mapping[str, float] = field(default_factory=lambda: RATES)
    look_after_s: float = LOOK_AFTER_S
    patience_s: float = PATIENCE_S


@dataclass(frozen=True)
class Figures:
    """Of one kind: the times of the answers that were as expected (None: there are none), which share of
    those took more than `SLOW_MS`, why others were not, and how many requests nobody waited for."""

    answered: Quantiles | None
    share_above_50_ms: float
    errors: dict[str, int]
    under_way: int


def arrivals(rate: float, seconds: float, random: Random) -> Iterator[float]:
    """When somebody comes, in seconds from the beginning: a Poisson process of `rate` a second.

    Who comes does not wait for what others were answered, as where many ask: a slow answer hides none of
    those that would have been slow with it.
    """
    at_s = random.expovariate(rate)
    while at_s < seconds:
        yield at_s
        at_s += random.expovariate(rate)


class Seen:
    """Collects what became of each request."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._seconds: defaultdict[str, list[float]] = defaultdict(list)
        self._errors: defaultdict[str, Counter[str]] = defaultdict(Counter)

    def __bool__(self) -> bool:
        """Whether anything was asked."""
        return bool(self._asked)

    def asked(self, kind: str) -> None:
        """A request goes out."""
        self._asked[kind] += 1

    def answered(self, kind: str, seconds: float) -> None:
        """It was answered as expected."""
        self._seconds[kind].append(seconds)

    def failed(self, kind: str, why: str) -> None:
        """It was not."""
        self._errors[kind][why] += 1

    def figures(self) -> dict[str, Figures]:
        """Those of every kind, up to now."""
        return {kind: self._figures(kind) for kind in KINDS}

    def _figures(self, kind: str) -> Figures:
        seconds, errors = self._seconds[kind], self._errors[kind]
        slow = sum(each * 1000 > SLOW_MS for each in seconds)
        return Figures(
            answered=Quantiles.of(seconds) if seconds else None,
            share_above_50_ms=round(slow / max(1, len(seconds)), 5),
            errors=dict(errors),
            under_way=self._asked[kind] - len(seconds) - errors.total(),
        )


def line(minute: int, figures: Mapping[str, Figures]) -> str:
    """How it goes, in one line: p50 and p99 of each kind since the beginning."""
    told = (
        f"{kind} {each.answered.p50_ms:,.0f} and {each.answered.p99_ms:,.0f} ms"
        for kind, each in figures.items()
        if each.answered
    )
    errors = sum(sum(each.errors.values()) for each in figures.values())
    return f"{minute} min, p50 and p99: {', '.join(told) or 'no answers'}; errors: {errors:,}"
