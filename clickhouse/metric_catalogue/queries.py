"""Writes the SQL that computes the columns of metrics. Everything that a caller chooses is a parameter.

Each query has the parameters `timezone`, `period_start` and `period_end` (exclusive), `seller_id` if its
scope is one seller, `currency` if its source has amounts of money, and `product_id` if it is restricted to a
product; some queries do not use all of them. With `only`, a dimension of the source, they read the rows in
which it has the value of the parameter `only`. All metrics of a query have the same source.
"""

from collections.abc import Mapping, Sequence
from textwrap import indent

from clickhouse.metric_catalogue.definition import Metric
from clickhouse.metric_catalogue.scope import BY_SELLER, EACH_SELLER, ONE_SELLER, Scope
from clickhouse.metric_catalogue.source import Dimension, Measure, Source

_KNOWN_UNTIL = "toUnixTimestamp(least({period_end:DateTime('UTC')}, now('UTC')))"

_ENDS = f"[{_KNOWN_UNTIL}]"
"""What `{ends}` is in the rows of a source: the end of the period in Unix seconds, but no later than now."""

_ENDS_OF_BUCKETS = f"""arrayPushBack(
        arrayFilter(
            each -> each > toUnixTimestamp({{period_start:DateTime('UTC')}}) AND each < {_KNOWN_UNTIL},
            arrayDistinct(arrayMap(
                moment -> toUnixTimestamp(
                    toDateTime(dateTrunc({{grain:String}}, moment, {{timezone:String}}), {{timezone:String}})
                ),
                arrayMap(
                    number -> if(
                        {{grain:String}} = 'hour',
                        addHours(toTimeZone({{period_start:DateTime('UTC')}}, {{timezone:String}}), number),
                        addDays(
                            addHours(toStartOfDay({{period_start:DateTime('UTC')}}, {{timezone:String}}), 12),
                            number
                        )
                    ),
                    range(1 + toUInt64(dateDiff(
                        if({{grain:String}} = 'hour', 'hour', 'day'),
                        {{period_start:DateTime('UTC')}}, {{period_end:DateTime('UTC')}}, {{timezone:String}}
                    )))
                )
            ))
        ),
        {_KNOWN_UNTIL}
    )"""
"""The same in a query by buckets: the ends of all of them. A bucket ends where the next one starts.

Days are counted from noon: clocks that skip midnight would lead into the day before.
"""

WHOLE_PERIOD = 0
"""The `bucket` of a row of `series_query` that is about the whole period."""


FIRST_VALUES = "rank <= {top:UInt32}"
"""Lists the first values of a dimension by the first metric. Parameter besides: `top`."""

GIVEN_VALUES = "has({values:Array(String)}, ranked.value)"
"""Lists values that are known. Parameter besides: `values`."""


def series_query(
    metrics: Sequence[Metric],
    *,
    of_product: bool,
    scope: Scope = ONE_SELLER,
    only: Dimension | None = None,
) -> str:
    """Return the query of the columns in each bucket. Parameter besides: `grain`.

    Its columns are `bucket` (the start in Unix seconds) and those of the metrics. If the buckets of a metric
    do not add up, the row of `WHOLE_PERIOD` has the columns over the whole period.
    """
    return _in_blocks(_series(metrics, of_product, scope, only), metrics, scope)


def _series(metrics: Sequence[Metric], of_product: bool, scope: Scope, only: Dimension | None) -> str:
    groups = "bucket" if all(metric.adds_up for metric in metrics) else "GROUPING SETS ((bucket), ())"
    columns = [_bucket(metrics[0].source), *_columns(metrics, of_product, scope, _counts_once(scope, only))]
    return f"{_select(columns, metrics, scope, of_product, only=only, by_bucket=True)}\nGROUP BY {groups}"


