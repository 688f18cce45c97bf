"""Answers the first query of two client libraries, because the engine would answer it wrongly.

clickhouse-go (and with it Grafana's plugin) sends a revision of the native protocol
(`client_protocol_version`). It reads the first result in the Native format of that revision, and all later
results in the revision that the first result contains. The engine writes Native of revision 0 only, so this
module writes the first result itself, and puts revision 0 into it. clickhouse-connect queries the settings
that it may send.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from clickhouse.engine import Connection
from clickhouse.literals import quoted
from clickhouse.sql_guard import allowlists
from clickhouse.sql_guard.statement import Query
from local.embedded_clickhouse.request import Request

HANDSHAKE = re.compile(
    rb"SELECT\s+displayName\(\)\s*,\s*version\(\)\s*,\s*revision\(\)\s*,\s*timezone\(\)", re.IGNORECASE
)

SETTINGS_QUERY = re.compile(rb"SELECT name, value, readonly FROM system\.settings(?: LIMIT \d+)?")

REVISION = 0
"""The revision of Native in files, and for HTTP clients without `client_protocol_version`."""

_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""Since revision 51903: no overflow row, bucket -1, end."""

_NO_CUSTOM_SERIALIZATION = b"\x00"
"""Since revision 54454, of each column."""

_MIN_REVISION = 54_454
"""Clients of an earlier revision, if there are any, receive the engine's own result."""


def is_handshake(request: Request, query: bytes, answer_format: str) -> bool:
    """Return whether this is clickhouse-go's first query, and its result is in Native of a revision."""
    by_revision = request.protocol_version >= _MIN_REVISION and answer_format == "Native"
    return by_revision and HANDSHAKE.fullmatch(query.strip()) is not None


def handshake_response(connection: Connection) -> bytes:
    """Return the result: one block of one row, as a client of revision 54454 or later reads it."""
    ((name, version, timezone),) = json.loads(
        connection.query(b"SELECT displayName(), version(), timezone()", "JSONCompact", {}).bytes()
    )["data"]
    columns = (
        ("displayName()", "String", _text(name)),
        ("version()", "String", _text(version)),
        ("revision()", "UInt32", REVISION.to_bytes(4, "little")),
        ("timezone()", "String", _text(timezone)),
    )
    return _block(columns)


def with_allowed_settings(query: Query) -> Query:
    """Replace clickhouse-connect's query of the settings for a reader, and return other queries as they are.

    The client sends a setting only if it is not `readonly` in `system.settings`. On a read-only connection
    every setting is `readonly` there, although readers may change those of `allowlists.SETTINGS`.
    """
    if SETTINGS_QUERY.fullmatch(query.core) is None:
        return query
    names = ", ".join(map(quoted, sorted(allowlists.SETTINGS)))
    core = f"SELECT name, value, toUInt8(name NOT IN ({names})) AS readonly FROM system.settings"
    return replace(query, core=core.encode())


def _block(columns: Sequence[tuple[str, str, bytes]]) -> bytes:
    """Return a block of one row, from the name, type and value of each column."""
    head = _BLOCK_INFO + bytes([len(columns), 1])
    return head + b"".join(
        _text(name) + _text(kind) + _NO_CUSTOM_SERIALIZATION + value for name, kind, value in columns
    )


def _text(text: str) -> bytes:
    """Return a string in the Native format: its length as a variable-length integer, then its bytes."""
    value = text.encode()
    length, rest = b"", len(value)
    while rest > 0x7F:
        length += bytes([rest & 0x7F | 0x80])
        rest >>= 7
    return length + bytes([rest]) + value
