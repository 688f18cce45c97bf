"""The `.sql` files of a job: one for each output, and the views that they share."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from jobs.plan import View
from jobs.sources import DATABASE

_EVENT = re.compile(rf"^(?!--).*?\b{DATABASE}\.(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class Queries:
    """A job's folder: `<table>.sql` for each output, `views/<name>.sql`."""

    folder: Path

    def events(self) -> tuple[str, ...]:
        """The events that these queries read (`events.order_placed`), each once, by name."""
        texts = (_read(path) for path in self.folder.rglob("*.sql"))
        return tuple(sorted({name for text in texts for name in _EVENT.findall(text)}))

    def views(self, names: Iterable[str]) -> tuple[View, ...]:
        """Shared views, in the order given: each after those it reads."""
        return tuple(View(name, _read(self.folder / "views" / f"{name}.sql")) for name in names)

    def of(self, table: str) -> str:
        """The SELECT that fills a table."""
        return _read(self.folder / f"{table}.sql")


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
