"""The files of `queries/`, and the folding of text with which they search."""

from pathlib import Path

FOLDER = Path(__file__).parent / "queries"

_LEFT_OUT = (
    "\u0300-\u036f"  # accents of Latin, Greek and Cyrillic letters
    "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # vowel points of Hebrew
    "\u064b-\u065f\u0670"  # vowel points of Arabic
    "\ufe00-\ufe0f"  # variation selectors of emoji
)
"""The marks that people leave out when they type."""

FOLD = f"text -> replaceRegexpAll(caseFoldUTF8(normalizeUTF8NFKD(text)), '[{_LEFT_OUT}]', '')"
"""The function that folds text, in SQL. A query says `arrayMap({fold}, texts)` of both what is searched and
what is searched for, so that a text always finds itself. No other search folds text. Categories that are
compared with each other ignore case alone: `str.casefold` in Python, `caseFoldUTF8` in SQL.

It ignores case, compatible forms (`Ａ` is `a`, `ß` is `ss`) and the marks that people leave out. In other
scripts (Devanagari, Tamil, Thai, Khmer, kana) a mark is a vowel or makes another letter, so it counts."""


def load_queries(folder: Path = FOLDER) -> dict[str, str]:
    """Return the text of every query by the name of its file, without `.sql`."""
    return {path.stem: path.read_text().replace("{fold}", FOLD) for path in sorted(folder.glob("*.sql"))}
