"""The first question of clickhouse-go over HTTP (so does Grafana's plugin): who are you, in which revision?

It names a revision of the native protocol (`client_protocol_version`), takes the answer to this question in
the Native of that revision, and all others in that of the `revision()` which it is told. The engine writes
the Native of revision 0 only, so that is what we say; and this answer alone is put together here.
"""

import json
import re
from collections.abc import Sequence

from clickhouse.front.engine import Connection
from clickhouse.front.request import Request

QUESTION = re.compile(
    rb"SELECT\s+displayName\(\)\s*,\s*version\(\)\s*,\s*revision\(\)\s*,\s*timezone\(\)", re.IGNORECASE
)

REVISION = 0
"""Native as files and HTTP clients without `client_protocol_version` have it."""

_BLOCK_INFO = b"\x01\x00\x02\xff\xff\xff\xff\x00"
"""No overflow row, bucket -1, end: since revision 51903."""

_OWN_SERIALIZATION = b"\x00"
"""None: since revision 54454."""

_NEWEST_KNOWN = 54_454
"""Clients of an earlier revision than this, if there are any, are answered as the engine does."""


def is_hello(request: Request, query: bytes, answer_format: str) -> bool:
    """Whether this is that question, by a client that wants the answer in a revision's Native."""
    asked = request.protocol_version >= _NEWEST_KNOWN and answer_format == "Native"
    return asked and QUESTION.fullmatch(query.strip()) is not None


def hello(connection: Connection) -> bytes:
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
