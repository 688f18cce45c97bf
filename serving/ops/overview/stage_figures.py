"""The figures of each stage: throughput, lag and freshness. Pure, but for the readings that rates need."""

from collections.abc import Callable, Collection, Iterable, Mapping
from datetime import datetime

from common import metrics
from common.consumer_lag import Backlog
from common.request_log import PROBES
from common.settings import Part
from serving.ops.overview.rates import RateMeter
from serving.ops.overview.samples import CLICKHOUSE_INSERTED, Metric, Samples, sample_name
from serving.ops.overview.schemas import JobStatus, StageName
from serving.ops.schemas import FiguresState

Figures = dict[str, float | None]

Which = Callable[[Iterable[float]], float]
"""`max` or `min`."""


def stage_figures(
    samples: Mapping[Part, Samples | None],
    backlog: Backlog | None,
    jobs: Collection[JobStatus] | None,
    figures: FiguresState | None,
    rates: RateMeter,
    now: datetime,
    now_s: float,
) -> dict[StageName, Figures]:
    """Return the figures of each stage by name; None where a source does not answer.

    `now_s` is the time of the readings, of a clock that never goes back.
    """
    commerce, api, store = samples["commerce"], samples["serving"], samples["clickhouse"]
    orders = rates.rate("orders", _total(commerce, metrics.ORDERS, status="placed"), now_s)
    requests = rates.rate("requests", _requests(api), now_s)
    errors = rates.rate("errors", _requests(api, "5"), now_s)
    return {
        "shop": {
            "orders_per_minute": None if orders is None else 60 * orders,
            "events_published_per_s": rates.rate(
                "published", _total(commerce, metrics.OUTBOX_PUBLISHED), now_s
            ),
            "outbox_waiting": _total(commerce, metrics.OUTBOX_WAITING),
            "outbox_age_s": _largest(commerce, metrics.OUTBOX_AGE_SECONDS, "service"),
        },
        "kafka": {
            "messages_per_s": rates.rate("written", float(backlog.written) if backlog else None, now_s),
            "unresolved_dead_letters": float(sum(backlog.unresolved.values())) if backlog else None,
        },
        "jobs": {
            "messages_behind": _sum(each["messages_behind"] for each in jobs or ()),
            "checkpoint_age_s": _max(each["checkpoint_age_s"] for each in jobs or ()),
            "back_pressure": _max(each["back_pressure"] for each in jobs or ()),
        },
        "stores": {
            "rows_per_s": rates.rate("rows", _inserted(store), now_s),
            "figures_behind_s": figures["behind_s"] if figures else None,
            "recommendations_behind_s": _age(
                samples["jobs"], metrics.RECOMMENDATIONS_AS_OF, "event", now, max
            ),
            "rollups_age_s": _age(samples["rollups"], metrics.ROLLUP_REFRESHED_AT, "metric", now, min),
        },
        "api": {
            "requests_per_s": requests,
            "error_share": None
            if requests is None or errors is None
            else errors / requests
            if requests
            else 0.0,
            "live_streams": _total(api, metrics.LIVE_LISTENERS),
        },
        "night": {},
    }


def _total(samples: Samples | None, metric: Metric | str, **labels: str) -> float | None:
    return None if samples is None else samples.total(metric, **labels)


def _inserted(samples: Samples | None) -> float | None:
    """Return how many rows ClickHouse has inserted: the bundled one, or a server."""
    own = _total(samples, metrics.CLICKHOUSE_ROWS, kind="insert")
    return own if own is not None else _total(samples, CLICKHOUSE_INSERTED)


def _requests(samples: Samples | None, status: str = "") -> float | None:
    """Return the number of requests, except those of machines, whose status begins with `status`."""
    if samples is None:
        return None
    name = sample_name(metrics.HTTP_REQUESTS)
    return sum(
        one.value
        for one in samples.samples
        if one.name == name and one.labels["route"] not in PROBES and one.labels["status"].startswith(status)
    )


def _largest(samples: Samples | None, metric: Metric, label: str) -> float | None:
    return None if samples is None else _max(samples.by(metric, label).values())


def _age(samples: Samples | None, metric: Metric, label: str, now: datetime, which: Which) -> float | None:
    """Return the seconds since the newest (`max`) or the oldest (`min`) of the times of a metric."""
    times = None if samples is None else samples.by(metric, label)
    return max(0.0, now.timestamp() - which(times.values())) if times else None


def _max(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if known else None


def _sum(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(sum(known)) if known else None
