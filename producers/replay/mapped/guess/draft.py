"""The text of a proposed mapping while it is written."""

import json
from dataclasses import dataclass, field
from pathlib import Path

from producers.replay.mapped.guess.choice import Choice
from producers.replay.mapped.guess.joins import ProposedJoin
from producers.replay.mapped.guess.profile import FileProfile


@dataclass
class Draft:
    """What is known of the tables, and the lines of YAML so far. `missing` says what was not found."""

    directory: Path
    currency: str
    lines: FileProfile
    joins: list[ProposedJoin]
    choices: dict[str, Choice]
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
        because = "" if choice.why.startswith("by") else "because "
        text = f"# {name}: chosen {because}{choice.why}{where}"
        if choice.others:
            text += f". Alternatives: {', '.join(quoted(other.name) for other in choice.others)}"
        return [text]


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
