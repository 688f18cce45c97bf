"""The choice of the language of a page, and texts in it."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from common.settings import Settings
from serving.web.language import LANGUAGES, SOURCE, choose_language, language_of_locale, use_language
from serving.web.renderer import PageRenderer, page_locales
from serving.web.texts import reason_text
from serving.web.translation import gettext, ngettext, translated


@pytest.mark.parametrize(
    ("chosen", "accepted", "language"),
    [
        ("en", "pt-BR", "en"),
        ("pt_BR", "en", "pt_BR"),
        ("xx", "pt", "pt_BR"),
        (None, "pt-PT,en;q=0.8", "pt_BR"),
        (None, "de, en;q=0.7, pt;q=0.9", "pt_BR"),
        (None, "en;q=0, pt;q=0.1", "pt_BR"),
        (None, "en-GB, pt", "en"),
        (None, "de;q=1, *;q=0.5", "pt_BR"),
        (None, "pt;q=much", "pt_BR"),
        (None, "", "pt_BR"),
    ],
)
def test_the_readers_choice_comes_before_the_browsers_and_the_shops(
    chosen: str | None, accepted: str, language: str
) -> None:
    assert choose_language(chosen, accepted, default="pt_BR") == language


@given(st.none() | st.text(), st.text() | st.from_regex(r"([a-z*-]{1,5}(;q=[0-9.]{1,4})?,? ?){0,9}"))
def test_every_header_leads_to_a_language(chosen: str | None, accepted: str) -> None:
    assert choose_language(chosen, accepted, SOURCE) in LANGUAGES


def test_the_shops_locale_formats_pages_in_its_language() -> None:
    assert page_locales("en_GB") == {"en": "en_GB", "pt_BR": "pt_BR"}
    assert page_locales("pt_PT") == {"en": "en", "pt_BR": "pt_PT"}
    assert page_locales("de") == {"en": "de", "pt_BR": "pt_BR"}
    assert [language_of_locale(each) for each in ("pt", "en_GB", "de")] == ["pt_BR", "en", None]


def test_a_locale_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValidationError, match="'klingon' is not a locale such as en, en_GB or pt_BR"):
        Settings(shop_locale="klingon")


def test_requests_at_the_same_time_have_their_own_language() -> None:
    async def shown(language: str) -> list[str]:
        use_language(language)
        await asyncio.sleep(0)
        plural = ngettext("%(count)s order", "%(count)s orders", 2, count="2")
        return [
            gettext("Orders"),
            plural,
            translated(""),
            translated("50 % of <b>"),
            gettext("Seller %(id)s", id=1),
        ]

    async def both() -> list[list[str]]:
        return await asyncio.gather(shown("pt_BR"), shown("en"))

    portuguese, english = asyncio.run(both())
    assert portuguese == ["Pedidos", "2 pedidos", "", "50 % of <b>", "Vendedor 1"]
    assert english == ["Orders", "2 orders", "", "50 % of <b>", "Seller 1"]


def test_a_reason_of_the_api_is_translated_with_its_name() -> None:
    async def shown() -> list[str]:
        use_language("pt_BR")
        return [reason_text("Because you looked at Lamp, 100 %"), reason_text("Because of the weather")]

    assert asyncio.run(shown()) == ["Porque você viu Lamp, 100 %", "Because of the weather"]


def test_a_page_has_the_language_and_the_formats_of_its_reader() -> None:
    render = PageRenderer(Settings(shop_locale="pt_BR"))

    async def shown(language: str) -> tuple[str, str, str]:
        use_language(language)
        page = render("shop/orders.html", session="s", signed_in=False, own_orders=None)
        return page.body.decode(), page.headers["vary"], render.cache_version

    async def both() -> list[tuple[str, str, str]]:
        return await asyncio.gather(shown("pt_BR"), shown("en"))

    (portuguese, vary, version), (english, _, english_version) = asyncio.run(both())
    assert vary == "Accept-Language, Cookie"
    assert '<html lang="pt-BR">' in portuguese
    assert 'data-locale="pt-BR"' in portuguese
    assert "<h1>Seus pedidos</h1>" in portuguese
    assert '<button type="submit" name="language" value="en" lang="en">English</button>' in portuguese
    assert '<html lang="en">' in english
    assert 'data-locale="en"' in english
    assert "<h1>Your orders</h1>" in english
    assert version != english_version
