"""The interface of a data set. To add a published one, add a folder and a line in `DATA_SETS`.

The tables of one's own shop are a data set, too, which its mapping describes (`producers.importer.mapped`).
"""

from collections.abc import Callable
from dataclasses import dataclass
from hashlib import blake2b
from importlib import import_module
from pathlib import Path
from typing import Protocol, cast
from zoneinfo import ZoneInfo

from common.errors import UserError
from producers.feed.events import Events
from producers.importer.findings import ConversionFindings

_BLOCK_BYTES = 1 << 20


@dataclass(frozen=True)
class Conversion:
    """All events of a data set. Events with equal times are sent in the order of this list."""

    events: list[Events]
    findings: ConversionFindings


class DataSet(Protocol):
    """The attributes of a data set: of its module, or of a `MappedDataSet`."""

    @property
    def NAME(self) -> str: ...  # noqa: D102, N802
    @property
    def VERSION(self) -> int: ...  # noqa: D102, N802
    @property
    def CURRENCY(self) -> str: ...  # noqa: D102, N802
    @property
    def files(self) -> Callable[[Path], dict[str, Path]]: ...  # noqa: D102
    @property
    def convert(self) -> Callable[[Path, ZoneInfo], Conversion]: ...  # noqa: D102


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
