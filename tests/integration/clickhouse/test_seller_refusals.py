"""What sellers may not run. Each known hole of row policies and of read-only users is a test."""

import re

import pytest

from clickhouse.analytics.catalogue import read_views
from clickhouse.seller_sql.limits import MAX_ROWS
from tests.integration.clickhouse.seller_sql import SellerClient, foreign_sellers

OTHERS = [name for name, view in read_views().items() if not view.is_of_sellers]


@pytest.mark.parametrize("view", OTHERS)
@pytest.mark.parametrize(
    "shape",
    [
        "SELECT * FROM {view}",
        "SELECT * FROM {database}.{view}",
        "SELECT 1 IN {view}",
        "SELECT in(1, {database}.{view})",
        "SELECT * FROM sales WHERE order_id NOT IN {view}",
        "SELECT globalNullIn(1, {view})",
        "WITH {view} AS (SELECT 1) SELECT * FROM {view}",
        "SELECT (WITH {view} AS (SELECT 1) SELECT 1), (SELECT count() FROM {view})",
        "SELECT exists(SELECT 1 FROM {view})",
        "SELECT * FROM sales JOIN {view} USING (order_id)",
        "SELECT * FROM `{view}`",
    ],
)
def test_a_view_of_the_whole_marketplace_is_refused_by_name(ana: SellerClient, view: str, shape: str) -> None:
    refusal = ana.refusal(shape.format(view=view, database=ana.database))
    assert f"The view {view} has rows of the whole marketplace" in refusal
    assert re.search(r"select from (\w+, )*\w+ or \w+\. ", refusal)


