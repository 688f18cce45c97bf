"""The new page, in both languages."""

import httpx
import pytest

from tests.integration.serving.conftest import LoneApi


@pytest.mark.parametrize(
    ("language", "title"), [("en", "How parcels arrive"), ("pt-BR", "Como os pacotes chegam")]
)
def test_everybody_reads_how_parcels_arrive(lone_api: LoneApi, language: str, title: str) -> None:
    headers = {"Accept": "text/html", "Accept-Language": language}
    page = httpx.get(f"{lone_api.settings.serving}/shop/delivery", headers=headers, trust_env=False)

    assert (page.status_code, f"<h1>{title}</h1>" in page.text) == (200, True)
