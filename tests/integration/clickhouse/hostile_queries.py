"""Generates queries with which a seller may try to read more than the own rows: a grammar, and mutations.

Every query follows from its seed. Its result follows from the rows that it may see: a LIMIT comes after
ORDER BY ALL, and no expression depends on the time or on chance. In a query, `{database}` and `{facts}`
stand for the names of the databases, `{canary}` for a file of ClickHouse, and other braces are doubled.
"""

import random
import re
from collections.abc import Sequence

from clickhouse.analytics.catalogue import read_views
from tests.integration.analytics_shop import ODD, SELLERS

_VIEWS = read_views()
_OWN = [name for name, view in _VIEWS.items() if view.is_of_sellers]
_OTHERS = [name for name, view in _VIEWS.items() if not view.is_of_sellers]
_WORDS = re.compile(r"\w+|\s+|'(?:[^'\\]|\\.)*'|.", re.DOTALL)

_FOREIGN_TABLES = (
    *(f"{{database}}.{view}" for view in _OTHERS),
    *_OTHERS,
    *("{facts}.order_placed", "{facts}.sales_lines", "{facts}.seller_sales_day", "{facts}.product_viewed"),
    *("{facts}_rows.versions", "system.tables", "system.one", "system.query_log", "system.settings"),
    *("information_schema.tables", "default.x", "`system`.`tables`", '"{facts}"."order_placed"'),
    *("{facts}.q_seller_orders(seller_id = 'seller-bob')", "q_sellers(asked = '')"),
)
_TABLE_FUNCTIONS = (
    *("arrayMap(file, ['{canary}'])", "arrayMap(`file`, ['{canary}'])", "arrayMap((file), ['/etc/passwd'])"),
    *("arrayMap(x -> file(x), ['{canary}'])", "arrayMap(hex, arrayMap(file, ['{canary}']))"),
    *(
        "arrayMap(h3kRing, [599119489002373119], [600])",
        "arrayMap(sleepEachRow, [2])",
        "arrayFold(file, [1], 1)",
    ),
    *("position(repeat('a', 8000000), repeat('a', 60000) || 'b')", "match(repeat('a', 500), '(a?){{500}}b')"),
    *("(SELECT count() FROM numbers(10000000000))", "arrayMap(getSetting, ['readonly'])"),
    *(
        "merge('{database}', '.*')",
        "merge(REGEXP('.*'), 'sales')",
        "loop(sales)",
        "view(SELECT * FROM orders)",
    ),
    *("remote('127.0.0.1', {database}.sales)", "cluster('default', {database}.sales)", "numbers(5)"),
    *("clusterAllReplicas('default', {database}.sales)", "mergeTreeIndex('{facts}', 'order_placed')"),
    *("file('/etc/passwd')", "url('http://127.0.0.1:1', CSV)", "values('x String', 'a')", "zeros(3)"),
    *("dictionary('{facts}.d')", "generateRandom('x String')", "input('x String')", "executable('id', CSV)"),
    *("generate_series(1, 5)", "null('x String')", "mergeTreeProjection('{facts}', 'order_placed', 'p')"),
)
_SETTINGS = (
    *(
        "additional_table_filters = {{}}",
        "additional_table_filters = {{'{database}.sales': '1'}}",
        "readonly = 0",
    ),
    *(
        "select = '(SELECT 1)'",
        "filter = '1'",
        "implicit_table_at_top_level = 'orders'",
        "order = '1'",
        "sort = '1'",
    ),
    *("page = 1", "offset = 1", "format_schema_source = 'query'", "format_template_row = '{canary}'"),
    *("final = 0", "limit = 0", "max_execution_time = 0", "join_use_nulls = 0", "max_threads = 9"),
    *(
        "allow_ddl = 1",
        "additional_result_filter = '1'",
        "query_plan_merge_filters = 1",
        "enable_analyzer = 0",
    ),
)
_SUFFIXES = (
    *(" FORMAT CSV", " FORMAT Null", " INTO OUTFILE '/tmp/hostile'", "; SELECT 1", "; SET readonly = 0", ";"),
    *(" -- comment", " /* comment */", " # comment", "\\G", " FORMAT JSON SETTINGS final = 0", " LIMIT 1"),
    *(" UNION ALL SELECT * FROM orders", " EXCEPT SELECT * FROM {facts}.order_placed", " FORMAT Values"),
)
_PREFIXES = (
    *("EXPLAIN ", "EXPLAIN AST ", "EXPLAIN PLAN actions = 1 ", "DESCRIBE ", "INSERT INTO sales ", "/* x */ "),
    *("CREATE TABLE t ENGINE = Memory AS ", "CREATE TEMPORARY TABLE t AS ", "SET readonly = 0; ", "\ufeff"),
    *("WITH payments AS (SELECT 1) ", "WITH x AS (SELECT * FROM orders) ", "\u00a0", "SHOW CREATE ", "("),
)
_ODD_TEXTS = (
    *(
        "\u00a0",
        "\u200b",
        "\x00",
        "$$",
        "$x$",
        "\u2019",
        "\\",
        "'",
        '"',
        "`",
        "--",
        "/*",
        "*/",
        "{{x:String}}",
    ),
    *("{{t:Identifier}}", "\u3000", ";", "(", ")", ",", ".", "@", "%", "??", "::String", "\n", "\t", "\x0b"),
)
_FUNCTIONS = (
    *("arrayMap(file, ['{canary}'])", "arrayMap(`file`, ['{canary}'])", "arrayMap((file), ['/etc/passwd'])"),
    *("arrayMap(x -> file(x), ['{canary}'])", "arrayMap(hex, arrayMap(file, ['{canary}']))"),
    *(
        "arrayMap(h3kRing, [599119489002373119], [600])",
        "arrayMap(sleepEachRow, [2])",
        "arrayFold(file, [1], 1)",
    ),
    *("position(repeat('a', 8000000), repeat('a', 60000) || 'b')", "match(repeat('a', 500), '(a?){{500}}b')"),
    *("(SELECT count() FROM numbers(10000000000))", "arrayMap(getSetting, ['readonly'])"),
    *("hostName()", "version()", "currentUser()", "queryID()", "getSetting('readonly')", "uptime()"),
    *("lowCardinalityKeys(materialize(toLowCardinality('a')))", "file('/etc/passwd')", "blockSize()"),
    *(
        "dictGet('{facts}.d', 'a', 1)",
        "joinGet('{facts}.j', 'a', 1)",
        "hasColumnInTable('{facts}', 'x', 'y')",
    ),
    *("currentDatabase()", "serverTimezone()", "tcpPort()", "getServerSetting('users')", "filesystemFree()"),
)
_FOREIGN_VALUES = (
    *(seller for seller in SELLERS if seller not in ("seller-ana", ODD)),
    *("order-7", "p1", "u3", "visit-9", "list-5", "review-11", "', 1) OR (1 = 1", "%", ""),
)


