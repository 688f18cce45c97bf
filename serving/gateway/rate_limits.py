"""Limits how many requests a minute a person, an API key, a guest and a network address may send.

All processes count together in Redis, by the sliding window of the library `limits`. Two allowances save the
round trip of almost every request:

* On credit: a process admits up to 2 % of a limit before it reports these requests to Redis.
* By lease: with each report it reserves 5 % of the limit, and admits that many requests without asking.

So the number of requests in a window exceeds the limit by at most 2 % for each process, and such a debt is
repaid before further requests are admitted. A process that has reserved requests without using them keeps
others from using them, at most 5 % of the limit for 10 seconds. A limit below 50 has no credit, and leases of
one request: each request waits for Redis until its timeout, and the limit is exact.

While Redis does not answer, each process applies the whole limit to the requests that it has admitted itself.
"""

import asyncio
from collections.abc import Callable
from hashlib import blake2b
from ipaddress import IPv6Address
from math import ceil, floor, inf
from time import monotonic
from typing import Any, NamedTuple, Protocol

from limits.aio.storage import RedisStorage
from redis.asyncio import Redis
from redis.exceptions import RedisError

from common.access_policy import TrafficClass
from common.configuration.definitions import RATE_LIMITS
from common.principal import Principal
from common.problems import Problem
from serving.kit.circuit_breaker import BreakerOpen, BreakerSettings, BreakerState, CircuitBreaker


class WindowCount(NamedTuple):
    """The requests of the previous and of the current window, which ends in `ends_in_s`."""

    previous: int
    current: int
    ends_in_s: float
    window_s: float

    @property
    def used(self) -> int:
        """The requests in the sliding window, rounded down."""
        return floor(self.previous * self.ends_in_s / self.window_s) + self.current

    def seconds_until(self, limit: int, cost: int = 1) -> float:
        """Return after how many seconds without requests `cost` more fit into `limit`; `inf` if never."""
        if self.used + cost <= limit:
            return 0.0
        if cost > limit:
            return inf
        if self.current + cost <= limit:
            # The weighted count of the previous window must fall below this number.
            share = (limit - self.current - cost + 1) / self.previous
            return max(0.0, self.ends_in_s - share * self.window_s)
        share = (limit - cost + 1) / self.current
        return self.ends_in_s + max(0.0, 1 - share) * self.window_s


class SlidingWindow:
    """A count in this process. The caller passes the time of a monotonic clock, in seconds.

    The window is approximated by two fixed ones: the count is that of the current window, plus the count of
    the one before, weighted by the part of it that the sliding window still covers. The library `limits`
    computes it in the same way in Redis.
    """

    __slots__ = ("_current", "_previous", "_started", "_window_s")

    def __init__(self, window_s: float, now: float) -> None:
        self._window_s = window_s
        self._started = now
        self._previous = self._current = 0

    def count(self, now: float) -> WindowCount:
        """Return the count at this time."""
        elapsed = now - self._started
        if elapsed >= self._window_s:
            is_next = elapsed < 2 * self._window_s
            self._started = self._started + self._window_s if is_next else now
            self._previous, self._current = (self._current if is_next else 0), 0
            elapsed = now - self._started
        return WindowCount(self._previous, self._current, self._window_s - elapsed, self._window_s)

    def add(self, requests: int = 1) -> None:
        """Count requests in the current window. Call `count` before, which begins it."""
        self._current += requests


WINDOW_S = 60

LIMITS: dict[TrafficClass, int] = {
    **{traffic: setting.default for traffic, setting in RATE_LIMITS.items()},
    "operations": 600,
}
"""Requests a minute by traffic class, of one person, API key or guest; `sign_in`: of one address."""

ADDRESS_FACTOR = 10
"""An address may send this many times the requests of one guest, because many people may share it."""

SMALL_LIMIT = 50
"""Limits below this are exact."""

CREDIT_DIVISOR, LEASE_DIVISOR = 50, 20
LEASE_S = 10.0
REDIS_TIMEOUT_S, WAIT_S = 1.0, 0.1
"""Timeout of a report, and how long a request waits for it before this process decides alone. A report that
nobody waits for may take longer, because a busy event loop reads its reply late. A request under a small
limit waits for the whole timeout."""

CONNECTIONS = 4
"""The largest number of reports at the same time. Further ones wait."""

BREAKER = BreakerSettings(window=6, minimum_calls=3, max_open_s=5.0, trials=3)
"""Redis is tried again soon, because a trial costs few requests at most `WAIT_S`."""

MAX_COUNTERS = 20_000
"""Counters of one process are dropped, oldest first, once there are between one and two times this many."""


class SharedStorage(Protocol):
    """The methods of a storage of `limits.aio` that are used here."""

    async def acquire_sliding_window_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """Count `amount` requests and return True, or return False if the limit does not allow it."""

    async def get_sliding_window(self, key: str, expiry: int) -> tuple[int, float, int, float]:
        """Return count and remaining seconds of the previous, then of the current window."""


