"""Inflects the names of products: the other number of a name, and Portuguese adjectives by gender. Pure.

The rules cover the words of `nouns.toml` and the names of colours, not the languages.
"""

import re
import unicodedata
from functools import cache, lru_cache

_UNCHANGED = frozenset(["tênis", "óculos", "lápis", "atlas", "toca-discos", "series"])
_ENGLISH = {"knife": "knives", "shelf": "shelves", "box": "boxes", "mouse": "mice"}
_PORTUGUESE = {
    "caneta-tinteiro": "canetas-tinteiro", "planner": "planners", "bolster": "bolsters", "rímel": "rímeis",
}  # fmt: skip
_IRREGULAR = _ENGLISH | _PORTUGUESE
_OTHER = _IRREGULAR | {plural: singular for singular, plural in _IRREGULAR.items()}

_PLURALS = (
    ("ão", "ões"), ("vel", "veis"), ("al", "ais"), ("el", "éis"), ("ol", "óis"), ("il", "is"), ("m", "ns"),
    ("r", "res"), ("z", "zes"),
)  # fmt: skip
"""Portuguese endings of the singular and of the plural. Other words add an `s`."""

_PREPOSITIONS = frozenset(["de", "da", "do", "das", "dos", "para", "com", "em", "a", "por", "sem"])
_ADJECTIVE = re.compile(r"(o|a|os|as|al|ais|vel|veis|ar|ares|or|nte|ntes|il|is)$", re.IGNORECASE)
_BESIDE_NOUNS = frozenset(["polo", "chino", "jogger", "camisa", "trackball", "fitness", "gamer"])
"""Words after a Portuguese noun that stay as they are."""

_CHANGING = ("to", "co", "lo", "do", "xo", "ho", "no", "io", "so")
"""Endings of the adjectives that have another form for the feminine."""

_FEMININE = frozenset(["rede", "base", "case", "torre", "caneta-tinteiro"])
_MASCULINE = re.compile(r"(mapa|moka|porta-.*|quebra-.*)$")


@cache
def other_number(name: str, language: str) -> str:
    """Return the plural of a name in the singular, and the singular of one in the plural.

    A word without the other number, such as `Tênis`, stays as it is.
    """
    words = name.split(" ")
    if language == "en":
        return " ".join([*words[:-1], _other_english(words[-1])])
    end = next((place for place, word in enumerate(words) if word.lower() in _PREPOSITIONS), len(words))
    noun = [_other_portuguese(words[0])] + [_other_adjective(word) for word in words[1:end]]
    return " ".join(noun + words[end:])


@cache
def agreeing(adjective: str, name: str) -> str:
    """Return a Portuguese adjective, given in the masculine, with the gender and number of a name."""
    first = name.split(" ")[0].lower()
    if not adjective.endswith(_CHANGING):
        return adjective
    changed = adjective[:-1] + ("a" if _is_feminine(first) else "o")
    return changed + "s" if first.endswith("s") and first not in _UNCHANGED else changed


@lru_cache(maxsize=10_000)
def without_accents(text: str) -> str:
    """Return the text with its letters' accents removed."""
    decomposed = unicodedata.normalize("NFD", text)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))


def _is_feminine(word: str) -> bool:
    if _MASCULINE.match(word):
        return False
    return word in _FEMININE or word.endswith(("a", "as", "ção", "ções", "ã", "ãs"))


def _other_english(word: str) -> str:
    lower = word.lower()
    if lower in _UNCHANGED:
        return word
    if lower in _OTHER:
        return word[0] + _OTHER[lower][1:]
    if lower.endswith("ies"):
        return word[:-3] + "y"
    if lower.endswith(("shes", "ches", "sses", "xes")):
        return word[:-2]
    if lower.endswith("s") and not lower.endswith("ss"):
        return word[:-1]
    if lower.endswith("y") and lower[-2:-1] not in "aeiou":
        return word[:-1] + "ies"
    return word + ("es" if lower.endswith(("s", "sh", "ch", "x")) else "s")


def _other_adjective(word: str) -> str:
    if word.lower() in _BESIDE_NOUNS or not _ADJECTIVE.search(word):
        return word
    return _other_portuguese(word)


def _other_portuguese(word: str) -> str:
    lower = word.lower()
    if lower in _UNCHANGED:
        return word
    if lower in _OTHER:
        return word[0] + _OTHER[lower][1:]
    for singular, plural in _PLURALS:
        if lower.endswith(plural):
            return word[: -len(plural)] + singular
        if lower.endswith(singular):
            return word[: -len(singular)] + plural
    return word[:-1] if lower.endswith("s") else word + "s"
