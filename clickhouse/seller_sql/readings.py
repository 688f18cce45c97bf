"""Finds what a query reads: which views, which of their columns and, where that can be told, which period.

The answer may be larger than what the query needs, never smaller: a view that the query names at any place, a
column whose name occurs anywhere in it, and a period with a margin. It comes from the tree that the engine
parsed (`EXPLAIN AST`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from clickhouse.analytics.catalogue import AnalyticsView
from clickhouse.sql_guard.syntax_tree import ALIAS, IN, Node, arguments, read_tree

_CONSTANT_FUNCTIONS = re.compile(
    r"now|now64|today|yesterday|plus|minus|_?cast|toInterval\w+|to(?:Date|DateTime|Timezone)\w*|toStartOf\w+|"
    r"toMonday|toLastDayOf\w+|(?:add|subtract)\w+|parseDateTime\w*|date_?trunc|negate",
    re.IGNORECASE,
)
"""Functions that may make a bound. What they return without a column is the same for every row."""
_NUMBER = re.compile(r"U?Int\d+_(-?\d+)")
_COMPARISONS = {
    "greaterOrEquals": (True, False), "greater": (True, False), "lessOrEquals": (False, True),
    "less": (False, True), "equals": (True, True),
}  # fmt: skip
"""Function → whether its second argument is a lower bound of the first one, and whether an upper bound."""
_SWAPPED = {
    "greaterOrEquals": "lessOrEquals", "greater": "less", "lessOrEquals": "greaterOrEquals",
    "less": "greater", "equals": "equals",
}  # fmt: skip


Bounds = dict[str, tuple[list[str], list[str]]]
"""Time column → the expressions of its lower bounds, and those of its upper bounds."""


@dataclass(frozen=True)
class Reading:
    """What a query reads of a view. If it reads the view twice, there are no bounds."""

    columns: tuple[str, ...]
    bounds: Bounds


def readings(tree: str, text: bytes, database: str, views: Mapping[str, AnalyticsView]) -> dict[str, Reading]:
    """Return view → what a query reads of it, from its tree and its text; `database` is that of the views."""
    nodes = read_tree(tree)
    tables, after_in = _table_names(nodes)
    named = [view for name in (*tables, *after_in) if (view := _view(name, database, views))]
    words, aliases = set(re.findall(r"\w+", tree)), Counter(ALIAS.findall(tree))
    # The tree does not tell NATURAL JOIN from a comma, and WHERE from HAVING and QUALIFY.
    is_natural = re.search(rb"\bNATURAL\b", text, re.IGNORECASE)
    every = is_natural or any(map(_selects_all_columns, nodes))
    ambiguous = re.search(rb"\b(?:HAVING|QUALIFY)\b", text, re.IGNORECASE)
    # `WITH (x, y) -> 1 AS greater` changes what the operator does.
    redefined = any(
        each in _COMPARISONS or each == "and" or _CONSTANT_FUNCTIONS.fullmatch(each) for each in aliases
    )
    limited = [] if ambiguous or redefined else list(_limited(nodes, database, views, aliases))
    whole = {_view(name, database, views) for name in after_in}
    found = {}
    for view in dict.fromkeys(named):
        declared = views[view].columns
        columns = tuple(column.name for column in declared if every or view in whole or column.name in words)
        bounds = [bounds for name, bounds in limited if name == view] if named.count(view) == 1 else []
        found[view] = Reading(columns or (declared[0].name,), bounds[0] if bounds else {})
    return found


def _table_names(nodes: Sequence[Node]) -> tuple[list[str], list[str]]:
    """Return the names of tables, and those of the second arguments of `IN`, which may be tables."""
    tables, after_in = [], []
    for node in nodes:
        if node.kind == "TableIdentifier":
            tables.append(node.text)
        elif node.kind == "Function" and IN.fullmatch(node.text):
            given = arguments(node)
            if len(given) == 2 and given[1].kind == "Identifier":
                after_in.append(given[1].text)
    return tables, after_in


def _view(name: str, database: str, views: Mapping[str, AnalyticsView]) -> str | None:
    owner, _, table = name.rpartition(".")
    return table if table in views and owner in ("", database) else None


def _selects_all_columns(node: Node) -> bool:
    """Return whether a node selects columns without their names. `count(*)` selects none."""
    if node.kind == "Asterisk":
        return node.function is None or node.function.text.lower() != "count"
    return node.kind == "QualifiedAsterisk" or "Matcher" in node.kind


def _limited(
    nodes: Sequence[Node], database: str, views: Mapping[str, AnalyticsView], aliases: Counter[str]
) -> Iterator[tuple[str, Bounds]]:
    """Yield each view from which a SELECT reads alone, with the bounds of its WHERE.

    Rows outside these bounds can't change the result of the SELECT.
    """
    for select in nodes:
        if select.kind != "SelectQuery":
            continue
        at = next((n for n, child in enumerate(select.children) if child.kind == "TablesInSelectQuery"), None)
        if at is None:
            continue
        table = _only_table(select.children[at])
        view = _view(table.text, database, views) if table else None
        if table is None or view is None or at + 1 == len(select.children):
            continue
        # A name that something else has, too, may be a tuple with a field of the column's name.
        owners = dict.fromkeys((view, f"{database}.{view}"), 0) | ({table.alias: 1} if table.alias else {})
        prefixes = ["", *(f"{name}." for name, n in owners.items() if aliases[name.partition(".")[0]] == n)]
        times = {c.name for c in views[view].columns if "Date" in c.type and c.name not in aliases}
        yield view, _bounds(select.children[at + 1], {p + name: name for p in prefixes for name in times})


def _only_table(tables: Node) -> Node | None:
    node = tables
    for kind in ("TablesInSelectQueryElement", "TableExpression", "TableIdentifier"):
        if [child.kind for child in node.children] != [kind]:
            return None
        node = node.children[0]
    return None if node.children else node


def _bounds(condition: Node, times: Mapping[str, str]) -> Bounds:
    """Return the bounds of time columns that a condition implies; `times` are their names in the query."""
    if condition.kind != "Function":
        return {}
    given = arguments(condition)
    if condition.text == "and":
        both: Bounds = {}
        for argument in given:
            for name, (lower, upper) in _bounds(argument, times).items():
                known = both.setdefault(name, ([], []))
                known[0].extend(lower)
                known[1].extend(upper)
        return both
    if condition.text not in _COMPARISONS or len(given) != 2:
        return {}
    comparison, (left, right) = condition.text, given
    if left.kind != "Identifier":
        comparison, left, right = _SWAPPED[comparison], right, left
    column = times.get(left.text) if left.kind == "Identifier" else None
    if column is None or _NUMBER.fullmatch(right.text):
        return {}
    constant = _constant(right)
    if constant is None:
        return {}
    is_lower, is_upper = _COMPARISONS[comparison]
    return {column: ([constant] if is_lower else [], [constant] if is_upper else [])}


def _constant(node: Node) -> str | None:
    """Return an expression of known functions and literals as SQL; None for any other."""
    if node.kind == "Literal":
        number = _NUMBER.fullmatch(node.text)
        return number[1] if number else node.text if re.fullmatch(r"'(?:[^'\\]|\\.)*'", node.text) else None
    if node.kind != "Function" or not _CONSTANT_FUNCTIONS.fullmatch(node.text):
        return None
    given = [_constant(each) for each in arguments(node)]
    if any(each is None for each in given):
        return None
    return f"{node.text}({', '.join(filter(None, given))})"
