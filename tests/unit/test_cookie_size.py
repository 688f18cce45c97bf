"""The access token of a person with as many sellers and guest ids as possible fits a cookie."""

from datetime import UTC, datetime
from secrets import token_hex

import pytest
from starlette.requests import Request
from starlette.responses import Response

from common.ids import new_id
from common.principal import Principal
from common.settings import Settings
from producers.services.sellers.model import MAX_SELLER_ID_CHARS, MAX_SELLERS, check_memberships
from producers.services.users.model import MAX_GUEST_IDS
from producers.services.users.sessions import access_claims
from producers.services.users.signing_keys import SigningKeys
from serving.gateway import cookies

MAX_COOKIE_BYTES = 4_096
"""Browsers drop a cookie whose name, value and attributes exceed this (RFC 6265, section 6.1)."""

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def sellers(count: int, chars: int) -> list[str]:
    """Return ids of sellers of this length."""
    return [f"{number:02d}".ljust(chars, "s") for number in range(count)]


@pytest.mark.parametrize(
    "seller_ids",
    [
        [new_id() for _ in range(MAX_SELLERS)],
        sellers(MAX_SELLERS, MAX_SELLER_ID_CHARS // MAX_SELLERS - 2),  # the quotes count
        sellers(MAX_SELLER_ID_CHARS // 130, 128),
    ],
    ids=["twenty sellers that applied here", "twenty long ids", "the longest ids"],
)
def test_the_largest_access_token_fits_a_cookie(seller_ids: list[str]) -> None:
    check_memberships(seller_ids)
    principal = Principal(
        new_id(),
        frozenset({"shopper", "seller", "analyst"}),
        (new_id(), *(token_hex(16) for _ in range(MAX_GUEST_IDS))),
        dict.fromkeys(seller_ids, "fulfilment"),
        None,
        new_id(),
    )
    keys = SigningKeys(Settings(internal_secret="a secret of the tests"))  # type: ignore[arg-type]
    token = keys.sign(keys.new(NOW), access_claims(principal, NOW))
    request = Request({"type": "http", "headers": [(b"host", b"shop.example")]})
    response = Response()

    cookies.set_tokens(request, response, {"access_token": token, "expires_in": 900})

    (sent,) = response.headers.getlist("set-cookie")
    assert sent.startswith("souk_access=")
    assert len(sent) < MAX_COOKIE_BYTES
