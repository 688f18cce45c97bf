"""Reads a seller's file of listings in a process of its own: its rows as texts, and what the file says.

`python -m producers.services.products.file_reading FILE` does it within limits of memory and time, and has no
right to any other file, connection or process. The second cell of a workbook of one kilobyte may be in the
last of a million rows, and a reader written in Rust aborts when it gets no memory for the rows between.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import orjson
from pydantic import TypeAdapter

from common.settings import ROOT
from producers.kit.confinement import confine
from producers.kit.tables.numbers import Separator
from producers.services.products.listing_cells import BadCell
from producers.services.products.listing_files import BadFile, ListingFile, Row
from schemas.product_categories import ProductAttribute

MODULE = "producers.services.products.file_reading"

MEMORY = 1 << 30
"""Limit of the process' own memory in bytes: three times what the largest workbook takes."""

CPU_S = 60
TIMEOUT_S = 2.0 * CPU_S

MAX_WRITTEN = 512 << 20
"""The largest file of rows that the process may write, in bytes."""

_TOO_COSTLY = BadFile(
    "too-costly",
    "Reading the file takes too much time or memory. Save its table as CSV, without empty columns and rows.",
)

_ATTRIBUTES = TypeAdapter(dict[str, ProductAttribute])


@dataclass(frozen=True, slots=True)
class FileOverview:
    """What a whole file says: see `Overview`. `unknown` are the names of columns that are not known."""

    rows: int
    decimal: Separator | None
    repeated: Mapping[int, int]
    header_row: int
    unknown: Sequence[str]


class ReadFile:
    """The rows of a file, which a confined process has read, and what the whole file says."""

    def __init__(self, path: Path, attributes: Mapping[str, ProductAttribute]) -> None:
        """Read a file. Its rows are stored beside it.

        Raises:
            BadFile: it is no table of listings, or takes too much time or memory.
        """
        rows = path.with_name("rows")
        _run(path, rows, attributes)
        self._rows = rows.open("rb")
        head = orjson.loads(self._rows.readline())
        if "code" in head:
            self.close()
            raise BadFile(**head)
        self.overview = FileOverview(**{**head, "repeated": dict(head["repeated"])})

    def take(self, count: int) -> list[Row]:
        """Return the next rows."""
        return [_row(*orjson.loads(line)) for line in islice(self._rows, count)]

    def close(self) -> None:
        """Close the file of rows."""
        self._rows.close()


def _row(number: int, cells: Mapping[str, str] | None, refusal: tuple[str, str] | None) -> Row:
    return Row(number, BadCell(*refusal) if refusal else cells or {})


def _run(path: Path, rows: Path, attributes: Mapping[str, ProductAttribute]) -> None:
    """Let a confined process read a file, and write `rows`.

    Raises:
        BadFile: it takes too much time or memory.
    """
    with rows.open("wb") as output:
        try:
            ran = subprocess.run(
                [sys.executable, "-m", MODULE, str(path)],
                input=_ATTRIBUTES.dump_json(dict(attributes)),
                stdout=output,
                stderr=subprocess.PIPE,
                env={"PYTHONPATH": str(ROOT)},  # none of the environment, which may have passwords
                cwd="/",
                timeout=TIMEOUT_S,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise _TOO_COSTLY from error
    if ran.returncode < 0 or b"MemoryError" in ran.stderr:
        raise _TOO_COSTLY
    if ran.returncode:
        raise RuntimeError(ran.stderr[-2_000:].decode(errors="replace"))


def _lines(path: Path, attributes: Mapping[str, ProductAttribute]) -> Iterator[Any]:
    """Yield what the whole file says, then its rows; or only why it can't be used."""
    try:
        file = ListingFile(path, attributes)
        overview = file.overview()
        said = {"header_row": file.header_row, "unknown": file.unknown}
        yield {**asdict(overview), "repeated": [*overview.repeated.items()], **said}
        for number, cells in file.rows():
            if isinstance(cells, BadCell):
                yield number, None, (cells.code, str(cells))
            else:
                yield number, cells, None
    except BadFile as error:
        yield {"code": error.code, "reason": str(error)}


def main(path: Path) -> None:
    """Write a line of JSON for what a file says, and one for each row, to the standard output.

    The standard input has the attributes.
    """
    attributes = _ATTRIBUTES.validate_json(sys.stdin.buffer.read())
    confine(MEMORY, CPU_S, path, MAX_WRITTEN)
    for line in _lines(path, attributes):
        sys.stdout.buffer.write(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
