"""The interface of a data set, and what its conversion returns.

To add a published one, add a folder and a line in `DATA_SETS`.
The tables of one's own shop are a data set, too, which its mapping describes (`producers.importer.mapped`).
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast
from zoneinfo import ZoneInfo

from common.errors import UserError
from producers.feed.events import Events

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True, order=True)
class UnusableRow:
    """A source row that was not converted completely, and the reason."""

    table: str
    key: str
    reason: str


@dataclass(frozen=True)
class FileRows:
    """What became of each line of a file.

    Each is before the header, of the header, blank, or the first or a further line of a row.

    `used` and `unused` count the rows by what they are used as, or why they are not used.
    """

    file: str
    skipped_lines: int = 0
    header_lines: int = 0
    blank_lines: int = 0
    further_lines: int = 0
    rows: int = 0
    used: dict[str, int] = field(default_factory=dict)
    unused: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Check:
    """A sentence on what agrees with the source's own totals or does not.

    `agrees` is None if it only counts.
    """

    text: str
    agrees: bool | None = None


@dataclass
class ConversionFindings:
    """Collects the findings while tables are read and converted, for the report.

    `files` accounts for every row, if the source's conversion does so. `checks` compare with the totals.
    """

    unusable: list[UnusableRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    files: list[FileRows] = field(default_factory=list)
    checks: list[Check] = field(default_factory=list)

    def reject(self, table: str, keys: Iterable[str], reason: str) -> None:
        """Record rows of `table` that can't be used."""
        self.unusable.extend(UnusableRow(table, key, reason) for key in keys)

    def note(self, count: int, sentence: str) -> None:
        """Record an assumption or observation about `count` rows, unless `count` is 0."""
        if count:
            self.notes.append(f"{count:,} {sentence}")

    def summary(self) -> list[tuple[str, str, int]]:
        """Return (table, reason, rows), the most frequent first."""
        counts = Counter((row.table, row.reason) for row in self.unusable)
        return [(table, reason, rows) for (table, reason), rows in counts.most_common()]


@dataclass(frozen=True)
class Conversion:
    """All events of a data set. Events with equal times are sent in the order of this list."""

    events: list[Events]
    findings: ConversionFindings


class DataSet(Protocol):
    """A data set: a module, or a `MappedDataSet`."""

    NAME: str
    VERSION: int
    CURRENCY: str

    def files(self, directory: Path) -> dict[str, Path]:
        """Return name → file of everything that is read."""
        ...

    def convert(self, directory: Path, zone: ZoneInfo) -> Conversion:
        """Convert the files in `directory` to events; wall-clock times are of `zone`."""
        ...


DATA_SETS = {"olist": "producers.importer.olist"}
"""Name on the command line → module."""


def load_data_set(name: str) -> DataSet:
    """Return the data set of this name.

    Raises:
        UserError: no data set has this name; the message lists the names.
    """
    if name not in DATA_SETS:
        raise UserError(f"no data set is called {name!r}: choose one of {', '.join(DATA_SETS)}")
    return cast(DataSet, import_module(DATA_SETS[name]))


def fingerprint(data_set: DataSet, directory: Path, zone: ZoneInfo) -> str:
    """Return a digest of everything that determines the events: files, time zone, version of the conversion.

    Raises:
        UserError: the directory or a table is missing, or a file can't be read.
    """
    digest = blake2b(f"{data_set.NAME} {data_set.VERSION} {zone.key}".encode(), digest_size=16)
    for name, path in sorted(data_set.files(directory).items()):
        digest.update(f"\n{name} {path.suffix} ".encode())
        try:
            with path.open("rb") as file:
                while block := file.read(_BLOCK_BYTES):
                    digest.update(block)
        except OSError as error:
            raise UserError(f"{path} can't be read ({error.strerror})") from error
    return digest.hexdigest()
