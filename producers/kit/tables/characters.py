"""Replaces the characters that mean the same in a cell: digits of other scripts, blanks, signs."""

import unicodedata

_SAME = {
    "-": "−‒–﹣－",
    "+": "＋﹢",
    "'": "’‘ʼ′＇`´",
    ",": "，﹐",
    ".": "．﹒",
    "(": "（",
    ")": "）",
    ":": "：",
    "/": "／⁄∕",
}
"""ASCII character → the characters that are read as it."""


class _Plain(dict[int, str]):
    """A table for `str.translate`, filled as characters are met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        category = unicodedata.category(character)
        plain = next((ascii_ for ascii_, others in _SAME.items() if character in others), None)
        if plain is None:
            if category == "Nd":
                plain = str(unicodedata.decimal(character))
            elif category in ("Zs", "Zl", "Zp") or character.isspace():
                plain = " "
            elif category == "Cf":  # marks of direction, joiners, byte order marks: nobody sees them
                plain = ""
            else:
                plain = character
        self[code] = plain
        return plain


_PLAIN = _Plain()


def plain(text: str) -> str:
    """Return a text with ASCII digits, signs and blanks, without marks of direction and outer blanks."""
    return text.translate(_PLAIN).strip()


def without_accents(text: str) -> str:
    """Return a text in lower case and without accents: `Março` → `marco`."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