def hostile_query(seed: int) -> str:
    """Return the query of a seed."""
    return _Generator(random.Random(seed)).query()


class _Generator:
    def __init__(self, draw: random.Random) -> None:
        self._draw = draw

    def query(self) -> str:
        """Return a query of the grammar; two of three are mutated."""
        text = self.select(3)
        if self._chance(0.1):
            text = self._pick(_PREFIXES) + text
        if self._chance(0.15):
            text += self._pick(_SUFFIXES)
        if self._chance(0.1):
            text += f" SETTINGS {self._pick(_SETTINGS)}"
        for _ in range(self._draw.choice((0, 0, 1, 2))):
            text = self._mutated(text)
        return text

    def select(self, depth: int) -> str:
        """Return a SELECT with at most `depth` levels of subqueries."""
        kinds = [self._rows, self._sums, self._probe, self._window]
        if depth:
            kinds += [self._joined, self._united, self._nested, self._with, self._in]
        return self._draw.choice(kinds)(depth)

    def _rows(self, _: int) -> str:
        view = self._pick(_OWN)
        columns = ", ".join(self._columns(view))
        return (
            f"SELECT {columns} FROM {self._table(view)} WHERE {self._condition(view)} ORDER BY ALL LIMIT 50"
        )

    def _sums(self, _: int) -> str:
        view = self._pick(_OWN)
        by, of = self._pick(self._names(view)), self._pick(self._names(view))
        sums = self._pick(
            ("count()", "uniqExact({})", "max(toString({}))", "arraySort(groupUniqArray(toString({})))",
             "countIf(isNull({}))", "min(toString({}))", "sum(cityHash64(toString({})))",
             "uniq(toString({}))")
        ).format(of)  # fmt: skip
        having = self._pick(("", f" HAVING {by} != {self._value()}", " WITH ROLLUP", " WITH TOTALS"))
        return f"SELECT toString({by}), {sums} FROM {self._table(view)} GROUP BY {by}{having} ORDER BY ALL"

    def _probe(self, _: int) -> str:
        view = self._pick(_OWN)
        name = self._pick(self._names(view))
        probe = self._pick(
            ("throwIf(toString({0}) = {1}) = 0", "intDiv(1, toString({0}) = {1} ? 0 : 1) = 1",
             "toUInt32(if(toString({0}) = {1}, 'x', '1')) = 1",
             "throwIf(ifNull(toString({0}), '') != {1}) = 0",
             "has([{1}], toString({0}))", "accurateCast(if(toString({0}) LIKE {1}, 'a', '1'), 'UInt8') = 1")
        ).format(name, self._value())  # fmt: skip
        places = (
            "SELECT count() FROM {0} WHERE {1}", "SELECT sum({1}) FROM {0}", "SELECT DISTINCT {1} FROM {0}",
            "SELECT count() FROM {0} GROUP BY {1} ORDER BY ALL", "SELECT count() FROM {0} PREWHERE {1}",
            "SELECT count() FROM {0} AS a LEFT JOIN {0} AS b USING (seller_id) WHERE {1}",
            "SELECT countIf({1}) FROM {0}", "SELECT count() FROM {0} WHERE seller_id != '' AND {1}",
        )  # fmt: skip
        return self._pick(places).format(view, probe)

    def _window(self, _: int) -> str:
        view = self._pick(_OWN)
        name, by = self._pick(self._names(view)), self._pick(self._names(view))
        window = self._pick(("count()", f"uniqExact({name})", f"max(toString({name}))"))
        over = f"{window} OVER (PARTITION BY {by}) AS w"
        return f"SELECT {by}, {over} FROM {self._table(view)} ORDER BY ALL LIMIT 40"

    def _joined(self, depth: int) -> str:
        one, other = self._pick(_OWN), self._pick((*_OWN, *_FOREIGN_TABLES))
        kind = self._pick(
            ("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "ANY LEFT JOIN", "LEFT ANTI JOIN", "SEMI JOIN")
        )
        on = self._pick(
            ("USING (seller_id)", "ON a.seller_id != b.seller_id", "ON a.product_id = b.product_id")
        )
        right = f"({self.select(depth - 1)})" if self._chance(0.2) else self._table(other)
        return f"SELECT count(), max(toString(b.seller_id)) FROM {one} AS a {kind} {right} AS b {on}"

    def _united(self, _: int) -> str:
        word = self._pick(("UNION ALL", "UNION DISTINCT", "INTERSECT", "EXCEPT"))
        view = self._pick(_OWN)
        name = self._pick(self._names(view))
        other = self._pick((*_OWN, *_FOREIGN_TABLES))
        first = f"SELECT toString({name}) AS x FROM {view}"
        return f"SELECT * FROM ({first} {word} SELECT toString(seller_id) FROM {other}) ORDER BY ALL LIMIT 60"

    def _nested(self, depth: int) -> str:
        shape = self._pick(
            ("SELECT count() FROM ({})",
                "SELECT * FROM ({}) ORDER BY ALL LIMIT 20", "SELECT ({}) IS NULL",
             "SELECT exists({})",
             "SELECT arraySort(groupArray(toString(x))) FROM (SELECT tuple(*) AS x FROM ({}))",
             "SELECT count() FROM view({})")
        )  # fmt: skip
        return shape.replace("{}", self.select(depth - 1))

    def _with(self, depth: int) -> str:
        name = self._pick(("x", "sales", "payments", "orders", "analytics", "order_placed"))
        source = self._pick((name, "sales", f"{{database}}.{name}"))
        return f"WITH {name} AS ({self.select(depth - 1)}) SELECT count() FROM {source}"

    def _in(self, depth: int) -> str:
        view = self._pick(_OWN)
        word = self._pick(("IN", "NOT IN", "GLOBAL IN"))
        name = self._pick(self._names(view))
        source = self._pick(
            (f"({self.select(depth - 1)})", self._pick(_OTHERS), "{database}.orders", "{facts}.order_placed",
             f"(SELECT {name} FROM {view})", "(SELECT seller_id FROM sellers)", self._pick(_OWN))
        )  # fmt: skip
        return f"SELECT count() FROM {view} WHERE {name} {word} {source}"

    def _table(self, view: str) -> str:
        if self._chance(0.12):
            return self._pick((*_FOREIGN_TABLES, *_TABLE_FUNCTIONS))
        shapes = (
            "{0}",
            "{0}",
            "{0}",
            "{{database}}.{0}",
            "{0} AS t",
            "`{0}`",
            "(SELECT * FROM {0})",
            "{0} AS `{{facts}}.sales_lines`",
            "{0} FINAL",
        )
        return self._pick(shapes).format(view)

    def _columns(self, view: str) -> list[str]:
        names = self._names(view)
        chosen = self._draw.sample(names, min(len(names), self._draw.randint(1, 4)))
        if self._chance(0.1):
            chosen.append(self._pick(_FUNCTIONS))
        if self._chance(0.1):
            chosen.append(
                self._pick(("*", "COLUMNS('.*')", "* EXCEPT (seller_id)", "* REPLACE ('x' AS seller_id)"))
            )
        if self._chance(0.1):
            chosen.append(f"({self.select(0)})")
        return chosen

    def _condition(self, view: str) -> str:
        name = self._pick(self._names(view))
        return self._pick(
            ("1", "1 = 1 OR seller_id != ''", f"toString({name}) = {self._value()}",
             f"seller_id = {self._value()}",
             f"toString({name}) LIKE {self._value()}", "seller_id != 'seller-ana'", f"NOT isNull({name})",
             f"seller_id IN ('seller-ana', {self._value()})", f"toString({name}) > {self._value()}")
        )  # fmt: skip

    def _mutated(self, text: str) -> str:
        words = _WORDS.findall(text)
        at = self._draw.randrange(len(words))
        word = words[at]
        words[at] = self._pick(
            (word.swapcase(), word.upper(), f"/*{word}*/", f"{word}/**/", "", word + word, f"`{word}`",
             word + self._pick(_ODD_TEXTS), self._pick(_ODD_TEXTS) + word, self._pick((*_OTHERS, *_OWN)),
             self._pick(_FOREIGN_TABLES), self._pick(_FUNCTIONS), f"({word})", self._value(), f"{word}\n")
        )  # fmt: skip
        return "".join(words)

    def _names(self, view: str) -> list[str]:
        return [column.name for column in _VIEWS[view].columns]

    def _value(self) -> str:
        return "'" + self._pick(_FOREIGN_VALUES).replace("'", "''") + "'"

    def _pick(self, texts: Sequence[str]) -> str:
        return self._draw.choice(texts)

    def _chance(self, share: float) -> bool:
        return self._draw.random() < share
