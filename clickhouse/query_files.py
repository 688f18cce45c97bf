"""The files of `queries/`, and what they name in braces: the folding of text, the maps of `as_of`."""

from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from clickhouse.literals import quoted
from clickhouse.metrics.definition import facts_of, read_definitions
from schemas.services import OTHERS, SERVICES, services_that_emit
from schemas.topics import JOB_OUTPUTS

FOLDER = Path(__file__).parent / "queries"

LEFT_OUT = (
    "\u0300-\u036f"  # accents of Latin, Greek and Cyrillic letters
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # vowel points of Hebrew
    "\u064b-\u065f\u0670"  # vowel points of Arabic
    "\ufe00-\ufe0f"  # variation selectors of emoji
)
"""The marks that people leave out when they type."""

FOLD = f"text -> replaceRegexpAll(caseFoldUTF8(normalizeUTF8NFKD(text)), '[{LEFT_OUT}]', '')"
"""The function that folds text, in SQL. A query says `arrayMap({fold}, texts)` of both what is searched and
what is searched for, so that a text always finds itself. No other search folds text. Categories that are
compared with each other ignore case alone: `str.casefold` in Python, `caseFoldUTF8` in SQL.

It ignores case, compatible forms (`Ａ` is `a`, `ß` is `ss`) and the marks that people leave out. In other
scripts (Devanagari, Tamil, Thai, Khmer, kana) a mark is a vowel or makes another letter, so it counts."""


def load_queries(folder: Path = FOLDER) -> dict[str, str]:
    """Return the text of every query by the name of its file, without `.sql`."""
    queries = {path.stem: path.read_text() for path in sorted(folder.glob("*.sql"))}
    for name, text in _texts().items():
        queries = {stem: sql.replace(f"{{{name}}}", text) for stem, sql in queries.items()}
    return queries


@cache
def _texts() -> dict[str, str]:
    """Return what queries name in braces, besides their parameters, which have a type."""
    definitions = read_definitions()
    facts = {name: sorted(facts_of(name, definitions)) for name in sorted(definitions)}
    emitted = {event: services_that_emit([event]) for room in SERVICES.values() for event in room.emits}
    computed = {
        output: services_that_emit(OTHERS[room].reads)
        for output, job in JOB_OUTPUTS.items()
        if (room := f"jobs/{job}") in OTHERS
    }
    return {"fold": FOLD, "facts_of": _map(facts), "emitted_by": _map(emitted | computed)}


def _map(lists: Mapping[str, Iterable[str]]) -> str:
    """Return a map of lists of texts as an expression."""
    entries = (f"{quoted(key)}, [{', '.join(map(quoted, values))}]" for key, values in lists.items())
    return f"map({', '.join(entries)})"
