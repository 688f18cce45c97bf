"""Finds what a query reads: which views, which of their columns and, where that can be told, which period.

The answer may be larger than what the query needs, never smaller: a view that the query names at any place, a
column whose name occurs anywhere in it, and a period with a margin. It comes from the tree that the engine
parsed (`EXPLAIN AST`).
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from clickhouse.analytics.catalogue import AnalyticsView

_NODE = re.compile(r" *(?P<kind>[\w:]+)(?: (?P<rest>.*))?")
_END = re.compile(r"(?: \(alias [^\n]*?\))?(?: \(children \d+\))?\Z")
_ALIAS = re.compile(r"\(alias ([^\s)]+)\)")
_IN = re.compile(r"(?:global)?(?:not)?(?:null)?in(?:ignoreset)?", re.IGNORECASE)
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


@dataclass
class Node:
    """A node of the tree. `name` is the rest of its line without an alias."""

    kind: str
    name: str
    alias: str = ""
    children: list["Node"] = field(default_factory=list)

    def walk(self) -> Iterator["Node"]:
        """Yield the node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


Bounds = dict[str, tuple[list[str], list[str]]]
"""Time column → the expressions of its lower bounds, and those of its upper bounds."""


@dataclass(frozen=True)
class Reading:
    """What a query reads of a view. If it reads the view twice, there are no bounds."""

    columns: tuple[str, ...]
    bounds: Bounds


def parse(tree: str) -> Node:
    """Return the root of a tree, as `EXPLAIN AST` prints it."""
    root = Node("", "")
    above = [root]
    for line in tree.rstrip("\n").split("\n"):
        depth = len(line) - len(line.lstrip(" "))
        found = _NODE.match(line)
        if found is None or depth + 1 > len(above):
            continue
        rest = found["rest"] or ""
        name = _END.sub("", rest)
        alias = _ALIAS.match(rest, len(name) + 1)
        node = Node(found["kind"], name, alias[1] if alias else "")
        del above[depth + 1 :]
        above[depth].children.append(node)
        above.append(node)
    return root


def readings(tree: str, text: bytes, database: str, views: Mapping[str, AnalyticsView]) -> dict[str, Reading]:
    """Return view → what a query reads of it, from its tree and its text; `database` is that of the views."""
    root = parse(tree)
    tables, after_in = _table_names(root)
    named = [view for name in (*tables, *after_in) if (view := _view(name, database, views))]
    words, aliases = set(re.findall(r"\w+", tree)), Counter(_ALIAS.findall(tree))
    # The tree does not tell NATURAL JOIN from a comma, and WHERE from HAVING and QUALIFY.
    every = _selects_all_columns(root) or re.search(rb"\bNATURAL\b", text, re.IGNORECASE) is not None
    ambiguous = re.search(rb"\b(?:HAVING|QUALIFY)\b", text, re.IGNORECASE)
    # `WITH (x, y) -> 1 AS greater` changes what the operator does.
    redefined = any(
        each in _COMPARISONS or each == "and" or _CONSTANT_FUNCTIONS.fullmatch(each) for each in aliases
    )
    limited = [] if ambiguous or redefined else list(_limited(root, database, views, aliases))
    whole = {_view(name, database, views) for name in after_in}
    found = {}
    for view in dict.fromkeys(named):
        declared = views[view].columns
        columns = tuple(column.name for column in declared if every or view in whole or column.name in words)
        bounds = [bounds for name, bounds in limited if name == view] if named.count(view) == 1 else []
        found[view] = Reading(columns or (declared[0].name,), bounds[0] if bounds else {})
    return found


def _table_names(root: Node) -> tuple[list[str], list[str]]:
    """Return the names of tables, and those of the second arguments of `IN`, which may be tables."""
    tables, after_in = [], []
    for node in root.walk():
        if node.kind == "TableIdentifier":
            tables.append(node.name)
        elif node.kind == "Function" and _IN.fullmatch(node.name) and node.children:
            arguments = node.children[0].children
            if len(arguments) == 2 and arguments[1].kind == "Identifier":
                after_in.append(arguments[1].name)
    return tables, after_in


