"""The Ed25519 keys that sign access tokens: made, published before they sign, and deleted afterwards."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import orjson
import structlog
from joserfc import jws
from joserfc.jwk import OKPKey

from common.ids import new_id
from common.principal_token import derived_key
from common.settings import Settings
from producers.kit.encryption import NotDecryptable, seal, unseal
from producers.kit.http.problems import require
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.polling import poll
from producers.kit.postgres.statements import statement
from producers.services.users.model import KeyTimes, current_key, plan_keys
from producers.services.users.problems import KEYS_NOT_READY

log = structlog.get_logger()

ALGORITHM = "Ed25519"
"""The JWS algorithm (RFC 9864)."""

EVERY_S = 30.0


@dataclass(frozen=True, slots=True)
class StoredKey(KeyTimes):
    """A signing key. The private part is None if the key signs no more."""

    public_jwk: str
    sealed_private_jwk: bytes | None


class SigningKeys:
    """Makes keys, and reads those that the database keeps encrypted."""

    def __init__(self, settings: Settings) -> None:
        self._key = derived_key(settings, "signing keys")
        self._read: dict[str, OKPKey] = {}

    def new(self, signs_from: datetime) -> StoredKey:
        """Return a new key."""
        kid = new_id()
        key = OKPKey.generate_key("Ed25519")
        public = {**key.as_dict(private=False), "kid": kid, "use": "sig", "alg": ALGORITHM}
        private = orjson.dumps(key.as_dict(private=True))
        return StoredKey(kid, signs_from, orjson.dumps(public).decode(), seal(self._key, private, kid))

    def can_read(self, stored: StoredKey) -> bool:
        """Return whether the key can sign: it is not retired, and `internal_secret` has not changed."""
        return self._private(stored) is not None

    def sign(self, stored: StoredKey, claims: dict[str, Any]) -> str:
        """Return a signed access token with these claims.

        Raises:
            KEYS_NOT_READY: the key can't be read.
        """
        key = require(self._private(stored), KEYS_NOT_READY())
        header = {"alg": ALGORITHM, "kid": stored.kid, "typ": "at+jwt"}
        return jws.serialize_compact(header, orjson.dumps(claims), key, algorithms=[ALGORITHM])

    def _private(self, stored: StoredKey) -> OKPKey | None:
        """Return the private key; None if it can't be read."""
        if stored.kid not in self._read and stored.sealed_private_jwk is not None:
            with suppress(NotDecryptable):
                private = unseal(self._key, stored.sealed_private_jwk, stored.kid)
                self._read = {stored.kid: OKPKey.import_key(orjson.loads(private))}  # one signs at a time
        return self._read.get(stored.kid)


def public_keys(keys: list[StoredKey]) -> list[dict[str, Any]]:
    """Return keys as public JWKs."""
    return [orjson.loads(key.public_jwk) for key in keys]


def signing_key(keys: list[StoredKey], now: datetime) -> StoredKey:
    """Return the key that signs now.

    Raises:
        KEYS_NOT_READY: there is none yet.
    """
    return require(current_key(keys, now), KEYS_NOT_READY())


async def rotate_keys(transactions: Transactions, settings: Settings) -> None:
    """Create and delete keys when it is time, until cancelled."""
    keys, lifetime = SigningKeys(settings), timedelta(days=settings.signing_key_days)
    await poll("users signing keys", EVERY_S, partial(rotate_keys_once, transactions, keys, lifetime))


async def rotate_keys_once(transactions: Transactions, keys: SigningKeys, lifetime: timedelta) -> None:
    """Create a key if one is due, and delete those whose tokens have ended.

    A key that can't be read, because `internal_secret` has changed, is replaced at once. The tokens that it
    signed stay valid.

    Raises:
        one of `producers.kit.postgres.errors.TRANSIENT`: nothing was changed, or all of it.
    """
    async with transactions.begin(Trace("")) as tx:
        await _lock_signing_keys(tx)
        stored = await find_signing_keys(tx.sql)
        plan = plan_keys(stored, tx.now, lifetime)
        create_from = plan.create_from
        current = current_key(stored, tx.now)
        if current and not keys.can_read(current):
            log.warning("a signing key can't be read: internal_secret has changed", kid=current.kid)
            create_from = tx.now
        if create_from is not None:
            await _insert_signing_key(tx, keys.new(create_from))
        await _delete_private_keys(tx, plan.forget_private)
        await _delete_signing_keys(tx, plan.delete)


@statement("SELECT kid, public_jwk, sealed_private_jwk, signs_from FROM signing_keys ORDER BY signs_from")
async def find_signing_keys(sql: Any) -> list[StoredKey]:
    """Return all signing keys, the oldest first."""


@statement("SELECT pg_advisory_xact_lock(hashtextextended('users signing keys', 0))")
async def _lock_signing_keys(tx: Transaction) -> None:
    """Let no other transaction change the keys until this one has ended."""


@statement("""
    INSERT INTO signing_keys (kid, public_jwk, sealed_private_jwk, signs_from)
    VALUES (
        $key.kid::text, $key.public_jwk::text, $key.sealed_private_jwk::bytea, $key.signs_from::timestamptz
    )
""")
async def _insert_signing_key(tx: Transaction, key: StoredKey) -> None:
    """Insert a new key."""


@statement("""
    UPDATE signing_keys SET sealed_private_jwk = NULL
    WHERE kid = ANY ($kids::text[]) AND sealed_private_jwk IS NOT NULL
""")
async def _delete_private_keys(tx: Transaction, kids: Sequence[str]) -> None:
    """Delete the private parts of keys, which sign no more."""


@statement("DELETE FROM signing_keys WHERE kid = ANY ($kids::text[])")
async def _delete_signing_keys(tx: Transaction, kids: Sequence[str]) -> None:
    """Delete keys whose last tokens have ended."""