def two_periods_query(source: Source, columns: Mapping[str, str]) -> str:
    """Return the query of sums of one seller in each bucket of a period and of an earlier one.

    `columns` has the measure of each column; the measures add up. Parameters besides: `grain`,
    `previous_start` (where the earlier period starts), and `compared_end` (where the part of it ends that is
    compared with the period); `currency` is not a parameter. The other columns are `is_current`,
    `is_compared`, `bucket` (the start in Unix seconds), `currency`, and `newest_minute` (UTC).
    """
    listed = [
        f"{source.time} >= {{period_start:DateTime('UTC')}} AS is_current",
        f"{source.time} < {{compared_end:DateTime('UTC')}} AS is_compared",
        _bucket(source),
        "currency",
        f"max({source.time}) AS newest_minute",
        *(
            f"toInt64({_aggregate(source, name, False, False)}) AS {column}"
            for column, name in columns.items()
        ),
    ]
    return "\n".join(
        (
            "SELECT",
            _lines(listed),
            f"FROM {source.from_sql(ONE_SELLER)} AS source",
            f"WHERE source.{ONE_SELLER.condition}",
            f"    AND {source.time} >= {{previous_start:DateTime('UTC')}}",
            f"    AND {source.time} < {{period_end:DateTime('UTC')}}",
            "GROUP BY is_current, is_compared, bucket, currency",
        )
    )


def sellers_query(metrics: Sequence[Metric]) -> str:
    """Return the query of the columns of every seller in each bucket, to compare these with something else.

    It reads all rows of the period. Its columns are `seller_id` and those of `series_query`, which reads the
    same rows for one seller; it has no row of `WHOLE_PERIOD`.
    """
    columns = ["source.seller_id AS seller_id", _bucket(metrics[0].source)]
    columns += _columns(metrics, False, EACH_SELLER)
    return f"{_select(columns, metrics, EACH_SELLER, False, by_bucket=True)}\nGROUP BY bucket, seller_id"


def totals_query(
    metrics: Sequence[Metric],
    *,
    of_product: bool,
    scope: Scope = ONE_SELLER,
    only: Dimension | None = None,
) -> str:
    """Return the query of the columns over the whole period: one row."""
    columns = _columns(metrics, of_product, scope, _counts_once(scope, only))
    return _in_blocks(_select(columns, metrics, scope, of_product, only=only), metrics, scope)


def split_query(
    metrics: Sequence[Metric],
    dimension: Dimension,
    *,
    of_product: bool,
    scope: Scope = ONE_SELLER,
    is_listed: str = FIRST_VALUES,
    only: Dimension | None = None,
) -> str:
    """Return the query of the columns of some values of a dimension, `FIRST_VALUES` or `GIVEN_VALUES`.

    All other values together are one row, whose `value` is null; only the columns of metrics that are
    additive mean something there. Its columns are `value`, `value_count`, `first_rank`, by which it is
    ordered, and those of the metrics.
    """
    query = _split(metrics, dimension, of_product, scope, is_listed, only)
    return _in_blocks(f"{query}\nORDER BY first_rank", metrics, scope)


def best_query(metrics: Sequence[Metric], dimension: Dimension) -> str:
    """Return the query of the columns of the first values of a dimension of one seller, by the first metric.

    It is a `split_query` without the other values, which cost a window over all of them. Parameter besides:
    `top`. Its columns are `value` and those of the metrics.
    """
    by_value = _by_value(metrics, dimension, False, ONE_SELLER, None)
    return f"{by_value}\nORDER BY {value_sql(metrics[0])} DESC NULLS LAST, value\nLIMIT {{top:UInt32}}"


