"""What the tree of a query says about the rows that the query needs: never less than these."""

from textwrap import dedent

from clickhouse.analytics.catalogue import read_views
from clickhouse.seller_sql.readings import Reading, readings

VIEWS = {name: view for name, view in read_views().items() if view.is_of_sellers}

SALES = """\
    SelectWithUnionQuery (children 1)
     ExpressionList (children 1)
      SelectQuery (children 3)
       ExpressionList (children 1)
        Function sum (alias net) (children 1)
         ExpressionList (children 1)
          Identifier s.revenue
       TablesInSelectQuery (children 1)
        TablesInSelectQueryElement (children 1)
         TableExpression (children 1)
          TableIdentifier analytics.sales (alias s)
       Function and (children 1)
        ExpressionList (children 2)
         Function greaterOrEquals (children 1)
          ExpressionList (children 2)
           Identifier s.placed_at
           Function minus (children 1)
            ExpressionList (children 2)
             Function now (children 1)
              ExpressionList
             Function toIntervalDay (children 1)
              ExpressionList (children 1)
               Literal UInt64_30
         Function greater (children 1)
          ExpressionList (children 2)
           Literal '2026-03-01'
           Identifier placed_at
    """


def read(tree: str, text: str = "") -> dict[str, Reading]:
    return readings(dedent(tree), text.encode(), "analytics", VIEWS)


def test_a_condition_on_a_time_bounds_the_period() -> None:
    bounds = {"placed_at": (["minus(now(), toIntervalDay(30))"], ["'2026-03-01'"])}
    assert read(SALES) == {"sales": Reading(("placed_at", "revenue"), bounds)}


def test_a_condition_that_may_be_another_clause_bounds_nothing() -> None:
    assert read(SALES, "SELECT 1 QUALIFY x")["sales"].bounds == {}


def test_an_alias_with_the_name_of_the_column_bounds_nothing() -> None:
    assert read(SALES.replace("(alias net)", "(alias placed_at)"))["sales"].bounds == {}


def test_a_field_of_something_else_with_the_name_of_the_column_bounds_nothing() -> None:
    """`WITH tuple(...) AS t SELECT ... WHERE t.placed_at > ...`, even if t is a name of the view, too."""
    foreign = SALES.replace("Identifier s.placed_at", "Identifier t.placed_at")
    assert read(foreign)["sales"].bounds == {"placed_at": ([], ["'2026-03-01'"])}
    for shared in ("s", "sales", "analytics"):
        tree = SALES.replace("(alias net)", f"(alias {shared})").replace("s.placed_at", f"{shared}.placed_at")
        assert read(tree)["sales"].bounds == {"placed_at": ([], ["'2026-03-01'"])}
    for name in ("sales", "analytics.sales"):
        assert read(SALES.replace("s.placed_at", f"{name}.placed_at")) == read(SALES)


def test_a_function_that_the_query_defines_itself_bounds_nothing() -> None:
    """`WITH (x, y) -> 1 AS greaterOrEquals` gives the operator `>=` another meaning."""
    for name in ("greaterOrEquals", "and", "now", "toIntervalDay", "NOW"):
        assert read(SALES.replace("(alias net)", f"(alias {name})"))["sales"].bounds == {}


def test_a_join_by_all_common_names_and_a_view_after_in_need_every_column() -> None:
    every = tuple(column.name for column in VIEWS["sales"].columns)
    assert read(SALES, "SELECT sum(s.revenue) FROM sales NATURAL JOIN reviews")["sales"].columns == every
    after_in = SALES.replace("Literal '2026-03-01'", "Identifier order_id").replace(
        "Function greater (", "Function globalNotIn ("
    )
    assert (
        read(after_in.replace("Identifier placed_at", "Identifier analytics.sales"))["sales"].columns == every
    )


def test_a_bound_from_another_function_or_a_column_bounds_nothing() -> None:
    assert read(SALES.replace("Function now", "Function rand"))["sales"].bounds == {
        "placed_at": ([], ["'2026-03-01'"])
    }
    assert read(SALES.replace("Literal '2026-03-01'", "Identifier order_id"))["sales"].bounds == {
        "placed_at": (["minus(now(), toIntervalDay(30))"], [])
    }
    assert read(SALES.replace("Function and", "Function or"))["sales"].bounds == {}


def test_a_join_bounds_nothing() -> None:
    joined = SALES.replace(
        "TablesInSelectQuery (children 1)\n",
        "TablesInSelectQuery (children 2)\n        TablesInSelectQueryElement (children 1)\n"
        "         TableExpression (children 1)\n          TableIdentifier reviews\n",
    )
    found = read(joined)
    assert found["sales"].bounds == {}
    assert found["reviews"].columns == ("seller_id",)


def test_an_asterisk_needs_every_column_but_count_does_not() -> None:
    asterisk = SALES.replace("Identifier s.revenue", "Asterisk")
    assert len(read(asterisk)["sales"].columns) == len(VIEWS["sales"].columns)
    assert read(asterisk.replace("Function sum", "Function count"))["sales"].columns == ("placed_at",)
    matcher = SALES.replace("Identifier s.revenue", "ColumnsRegexpMatcher")
    assert len(read(matcher)["sales"].columns) == len(VIEWS["sales"].columns)


def test_a_view_of_another_database_or_of_the_marketplace_is_not_read() -> None:
    assert read(SALES.replace("analytics.sales", "souk.sales")) == {}
    assert read(SALES.replace("analytics.sales", "payments")) == {}
