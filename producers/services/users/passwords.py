"""Hashes and verifies passwords with Argon2id, in a few threads beside the event loop."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from producers.services.users.model import canonical_password
from producers.services.users.problems import HashingBusy

T = TypeVar("T")

MEMORY_KIB, ITERATIONS, LANES = 19 * 1024, 2, 1
"""Argon2id parameters: the minimum of the OWASP Password Storage Cheat Sheet."""

AT_ONCE = 2
"""Hashes computed at the same time. Each needs `MEMORY_KIB` and a core."""

MAX_WAITING = 32
"""Further requests that wait for a thread, about a second in all. More are refused."""


class Passwords:
    """Hashes and verifies. Every method raises `HashingBusy` if too many requests wait already."""

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
            raise HashingBusy

    async def _run(self, compute: Callable[[], T]) -> T:
        self.require_capacity()
        self._pending += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, compute)
        finally:
            self._pending -= 1
