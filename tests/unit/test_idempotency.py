"""Stored responses are readable only with the key of their request; some routes store none."""

import pytest
from cryptography.exceptions import InvalidTag
from pydantic import SecretStr
from starlette.responses import Response

from common.access_policy import allow, anyone
from common.settings import Settings
from producers.kit.http.idempotency import is_valid_key
from producers.kit.idempotency.sealed_response import ResponseSealer, seal, unseal

SEALER, ANOTHER = (ResponseSealer(Settings(internal_secret=SecretStr(text))) for text in ("one", "two"))
REQUEST = SEALER.keyed("user-1", "PUT /v1/stock", "key-1")


def test_a_stored_response_has_the_body_and_some_headers_of_the_first_one() -> None:
    headers = {"Location": "/v1/things/1", "Cache-Control": "no-store", "Set-Cookie": "session=1"}
    first = Response('{"é": 1}', 201, headers, "application/json")

    again = unseal(REQUEST, 201, seal(REQUEST, first))

    assert (again.status_code, again.body) == (201, first.body)
    assert dict(again.headers) == {
        name: value for name, value in first.headers.items() if name != "set-cookie"
    }


def test_a_response_without_a_body_is_stored_too() -> None:
    assert unseal(REQUEST, 204, seal(REQUEST, Response(status_code=204))).body == b""


@pytest.mark.parametrize(
    "other",
    [
        SEALER.keyed("user-2", "PUT /v1/stock", "key-1"),
        SEALER.keyed("user-1", "PUT /v1/other", "key-1"),
        SEALER.keyed("user-1", "PUT /v1/stock", "key-2"),
        ANOTHER.keyed("user-1", "PUT /v1/stock", "key-1"),
    ],
)
def test_another_sender_route_key_or_secret_has_another_id_and_can_not_read_it(other) -> None:
    sealed = seal(REQUEST, Response("ana@example.org"))

    assert other.request_id != REQUEST.request_id
    assert b"ana" not in sealed
    with pytest.raises(InvalidTag):
        unseal(other, 200, sealed)


def test_the_parts_of_a_request_s_identity_can_not_be_shifted() -> None:
    assert SEALER.keyed("a", "bc", "d") != SEALER.keyed("ab", "c", "d")


@pytest.mark.parametrize("key", ["", "x" * 256, "é", "a\tb", "a\x00"])
def test_a_key_that_is_empty_too_long_or_not_printable_is_invalid(key: str) -> None:
    assert not is_valid_key(key)


def test_routes_with_tokens_secrets_or_a_way_of_their_own_store_no_response() -> None:
    assert allow("seller", traffic="write").stores_responses
    assert not anyone("sign_in").stores_responses
    assert not allow("shopper", traffic="sign_in").stores_responses
    assert not allow("seller", traffic="write", secret_response=True).stores_responses
    assert not allow("guest", traffic="checkout", handles_idempotency_key=True).stores_responses
