"""The text of a proposed mapping while it is written."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path

from producers.importer.mapped.column_roles import plain
from producers.importer.mapped.guess.choice import Choice
from producers.importer.mapped.guess.joins import ProposedJoin
from producers.importer.mapped.guess.known import KnownExport
from producers.importer.mapped.guess.money_search import MoneyChoice
from producers.importer.mapped.guess.profile import ColumnProfile, FileProfile

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@dataclass
class Draft:
    """What is known of the tables, and the lines of YAML so far. `missing` says what was not found."""

    directory: Path
    lines: FileProfile
    joins: list[ProposedJoin]
    known: KnownExport | None
    choices: dict[str, Choice]
    money: MoneyChoice
    currency: str
    missing: list[str] = field(default_factory=list)
    out: list[str] = field(default_factory=list)

    def add(self, *lines: str) -> None:
        """Append lines, and an empty one."""
        self.out += [*lines, ""]

    def lacking(self, key: str, what: str) -> None:
        """Record that no column was found for a key that every mapping needs."""
        self.missing.append(f"{key}: {what}")
        self.add(f"# NOT FOUND: {what}.", f"# {key}: …")

    def comment(self, name: str, choice: Choice) -> list[str]:
        """Return the comment on a choice: why, and which columns could be meant instead."""
        where = "" if choice.column.file is self.lines else f" in {choice.column.file.path.name}"
        because = "" if choice.why.split()[0] in ("by", "because", "as") else "because "
        others = ", ".join(quoted(other.name) for other in choice.others)
        alternatives = f". Alternatives: {others}" if others else ""
        return [f"# {name}: chosen {because}{choice.why}{where}{alternatives}"]


def one_line(text: str) -> str:
    """Return a line of YAML with escapes for the characters that would end it, or that YAML doesn't allow.

    In a comment, they only show what a cell has; between double quotes, YAML reads them back.
    """
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def _escaped(character: str) -> str:
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def quoted(text: str) -> str:
    """Return a text as YAML, in quotes."""
    return json.dumps(text, ensure_ascii=False)


def texts_list(texts: list[str]) -> str:
    """Return texts as a YAML list; those that a mapping can't have, with control characters, are left out."""
    return f"[{', '.join(quoted(text) for text in texts if len(text) <= 200 and not _CONTROL.search(text))}]"


def names(columns: list[ColumnProfile]) -> str:
    """Return columns as YAML: a name, or a list."""
    texts = [quoted(column.name) for column in columns]
    return texts[0] if len(texts) == 1 else f"[{', '.join(texts)}]"


def identifier(text: str) -> str:
    """Return a text as an identifier: lower-case letters, digits and `_`."""
    return plain(text).replace(" ", "_")
