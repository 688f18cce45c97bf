"""What the process of a seller's query says is checked: nobody trusts a process that runs foreign text."""

import asyncio
import json
import socket
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clickhouse.analytics.catalogue import read_views
from clickhouse.seller_sql import frames, limits
from clickhouse.seller_sql.app import parse_readings
from clickhouse.seller_sql.processes import SellerProcess
from clickhouse.sql_guard.errors import DatabaseError

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)
READINGS = st.dictionaries(
    st.sampled_from(["order_lines", "reviews", "nothing", ""]),
    st.fixed_dictionaries(
        {
            "columns": JSON_VALUES | st.lists(st.sampled_from(["order_id", "placed_at", "x'"]), max_size=3),
            "bounds": JSON_VALUES
            | st.dictionaries(st.sampled_from(["placed_at", "`"]), JSON_VALUES, max_size=2),
        }
    ),
    max_size=2,
)


@given(
    st.binary(max_size=60)
    | JSON_VALUES.map(lambda value: json.dumps(value).encode())
    | READINGS.map(lambda value: json.dumps(value).encode())
)
def test_only_names_of_the_catalogue_pass(message: bytes) -> None:
    refusals, readings = [], {}
    try:
        readings = parse_readings(message)
    except DatabaseError as error:
        refusals.append(error.name)
    assert refusals in ([], [limits.ENDED])
    for view, reading in readings.items():
        declared = {column.name for column in read_views()[view].columns}
        assert reading.columns
        assert declared >= {*reading.columns, *reading.bounds}


def test_what_a_query_reads_is_understood() -> None:
    message = frames.to_json(
        {"order_lines": {"columns": ["order_id"], "bounds": {"placed_at": [1_700_000_000_000, None]}}}
    )
    assert parse_readings(message)["order_lines"].bounds == {"placed_at": (1_700_000_000_000, None)}


def received(message: bytes) -> DatabaseError:
    """Return the error that a process with this message raises instead of a result."""

    async def receive() -> DatabaseError:
        ours, theirs = socket.socketpair()
        with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child, theirs:
            process = SellerProcess(child, *(await asyncio.open_unix_connection(sock=ours)))
            theirs.sendall(message)
            try:
                with pytest.raises(DatabaseError) as found:
                    await process.receive(frames.RESULT)
                return found.value
            finally:
                process.kill()

    return asyncio.run(receive())


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'["x", "y", "z"]', b"[1, 2, 3]", b'{"code": 1}', b"[" * 50_000, b"\xff"]
)
def test_an_error_that_is_none_ends_its_process(body: bytes) -> None:
    assert received(frames.frame(frames.ERROR, body)).name == limits.ENDED


def test_an_error_arrives_as_it_was_sent() -> None:
    sent = DatabaseError(47, "UNKNOWN_IDENTIFIER", "x is unknown")
    error = received(frames.error_frame(sent))
    assert (error.code, error.name, error.message) == (sent.code, sent.name, sent.message)
