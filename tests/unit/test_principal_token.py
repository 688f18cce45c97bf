"""Tokens between processes of the platform: one key, one audience, one minute."""

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import OctKey
from pydantic import SecretStr

from common.errors import UserError
from common.principal import Principal, guest, platform
from common.principal_token import (
    COMMERCE,
    GATEWAY,
    InvalidToken,
    PlatformToken,
    PrincipalTokens,
    Sender,
    derived_key,
)
from common.settings import Settings

SETTINGS = Settings(internal_secret=SecretStr("one"))
NOW = 1_800_000_000.0


class FakeTime:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


def test_the_audience_reads_the_same_principal() -> None:
    principal = Principal(
        "u", frozenset({"seller"}), ("s",), {"ana": "owner"}, frozenset({"stock:write"}), "sid"
    )
    tokens = PrincipalTokens(SETTINGS)
    assert tokens.verify(tokens.make(principal, COMMERCE), COMMERCE) == principal


def test_the_audience_reads_the_address_of_a_sender_without_a_principal() -> None:
    tokens = PrincipalTokens(SETTINGS)
    token = tokens.make(None, COMMERCE, "203.0.113.7")
    assert tokens.verify_sender(token, COMMERCE) == Sender(None, "203.0.113.7")
    with pytest.raises(InvalidToken):
        tokens.verify(token, COMMERCE)


def test_two_addresses_of_a_principal_have_two_tokens() -> None:
    tokens = PrincipalTokens(SETTINGS)
    home, office = (tokens.make(guest("g"), COMMERCE, address) for address in ("203.0.113.7", "198.51.100.2"))
    assert tokens.verify_sender(home, COMMERCE).address == "203.0.113.7"
    assert tokens.verify_sender(office, COMMERCE).address == "198.51.100.2"


def test_a_token_for_another_audience_is_refused() -> None:
    tokens = PrincipalTokens(SETTINGS)
    with pytest.raises(InvalidToken):
        tokens.verify(tokens.make(guest("g"), GATEWAY), COMMERCE)


def test_a_token_ends_also_if_it_was_verified_before() -> None:
    time = FakeTime()
    tokens = PrincipalTokens(SETTINGS, time)
    token = tokens.make(guest("g"), COMMERCE)
    tokens.verify(token, COMMERCE)
    time.now += 61
    with pytest.raises(InvalidToken):
        tokens.verify(token, COMMERCE)


def test_a_cached_token_is_valid_for_another_half_minute() -> None:
    time = FakeTime()
    tokens = PrincipalTokens(SETTINGS, time)
    first = tokens.make(guest("g"), COMMERCE)
    time.now += 29
    assert tokens.make(guest("g"), COMMERCE) == first
    time.now += 2
    assert tokens.make(guest("g"), COMMERCE) != first


def test_a_token_of_another_platform_is_refused() -> None:
    other = PrincipalTokens(Settings(internal_secret=SecretStr("two")))
    with pytest.raises(InvalidToken):
        PrincipalTokens(SETTINGS).verify(other.make(platform("x"), COMMERCE), COMMERCE)


CLAIMS = {**platform("x").claims(), "aud": COMMERCE, "exp": int(NOW) + 60}


@pytest.mark.parametrize("algorithm", ["none", "HS512", "HS384"])
def test_another_algorithm_is_refused(algorithm: str) -> None:
    key = OctKey.import_key(derived_key(SETTINGS, "principal tokens"))
    signed = jws.serialize_compact({"alg": algorithm}, orjson.dumps(CLAIMS), key, algorithms=[algorithm])
    with pytest.raises(InvalidToken):
        PrincipalTokens(SETTINGS, FakeTime()).verify(signed, COMMERCE)


@pytest.mark.parametrize("cut", ["", "a", "a.b", "a.b.c", "é.b.c", "....", "e30.e30."])
def test_what_is_no_token_is_refused(cut: str) -> None:
    with pytest.raises(InvalidToken):
        PrincipalTokens(SETTINGS).verify(cut, COMMERCE)


def test_every_changed_character_is_noticed() -> None:
    tokens = PrincipalTokens(SETTINGS)
    token = tokens.make(platform("x"), COMMERCE)
    for position in range(0, len(token) - 1, 7):
        changed = "A" if token[position] != "A" else "B"
        with pytest.raises(InvalidToken):
            tokens.verify(token[:position] + changed + token[position + 1 :], COMMERCE)


@pytest.mark.parametrize("missing", ["sub", "roles", "aud", "exp"])
def test_a_token_without_a_claim_is_refused(missing: str) -> None:
    key = OctKey.import_key(derived_key(SETTINGS, "principal tokens"))
    claims = {name: value for name, value in CLAIMS.items() if name != missing}
    signed = jws.serialize_compact({"alg": "HS256"}, orjson.dumps(claims), key, algorithms=["HS256"])
    with pytest.raises(InvalidToken):
        PrincipalTokens(SETTINGS, FakeTime()).verify(signed, COMMERCE)


def test_without_a_secret_nothing_is_signed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOUK_INTERNAL_SECRET")
    with pytest.raises(UserError, match=r"\./souk up"):
        PlatformToken(Settings(), "demo")


def test_keys_of_two_purposes_differ() -> None:
    assert derived_key(SETTINGS, "a") != derived_key(SETTINGS, "b")
