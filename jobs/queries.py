"""Reads the `.sql` files of a job: one for each output, and one for each view that outputs share."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.plan import SharedView
from jobs.sources import DATABASE

_EVENT = re.compile(rf"^(?!--).*?\b{DATABASE}\.(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class QueryFolder:
    """The queries of a job: `<table>.sql` for each output, `views/<name>.sql` for each view."""

    folder: Path

    def events(self) -> tuple[str, ...]:
        """Return the names of the events that the queries read (`events.order_placed`), sorted and unique."""
        texts = (_read(path) for path in self.folder.rglob("*.sql"))
        return tuple(sorted({name for text in texts for name in _EVENT.findall(text)}))

    def views(self, names: Iterable[str]) -> tuple[SharedView, ...]:
        """Return the named views in this order; a view must come after the views that it reads."""
        return tuple(SharedView(name, _read(self.folder / "views" / f"{name}.sql")) for name in names)

    def of(self, table: str) -> str:
        """Return the query that fills a table."""
        return _read(self.folder / f"{table}.sql")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