def _split(
    metrics: Sequence[Metric],
    dimension: Dimension,
    of_product: bool,
    scope: Scope,
    is_listed: str,
    only: Dimension | None,
) -> str:
    ranked_by = "value" if dimension.values else f"{value_sql(metrics[0])} DESC NULLS LAST, value"
    added_up = [f"sum(ranked.{name}) AS {name}" for name in column_names(metrics)]
    by_value = _by_value(metrics, dimension, of_product, scope, only)
    ranked = f"SELECT *, row_number() OVER (ORDER BY {ranked_by}) AS rank\nFROM {_nested(by_value)}"
    listed = [f"if({is_listed}, ranked.value, NULL) AS value", "count() AS value_count"]
    columns = [*listed, "min(rank) AS first_rank", *added_up]
    return f"SELECT\n{_lines(columns)}\nFROM {_nested(ranked)} AS ranked\nGROUP BY value"


def series_and_split_query(
    metrics: Sequence[Metric],
    dimension: Dimension,
    *,
    of_product: bool,
    scope: Scope = ONE_SELLER,
    is_listed: str = FIRST_VALUES,
    only: Dimension | None = None,
) -> str:
    """Return one query for the rows of `series_query` and those of `split_query`, which belong together.

    ClickHouse reads each table of a query in one state (`enable_shared_storage_snapshot_in_query`), so the
    parts add up to the series while events arrive. The columns are those of both queries: `bucket` is null in
    the rows of the split, and `value_count` in those of the series.
    """
    series = _series(metrics, of_product, scope, only)
    split = _split(metrics, dimension, of_product, scope, is_listed, only)
    names = column_names(metrics)
    of_series = ["toNullable(bucket) AS bucket", "CAST(NULL AS Nullable(String)) AS value"]
    of_series += ["CAST(NULL AS Nullable(UInt64)) AS value_count", "0 AS first_rank", *names]
    of_split = ["NULL AS bucket", "value", "toNullable(value_count) AS value_count", "first_rank", *names]
    both = "\n".join(
        (
            f"SELECT\n{_lines(of_series)}\nFROM {_nested(series)}",
            "UNION ALL",
            f"SELECT\n{_lines(of_split)}\nFROM {_nested(split)}",
        )
    )
    return _in_blocks(f"SELECT *\nFROM {_nested(both)}\nORDER BY first_rank, bucket", metrics, scope)


def compared_query(
    metrics: Sequence[Metric],
    dimension: Dimension,
    *,
    of_product: bool,
    scope: Scope = ONE_SELLER,
    only: Dimension | None = None,
) -> str:
    """Return the query of the columns of some values of a dimension. Parameter besides: `values`."""
    by_value = _by_value(metrics, dimension, of_product, scope, only)
    return _in_blocks(f"{by_value}\nHAVING has({{values:Array(String)}}, value)", metrics, scope)


def rows_query(metric: Metric, *, of_product: bool) -> str:
    """Return the query of a page of the rows of one seller of which a metric is made, the newest first.

    Parameters besides: `after_minute` and `after_row` (the identity of the last row of the page before),
    and `limit`. Its columns are `row` (those that identify a row), those that describe it (`RowColumns`), and
    the measures of the metric.
    """
    source = metric.source
    measures = {name: _of_row(source.measures[name], of_product) for name in metric.row_measures}
    identity = ", ".join(f"toString({column})" for column in source.file.row)
    listed = [f"toUnixTimestamp({source.time}) AS minute_s", f"[{identity}] AS row"]
    listed += [
        f"toString(source.{column}) AS {name}_text"
        for name, column in source.file.columns.model_dump().items()
        if column
    ]
    listed += [f"toInt64({column}) AS {name}" for name, column in measures.items()]
    return "\n".join(
        (
            _select(listed, [metric], ONE_SELLER, of_product),
            f"    AND ({_is_counted(metric, of_product)})",
            f"    AND {source.time} <= {{after_minute:DateTime('UTC')}}",
            f"    AND ({source.time}, [{identity}]) < ({{after_minute:DateTime('UTC')}}, "
            "{after_row:Array(String)})",
            f"ORDER BY {source.time} DESC, row DESC",
            "LIMIT {limit:UInt32}",
        )
    )


