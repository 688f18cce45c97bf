"""Answers the first questions of two client libraries, for which the engine's own answers are wrong.

clickhouse-go (and with it Grafana's plugin) names a revision of the native protocol
(`client_protocol_version`). It reads the first answer in the Native format of that revision, and all later
answers in the revision that the first one names. The engine writes Native of revision 0 only, so this module
writes the first answer itself, and names revision 0. clickhouse-connect asks which settings it may send.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from clickhouse.http_server import allowlists
from clickhouse.http_server.engine import Connection
from clickhouse.http_server.request import Request
from clickhouse.http_server.statement import Query
from clickhouse.literals import quoted

QUESTION = re.compile(
    rb"SELECT\s+displayName\(\)\s*,\s*version\(\)\s*,\s*revision\(\)\s*,\s*timezone\(\)", re.IGNORECASE
)

SETTINGS_QUESTION = re.compile(rb"SELECT name, value, readonly FROM system\.settings(?: LIMIT \d+)?")

REVISION = 0
"""Native as files and HTTP clients without `client_protocol_version` have it."""

_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""No overflow row, bucket -1, end: since revision 51903."""

_OWN_SERIALIZATION = b"\x00"
"""None: since revision 54454."""

_NEWEST_KNOWN = 54_454
"""Clients of an earlier revision than this, if there are any, are answered as the engine does."""


def is_handshake(request: Request, query: bytes, answer_format: str) -> bool:
    """Whether this is that question, by a client that wants the answer in a revision's Native."""
    asked = request.protocol_version >= _NEWEST_KNOWN and answer_format == "Native"
    return asked and QUESTION.fullmatch(query.strip()) is not None


def handshake_response(connection: Connection) -> bytes:
    """The answer: one block of one row, as a client of revision 54454 or later reads it."""
    known = connection.query(b"SELECT displayName(), version(), timezone()", "JSONCompact", {}).bytes()
    ((name, version, timezone),) = json.loads(known)["data"]
    columns = (
        ("displayName()", "String", _text(name)),
        ("version()", "String", _text(version)),
        ("revision()", "UInt32", REVISION.to_bytes(4, "little")),
        ("timezone()", "String", _text(timezone)),
    )
    return _block(columns)


def describe_settings(query: Query) -> Query:
    """The query itself, or what answers clickhouse-connect's question about settings for a reader.

    The client sends a setting only if `system.settings` says that it is not `readonly`. On a read-only
    connection the engine says so of every setting, although this server sets those of `allowlists.SETTINGS`.
    """
    if SETTINGS_QUESTION.fullmatch(query.core) is None:
        return query
    names = ", ".join(map(quoted, sorted(allowlists.SETTINGS)))
    core = f"SELECT name, value, toUInt8(name NOT IN ({names})) AS readonly FROM system.settings"
    return replace(query, core=core.encode())


def _block(columns: Sequence[tuple[str, str, bytes]]) -> bytes:
    """One row: name, type and value of each column."""
    head = _BLOCK_INFO + bytes([len(columns), 1])
    return head + b"".join(
        _text(name) + _text(kind) + _OWN_SERIALIZATION + value for name, kind, value in columns
    )


def _text(text: str) -> bytes:
    """A string with its length before it, as a variable-length integer."""
    value = text.encode()
    length, rest = b"", len(value)
    while rest > 0x7F:
        length += bytes([rest & 0x7F | 0x80])
        rest >>= 7
    return length + bytes([rest]) + value
