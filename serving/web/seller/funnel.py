"""The steps of the funnel on the page of a seller's metrics, each with a bar. Pure."""

from dataclasses import dataclass

from clickhouse.metric_catalogue.definition import read_catalogue
from serving.analytics.metric_schemas import SellerMetrics
from serving.web.formatter import Formatter
from serving.web.translation import translated

STEPS = ("visits_viewed", "visits_carted", "visits_ordered", "visits_paid")
"""The metrics of the steps, in their order."""


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """A step. `visits` is the length of its bar; `share` is of the step before, empty for the first step."""

    metric: str
    title: str
    visits: int
    value: str
    share: str


def steps_of(shown: SellerMetrics, formatter: Formatter) -> list[FunnelStep]:
    """Return the steps of the funnel; none if the metrics are others, or there was no visit."""
    values = {total["name"]: int(total["value"] or 0) for total in shown["totals"]}
    if not set(STEPS) <= values.keys() or not values[STEPS[0]]:
        return []
    steps: list[FunnelStep] = []
    for name in STEPS:
        before = steps[-1].visits if steps else 0
        share = formatter.percent(values[name] / before) if before else ""
        steps.append(
            FunnelStep(
                name,
                translated(read_catalogue()[name].title),
                values[name],
                formatter.number(values[name]),
                share,
            )
        )
    return steps
