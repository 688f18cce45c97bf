"""Every text of the pages is marked for translation, and translated with the same placeholders."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from jinja2 import Environment

from common.settings import ROOT
from serving.web.extraction import WEB, collect
from serving.web.language import LANGUAGES, SOURCE
from serving.web.translation import catalogue_path
from tests.page_texts import read_texts

UPDATE = ".venv/bin/python -m serving.web.extraction"

NOT_TEXTS = re.compile(r"Souk|CSV|Parquet|SQL|API|OpenAPI|openapi\.json|[\w-]+=\"\w*\"")
"""What pages show in every language, and attributes that a macro or a block returns."""

TEMPLATES = sorted((WEB / "templates").rglob("*.html"))

PLACEHOLDER = re.compile(r"%\(\w+\)s|%%")
ELEMENT = re.compile(r"<[^>]*>|&\w+;")
NATURAL_TEXT = re.compile(r"""["'][A-Z][a-z -]""")

languages = pytest.mark.parametrize("language", [each for each in LANGUAGES if each != SOURCE])


@cache
def texts() -> Catalog:
    return collect()


@cache
def translations(language: str) -> Catalog:
    with catalogue_path(language).open("rb") as file:
        return read_po(file, locale=language)


def identity(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def described(message: Message) -> str:
    return f"{message.locations[0][0]}: {identity(message)!r}"


def pairs(message: Message) -> Iterator[tuple[str, str]]:
    """Yield each form of a text with its translation."""
    if isinstance(message.id, str):
        yield message.id, str(message.string)
    else:
        yield from ((message.id[min(form, 1)], text) for form, text in enumerate(message.string))


@languages
def test_every_text_has_a_translation(language: str) -> None:
    known = {identity(message): message for message in translations(language) if message.id}
    missing = [
        described(message)
        for message in texts()
        if message.id
        and (
            identity(message) not in known
            or not all(translated for _, translated in pairs(known[identity(message)]))
        )
    ]
    assert not missing, f"Run {UPDATE}, and translate in {catalogue_path(language)}:\n" + "\n".join(missing)


@languages
def test_no_translation_is_doubtful_or_of_a_text_that_is_gone(language: str) -> None:
    current = {identity(message) for message in texts() if message.id}
    found = [message for message in translations(language) if message.id]
    assert [described(message) for message in found if message.fuzzy] == []
    gone = [identity(message) for message in found if identity(message) not in current]
    assert not gone, f"Run {UPDATE}, which removes:\n" + "\n".join(gone)


@languages
@pytest.mark.parametrize("part", [PLACEHOLDER, ELEMENT], ids=["placeholders", "elements"])
def test_a_translation_has_the_parts_of_its_text(language: str, part: re.Pattern[str]) -> None:
    wrong = [
        f"{described(message)} → {translated!r}"
        for message in translations(language)
        if message.id
        for text, translated in pairs(message)
        if sorted(part.findall(text)) != sorted(part.findall(translated))
    ]
    assert not wrong, "\n".join(wrong)


@languages
def test_a_translation_fits_into_an_attribute(language: str) -> None:
    quoted = [
        described(message)
        for message in translations(language)
        for text, translated in pairs(message)
        if '"' in ELEMENT.sub("", translated) and '"' not in text
    ]
    assert not quoted, "\n".join(quoted)


def unmarked_texts(source: str) -> Iterator[str]:
    """Yield the texts of a template outside of `_()` and `{% trans %}`, and literals that look like texts."""
    html, in_trans = "", False
    tokens = [
        (kind, value)
        for _, kind, value in Environment(extensions=["jinja2.ext.i18n"]).lex(source)
        if kind != "whitespace"
    ]
    for at, (kind, value) in enumerate(tokens):
        if kind == "name" and tokens[at - 1][0] == "block_begin" and value in ("trans", "endtrans"):
            in_trans = value == "trans"
        elif kind == "data" and not in_trans:
            html += value
        elif kind == "string" and NATURAL_TEXT.match(value):
            before = " ".join(text for _, text in tokens[max(0, at - 4) : at])
            if not re.search(r"(^| )(_ \(|ngettext \(( [^ ]+ ,)?)$", before):
                yield value
    for text in read_texts(html):
        if re.search(r"[A-Za-z]{2,}", NOT_TEXTS.sub("", text)):
            yield text


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.relative_to(WEB).as_posix())
def test_every_text_of_a_template_is_marked(path: Path) -> None:
    found = list(unmarked_texts(path.read_text()))
    name = path.relative_to(ROOT)
    assert not found, f'{name}: write each as {{{{ _("…") }}}} or in {{% trans %}}:\n' + "\n".join(found)


def test_a_text_that_is_not_marked_is_found() -> None:
    assert list(unmarked_texts('<p title="{{ _("Yes") }}">{% trans %}Yes{% endtrans %} {{ x }}</p>')) == []
    assert list(unmarked_texts('<p title="No">Nothing</p>{{ field("Never") }}')) == [
        '"Never"',
        "No",
        "Nothing",
    ]
