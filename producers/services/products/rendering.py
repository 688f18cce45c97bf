"""Renders a picture in a process of its own: see `images.py`."""

import asyncio
import sys

import orjson
import structlog

from common.settings import ROOT
from producers.services.products.picture_rules import REASONS, SIZES, PictureRefused, Rendered, Size

log = structlog.get_logger()

MODULE = "producers.services.products.images"

TIMEOUT_S = 30.0
"""Twice the CPU time that the process may use, for a busy machine."""

MAX_OUTPUT = 16 << 20
"""The largest output of the process in bytes. The files of a picture have about one megabyte."""


class _TooMuch(Exception):
    """The process writes more than any picture."""


async def render_confined(content: bytes, media_type: str | None) -> Rendered:
    """Return the files of a picture like `images.render`, which runs in a confined process.

    The process gets none of the environment, which may have passwords.

    Raises:
        PictureRefused: it can't be used, or takes too much time or memory.
    """
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", MODULE, media_type or ""),
        env={"PYTHONPATH": str(ROOT)},
        cwd="/",
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
    )
    try:
        async with asyncio.timeout(TIMEOUT_S), asyncio.TaskGroup() as group:
            group.create_task(_write(process, content))
            output, errors = (group.create_task(_read(each)) for each in (process.stdout, process.stderr))
        await process.wait()
    except (TimeoutError, ExceptionGroup) as error:
        raise PictureRefused("too_costly") from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    try:
        return _parsed(output.result())
    except (ValueError, TypeError, LookupError) as error:
        why = errors.result()[-500:].decode(errors="replace")
        log.warning("a picture was not rendered", status=process.returncode, errors=why)
        raise PictureRefused("too_costly") from error


async def _write(process: asyncio.subprocess.Process, content: bytes) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(content)
        await process.stdin.drain()
        process.stdin.close()
        await process.stdin.wait_closed()
    except ConnectionError:
        return  # the process has ended; what it has written says why


async def _read(stream: asyncio.StreamReader | None) -> bytes:
    assert stream is not None
    parts, length = [], 0
    while part := await stream.read(1 << 16):
        length += len(part)
        if length > MAX_OUTPUT:
            raise _TooMuch
        parts.append(part)
    return b"".join(parts)


def _parsed(output: bytes) -> Rendered:
    """Return what the process has written.

    Raises:
        PictureRefused: it has refused the picture.
        ValueError, TypeError, LookupError: it has died before the end.
    """
    head, _, content = output.partition(b"\n")
    said = orjson.loads(head)
    if "reason" in said:
        if said["reason"] not in REASONS:
            raise LookupError(said["reason"])
        raise PictureRefused(said["reason"])
    files: dict[Size, bytes] = {}
    for size, length in zip(SIZES, said["lengths"], strict=True):
        files[size], content = content[:length], content[length:]
        if len(files[size]) != length:
            raise ValueError("a file is cut off")
    return Rendered(said["width"], said["height"], files)
