"""Passwords: hashed and verified with Argon2id in a few threads, and guessed slowly.

An attempt counts as a failure until it has succeeded. Guesses from a device that has signed in to the account
before are counted apart from those of everybody else (OWASP's device cookies): an attacker who is slowed down
therefore does not slow down the owner.

See https://owasp.org/www-community/Slow_Down_Online_Guessing_Attacks_with_Device_Cookies.
"""

import asyncio
import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from secrets import token_bytes
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from common.principal_token import derived_key
from common.settings import Settings
from producers.kit.throttles import FREE_FAILURES, FREE_FAILURES_OF_ADDRESS, SubjectNames, Subjects
from producers.services.users.model import canonical_password, password_flaw
from producers.services.users.problems import HASHING_BUSY, WEAK_PASSWORD

T = TypeVar("T")

MEMORY_KIB, ITERATIONS, LANES = 19 * 1024, 2, 1
"""Argon2id parameters: the minimum of the OWASP Password Storage Cheat Sheet."""

AT_ONCE = 2
"""Hashes computed at the same time. Each needs `MEMORY_KIB` and a core."""

MAX_WAITING = 32
"""Further requests that wait for a thread, about a second in all. More are refused."""

_NONCE_BYTES = 16
_DIGEST_BYTES = 32


class Passwords:
    """Hashes and verifies. Its methods raise `HASHING_BUSY` if too many requests wait already."""

    def __init__(self) -> None:
        self._hash = PasswordHash((Argon2Hasher(ITERATIONS, MEMORY_KIB, LANES),))
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")
        self._pending = 0
        self._dummy: str | None = None
        self.verified = 0
        """The number of passwords that were compared with a hash."""

    async def hash(self, password: str) -> str:
        """Return the hash of a password, with a new salt."""
        return await self._run(lambda: self._hash.hash(canonical_password(password)))

    async def verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        """Return whether a password is right, and a new hash if the stored one has other parameters.

        Without a stored hash, compare with a dummy: the answer is no, and takes as long.
        """
        return await self._run(lambda: self._verify(canonical_password(password), stored))

    def _verify(self, password: str, stored: str | None) -> tuple[bool, str | None]:
        self.verified += 1
        if self._dummy is None:
            self._dummy = self._hash.hash("the password of nobody")
        is_right, updated = self._hash.verify_and_update(password, stored or self._dummy)
        return (is_right, updated) if stored else (False, None)

    def require_capacity(self) -> None:
        """Check that a hash can be computed soon."""
        if self._pending >= AT_ONCE + MAX_WAITING:
            raise HASHING_BUSY()

    async def _run(self, compute: Callable[[], T]) -> T:
        self.require_capacity()
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, compute)
        finally:
            self._pending -= 1


def check_password(password: str, email: str) -> None:
    """Check that a password can be chosen.

    Raises:
        WEAK_PASSWORD: it can't.
    """
    if flaw := password_flaw(password, email):
        raise WEAK_PASSWORD(flaw=flaw)


class DeviceTokens:
    """Makes and reads device tokens, and names the subjects whose failed guesses are counted.

    A device token says that an account was signed in to from a device before. It opens nothing: its holder
    still needs the password.
    """

    def __init__(self, settings: Settings) -> None:
        self._key = derived_key(settings, "device tokens")
        self._subjects = SubjectNames(settings)

    def new(self, email: str) -> str:
        """Return a token of a new device of an account. It contains no e-mail address."""
        nonce = token_bytes(_NONCE_BYTES)
        return urlsafe_b64encode(nonce + self._signature(email, nonce)).decode().rstrip("=")

    def device(self, token: str | None, email: str) -> bytes | None:
        """Return the id of the device; None without a token, or if it is of another account."""
        if not token:
            return None
        try:
            decoded = urlsafe_b64decode(token + "=" * (-len(token) % 4))
        except (binascii.Error, ValueError):
            return None
        nonce, signature = decoded[:_NONCE_BYTES], decoded[_NONCE_BYTES:]
        is_ours = len(decoded) == _NONCE_BYTES + _DIGEST_BYTES
        return nonce if is_ours and hmac.compare_digest(signature, self._signature(email, nonce)) else None

    def account(self, email: str) -> bytes:
        """Return the subject of guesses for an account from devices without a token of it."""
        return self._subjects.of("account", email.encode())

    def account_on_device(self, email: str, device: bytes) -> bytes:
        """Return the subject of guesses for an account on one of its devices."""
        return self._subjects.of("device", device, email.encode())

    def signed_in(self, email: str) -> bytes:
        """Return the subject of wrong passwords of somebody who is signed in to the account."""
        return self._subjects.of("signed in", email.encode())

    def registration(self, token_sha256: bytes) -> bytes:
        """Return the subject of wrong passwords of somebody who has the link of a registration."""
        return self._subjects.of("registration", token_sha256)

    def address(self, address: str) -> bytes:
        """Return the subject of guesses for any account from an address."""
        return self._subjects.address(address)

    def _signature(self, email: str, nonce: bytes) -> bytes:
        return hmac.digest(self._key, nonce + email.encode(), hashlib.sha256)


def sign_in_subjects(devices: DeviceTokens, email: str, device: bytes | None, address: str) -> Subjects:
    """Return the subjects of an attempt to sign in. On a device of the account, only the device counts."""
    if device is not None:
        return {devices.account_on_device(email, device): FREE_FAILURES}
    return {devices.account(email): FREE_FAILURES, devices.address(address): FREE_FAILURES_OF_ADDRESS}


def registration_subjects(devices: DeviceTokens, token_sha256: bytes, address: str) -> Subjects:
    """Return the subjects of an attempt to verify the e-mail address of a registration."""
    return {
        devices.registration(token_sha256): FREE_FAILURES,
        devices.address(address): FREE_FAILURES_OF_ADDRESS,
    }
