"""Writes the SQL that adds up the measures of metrics. Everything that a caller chooses is a parameter.

Each query has the parameters `seller_id`, `currency`, `period_start` and `period_end` (exclusive), and
`product_id` if it is restricted to a product.
"""

from collections.abc import Sequence
from textwrap import indent

from clickhouse.metric_catalogue.definition import Dimension, Metric, Source

_WHERE = """WHERE seller_id = {{seller_id:String}}
    AND currency = {{currency:String}}
    AND {time} >= {{period_start:DateTime('UTC')}}
    AND {time} < {{period_end:DateTime('UTC')}}"""
_OF_PRODUCT = "\n    AND source.product_id = {product_id:String}"


def series_query(metrics: Sequence[Metric], *, of_product: bool) -> str:
    """Return the query of the sums in each bucket. Parameters besides: `grain` and `timezone`.

    Its columns are `bucket` (the start in Unix seconds) and the measures of the metrics.
    """
    source = metrics[0].source
    bucket = f"dateTrunc({{grain:String}}, {source.time}, {{timezone:String}})"
    return "\n".join(
        (
            "SELECT",
            _columns(
                [
                    f"toUnixTimestamp(toDateTime({bucket}, {{timezone:String}})) AS bucket",
                    *_sums(metrics, of_product=of_product),
                ]
            ),
            f"FROM {source.table} AS source",
            _where(source, of_product=of_product),
            "GROUP BY bucket",
        )
    )


def split_query(metrics: Sequence[Metric], dimension: Dimension, *, of_product: bool) -> str:
    """Return the query of the sums of the first `top` values of a dimension by the first metric.

    Parameters besides: `top`, and `timezone` for some dimensions. All other values together are one row,
    whose `value` is null. Its columns are `value`, `value_count` and the measures of the metrics.
    """
    ranked_by = "value" if dimension.values else f"{_sort_value(metrics[0])} DESC NULLS LAST, value"
    added_up = [f"sum(ranked.{name}) AS {name}" for name in _measures(metrics)]
    by_value = _by_value(metrics, dimension, of_product=of_product)
    ranked = f"SELECT *, row_number() OVER (ORDER BY {ranked_by}) AS rank\nFROM {_nested(by_value)}"
    return "\n".join(
        (
            "SELECT",
            _columns(
                ["if(rank <= {top:UInt32}, ranked.value, NULL) AS value", "count() AS value_count", *added_up]
            ),
            f"FROM {_nested(ranked)} AS ranked",
            "GROUP BY value",
            "ORDER BY min(rank)",
        )
    )


def compared_query(metrics: Sequence[Metric], dimension: Dimension, *, of_product: bool) -> str:
    """Return the query of the sums of some values of a dimension. Parameter besides: `values`."""
    by_value = _by_value(metrics, dimension, of_product=of_product)
    return f"{by_value}\nHAVING has({{values:Array(String)}}, value)"


def rows_query(metric: Metric, *, of_product: bool) -> str:
    """Return the query of a page of the rows that a metric adds up, the newest first.

    Parameters besides: `after_minute` and `after_row` (the identity of the last row of the page before),
    and `limit`. Its columns are those that identify a row, `product_id`, and the measures of the metric.
    """
    source = metric.source
    columns = {name: _column(metric, name, of_product=of_product) for name in metric.measures}
    identity = ", ".join(f"toString({column})" for column in source.row)
    listed = [f"toUnixTimestamp({source.time}) AS minute_s", f"[{identity}] AS row", "product_id"]
    listed += [f"toInt64({column}) AS {name}" for name, column in columns.items()]
    is_counted = " OR ".join(f"{column} != 0" for column in columns.values())
    return "\n".join(
        (
            "SELECT",
            _columns(listed),
            f"FROM {source.table} AS source",
            _where(source, of_product=of_product),
            f"    AND ({is_counted})",
            f"    AND {source.time} <= {{after_minute:DateTime('UTC')}}",
            f"    AND ({source.time}, [{identity}]) < ({{after_minute:DateTime('UTC')}}, "
            "{after_row:Array(String)})",
            f"ORDER BY {source.time} DESC, row DESC",
            "LIMIT {limit:UInt32}",
        )
    )


def _by_value(metrics: Sequence[Metric], dimension: Dimension, *, of_product: bool) -> str:
    source = metrics[0].source
    sums = _sums(metrics, of_product=of_product, dimension=dimension)
    return "\n".join(
        (
            "SELECT",
            _columns([f"{dimension.expression} AS value", *sums]),
            f"FROM {source.table} AS source",
            *([dimension.join.strip()] if dimension.join else []),
            _where(source, of_product=of_product),
            "GROUP BY value",
        )
    )


def _measures(metrics: Sequence[Metric]) -> list[str]:
    return list(dict.fromkeys(name for metric in metrics for name in metric.measures))


def _sums(metrics: Sequence[Metric], *, of_product: bool, dimension: Dimension | None = None) -> list[str]:
    source = metrics[0].source
    splits = dimension is not None and dimension.splits_orders
    sums = []
    for name in _measures(metrics):
        measure = source.measures[name]
        if splits and measure.distinct:
            sums.append(f"toInt64({measure.distinct}) AS {name}")
        else:
            sums.append(f"toInt64(sum({_column(metrics[0], name, of_product=of_product)})) AS {name}")
    return sums


def _column(metric: Metric, name: str, *, of_product: bool) -> str:
    measure = metric.source.measures[name]
    return measure.of_product if of_product and measure.of_product else measure.column


def _sort_value(metric: Metric) -> str:
    """Return the value of a metric in SQL, to sort by; null for a ratio whose denominator is not above 0."""
    numerator, denominator = (
        " + ".join(f"(-{term[1:]})" if term.startswith("-") else term for term in terms)
        for terms in (metric.numerator, metric.denominator)
    )
    if not denominator:
        return f"({numerator})"
    return f"if(({denominator}) > 0, ({numerator}) / ({denominator}), NULL)"


def _where(source: Source, *, of_product: bool) -> str:
    return _WHERE.format(time=source.time) + (_OF_PRODUCT if of_product else "")


def _nested(query: str) -> str:
    return f"(\n{indent(query, '    ')}\n)"


def _columns(expressions: Sequence[str]) -> str:
    return ",\n".join(f"    {expression}" for expression in expressions)
