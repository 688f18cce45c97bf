"""Access tokens: the right key, algorithm and type; neither expired nor revoked."""

import base64
import hashlib
import hmac
from typing import Any

import orjson
import pytest
from joserfc import jws
from joserfc.jwk import OctKey, OKPKey

from common.principal import Principal
from common.problems import Problem
from serving.gateway.access_tokens import BAD_TOKEN, TOKEN_EXPIRED, TOKEN_REVOKED, AccessTokens

NOW = 1_800_000_000.0
ANA = Principal("ana", frozenset({"shopper"}), ("s1",), {}, None, "session-1")
KEY, OTHER = (OKPKey.generate_key("Ed25519", {"kid": name}) for name in ("k1", "k2"))
HEADER = {"alg": "Ed25519", "typ": "at+jwt", "kid": "k1"}


def claims(**changes: Any) -> dict[str, Any]:
    standard = {"iss": "souk", "aud": "souk", "iat": int(NOW) - 10, "exp": int(NOW) + 890}
    given = {**ANA.claims(), **standard, **changes}
    return {name: value for name, value in given.items() if value is not None}


def signed(
    content: dict[str, Any] | None = None, header: dict[str, Any] | None = None, key: OKPKey = KEY
) -> str:
    return jws.serialize_compact(
        HEADER | (header or {}), orjson.dumps(content or claims()), key, algorithms=["Ed25519"]
    )


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


@pytest.fixture
def tokens() -> AccessTokens:
    tokens = AccessTokens(lambda: NOW)
    tokens.set_keys([KEY.as_dict(private=False)])
    return tokens


def test_a_token_of_the_users_service_names_its_person(tokens: AccessTokens) -> None:
    assert tokens.verify(signed()) == ANA


def test_an_expired_token_is_refused(tokens: AccessTokens) -> None:
    with pytest.raises(Problem, check=TOKEN_EXPIRED.matches):
        tokens.verify(signed(claims(exp=int(NOW))))


def test_a_token_expires_also_if_it_was_verified_before() -> None:
    now = NOW
    tokens = AccessTokens(lambda: now)
    tokens.set_keys([KEY.as_dict(private=False)])
    token = signed()
    tokens.verify(token)
    now += 900
    with pytest.raises(Problem, check=TOKEN_EXPIRED.matches):
        tokens.verify(token)


def test_another_key_of_the_same_name_is_refused(tokens: AccessTokens) -> None:
    with pytest.raises(Problem, check=BAD_TOKEN.matches):
        tokens.verify(signed(key=OTHER))


def test_an_unknown_key_is_refused(tokens: AccessTokens) -> None:
    with pytest.raises(Problem, check=BAD_TOKEN.matches):
        tokens.verify(signed(header={"kid": "k2"}, key=OTHER))


def test_no_algorithm_is_refused(tokens: AccessTokens) -> None:
    for algorithm in ("none", "None", "NONE", ""):
        header = encoded(orjson.dumps(HEADER | {"alg": algorithm}))
        for signature in ("", signed().rsplit(".", 1)[1]):
            with pytest.raises(Problem, check=BAD_TOKEN.matches):
                tokens.verify(f"{header}.{encoded(orjson.dumps(claims()))}.{signature}")


def test_the_public_key_is_no_secret_of_an_hmac(tokens: AccessTokens) -> None:
    public = KEY.as_dict(private=False)
    for secret in (
        KEY.as_pem(private=False),
        base64.urlsafe_b64decode(public["x"] + "="),
        public["x"].encode(),
    ):
        head = encoded(orjson.dumps(HEADER | {"alg": "HS256"})) + "." + encoded(orjson.dumps(claims()))
        mac = hmac.new(secret, head.encode(), hashlib.sha256).digest()
        with pytest.raises(Problem, check=BAD_TOKEN.matches):
            tokens.verify(f"{head}.{encoded(mac)}")


