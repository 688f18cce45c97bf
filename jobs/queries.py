"""Reads the `.sql` files of a job: one for each output, and one for each view that outputs share."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from common.errors import UserError
from jobs.plan import SharedView
from jobs.sources import DATABASE

_PARAMETER = re.compile(r"\{(\w+):INT\}")
_EVENT = re.compile(rf"^(?!--).*?\b{DATABASE}\.(\w+)", re.MULTILINE)


@dataclass(frozen=True)
class QueryFolder:
    """The queries of a job: `<table>.sql` for each output, `views/<name>.sql` for each view.

    `parameters` has the values of `{name:INT}` in the queries. They are whole numbers: Flink SQL takes no
    parameters, and nothing else may be written into a query.
    """

    folder: Path
    parameters: Mapping[str, int] = field(default_factory=dict)

    def events(self) -> tuple[str, ...]:
        """Return the names of the events that the queries read (`events.order_placed`), sorted and unique."""
        texts = (_read(path) for path in self.folder.rglob("*.sql"))
        return tuple(sorted({name for text in texts for name in _EVENT.findall(text)}))

    def views(self, names: Iterable[str]) -> tuple[SharedView, ...]:
        """Return the named views in this order; a view must come after the views that it reads."""
        return tuple(SharedView(name, self._filled(self.folder / "views" / f"{name}.sql")) for name in names)

    def of(self, table: str) -> str:
        """Return the query that fills a table."""
        return self._filled(self.folder / f"{table}.sql")

    def _filled(self, path: Path) -> str:
        def value(found: re.Match[str]) -> str:
            if found[1] not in self.parameters:
                raise UserError(f"{path} has the parameter {found[1]}, which the job does not set")
            return str(int(self.parameters[found[1]]))

        return _PARAMETER.sub(value, _read(path))


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8").strip()