def shared_counts(redis: Redis) -> SharedStorage:
    """Return the counts in this Redis. They use the client's connections."""
    pool: Any = redis.connection_pool
    return RedisStorage("redis://", implementation="redispy", key_prefix="rate_limit", connection_pool=pool)


class RateLimit(NamedTuple):
    """The state of a limit after a request. `reset_s`: seconds until the window ends, or, if the request is
    refused, until the next one is admitted."""

    allowed: bool
    limit: int
    remaining: int
    reset_s: float
    policy: str

    def headers(self) -> dict[str, str]:
        """Return the headers of the response (draft-ietf-httpapi-ratelimit-headers-11)."""
        return {
            "RateLimit-Policy": f'"{self.policy}";q={self.limit};w={WINDOW_S}',
            "RateLimit": f'"{self.policy}";r={self.remaining};t={ceil(self.reset_s)}',
        }


class QuotaExceeded(Problem):
    """The sender has sent too many requests within a minute."""

    status, kind, title = 429, "quota-exceeded", "Too many requests"

    def __init__(self, exceeded: RateLimit) -> None:
        self.retry_after_s = max(1, ceil(exceeded.reset_s))
        self.headers = exceeded.headers()
        self.extensions = {"violated-policies": [exceeded.policy]}
        super().__init__(
            f"The limit is {exceeded.limit} requests a minute ({exceeded.policy}). "
            f"Send the next one in {self.retry_after_s} s."
        )


class _Counter:
    """What this process knows of one limit: a sender and a traffic class."""

    __slots__ = (
        *("available", "key", "lease", "lease_until", "limit", "refused_until", "reporting", "seen_at"),
        *("unreported", "window"),
    )

    def __init__(self, key: str, now: float) -> None:
        self.key = key
        self.window = SlidingWindow(WINDOW_S, now)
        self.unreported = 0
        """Requests that were admitted on credit, which Redis does not count yet."""
        self.lease = 0
        """Requests that Redis counts, which were not sent yet."""
        self.lease_until = self.refused_until = 0.0
        self.limit = 0
        self.seen_at = now
        self.available: int | None = None
        """Requests that Redis would have admitted after the last report."""
        self.reporting: asyncio.Task[bool] | None = None

    def seen(self, limit: int, now: float) -> None:
        """Drop what is older than a window, and what was decided by another limit."""
        if limit != self.limit:
            self.limit, self.lease, self.refused_until, self.available = limit, 0, 0.0, None
        if now - self.seen_at > WINDOW_S:
            self.unreported = 0
            self.available = None
        if self.lease and now >= self.lease_until:
            self.lease = 0
        self.seen_at = now


