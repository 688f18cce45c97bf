"""`@statement`: what a function says of its statement, and what it returns."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from producers.kit.postgres.statements import statement


@dataclass(frozen=True)
class Line:
    product_id: str
    quantity: int


@dataclass(frozen=True)
class Total:
    currency: str
    amount_minor: int


class Key(NamedTuple):
    product_id: str
    seller_id: str


@dataclass(frozen=True)
class Order:
    order_id: str
    total: Total
    lines: list[Line]


class Connection:
    """Records the statement, and returns the rows that it was given."""

    now = 12

    def __init__(self, *rows: dict[str, Any]) -> None:
        self.rows = rows
        self.ran: tuple[Any, ...] = ()

    async def fetch(self, *ran: Any) -> Sequence[dict[str, Any]]:
        self.ran = ran
        return self.rows

    async def fetchrow(self, *ran: Any) -> dict[str, Any] | None:
        self.ran = ran
        return self.rows[0] if self.rows else None

    async def execute(self, *ran: Any) -> None:
        self.ran = ran


@statement(
    "INSERT INTO t SELECT $order_id::uuid, * FROM unnest($lines.product_id::text[], $lines.quantity::int[])"
)
async def add_lines(sql: Any, order_id: str, lines: Sequence[Line]) -> None: ...


@statement("UPDATE t SET quantity = $line.quantity::int, seen = $order_id WHERE id = $order_id::uuid")
async def save_line(sql: Any, order_id: str, line: Line) -> None: ...


@statement("SELECT product_id, quantity FROM t WHERE id = $order_id::uuid")
async def find_line(sql: Any, order_id: str) -> Line | None: ...


@statement("SELECT product_id, quantity FROM t")
async def find_lines(sql: Any) -> list[Line]: ...


@statement("SELECT id, product_id, quantity FROM t")
async def find_by_id(sql: Any) -> dict[str, Line]: ...


@statement("SELECT * FROM t")
async def find_row(sql: Any) -> dict[str, Any] | None: ...


@statement("SELECT product_id FROM t")
async def find_ids(sql: Any) -> frozenset[str]: ...


@statement("SELECT count(*) FROM t WHERE seller_id = $seller_id::text")
async def count(sql: Any, seller_id: str = "s1") -> int: ...


@statement("SELECT order_id, ROW(currency, amount) AS total, ARRAY(SELECT ROW(id, units) FROM t) AS lines")
async def find_orders(sql: Any) -> list[Order]: ...


@statement("INSERT INTO t VALUES ($event.order_id::uuid, $tx.now) ON CONFLICT DO NOTHING RETURNING true")
async def add_order(tx: Any, event: dict[str, Any]) -> bool: ...


@statement("INSERT INTO t SELECT unnest($lines.product_id::text[])")
async def add_records(tx: Any, lines: Sequence[dict[str, Any]]) -> None: ...


@statement("UPDATE t SET seen = true WHERE product_id = $key.product_id::text")
async def mark_seen(sql: Any, key: Key) -> None: ...


ROW = {"product_id": "p1", "quantity": 2}


def test_a_statement_names_its_parameters_and_their_attributes() -> None:
    connection = Connection()

    asyncio.run(add_lines(connection, "o1", [Line("p1", 2), Line("p2", 3)]))
    assert connection.ran == (
        "INSERT INTO t SELECT $1::uuid, * FROM unnest($2::text[], $3::int[])", "o1", ["p1", "p2"], [2, 3],
    )  # fmt: skip

    asyncio.run(mark_seen(connection, Key("p1", "s1")))
    assert connection.ran[1:] == ("p1",)

    asyncio.run(save_line(connection, line=Line("p1", 2), order_id="o1"))
    assert connection.ran == ("UPDATE t SET quantity = $1::int, seen = $2 WHERE id = $2::uuid", 2, "o1")


def test_the_connection_of_a_transaction_is_used() -> None:
    class Transaction:
        sql = Connection({"count": 7})

    assert asyncio.run(count(Transaction())) == 7
    assert Transaction.sql.ran == ("SELECT count(*) FROM t WHERE seller_id = $1::text", "s1")


def test_a_statement_names_fields_of_records_and_what_its_transaction_has() -> None:
    class Transaction:
        sql = Connection()
        now = 12

    asyncio.run(add_order(Transaction(), {"order_id": "o1"}))
    assert Transaction.sql.ran == (
        "INSERT INTO t VALUES ($1::uuid, $2) ON CONFLICT DO NOTHING RETURNING true", "o1", 12,
    )  # fmt: skip

    asyncio.run(add_records(Transaction(), [{"product_id": "p1"}, {"product_id": "p2"}]))
    assert Transaction.sql.ran[1:] == (["p1", "p2"],)


@pytest.mark.parametrize("rows", [[], [{"bool": True}]])
def test_no_row_is_false_if_the_result_is_a_bool(rows: list[dict[str, Any]]) -> None:
    assert asyncio.run(add_order(Connection(*rows), {"order_id": "o1"})) is bool(rows)


def test_rows_in_a_row_become_the_dataclasses_of_its_fields() -> None:
    row = {"order_id": "o1", "total": ("BRL", 900), "lines": [("p1", 2), ("p2", 1)]}

    assert asyncio.run(find_orders(Connection(row))) == [
        Order("o1", Total("BRL", 900), [Line("p1", 2), Line("p2", 1)])
    ]


@pytest.mark.parametrize(
    ("find", "rows", "result"),
    [
        (find_lines, [ROW, ROW], [Line("p1", 2)] * 2),
        (find_by_id, [{"id": "o1", **ROW}], {"o1": Line("p1", 2)}),
        (find_row, [ROW], ROW),
        (find_row, [], None),
        (find_ids, [{"product_id": "p1"}, {"product_id": "p2"}], frozenset({"p1", "p2"})),
    ],
)
def test_rows_become_what_the_function_returns(find: Any, rows: list[dict[str, Any]], result: Any) -> None:
    assert asyncio.run(find(Connection(*rows))) == result


def test_a_row_or_none() -> None:
    assert asyncio.run(find_line(Connection(ROW), "o1")) == Line("p1", 2)
    assert asyncio.run(find_line(Connection(), "o1")) is None


def test_a_name_that_is_no_parameter_is_refused() -> None:
    with pytest.raises(TypeError, match=r"names \$seller, which is not a parameter"):

        @statement("SELECT $seller::text")
        async def find(sql: Any, seller_id: str) -> str: ...


def test_a_parameter_that_the_statement_does_not_name_is_refused() -> None:
    with pytest.raises(TypeError, match=r"does not name \$seller_id"):

        @statement("SELECT 1 WHERE $seller::text = ''")
        async def find(sql: Any, seller: str, seller_id: str) -> int: ...


@dataclass(frozen=True)
class Summary:
    order_id: str
    lines: int

    @classmethod
    def from_row(cls, row: dict[str, Any]) -> "Summary":
        return cls(row["id"], len(row["product_ids"]))


@statement("SELECT id, product_ids FROM t WHERE id = $order_id::uuid")
async def find_summary(sql: Any, order_id: str) -> Summary | None: ...


def test_a_row_makes_what_has_its_fields_or_its_own_way_of_reading_it() -> None:
    assert asyncio.run(find_line(Connection({**ROW, "added_later": 1}), "o1")) == Line("p1", 2)
    assert asyncio.run(find_summary(Connection({"id": "o1", "product_ids": ["p1"]}), "o1")) == Summary(
        "o1", 1
    )


def test_a_statement_does_not_name_its_connection() -> None:
    with pytest.raises(TypeError, match=r"names \$sql, which is not a parameter"):

        @statement("SELECT $sql")
        async def find(sql: Any) -> int: ...
