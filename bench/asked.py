"""Who asks the API while it is measured, how often, and what became of it. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random

from bench.host import Host, Span, calm
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

SPAN_S = 2.0
"""How often it is looked at what the host held back; two cores count four hundred ticks in it."""


@dataclass(frozen=True)
class Plan:
    """How long to ask, and how."""

    seconds: float
    rates: Mapping[str, float] = field(default_factory=lambda: RATES)
    look_after_s: float = LOOK_AFTER_S
    patience_s: float = PATIENCE_S
    span_s: float = SPAN_S


@dataclass(frozen=True)
class Figures:
    """Of one kind: the times of the answers that were as expected (None: there are none), those of them that
    were asked for in calm spans, which share of all took more than `SLOW_MS`, why
    others were not, and how many requests nobody waited for."""

    answered: Quantiles | None
    calm: Quantiles | None
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
    """Collects what became of each request, and what the host held back meanwhile."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._answered: defaultdict[str, list[tuple[int, float]]] = defaultdict(list)
        self._errors: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._spans: list[Span] = []

    def __bool__(self) -> bool:
        """Whether anything was asked."""
        return bool(self._asked)

    def asked(self, kind: str) -> int:
        """A request goes out; in the span that is returned."""
        self._asked[kind] += 1
        return len(self._spans)

    def answered(self, kind: str, span: int, seconds: float) -> None:
        """It was answered as expected; `span` is that in which it went out."""
        self._answered[kind].append((span, seconds))

    def failed(self, kind: str, why: str) -> None:
        """It was not."""
        self._errors[kind][why] += 1

    def ended(self, span: Span) -> None:
        """A span has ended, in which so much was held back."""
        self._spans.append(span)

    def host(self) -> Host:
        """What it held back, up to the last span that has ended."""
        return Host.of(self._spans)

    def figures(self) -> dict[str, Figures]:
        """Those of every kind, up to now."""
        quiet = calm(self._spans)
        return {kind: self._figures(kind, quiet) for kind in KINDS}

    def _figures(self, kind: str, quiet: set[int]) -> Figures:
        answered, errors = self._answered[kind], self._errors[kind]
        slow = sum(seconds * 1000 > SLOW_MS for _, seconds in answered)
        return Figures(
            answered=_quantiles([seconds for _, seconds in answered]),
            calm=_quantiles([seconds for span, seconds in answered if span in quiet]),
            share_above_50_ms=round(slow / max(1, len(answered)), 5),
            errors=dict(errors),
            under_way=self._asked[kind] - len(answered) - errors.total(),
        )


def _quantiles(seconds: list[float]) -> Quantiles | None:
    return Quantiles.of(seconds) if seconds else None


def line(minute: int, figures: Mapping[str, Figures], host: Host) -> str:
    """How it goes, in one line: p50 and p99 of each kind since the beginning."""
    told = (
        f"{kind} {each.answered.p50_ms:,.0f} and {each.answered.p99_ms:,.0f} ms"
        for kind, each in figures.items()
        if each.answered
    )
    errors = sum(sum(each.errors.values()) for each in figures.values())
    took = f"; the host took {host.stolen:.1%} of the cores" if host.stolen else ""
    return f"{minute} min, p50 and p99: {', '.join(told) or 'no answers'}; errors: {errors:,}{took}"