REFUSED = {
    # Known holes of row policies and of readonly users.
    "merge": "SELECT * FROM merge('{database}', '.*')",
    "merge of a pattern": "SELECT * FROM merge(REGEXP('.*'), 'sales')",
    "loop": "SELECT * FROM loop({database}.sales)",
    "mergeTreeIndex": "SELECT * FROM mergeTreeIndex('{facts}', 'order_placed')",
    "mergeTreeProjection": "SELECT * FROM mergeTreeProjection('{facts}', 'order_placed', 'p')",
    "mergeTreeTextIndex": "SELECT * FROM mergeTreeTextIndex('{facts}', 'order_placed', 'p')",
    "mergeTreeAnalyzeIndexes": "SELECT * FROM mergeTreeAnalyzeIndexes('{facts}', 'order_placed')",
    "remote": "SELECT * FROM remote('127.0.0.1', {database}.sales)",
    "remoteSecure": "SELECT * FROM remoteSecure('127.0.0.1', {database}.sales)",
    "cluster": "SELECT * FROM cluster('default', {database}.sales)",
    "clusterAllReplicas": "SELECT * FROM clusterAllReplicas('default', {database}.sales)",
    "view": "SELECT * FROM view(SELECT * FROM {database}.orders)",
    "values": "SELECT * FROM values('x String', 'a')",
    "generateRandom": "SELECT * FROM generateRandom('x String') LIMIT 1",
    "file": "SELECT * FROM file('/etc/passwd')",
    "url": "SELECT * FROM url('http://127.0.0.1:1', CSV)",
    "urlCluster": "SELECT * FROM urlCluster('default', 'http://127.0.0.1:1/', 'CSV')",
    "a parameterised view": "SELECT * FROM {facts}.q_seller_orders(seller_id = 'seller-bob')",
    "dictionary": "SELECT * FROM dictionary('{facts}.d')",
    "dictGet": "SELECT dictGet('{facts}.d', 'a', 1)",
    "joinGet": "SELECT joinGet('{facts}.j', 'a', 1)",
    "hasColumnInTable": "SELECT hasColumnInTable('{facts}', 'order_placed', 'lines')",
    "input": "SELECT * FROM input('x String')",
    "a table of facts": "SELECT * FROM {facts}.order_placed",
    "rows of a metric": "SELECT * FROM {facts}_rows.versions",
    "rows of a metric in IN": "SELECT 'x' IN {facts}.sales_lines",
    "system": "SELECT * FROM system.tables",
    "system, quoted": 'SELECT * FROM "system"."tables"',
    "system.numbers": "SELECT * FROM system.numbers LIMIT 1",
    "information_schema": "SELECT * FROM information_schema.tables",
    "a table of the engine's database": "SELECT * FROM default.`/etc/passwd`",
    "SET ROLE": "SET ROLE ALL",
    "SET": "SET additional_table_filters = {{}}",
    "SET readonly": "SET readonly = 0",
    "USE": "USE {facts}",
    # The query text can change no setting.
    "SETTINGS": "SELECT * FROM sales SETTINGS additional_table_filters = {{}}",
    "SETTINGS of readonly": "SELECT * FROM sales SETTINGS readonly = 0",
    "SETTINGS of a limit": "SELECT * FROM sales SETTINGS limit = 0",
    "SETTINGS that any reader may change": "SELECT * FROM sales SETTINGS final = 0",
    "SETTINGS in a subquery": "SELECT * FROM (SELECT * FROM sales SETTINGS additional_table_filters = {{}})",
    "SETTINGS before FORMAT": "SELECT * FROM sales SETTINGS final = 0 FORMAT CSV",
    "FORMAT": "SELECT * FROM sales FORMAT CSV",
    "FORMAT Null": "SELECT * FROM sales FORMAT Null",
    "INTO OUTFILE": "SELECT * FROM sales INTO OUTFILE '/tmp/x'",
    "INTO OUTFILE, commented": "SELECT * FROM sales INTO/**/OUTFILE '/tmp/x' TRUNCATE FORMAT CSV",
    # Other statements.
    "EXPLAIN": "EXPLAIN SELECT * FROM sales",
    "EXPLAIN AST": "EXPLAIN AST SELECT * FROM sales",
    "EXPLAIN ESTIMATE": "EXPLAIN ESTIMATE SELECT * FROM sales",
    "EXPLAIN in a subquery": "SELECT * FROM (EXPLAIN SELECT * FROM sales)",
    "DESCRIBE": "DESCRIBE TABLE {facts}.order_placed",
    "SHOW TABLES": "SHOW TABLES",
    "SHOW CREATE": "SHOW CREATE TABLE sales",
    "EXISTS": "EXISTS TABLE {facts}.order_placed",
    "INSERT": "INSERT INTO sales SELECT * FROM sales",
    "CREATE": "CREATE TABLE t (a Int8) ENGINE = Memory",
    "CREATE TEMPORARY": "CREATE TEMPORARY TABLE t AS SELECT * FROM sales",
    "DROP": "DROP VIEW sales",
    "KILL": "KILL QUERY WHERE 1",
    "two statements": "SELECT 1; SELECT * FROM orders",
    "PARALLEL WITH": "SELECT 1 PARALLEL WITH SELECT * FROM orders",
    # Names.
    "an Identifier parameter": "SELECT * FROM {{t:Identifier}}",
    "an alias like a filtered table": "SELECT * FROM sales AS `{facts}.sales_lines`",
    "an alias like another view": "SELECT * FROM sales AS `{database}.reviews`",
    "a name with a dot": "SELECT * FROM `{database}.orders`",
    "a name in another case": "SELECT * FROM Sales",
    "no such view": "SELECT * FROM sale",
    "a database in IN": "SELECT 1 IN {database}.payments",
    "a column in IN": "SELECT 1 IN seller_id FROM sales",
    "an alias after IN": "WITH orders AS sales SELECT 1 IN sales",
    "an alias of an alias after IN": "WITH orders AS a, a AS sales SELECT 1 IN sales",
    "an alias of a view and of a subquery": (
        "WITH orders AS x SELECT (WITH x AS (SELECT 1) SELECT 1), 1 IN x"
    ),
    # A string that looks like a further argument of IN, if a line of the tree ended at these characters.
    **{
        f"a string with {ord(end):#x}": (
            f"SELECT count() FROM numbers(1) WHERE extract('x', 'x|{end}{' ' * 10}Literal x') "
            "IN {facts}.q_busiest_shopper"
        )
        for end in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    },
    # Encodings.
    "a no-break space": "SELECT * FROM\u00a0orders",
    "a byte order mark": "\ufeffSELECT * FROM orders",
    "a heredoc": "SELECT $x$a$x$ FROM orders",
    "a NUL": "SELECT 1 FROM\x00orders",
    "curly quotes": "SELECT * FROM \u201corders\u201d",
    "APPLY": "SELECT * APPLY(toString) FROM sales",
    # What the machine and other queries do.
    **{
        f"the function {call}": f"SELECT {call} FROM sales"
        for call in (
            "hostName()", "version()", "uptime()", "currentUser()", "queryID()", "sleep(1)", "blockSize()",
            "getSetting('additional_table_filters')", "lowCardinalityKeys(currency)", "file('/etc/passwd')",
            "rowNumberInAllBlocks()", "dumpColumnStructure(currency)", "initialQueryID()",
            # The name of the aggregate function is a string, which no list is compared with.
            "arrayReduce('aggThrow(0.1)', [1])", "initializeAggregation('aggThrow(0.1)', 1)",
        )
    },
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_a_query_that_could_read_more_is_refused(ana: SellerClient, facts: str, name: str) -> None:
    query = REFUSED[name].format(database=ana.database, facts=facts)
    refusal = ana.refusal(query, {"t": "orders"})
    assert not foreign_sellers(refusal, "seller-ana")
    assert re.search(r"\((ACCESS_DENIED|READONLY|SYNTAX_ERROR|INTO_OUTFILE_NOT_ALLOWED)\)", refusal)


def test_an_answer_ends_after_the_limit_of_rows(ana: SellerClient) -> None:
    assert len(ana.rows("SELECT number FROM numbers(50000)")) == MAX_ROWS + 1
    assert ana.rows("SELECT count() FROM (SELECT * FROM numbers(50000))") == [[50_000]]
    many = "SELECT count() FROM sales AS a CROSS JOIN sales AS b"
    assert ana.rows(many)[0][0] == ana.rows("SELECT count() FROM sales")[0][0] ** 2


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("SELECT repeat('x', 10000) FROM numbers(5000)", "TOO_MANY_ROWS_OR_BYTES"),
        ("SELECT groupArray(repeat('x', 1000000)) FROM numbers(1000)", "MEMORY_LIMIT_EXCEEDED"),
        ("SELECT count() FROM numbers(600000000)", "TOO_MANY_ROWS"),
        (f"SELECT {'(' * 300}1{')' * 300}", "TOO_DEEP|TOO_BIG|SYNTAX_ERROR"),
        (f"SELECT {'+'.join('1' * 6000)}", "TOO_DEEP_AST|TOO_BIG_AST"),
    ],
)
def test_a_query_has_limits(ana: SellerClient, query: str, error: str) -> None:
    assert re.search(error, ana.refusal(query))
