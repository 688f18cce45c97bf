"""One request of ClickHouse's HTTP interface, read: who asks, for what, with which settings and encodings."""

import base64
import binascii
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from urllib.parse import parse_qsl

from clickhouse.http_server.compression import accepted
from clickhouse.http_server.errors import DatabaseError

_NAME = re.compile(r"[A-Za-z_]\w{0,127}", re.ASCII)

_NOT_SETTINGS = frozenset(
    {"query", "database", "default_format", "user", "password", "quota_key", "role", "stacktrace", "compress"}
    | {
        "decompress",
        "query_id",
        "session_id",
        "session_timeout",
        "session_check",
        "close_session",
        "buffer_size",
    }
    | {
        "wait_end_of_query",
        "client_protocol_version",
        "enable_http_compression",
        "http_zlib_compression_level",
    }
    | {"cancel_http_readonly_queries_on_client_close", "framing"}
)

SHORT_BODY = 1 << 20
"""Bytes of data, as they come, that are read by one thread: a second would seldom help."""


@dataclass
class Request:
    """What one HTTP request asks for; `settings` are the query's, `params` its `{name:Type}` values."""

    method: str
    user: str
    password: str
    query: bytes = b""
    database: str = ""
    format: str = ""
    query_id: str = ""
    named: bool = False
    """Whether the client chose the query's id, to kill it by."""
    session_id: str = ""
    session_timeout: str = ""
    session_check: bool = False
    settings: dict[str, str] = field(default_factory=dict)
    params: dict[str, str] = field(default_factory=dict)
    body_encodings: tuple[str, ...] = ()
    answer_encoding: str = ""
    wait_end_of_query: bool = False
    form_type: str = ""
    protocol_version: int = 0
    """The revision of the native protocol that the client says it speaks; 0 when it says none."""
    is_short: bool = False
    """Whether the body is said to be at most `SHORT_BODY` bytes, as it comes."""

    def add(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Take settings and query parameters from a query string or a form.

        Raises:
            DatabaseError: a name that can't be a setting's.
        """
        for name, value in pairs:
            if name.startswith("param_"):
                self.params[name.removeprefix("param_")] = _clean(value)
            elif name not in _NOT_SETTINGS:
                if not _NAME.fullmatch(name):
                    message = f"Setting {name!r} is neither a builtin setting nor started with the prefix."
                    raise DatabaseError(115, "UNKNOWN_SETTING", message)
                self.settings[name] = _clean(value)

    def add_form(self, body: bytes) -> None:
        """Take what a form holds: the query, its parameters and settings.

        Raises:
            DatabaseError: it holds a file (ClickHouse's external tables are not supported here).
        """
        fields = []
        head = f"Content-Type: {self.form_type}\r\n\r\n".encode()
        for part in BytesParser().parsebytes(head + body).walk():
            name = part.get_param("name", header="content-disposition")
            if part.is_multipart() or not isinstance(name, str):
                continue
            if part.get_filename() is not None:
                message = "External tables are not supported: insert the data into a table first."
                raise DatabaseError(48, "NOT_IMPLEMENTED", message)
            content = part.get_payload(decode=True)
            fields.append((name, content.decode(errors="replace") if isinstance(content, bytes) else ""))
        self.query += b"".join(value.encode() for name, value in fields if name == "query")
        self.add(fields)


def read_request(method: str, query_string: bytes, headers: Mapping[str, str]) -> Request:
    """Read a request's line and headers (names in lower case).

    Raises:
        DatabaseError: the credentials or a parameter can't be read.
    """
    pairs = parse_qsl(
        query_string.decode(errors="surrogateescape"), keep_blank_values=True, errors="surrogateescape"
    )
    url = dict(pairs)
    user, password = _credentials(url, headers)
    query_id = url.get("query_id") or headers.get("x-clickhouse-query-id", "")
    request = Request(
        method=method,
        user=user,
        password=password,
        query=url.get("query", "").encode(errors="surrogateescape"),
        database=headers.get("x-clickhouse-database") or url.get("database", ""),
        format=headers.get("x-clickhouse-format") or url.get("default_format", ""),
        query_id=query_id or str(uuid.uuid4()),
        named=bool(query_id),
        session_id=url.get("session_id", ""),
        session_timeout=url.get("session_timeout", ""),
        session_check=url.get("session_check") == "1",
        wait_end_of_query=url.get("wait_end_of_query", "0") not in ("", "0"),
        protocol_version=_number(url.get("client_protocol_version", "")),
        is_short=0 < _number(headers.get("content-length", "")) <= SHORT_BODY,
    )
    content_type = headers.get("content-type", "")
    if content_type.startswith("multipart/form-data"):
        request.form_type = content_type
    native = ("native",) if url.get("decompress", "0") not in ("", "0") else ()
    request.body_encodings = (headers.get("content-encoding", "").strip().lower(), *native)
    if url.get("compress", "0") not in ("", "0"):
        request.answer_encoding = "native"
    elif url.get("enable_http_compression", "0") not in ("", "0"):
        request.answer_encoding = accepted(headers.get("accept-encoding", "")) or ""
    request.add(pairs)
    return request


def _number(value: str) -> int:
    return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else 0


def _clean(value: str) -> str:
    """A value whose bytes that are no UTF-8 are replaced: the engine takes them in a query's text only."""
    return value.encode(errors="surrogateescape").decode(errors="replace")


def _credentials(url: Mapping[str, str], headers: Mapping[str, str]) -> tuple[str, str]:
    if "x-clickhouse-user" in headers or "x-clickhouse-key" in headers:
        return headers.get("x-clickhouse-user") or "default", headers.get("x-clickhouse-key", "")
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "basic":
        try:
            user, _, password = base64.b64decode(given, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            message = "Invalid authentication: the Authorization header can't be read."
            raise DatabaseError(516, "AUTHENTICATION_FAILED", message) from None
        return user or "default", password
    return url.get("user") or "default", url.get("password", "")
