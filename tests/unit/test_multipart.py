"""The bodies of forms with files."""

import asyncio

import pytest
from fastapi import Request

from common.problems import Problem
from serving.kit.problems import BODY_TOO_LARGE
from serving.kit.request_body import NOT_A_FORM, SentFile, read_multipart

KIND = 'multipart/form-data; boundary="a-b"'


def part(head: str, content: bytes) -> bytes:
    return b"--a-b\r\nContent-Disposition: form-data; " + head.encode() + b"\r\n\r\n" + content + b"\r\n"


def read(
    body: bytes, kind: str = KIND, limit: int = 10_000, max_fields: int = 10
) -> tuple[list[tuple[str, str]], list[tuple[str, SentFile]]]:
    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", kind.encode())]}
    return asyncio.run(read_multipart(Request(scope, receive), limit, max_fields))


def test_fields_and_files_come_as_they_were_sent() -> None:
    picture = bytes(range(256)) + b"\r\n--a-\r\n\n\r"
    body = (
        part('name="all"', "é\r\n".encode())
        + part('name="files"; filename="fotô \\"b\\".png"\r\nContent-Type: image/png', picture)
        + part('name="files"; filename=""\r\nContent-Type: application/octet-stream', b"")
        + b"--a-b--\r\nlater"
    )
    fields, files = read(body)
    assert fields == [("all", "é\r\n")]
    assert files == [("files", SentFile("image/png", picture, 'fotô "b".png'))]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        part('name="a"', b"1"),
        part("", b"1") + b"--a-b--",
        part('name="a"', b"\xff") + b"--a-b--",
        b"--a-b\r\nno head\r\n--a-b--",
        part('name="a"', b"1") * 11 + b"--a-b--",
    ],
)
def test_what_is_no_such_form_is_refused(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read(body)


@pytest.mark.parametrize("kind", ["text/plain", "multipart/form-data", "multipart/mixed; boundary=a-b", ""])
def test_another_content_type_is_no_form(kind: str) -> None:
    with pytest.raises(Problem, check=NOT_A_FORM.matches):
        read(b"--a-b--", kind)


def test_a_form_above_the_limit_is_not_read() -> None:
    with pytest.raises(Problem, check=BODY_TOO_LARGE.matches):
        read(part('name="a"', b"1" * 200) + b"--a-b--", limit=100)
