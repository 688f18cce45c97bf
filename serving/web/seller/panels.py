"""What the pages about one domain share: tables of metrics by a dimension, and the queries of their files."""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from clickhouse.metric_catalogue.definition import Metric, read_catalogue
from common.principal import Principal
from serving.analytics.dashboards import Dashboards
from serving.analytics.metric_schemas import SellerMetrics
from serving.analytics.metrics import MetricsRequest
from serving.kit.analytics_context import PeriodRequest
from serving.web.formatter import Formatter
from serving.web.policy import OF_SELLER, admits
from serving.web.seller.metrics import label_of, metric_text
from serving.web.translation import gettext, ngettext


@dataclass(frozen=True, slots=True)
class TableRow:
    """A value of a dimension with the texts of its metrics. `product_id` is empty for other dimensions."""

    label: str
    product_id: str
    texts: Sequence[str]


@dataclass(frozen=True, slots=True)
class MetricTable:
    """Metrics by the values of a dimension; `rest` has the others together.

    `sizes` are the lengths of the rows' bars: the values of the first metric. `file` is the query of the
    table's files.
    """

    metrics: Sequence[Metric]
    by: str
    rows: Sequence[TableRow]
    sizes: Sequence[float]
    rest: TableRow | None
    file: str

    @property
    def largest(self) -> float:
        """The longest bar."""
        return max(self.sizes, default=0) or 1


async def metric_table(
    dashboards: Dashboards,
    seller_id: str,
    names: Sequence[str],
    by: str,
    period: PeriodRequest,
    formatter: Formatter,
    top: int = 10,
) -> tuple[SellerMetrics, MetricTable]:
    """Return metrics split by a dimension, as the API and as a table; the first metric ranks the rows."""
    asked = MetricsRequest(tuple(names), period, "none", by, top)
    shown = await dashboards.metrics_of_seller(seller_id, asked)
    metrics = [read_catalogue()[name] for name in names]
    # Rows about no product, such as payments to the seller, can add nothing to any of the metrics.
    parts = [part for part in shown["split"] if part["value"] or any(part["values"].values())]
    rows = [
        TableRow(
            (part["label"] if by == "product" else "")
            or label_of(metrics[0], by, part["value"], formatter)
            or gettext("No single product"),
            part["value"] if by == "product" else "",
            [metric_text(metric, part["values"][metric.name], formatter) for metric in metrics],
        )
        for part in parts
    ]
    sizes = [max(0.0, float(part["values"][names[0]] or 0)) for part in parts]
    rest = shown["rest"]
    others = rest and TableRow(
        ngettext("%(count)s other", "%(count)s others", rest["count"], count=formatter.number(rest["count"]))
        if rest["count"]
        else gettext("Others"),
        "",
        [metric_text(metric, rest["values"][metric.name], formatter) for metric in metrics],
    )
    query = urlencode({"with": ",".join(names[1:]), "by": by, "top": 100, **file_bounds(shown)})
    return shown, MetricTable(metrics, by, rows, sizes, others, query)


def file_bounds(shown: SellerMetrics) -> dict[str, str]:
    """Return the parameters of a file about the period that a page shows."""
    period = shown["period"]
    return {"from": period["from"].isoformat(), "to": period["to"].isoformat(), "compare": "none"}


def domain_metrics(domain: str) -> tuple[str, ...]:
    """Return the metrics of a domain, in the order of pages."""
    return tuple(name for name, metric in read_catalogue().items() if metric.domain == domain)


def source_metrics(source: str) -> tuple[str, ...]:
    """Return the metrics that are computed from a source, in the order of pages."""
    return tuple(name for name, metric in read_catalogue().items() if metric.source.name == source)


def sees_figures(principal: Principal | None, seller_id: str) -> bool:
    """Return whether a person may open the pages with what a seller earned."""
    return admits(OF_SELLER, principal, seller_id)
