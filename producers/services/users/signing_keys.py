"""The Ed25519 keys that sign access tokens: made, published before they sign, and deleted afterwards."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import orjson
import structlog
from joserfc import jws
from joserfc.jwk import OKPKey

from common.ids import new_id
from common.principal_token import derived_key
from common.settings import Settings
from producers.kit.backoff import Backoff
from producers.kit.encryption import NotDecryptable, seal, unseal
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.errors import RETRYABLE
from producers.services.users import signing_key_store
from producers.services.users.model import KeyTimes, current_key, plan_keys
from producers.services.users.problems import KeysNotReady
from producers.services.users.signing_key_store import StoredKey

log = structlog.get_logger()

ALGORITHM = "Ed25519"
"""The JWS algorithm (RFC 9864)."""

EVERY_S = 30.0


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
        return StoredKey(kid, orjson.dumps(public).decode(), seal(self._key, private, kid), signs_from)

    def can_read(self, stored: StoredKey) -> bool:
        """Return whether the key can sign: it is not retired, and `internal_secret` has not changed."""
        try:
            self._private(stored)
        except KeysNotReady:
            return False
        return True

    def sign(self, stored: StoredKey, claims: dict[str, Any]) -> str:
        """Return a signed access token with these claims.

        Raises:
            KeysNotReady: the key can't be read.
        """
        header = {"alg": ALGORITHM, "kid": stored.kid, "typ": "at+jwt"}
        key = self._private(stored)
        return jws.serialize_compact(header, orjson.dumps(claims), key, algorithms=[ALGORITHM])

    def _private(self, stored: StoredKey) -> OKPKey:
        key = self._read.get(stored.kid)
        if key is not None:
            return key
        if stored.sealed_private_jwk is None:
            raise KeysNotReady
        try:
            key = OKPKey.import_key(orjson.loads(unseal(self._key, stored.sealed_private_jwk, stored.kid)))
        except NotDecryptable as error:
            raise KeysNotReady from error
        self._read = {stored.kid: key}  # one key signs at a time
        return key


def public_keys(keys: list[StoredKey]) -> list[dict[str, Any]]:
    """Return keys as public JWKs."""
    return [orjson.loads(key.public_jwk) for key in keys]


def signing_key(keys: list[StoredKey], now: datetime) -> StoredKey:
    """Return the key that signs now.

    Raises:
        KeysNotReady: there is none yet.
    """
    current = current_key([_times(key) for key in keys], now)
    if current is None:
        raise KeysNotReady
    return next(key for key in keys if key.kid == current.kid)


async def rotate_keys(transactions: Transactions, settings: Settings) -> None:
    """Create and delete keys when it is time, until cancelled."""
    keys, lifetime = SigningKeys(settings), timedelta(days=settings.signing_key_days)
    backoff = Backoff("users signing keys")
    while True:
        try:
            await rotate_keys_once(transactions, keys, lifetime)
        except RETRYABLE as error:
            await backoff.wait(error)
        else:
            backoff.reset()
            await asyncio.sleep(EVERY_S)


async def rotate_keys_once(transactions: Transactions, keys: SigningKeys, lifetime: timedelta) -> None:
    """Create a key if one is due, and delete those whose tokens have ended.

    A key that can't be read, because `internal_secret` has changed, is replaced at once. The tokens that it
    signed stay valid.

    Raises:
        one of `producers.kit.postgres.errors.TRANSIENT`: nothing was changed, or all of it.
    """
    async with transactions.begin(Trace("")) as tx:
        await signing_key_store.lock_signing_keys(tx)
        stored = await signing_key_store.find_signing_keys(tx.sql)
        plan = plan_keys([_times(key) for key in stored], tx.now, lifetime)
        create_from = plan.create_from
        current = current_key([_times(key) for key in stored], tx.now)
        if current and not keys.can_read(next(key for key in stored if key.kid == current.kid)):
            log.warning("a signing key can't be read: internal_secret has changed", kid=current.kid)
            create_from = tx.now
        if create_from is not None:
            await signing_key_store.insert_signing_key(tx, keys.new(create_from))
        await signing_key_store.retire_signing_keys(tx, plan.forget_private, plan.delete)


def _times(key: StoredKey) -> KeyTimes:
    return KeyTimes(key.kid, key.signs_from)
