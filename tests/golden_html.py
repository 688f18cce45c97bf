"""HTML as lines that can be compared: what differs from one run to the next is replaced by its kind."""

import difflib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser

_MONTH = (
    r"(?:Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sep(?:t|tember)?|"
    r"Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)"
)
_CLOCK = r"\d{1,2}:\d\d(?::\d\d(?:\.\d+)?)?(?:[\s\u202f]?[AP]M)?"
_THIS_YEAR = r"20(?:2[6-9]|[3-9]\d)"
"""The year in which a run can be. The shop of the golden pages sold in 2017."""

CHANGING = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "ID"),
    (re.compile(rf"{_THIS_YEAR}-\d\d-\d\d(?:[T ]{_CLOCK}(?:Z|[+-]\d\d:\d\d)?)?"), "MOMENT"),
    (re.compile(rf"\b\d{{1,2}} {_MONTH},? (?:{_THIS_YEAR})(?:,? {_CLOCK})?\b"), "MOMENT"),
    (re.compile(rf"\b{_MONTH} \d{{1,2}},? (?:{_THIS_YEAR})(?:,? {_CLOCK})?\b"), "MOMENT"),
    (re.compile(rf"\b\d{{1,2}} {_MONTH}\b(?!,? 20)"), "DAY"),
    (re.compile(rf"\b{_MONTH} \d{{1,2}}(?= – MOMENT)"), "DAY"),
    (re.compile(rf"\b{_CLOCK}\b"), "TIME"),
    (re.compile(r"(?<=token=)[\w-]+"), "TOKEN"),
    (re.compile(r"(?<=[?&]v=)[0-9a-f]{6,}"), "VERSION"),
    (re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=localhost:)\d+"), "PORT"),
    (re.compile(r"\b[0-9a-f]{16,}\b"), "HEX"),
    (re.compile(r"\b(?=[\w-]*\d)(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{22,}"), "TOKEN"),
)  # fmt: skip
_VOID = {"area", "br", "col", "hr", "img", "input", "link", "meta", "source", "wbr"}


class _Lines(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self._depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = "".join(
            f" {name}" if value is None else f' {name}="{value}"' for name, value in sorted(attrs)
        )
        self._add(f"<{tag}{given}>")
        self._depth += tag not in _VOID

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self._depth -= tag not in _VOID

    def handle_endtag(self, tag: str) -> None:
        self._depth -= tag not in _VOID

    def handle_data(self, data: str) -> None:
        if text := " ".join(data.split()):
            self._add(text)

    def _add(self, line: str) -> None:
        self.lines.append(" " * max(0, self._depth) + " ".join(line.split()))


def without_changing(text: str, also: Mapping[str, str] | None = None) -> str:
    """Return a text with kinds instead of ids, moments near now, versions and ports.

    `also` has further texts that change, and what stands for each.
    """
    for found, kind in (also or {}).items():
        text = text.replace(found, kind)
    for pattern, kind in CHANGING:
        text = pattern.sub(kind, text)
    return text.replace(str(datetime.now(UTC).year), "YEAR")


def golden_html(html: str, also: Mapping[str, str] | None = None) -> list[str]:
    """Return a line for each tag, with sorted attributes, and each text; the indent is the depth."""
    reader = _Lines()
    reader.feed(html)
    return [without_changing(line, also) for line in reader.lines]


def golden_views(views: Mapping[str, list[str]]) -> str:
    """Return one text of what several people see at one address.

    The first view is whole. Of each other view, only the lines that differ from the first one are there.
    """
    names: dict[tuple[str, ...], list[str]] = {}
    for name, lines in views.items():
        names.setdefault(tuple(lines), []).append(name)
    parts: list[str] = []
    first: tuple[str, ...] = ()
    for lines, seen_by in names.items():
        parts.append(f"==== {', '.join(seen_by)}")
        if not first:
            first = lines
            parts += lines
        else:
            shown = difflib.unified_diff(first, lines, lineterm="", n=0)
            parts += [line for line in shown if not line.startswith(("---", "+++"))]
    return "\n".join(parts)
