"""Texts that people write and others read: what is shown of them, and how they are compared."""

import re
import unicodedata

_BLANKS = frozenset("\u034f\u115f\u1160\u2800\u3164\uffa0")
"""Characters that show nothing, although Unicode calls them letters, marks or signs."""


def clean_text(text: str) -> str:
    """Return a text as it is shown, in NFC: nothing in it is invisible or changes the direction of the rest.

    Control, zero-width, bidirectional, private and unassigned characters are removed; line breaks stay. So an
    emoji that zero-width characters join from several becomes these.
    """
    lines = re.sub("\r\n|[\r\u2028\u2029]", "\n", unicodedata.normalize("NFC", text)).replace("\t", " ")
    visible = "".join(
        each
        for each in lines
        if each == "\n" or (unicodedata.category(each)[0] != "C" and each not in _BLANKS)
    )
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in visible.split("\n"))).strip()


def clean_line(text: str) -> str:
    """Return a text of one line as it is shown."""
    return " ".join(clean_text(text).split())


def require_visible(text: str) -> str:
    """Return a text as it is, if it shows something.

    Raises:
        ValueError: it has no visible character.
    """
    if not clean_text(text):
        raise ValueError("must have a visible character")
    return text