def slices_query(metric: Metric, *, of_product: bool) -> str:
    """Return the query that divides the rows of `rows_query` into slices of whole minutes, the newest first.

    Parameter besides: `slice_rows`, which a slice exceeds only by rows of one minute. Its columns are
    `start_s` and `end_s` (exclusive), both in Unix seconds.
    """
    source = metric.source
    minutes = "\n".join(
        (
            _select(
                [f"toUnixTimestamp(toStartOfMinute({source.time})) AS minute_s", "count() AS row_count"],
                [metric],
                ONE_SELLER,
                of_product,
            ),
            f"    AND ({_is_counted(metric, of_product)})",
            "GROUP BY minute_s",
        )
    )
    rows_until = "sum(row_count) OVER (ORDER BY minute_s DESC)"
    numbered = [f"intDiv({rows_until} - 1, {{slice_rows:UInt64}}) AS slice", "minute_s"]
    by_slice = f"SELECT\n{_lines(numbered)}\nFROM {_nested(minutes)}"
    return "\n".join(
        (
            "SELECT",
            _lines(["min(minute_s) AS start_s", "max(minute_s) + 60 AS end_s"]),
            f"FROM {_nested(by_slice)}",
            "GROUP BY slice",
            "ORDER BY slice",
        )
    )


def column_names(metrics: Sequence[Metric]) -> list[str]:
    """Return the columns of the metrics, each once."""
    return list(dict.fromkeys(name for metric in metrics for name in metric.columns))


def _in_blocks(query: str, metrics: Sequence[Metric], scope: Scope) -> str:
    """Return a query that reads few rows at a time if its source says so, to need less memory."""
    rows = metrics[0].source.file.marketplace_block if scope.is_marketplace else 0
    return f"{query}\nSETTINGS max_block_size = {rows}" if rows else query


def _bucket(source: Source) -> str:
    bucket = f"dateTrunc({{grain:String}}, {source.time}, {{timezone:String}})"
    return f"toUnixTimestamp(toDateTime({bucket}, {{timezone:String}})) AS bucket"


def _by_value(
    metrics: Sequence[Metric], dimension: Dimension, of_product: bool, scope: Scope, only: Dimension | None
) -> str:
    """Return the query of the columns of each value. Of the marketplace, each seller has its own figures."""
    scope = BY_SELLER if dimension.splits_sellers else scope
    complete = metrics[0].source.completed(dimension, scope)
    counts_once = dimension.splits_orders or _counts_once(scope, only)
    columns = [f"{complete.expression} AS value", *_columns(metrics, of_product, scope, counts_once)]
    return f"{_select(columns, metrics, scope, of_product, complete, only)}\nGROUP BY value"


def _counts_once(scope: Scope, only: Dimension | None) -> bool:
    """Return whether an order with several rows is counted by its id: the first row may be left out."""
    return scope.counts_once or (only is not None and only.splits_orders)


def _columns(
    metrics: Sequence[Metric], of_product: bool, scope: Scope, counts_once: bool | None = None
) -> list[str]:
    """Return the columns. `counts_once`: an order with several rows counts once, unless the scope says it."""
    source = metrics[0].source
    once = scope.counts_once if counts_once is None else counts_once
    columns = {}
    for metric in metrics:
        if metric.quantile:
            column = source.measures[metric.quantile.measure].column
            columns[metric.quantile.column] = f"quantileExact({metric.quantile.percent / 100})({column})"
            continue
        for name in metric.measures:
            columns[name] = f"toInt64({_aggregate(source, name, of_product, once)})"
    return [f"{sql} AS {name}" for name, sql in columns.items()]


