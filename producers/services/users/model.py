"""The rules of accounts, without a database: passwords, e-mail addresses, refresh and keys."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Literal, TypeVar

from common.email_address import normalized_email

ChosenRole = Literal["shopper", "analyst", "admin"]
"""The roles that an administrator gives. `seller` follows from the staff of sellers."""

DemoRole = Literal["shopper", "seller", "analyst", "admin"]

ACCESS_TOKEN_LIFETIME = timedelta(minutes=15)
REVOCATION_LIFETIME = timedelta(minutes=20)
"""How long a revocation is kept: longer than any access token lives."""

SESSION_LIFETIME = timedelta(days=30)
"""A session ends if it is not refreshed for this time."""

VERIFICATION_LIFETIME = timedelta(hours=24)
PASSWORD_RESET_LIFETIME = timedelta(hours=1)
EMAIL_CHANGE_LIFETIME = timedelta(hours=24)

FIRST_RECOMMENDATION_MAIL_AFTER = timedelta(days=1)
"""The first mail with recommendations follows so long after a person has agreed to them."""

BROWSER_GRACE = timedelta(seconds=10)
"""How long a browser may use a refresh token after another tab of it has replaced the token."""

MAX_GUEST_IDS = 20
"""Ids of a person's time as a guest that an access token contains, the newest ones."""

MAX_ADDRESSES = 20
MAX_FOLLOWED_SELLERS = 200

MIN_PASSWORD_CHARS, MAX_PASSWORD_CHARS = 10, 200

COMMON_PASSWORDS = frozenset(
    {
        "0123456789", "0987654321", "1111111111", "1122334455", "1234567890", "12345678910", "123456789a",
        "1q2w3e4r5t", "1q2w3e4r5t6y", "1qaz2wsx3edc", "9876543210", "a123456789", "aaaaaaaaaa", "abc1234567",
        "abcd123456", "abcdefghij", "administrator", "alexander1", "basketball", "changeme123", "football123",
        "iloveyou12", "iloveyou123", "letmein123", "manchester", "password01", "password10", "password12",
        "password123", "password1234", "password12345", "passw0rd123", "princess123", "q1w2e3r4t5",
        "q1w2e3r4t5y6", "qwerty1234", "qwerty12345", "qwerty123456", "qwertyuiop", "superman123",
        "sunshine123", "welcome123", "zaq12wsxcde",
    }
)  # fmt: skip
"""The commonest passwords of at least `MIN_PASSWORD_CHARS` characters, in lower case."""

PUBLISHED_BEFORE = timedelta(minutes=10)
"""How long a key is published before it signs, so that everybody who verifies tokens knows it."""


def is_email(email: str) -> bool:
    """Return whether a normalized text looks like an address. Only a mail to it can prove that it exists."""
    local, at, domain = email.rpartition("@")
    labels = domain.split(".")
    return (
        bool(at and local and len(email) <= 254 and len(labels) > 1 and all(labels))
        and email.isprintable()
        and not any(character.isspace() or character in '<>"(),;:\\' for character in email)
        and "@" not in local
    )


def password_flaw(password: str, email: str) -> str | None:
    """Return why a password can't be chosen; None if it can. `email` is normalized."""
    if len(password) < MIN_PASSWORD_CHARS:
        return f"It has fewer than {MIN_PASSWORD_CHARS} characters."
    if len(password) > MAX_PASSWORD_CHARS:
        return f"It has more than {MAX_PASSWORD_CHARS} characters."
    if normalized_email(password) in (email, email.partition("@")[0]):
        return "It is the e-mail address."
    if password.lower() in COMMON_PASSWORDS:
        return "It is one of the commonest passwords, which are guessed first."
    return None


def canonical_password(password: str) -> str:
    """Return a password in Unicode's form NFC: the same characters typed on another keyboard are the same."""
    return unicodedata.normalize("NFC", password)


RefreshOutcome = Literal["rotate", "access_only", "reused", "ended"]


def refresh_outcome(
    *,
    now: datetime,
    expires_at: datetime,
    ended_at: datetime | None,
    replaced_at: datetime | None,
    browser: bool,
) -> RefreshOutcome:
    """Return what a refresh token is good for.

    `rotate`: a new access token and a new refresh token. `access_only`: a new access token, because another
    tab of the browser has just got the new refresh token. `reused`: somebody has a copy of the token, so the
    session must end. `ended`: nothing.
    """
    if ended_at is not None or expires_at <= now:
        return "ended"
    if replaced_at is None:
        return "rotate"
    return "access_only" if browser and now - replaced_at < BROWSER_GRACE else "reused"


@dataclass(frozen=True, slots=True)
class KeyTimes:
    """When a key begins to sign. It stops when the next key begins."""

    kid: str
    signs_from: datetime


Key = TypeVar("Key", bound=KeyTimes)


@dataclass(frozen=True, slots=True)
class KeyPlan:
    """What to do with the signing keys now."""

    create_from: datetime | None
    """When a new key begins to sign; None if none is needed."""
    forget_private: Sequence[str]
    """Keys that sign no more."""
    delete: Sequence[str]
    """Keys whose last tokens have ended."""


def current_key(keys: Sequence[Key], now: datetime) -> Key | None:
    """Return the key that signs now; None if none has begun to sign."""
    begun = [key for key in keys if key.signs_from <= now]
    return max(begun, key=lambda key: key.signs_from, default=None)


def plan_keys(keys: Sequence[KeyTimes], now: datetime, lifetime: timedelta) -> KeyPlan:
    """Return which keys are created and deleted now. A key signs for `lifetime`.

    The first key signs at once. A later one is published `PUBLISHED_BEFORE` it signs. A key stays published
    until the tokens that it signed have ended.
    """
    ordered = sorted(keys, key=lambda key: key.signs_from)
    create_from = None
    if current_key(ordered, now) is None:
        create_from = now
    elif now >= ordered[-1].signs_from + lifetime - PUBLISHED_BEFORE:
        create_from = now + PUBLISHED_BEFORE
    retired = [(key.kid, later.signs_from) for key, later in pairwise(ordered) if later.signs_from <= now]
    return KeyPlan(
        create_from,
        [kid for kid, _ in retired],
        [kid for kid, retired_at in retired if retired_at + REVOCATION_LIFETIME <= now],
    )