def test_a_token_that_brings_its_own_key_is_refused(tokens: AccessTokens) -> None:
    with pytest.raises(Problem, check=BAD_TOKEN.matches):
        tokens.verify(signed(header={"kid": "k2", "jwk": OTHER.as_dict(private=False)}, key=OTHER))


def test_a_token_of_another_type_is_refused(tokens: AccessTokens) -> None:
    with pytest.raises(Problem, check=BAD_TOKEN.matches):
        tokens.verify(signed(header={"typ": "JWT"}))


def test_a_token_of_the_platform_is_no_access_token(tokens: AccessTokens) -> None:
    key = OctKey.generate_key(256)
    token = jws.serialize_compact({"alg": "HS256"}, orjson.dumps(claims()), key, algorithms=["HS256"])
    with pytest.raises(Problem, check=BAD_TOKEN.matches):
        tokens.verify(token)


def test_a_key_id_of_another_type_is_refused(tokens: AccessTokens) -> None:
    for key_id in (["a"], {"a": 1}, 1, None):
        header = encoded(orjson.dumps(HEADER | {"kid": key_id}))
        token = f"{header}.{encoded(orjson.dumps(claims()))}.{signed().rsplit('.', 1)[1]}"
        for ask in (tokens.verify, tokens.knows_key):
            with pytest.raises(Problem, check=BAD_TOKEN.matches):
                ask(token)


@pytest.mark.parametrize("changed", [{"iss": "evil"}, {"aud": "commerce"}, {"sub": None}, {"roles": ["god"]}])
def test_a_wrong_claim_is_refused(tokens: AccessTokens, changed: dict[str, Any]) -> None:
    with pytest.raises(Problem, check=BAD_TOKEN.matches):
        tokens.verify(signed(claims(**changed)))


def test_a_token_from_the_future_is_refused(tokens: AccessTokens) -> None:
    with pytest.raises(Problem, check=BAD_TOKEN.matches):
        tokens.verify(signed(claims(iat=int(NOW) + 60)))


def test_every_cut_token_is_refused(tokens: AccessTokens) -> None:
    token = signed()
    for length in range(len(token)):
        with pytest.raises(Problem, check=BAD_TOKEN.matches):
            tokens.verify(token[:length])


def test_a_long_text_is_refused_before_it_is_read(tokens: AccessTokens) -> None:
    with pytest.raises(Problem, check=BAD_TOKEN.matches):
        tokens.verify("a" * 100_000)


def test_the_tokens_of_an_ended_session_are_refused(tokens: AccessTokens) -> None:
    tokens.verify(signed())
    tokens.revoke("session-1", None, NOW)
    with pytest.raises(Problem, check=TOKEN_REVOKED.matches):
        tokens.verify(signed())


def test_a_suspended_person_gets_in_with_newer_tokens_only(tokens: AccessTokens) -> None:
    tokens.revoke(None, "ana", NOW - 5)
    with pytest.raises(Problem, check=TOKEN_REVOKED.matches):
        tokens.verify(signed())
    assert tokens.verify(signed(claims(iat=int(NOW)))) == ANA


def test_a_token_without_a_session_is_refused(tokens: AccessTokens) -> None:
    with pytest.raises(Problem, check=TOKEN_REVOKED.matches):
        tokens.verify(signed(claims(sid=None)))


def test_a_removed_key_ends_its_tokens(tokens: AccessTokens) -> None:
    tokens.verify(signed())
    tokens.set_keys([OTHER.as_dict(private=False)])
    with pytest.raises(Problem, check=BAD_TOKEN.matches):
        tokens.verify(signed())


def test_an_old_key_is_valid_beside_the_new_one(tokens: AccessTokens) -> None:
    tokens.set_keys([KEY.as_dict(private=False), OTHER.as_dict(private=False)])
    assert tokens.verify(signed()) == ANA
    assert tokens.verify(signed(header={"kid": "k2"}, key=OTHER)) == ANA
