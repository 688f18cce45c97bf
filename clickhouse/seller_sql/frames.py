"""The messages between the service and the process of a seller: a kind, a length, and so many bytes."""

import json
import socket
import struct
from typing import Any

from clickhouse.sql_guard.errors import DatabaseError

READ, TABLE, DATA, END, RUN = b"Q", b"T", b"D", b"E", b"R"
"""From the service: read a query, create a table, a piece of its rows, their end, run the query."""

READY, READINGS, RESULT, ERROR = b"y", b"r", b"d", b"e"
"""From the process: it is confined, what the query reads, its result, why it was refused or failed."""

HEADER = struct.Struct("!cI")
MAX_LENGTH = 17 << 20
"""Of a message from the process of a query: a little more than the largest result."""


def frame(kind: bytes, body: bytes = b"") -> bytes:
    """Return a message."""
    return HEADER.pack(kind, len(body)) + body


def error_frame(error: DatabaseError) -> bytes:
    """Return the message of an error, without its place in the engine's plan."""
    return frame(ERROR, json.dumps([error.code, error.name, error.message[:8000]]).encode())


def receive(connection: socket.socket) -> tuple[bytes, bytes]:
    """Return the kind and the bytes of the next message.

    Raises:
        EOFError: the other side has closed the connection.
    """
    kind, length = HEADER.unpack(_exactly(connection, HEADER.size))
    return kind, _exactly(connection, length)


def _exactly(connection: socket.socket, length: int) -> bytes:
    content = bytearray(length)
    view, at = memoryview(content), 0
    while at < length:
        if not (count := connection.recv_into(view[at:])):
            raise EOFError
        at += count
    return bytes(content)


def to_json(value: Any) -> bytes:
    """Return a value as JSON."""
    return json.dumps(value).encode()
