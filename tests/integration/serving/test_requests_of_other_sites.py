"""A foreign web page can't write through the browser of someone who has the shop's pages open."""

import httpx
import pytest

OTHER_SITES = [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}]


@pytest.mark.parametrize("headers", OTHER_SITES, ids=str)
@pytest.mark.parametrize("path", ["/v1/events", "/v1/orders", "/shop/cart"])
def test_a_page_of_another_site_writes_nothing(api: httpx.Client, path: str, headers: dict[str, str]) -> None:
    answer = api.post(path, json={}, headers=headers)

    assert answer.status_code == 403
    assert "another site" in answer.text


def test_a_page_of_another_site_may_link_to_this_shop(api: httpx.Client) -> None:
    assert api.get("/shop", headers={"Sec-Fetch-Site": "cross-site"}).is_success


@pytest.mark.parametrize("headers", [{}, {"Sec-Fetch-Site": "same-origin"}], ids=["program", "own page"])
def test_what_a_program_or_a_page_of_this_shop_writes_is_read(
    api: httpx.Client, headers: dict[str, str]
) -> None:
    assert api.post("/v1/events", json={"events": []}, headers=headers).status_code == 422  # no event