class RateLimits:
    """The limits of one process. Create it in the event loop that checks requests."""

    def __init__(
        self,
        storage: SharedStorage | None,
        limit_of: Callable[[TrafficClass], int] = LIMITS.__getitem__,
        now: Callable[[], float] = monotonic,
    ) -> None:
        """`storage` has the counts of all processes; None: each process counts by itself."""
        self._storage, self._limit_of, self._now = storage, limit_of, now
        self.breaker = CircuitBreaker("rate_limits", (RedisError, OSError), BREAKER, now)
        self._connections = asyncio.Semaphore(CONNECTIONS)
        self._recent: dict[str, _Counter] = {}
        self._older: dict[str, _Counter] = {}

    async def check(
        self, principal: Principal | None, address: str, traffic: TrafficClass
    ) -> RateLimit | None:
        """Count a request and return the limit that is closest to being exceeded; None if nothing limits it.

        It never fails, and waits for Redis at most `WAIT_S`, or `REDIS_TIMEOUT_S` under a small limit.
        `address` is the client's.
        """
        limit = self._limit_of(traffic)
        is_guest = principal is None or "guest" in principal.roles
        if principal is not None and "platform" in principal.roles:
            return None
        if traffic == "sign_in":
            return await self._count(f"{traffic}:{_network(address)}", limit, traffic)
        if principal is not None and not is_guest:
            return await self._count(f"{traffic}:{principal.subject}", limit, traffic)
        of_address = await self._count(
            f"{traffic}:{_network(address)}", limit * ADDRESS_FACTOR, f"{traffic}_address"
        )
        if principal is None or not of_address.allowed:
            return of_address
        own = await self._count(f"{traffic}:{principal.subject}", limit, traffic)
        return own if not own.allowed or own.remaining <= of_address.remaining else of_address

    async def _count(self, key: str, limit: int, policy: str) -> RateLimit:
        now = self._now()
        counter = self._counter(key, now)
        counter.seen(limit, now)
        allowed = self._admit(counter, limit, now)
        while allowed is None:
            reported = await self._is_reported(counter, limit)
            now = self._now()
            allowed = self._admit(counter, limit, now) if reported else self._admit_alone(counter, limit, now)
        return _state(counter, limit, policy, allowed, now)

    def _admit(self, counter: _Counter, limit: int, now: float) -> bool | None:
        """Return whether a request is admitted, and count it; None if it must wait for a report to Redis."""
        if self._storage is None or self.breaker.state is BreakerState.OPEN:
            return self._admit_alone(counter, limit, now)
        if counter.lease:
            counter.lease -= 1
            if counter.lease * 3 < _lease(limit) - 1:  # not for a lease of one request
                self._report(counter, limit)
        elif now < counter.refused_until:
            return False
        elif counter.unreported < _credit(limit):
            counter.unreported += 1
            if counter.unreported * 2 >= _credit(limit):
                self._report(counter, limit)
        else:
            return None
        counter.window.count(now)
        counter.window.add()
        return True

    def _admit_alone(self, counter: _Counter, limit: int, now: float) -> bool:
        """Return whether a request is admitted by the count of this process, and count it."""
        if counter.window.count(now).used >= limit:
            return False
        counter.window.add()
        return True

    def _report(self, counter: _Counter, limit: int) -> "asyncio.Task[bool]":
        """Report what was admitted on credit and reserve more, unless that is going on already."""
        if counter.reporting is None:
            counter.reporting = asyncio.create_task(self._exchange(counter, limit))
        return counter.reporting

    async def _is_reported(self, counter: _Counter, limit: int) -> bool:
        """Report, and return whether Redis answered in time."""
        wait_s = WAIT_S if limit >= SMALL_LIMIT else REDIS_TIMEOUT_S
        done, _ = await asyncio.wait((self._report(counter, limit),), timeout=wait_s)
        return bool(done) and done.pop().result()

    async def _exchange(self, counter: _Counter, limit: int) -> bool:
        """Report and reserve, and return whether Redis answered."""
        try:
            async with self._connections:
                with self.breaker.attempt():
                    async with asyncio.timeout(REDIS_TIMEOUT_S):
                        await self._reserve(counter, limit)
            return True
        except (BreakerOpen, RedisError, OSError):
            return False
        finally:
            counter.reporting = None

    async def _reserve(self, counter: _Counter, limit: int) -> None:
        assert self._storage is not None
        owed = min(counter.unreported, _credit(limit))  # the limit may have been lowered
        amount = owed + _lease(limit)
        key = blake2b(counter.key.encode(), digest_size=12).hexdigest()  # no id of a person is stored
        taken = await self._storage.acquire_sliding_window_entry(key, limit, WINDOW_S, amount)
        count = await self._window(key)
        if not taken and (left := limit - count.used) > owed:
            amount = left
            taken = await self._storage.acquire_sliding_window_entry(key, limit, WINDOW_S, amount)
            count = await self._window(key)
        if taken:
            counter.unreported -= owed
        if counter.limit != limit:  # it was changed meanwhile
            return
        now = self._now()
        counter.available = max(0, limit - count.used)
        if taken:
            counter.lease += amount - owed
            counter.lease_until = now + LEASE_S
        else:
            counter.refused_until = now + min(max(0.01, count.seconds_until(limit, owed + 1)), WINDOW_S)

    async def _window(self, key: str) -> WindowCount:
        assert self._storage is not None
        previous, _, current, ends_in_s = await self._storage.get_sliding_window(key, WINDOW_S)
        return WindowCount(previous, current, max(0.0, ends_in_s - WINDOW_S), WINDOW_S)

    def _counter(self, key: str, now: float) -> _Counter:
        counter = self._recent.get(key)
        if counter is None:
            counter = self._older.pop(key, None) or _Counter(key, now)
            if len(self._recent) >= MAX_COUNTERS:
                self._older, self._recent = self._recent, {}
            self._recent[key] = counter
        return counter


def _credit(limit: int) -> int:
    """Return how many requests a process admits before it reports them. Only large limits have a credit."""
    return limit // CREDIT_DIVISOR if limit >= SMALL_LIMIT else 0


def _lease(limit: int) -> int:
    """Return how many requests a process reserves with a report."""
    return limit // LEASE_DIVISOR if limit >= SMALL_LIMIT else 1


def _state(counter: _Counter, limit: int, policy: str, allowed: bool, now: float) -> RateLimit:
    count = counter.window.count(now)
    remaining = limit - count.used
    if counter.available is not None:
        remaining = min(remaining, counter.available + counter.lease - counter.unreported)
    if allowed:
        return RateLimit(True, limit, max(0, remaining), count.ends_in_s, policy)
    reset_s = counter.refused_until - now if now < counter.refused_until else count.seconds_until(limit)
    return RateLimit(False, limit, 0, min(reset_s, WINDOW_S), policy)


def _network(address: str) -> str:
    """Return an IPv4 address unchanged, and the /64 network of an IPv6 address, which is one connection's."""
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return IPv6Address(int(parsed) >> 64 << 64).compressed + "/64"
