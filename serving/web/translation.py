"""Translates the texts of pages into the language of the request, from `translations/*/LC_MESSAGES/*.po`.

The files are compiled when a process starts, so that no compiled file is kept: babel reads 1,900 messages in
less than a tenth of a second.
"""

from collections.abc import Mapping
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import Translations
from markupsafe import Markup

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
    return _plural_form(one, many, number) % {"num": number, **values}


def template_text(text: str, /, **values: object) -> Markup:
    """Return a text for a template, which may contain HTML. Values are escaped, unless they are HTML.

    Unlike that of Jinja, it keeps texts without values: they are most of a page.
    """
    if values:
        return Markup(translated(text)) % values
    return _constant_text(current_language(), text)


def template_plural(one: str, many: str, number: int, /, **values: object) -> Markup:
    """Return the form of a text for a number, as `template_text`."""
    return Markup(_plural_form(one, many, number)) % {"num": number, **values}


@lru_cache(maxsize=8_192)
def _constant_text(language: str, text: str) -> Markup:
    return Markup(_translations(language).ugettext(text).replace("%%", "%"))


def _plural_form(one: str, many: str, number: int) -> str:
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