def _view(name: str, database: str, views: Mapping[str, AnalyticsView]) -> str | None:
    owner, _, table = name.rpartition(".")
    return table if table in views and owner in ("", database) else None


def _selects_all_columns(node: Node, function: str = "") -> bool:
    """Return whether columns are selected without their names. `count(*)` selects none."""
    if node.kind == "Asterisk" and function.lower() != "count":
        return True
    if node.kind == "QualifiedAsterisk" or "Matcher" in node.kind:
        return True
    inner = node.name if node.kind == "Function" else function if node.kind == "ExpressionList" else ""
    return any(_selects_all_columns(child, inner) for child in node.children)


def _limited(
    root: Node, database: str, views: Mapping[str, AnalyticsView], aliases: Counter[str]
) -> Iterator[tuple[str, Bounds]]:
    """Yield each view from which a SELECT reads alone, with the bounds of its WHERE.

    Rows outside these bounds can't change the result of the SELECT.
    """
    for select in root.walk():
        if select.kind != "SelectQuery":
            continue
        at = next((n for n, child in enumerate(select.children) if child.kind == "TablesInSelectQuery"), None)
        if at is None:
            continue
        table = _only_table(select.children[at])
        view = _view(table.name, database, views) if table else None
        if table is None or view is None or at + 1 == len(select.children):
            continue
        # A name that something else has, too, may be a tuple with a field of the column's name.
        owners = dict.fromkeys((view, f"{database}.{view}"), 0) | ({table.alias: 1} if table.alias else {})
        prefixes = ["", *(f"{name}." for name, n in owners.items() if aliases[name.partition(".")[0]] == n)]
        times = {c.name for c in views[view].columns if "Date" in c.type and c.name not in aliases}
        yield view, _bounds(select.children[at + 1], {p + name: name for p in prefixes for name in times})


def _only_table(tables: Node) -> Node | None:
    nodes = list(tables.walk())
    kinds = [node.kind for node in nodes[1:]]
    if kinds != ["TablesInSelectQueryElement", "TableExpression", "TableIdentifier"]:
        return None
    return nodes[-1]


def _bounds(condition: Node, times: Mapping[str, str]) -> Bounds:
    """Return the bounds of time columns that a condition implies; `times` are their names in the query."""
    if condition.kind != "Function" or not condition.children:
        return {}
    arguments = condition.children[0].children
    if condition.name == "and":
        both: Bounds = {}
        for argument in arguments:
            for name, (lower, upper) in _bounds(argument, times).items():
                known = both.setdefault(name, ([], []))
                known[0].extend(lower)
                known[1].extend(upper)
        return both
    if condition.name not in _COMPARISONS or len(arguments) != 2:
        return {}
    comparison, (left, right) = condition.name, arguments
    if left.kind != "Identifier":
        comparison, left, right = _SWAPPED[comparison], right, left
    column = times.get(left.name) if left.kind == "Identifier" else None
    if column is None or _NUMBER.fullmatch(right.name):
        return {}
    constant = _constant(right)
    if constant is None:
        return {}
    is_lower, is_upper = _COMPARISONS[comparison]
    return {column: ([constant] if is_lower else [], [constant] if is_upper else [])}


def _constant(node: Node) -> str | None:
    """Return an expression of known functions and literals as SQL; None for any other."""
    if node.kind == "Literal":
        number = _NUMBER.fullmatch(node.name)
        return number[1] if number else node.name if re.fullmatch(r"'(?:[^'\\]|\\.)*'", node.name) else None
    if node.kind != "Function" or not _CONSTANT_FUNCTIONS.fullmatch(node.name):
        return None
    arguments = [_constant(each) for each in (node.children[0].children if node.children else [])]
    if any(each is None for each in arguments):
        return None
    return f"{node.name}({', '.join(filter(None, arguments))})"
