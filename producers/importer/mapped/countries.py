"""Country codes (ISO 3166-1 alpha-2) of codes and names in the languages of common shop exports."""

from collections.abc import Callable
from functools import cache

from babel import Locale

LANGUAGES = ("en", "pt", "es", "de", "fr")

_OTHER_NAMES = {"uk": "GB", "usa": "US", "great britain": "GB", "england": "GB", "eire": "IE", "brasil": "BR"}


def country_codes(values: dict[str, str]) -> Callable[[str | None], str | None]:
    """Return a function: text of a country → its code, or None. `values` has priority over names."""
    own = {text.casefold(): code for text, code in values.items()}

    def code(text: str | None) -> str | None:
        return None if text is None else own.get(text.casefold()) or known_countries().get(text.casefold())

    return code


@cache
def known_countries() -> dict[str, str]:
    """Return every known text of a country, in lower case, and its code."""
    names = dict(_OTHER_NAMES)
    for language in LANGUAGES:
        for code, name in Locale(language).territories.items():
            if len(code) == 2 and code.isalpha() and code not in ("EU", "UN", "ZZ", "EZ"):
                names.setdefault(code.casefold(), code)
                names.setdefault(name.casefold(), code)
    return names