def _aggregate(source: Source, name: str, of_product: bool, counts_once: bool) -> str:
    measure = source.measures[name]
    if measure.at_end:
        at = f"if(isNull({measure.at_end}), 0, toUnixTimestamp({source.time}))"
        product = source.file.columns.product
        offer = f"concat(source.seller_id, ' ', source.{product})" if product else "source.seller_id"
        levels = f"map({offer}, ({at}, toInt64({_of_row(measure, of_product)})))"
        return f"arraySum(level -> level.2, mapValues(maxMap({levels})))"
    if measure.distinct_values:
        return f"uniqExact({measure.distinct_values})"
    if counts_once and measure.distinct:
        return measure.distinct
    return f"sum({_of_row(measure, of_product)})"


def _of_row(measure: Measure, of_product: bool) -> str:
    """Return what one row adds to a measure: 1 for a value of which the different ones are counted.

    Of a measure at the end of a period, it is the level of the row, 0 if the row says nothing about it.
    """
    if measure.distinct_values:
        return f"(({measure.distinct_values}) IS NOT NULL)"
    if measure.at_end:
        return f"ifNull({measure.at_end}, 0)"
    return measure.of_product if of_product and measure.of_product else measure.column


def _is_counted(metric: Metric, of_product: bool) -> str:
    """Return whether a row adds something to a metric."""
    columns = [_of_row(metric.source.measures[name], of_product) for name in metric.row_measures]
    return " OR ".join(f"{column} IS NOT NULL" if metric.quantile else f"{column} != 0" for column in columns)


def value_sql(metric: Metric, prefix: str = "") -> str:
    """Return the value of a metric in SQL, not rounded; null where `values.value_of` returns None.

    `prefix` stands before each column, such as `source.`. The value of hours is in milliseconds.
    """

    def add_up(terms: Sequence[str]) -> str:
        added = [f"(-{prefix}{term[1:]})" if term[0] == "-" else f"{prefix}{term}" for term in terms]
        return f"({' + '.join(added)})"

    if metric.quantile:
        return f"{prefix}{metric.quantile.column}"
    numerator = add_up(metric.numerator)
    if covered := metric.covered:
        nothing = f"{add_up(covered.numerator)} = 0 AND {add_up(covered.denominator)} != 0"
        return f"if({nothing}, NULL, {numerator})"
    if not metric.denominator:
        return numerator
    denominator = add_up(metric.denominator)
    if over := metric.relative_to:
        numerator = f"{numerator} * {add_up(over.denominator)}"
        denominator = f"({denominator} * {add_up(over.numerator)})"
    return f"if({denominator} > 0, {numerator} / {denominator}, NULL)"


def _select(
    columns: Sequence[str],
    metrics: Sequence[Metric],
    scope: Scope,
    of_product: bool,
    split: Dimension | None = None,
    only: Dimension | None = None,
    by_bucket: bool = False,
) -> str:
    """Return the SELECT. `split`, which is completed, is a dimension whose join the columns need."""
    source = metrics[0].source
    where = [
        f"{source.time} >= {{period_start:DateTime('UTC')}}",
        f"{source.time} < {{period_end:DateTime('UTC')}}",
    ]
    if source.file.has_currency:
        where.insert(0, "currency = {currency:String}")
    if not scope.reads_every_seller:
        where.insert(0, f"source.{scope.condition}")
    if of_product:
        where.append(f"source.{source.file.columns.product} = {{product_id:String}}")
    restricted = source.completed(only, scope) if only else None
    if restricted:
        where.append(f"{restricted.expression} = {{only:String}}")
    joins = dict.fromkeys(each.join.strip() for each in (split, restricted) if each and each.join)
    conditions = "\n    AND ".join(where)
    rows = source.from_sql(scope).replace("{ends}", _ENDS_OF_BUCKETS if by_bucket else _ENDS)
    return "\n".join(
        (
            "SELECT",
            _lines(columns),
            f"FROM {rows} AS source",
            *joins,
            f"WHERE {conditions}",
        )
    )


def _nested(query: str) -> str:
    return f"(\n{indent(query, '    ')}\n)"


def _lines(expressions: Sequence[str]) -> str:
    return ",\n".join(f"    {expression}" for expression in expressions)
