"""Translates the texts of pages into the language of the request, from `translations/*/LC_MESSAGES/*.po`.

The files are compiled when they are first needed, so that no compiled file is kept: babel reads a thousand
messages in about a tenth of a second.
"""

from collections.abc import Mapping
from functools import cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations

from serving.web.language import LANGUAGES, SOURCE, current_language

FOLDER = Path(__file__).parent / "translations"

SCRIPTS = "static/"
"""The folder of scripts, as it is in the locations of messages."""


def N_(text: str) -> str:  # noqa: N802  # the name by which gettext's tools know it
    """Mark a text for translation, and return it as it is: `translated` translates it when it is shown."""
    return text


def gettext(text: str, /, **values: object) -> str:
    """Return a text in the language of the request, with `%(name)s` replaced by the value of that name."""
    found = translated(text)
    return found % values if values else found


def ngettext(one: str, many: str, number: int, /, **values: object) -> str:
    """Return the form of a text for a number, in the language of the request.

    Values replace `%(name)s`; `num` is the number, unless it is given as a text.
    """
    return plural_form(one, many, number) % {"num": number, **values}


def plural_form(one: str, many: str, number: int) -> str:
    """Return the form of a text for a number, with its placeholders."""
    form: str = _translations(current_language()).ungettext(one, many, number)
    return form


def translated(text: str) -> str:
    """Return the translation of a text that may contain anything; the text itself if there is none."""
    found: str = _translations(current_language()).ugettext(text) if text else ""
    return found


def script_texts() -> Mapping[str, str | tuple[str, ...]]:
    """Return the texts that scripts show: text → translation, or its forms. In English, there are none."""
    language = current_language()
    return {} if language == SOURCE else _script_texts(language)


@cache
def _script_texts(language: str) -> Mapping[str, str | tuple[str, ...]]:
    return {
        message.id if isinstance(message.id, str) else message.id[0]: message.string
        if isinstance(message.string, str)
        else tuple(message.string or ())
        for message in _catalogue(language)
        if message.id and any(SCRIPTS in file for file, _ in message.locations)
    }


def load_translations() -> None:
    """Read all files now; reading them during a request would block all requests of the process."""
    for language in LANGUAGES:
        _translations(language)


def catalogue_path(language: str) -> Path:
    """Return the file with the messages of a language."""
    return FOLDER / language / "LC_MESSAGES" / "messages.po"


@cache
def _catalogue(language: str) -> Catalog:
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=language)


@cache
def _translations(language: str) -> Translations:
    if language == SOURCE:
        return Translations()
    compiled = BytesIO()
    write_mo(compiled, _catalogue(language))
    compiled.seek(0)
    return Translations(compiled)
