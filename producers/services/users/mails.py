"""Mails to people: their texts, the tokens of the links in them, and the local mailbox.

Links are absolute, to the shop's pages. A token of a link is stored as its SHA-256, and used once.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import urlencode
from uuid import UUID

from typing_extensions import TypedDict

from common.ids import new_id
from common.principal_token import derived_key
from common.settings import Settings
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.users.store import Person

MailKind = Literal[
    "verification", "already_registered", "password_reset", "no_account", "email_change", "email_changed",
    "password_changed", "invitation", "recommendations",
]  # fmt: skip


ServiceMailKind = Literal["staff_invitation", "seller_alert", "seller_report"]
"""The mails that other services write."""

MailedPurpose = Literal["password_reset", "email_change"]

_MAC_CHARS = 32


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail to one address."""

    kind: MailKind | ServiceMailKind
    to: str
    subject: str
    text: str


class MailResponse(TypedDict):
    """A mail in the local mailbox."""

    mail_id: str
    to: str
    subject: str
    text: str
    created_at: datetime


class MailsOfKind(TypedDict):
    """The mails of a kind that were made within a day."""

    kind: str
    mails: int
    newest_at: datetime


@dataclass(frozen=True, slots=True)
class MailedToken:
    """The token of a mail that was taken: its person, and the e-mail address that they want."""

    user_id: str
    new_email: str | None


_RESET = "{site}/reset?token={token}"
"""The page on which the holder of a token chooses a password."""

_TEXTS: Mapping[MailKind, tuple[str, str]] = {
    "verification": (  # after a registration
        "Confirm your e-mail address",
        "Follow this link and type the password with which you registered. The link works once, for 24 "
        "hours:\n\n{site}/verify?token={token}{target}\n\nIf you did not register, ignore this mail: without "
        "the password, nobody can confirm your address.\n",
    ),
    "already_registered": (  # somebody registered with their address again
        "You are registered already",
        "Somebody tried to register with this e-mail address, which has an account already. Sign in at\n\n"
        "{site}/sign-in\n\nIf you have forgotten your password, choose a new one there. If it was not you, "
        "ignore this mail: nothing was changed.\n",
    ),
    "password_reset": (
        "Choose a new password",
        "Follow this link to choose a new password. It works once, for an hour, and ends all your sessions:"
        f"\n\n{_RESET}\n\nIf you did not ask for it, ignore this mail: nothing was changed.\n",
    ),
    "no_account": (  # somebody asked for a new password of an account that does not exist
        "There is no account with this address",
        "Somebody asked for a new password for this e-mail address, which has no account here. Perhaps you "
        "registered with another address, or you have not confirmed this one yet: then follow the link in "
        "the mail that you got. To register now, go to\n\n{site}/sign-up\n",
    ),
    "email_change": (  # to the new address
        "Confirm your new e-mail address",
        "Follow this link and type the password of your account, to use this address from now on. The link "
        "works once, for 24 hours:\n\n{site}/confirm_email?token={token}\n\nIf you did not ask for it, "
        "ignore this mail: without the password, nobody can confirm your address.\n",
    ),
    "email_changed": (  # to the old address
        "Your e-mail address was changed",
        "Your account has another e-mail address now. If it was not you, write to the shop at once.\n",
    ),
    "password_changed": (
        "Your password was changed",
        "Your password was changed, and your other sessions have ended. If it was not you, choose a new one "
        "at\n\n{site}/sign-in\n",
    ),
    "invitation": (  # to a person who was registered by the operator
        "Choose your password",
        "You have an account now. Follow this link to choose its password. It works once, for an hour:\n\n"
        f"{_RESET}\n",
    ),
}
"""Kind → subject and text of a mail."""


@dataclass(frozen=True, eq=False)
class Mails:
    """Writes mails. `site` is the base URL of the shop's pages."""

    site: str

    def reset_link(self, token: str) -> str:
        """Return the page on which the holder of a token chooses a password."""
        return _RESET.format(site=self.site, token=token)

    def write(self, kind: MailKind, to: str, token: str = "", then: str = "") -> Mail:
        """Return a mail, with the token of its link. `then` is the path of the page to open afterwards."""
        subject, text = _TEXTS[kind]
        target = f"&{urlencode({'next': then})}" if then else ""
        return Mail(kind, to, subject, text.format(site=self.site, token=token, target=target))


class UnsubscribeLinks:
    """Makes and reads the tokens of the links that end mails with recommendations.

    A link works without a sign-in, and as long as the mail is kept. It can do nothing but end the mails, so
    it needs no row in the database and no end. The token is the person's id and its HMAC-SHA256, cut to 128
    bits, with a key that derives from `internal_secret`.
    """

    def __init__(self, settings: Settings) -> None:
        self._key = derived_key(settings, "unsubscribe links")

    def token(self, user_id: str) -> str:
        """Return the token of a person."""
        name = UUID(user_id).hex
        return f"{name}.{self._mac(name)}"

    def person(self, token: str) -> str | None:
        """Return the id of the person of a token; None if this platform did not make it."""
        name, _, mac = token.partition(".")
        is_ours = hmac.compare_digest(mac.encode(), self._mac(name).encode())
        return str(UUID(name)) if is_ours else None

    def _mac(self, name: str) -> str:
        return hmac.new(self._key, name.encode(), sha256).hexdigest()[:_MAC_CHARS]


@statement("""
    INSERT INTO mailed_tokens (token_sha256, user_id, purpose, new_email, expires_at)
    SELECT $token_sha256::bytea, user_id, $purpose::text, $new_email::text, $expires_at::timestamptz
    FROM people WHERE email = $email::text AND NOT is_demo
    RETURNING true
""")
async def insert_mailed_token(
    tx: Transaction,
    token_sha256: bytes,
    email: str,
    purpose: MailedPurpose,
    new_email: str | None,
    expires_at: datetime,
) -> bool:
    """Save a token for the person with an e-mail address; return False if there is none."""


@statement("""
    SELECT user_id FROM mailed_tokens
    WHERE token_sha256 = $token_sha256::bytea AND purpose = $purpose::text AND expires_at > $now::timestamptz
""")
async def find_mailed_token(
    sql: Any, token_sha256: bytes, purpose: MailedPurpose, now: datetime
) -> str | None:
    """Return the person of a token, or None if it was used or has expired."""


@statement("""
    DELETE FROM mailed_tokens
    WHERE token_sha256 = $token_sha256::bytea AND purpose = $purpose::text
        AND expires_at > $tx.now::timestamptz
    RETURNING user_id, new_email
""")
async def take_mailed_token(
    tx: Transaction, token_sha256: bytes, purpose: MailedPurpose
) -> MailedToken | None:
    """Delete and return a token; None if it was used or has expired."""


@statement("DELETE FROM mailed_tokens WHERE user_id = $user_id::uuid")
async def delete_mailed_tokens(tx: Transaction, user_id: str) -> None:
    """Delete all tokens in mails to a person."""


async def send_mail(
    tx: Transaction, mail: Mail, user_id: str | None = None, mail_id: str | None = None
) -> bool:
    """Put a mail into the mailbox; return False if five of its kind went to its address within an hour.

    `user_id` is the person whose mail it is, if the address is not theirs yet. A mail whose `mail_id` is in
    the mailbox is sent already.
    """
    return await _insert_mail(tx, mail_id or new_id(), user_id, mail)


@statement("""
    INSERT INTO mails (mail_id, user_id, to_email, kind, subject, body, created_at)
    SELECT
        $mail_id::uuid, coalesce($user_id::uuid, (SELECT user_id FROM people WHERE email = $mail.to::text)),
        $mail.to::text, $mail.kind::text, $mail.subject::text, $mail.text::text, $tx.now::timestamptz
    WHERE EXISTS (SELECT FROM mails WHERE mail_id = $mail_id::uuid)
        OR (
            SELECT count(*) FROM mails
            WHERE to_email = $mail.to::text AND kind = $mail.kind::text
                AND created_at > $tx.now::timestamptz - interval '1 hour'
        ) < 5
    ON CONFLICT (mail_id) DO UPDATE SET mail_id = excluded.mail_id
    RETURNING true
""")
async def _insert_mail(tx: Transaction, mail_id: str, user_id: str | None, mail: Mail) -> bool:
    """Insert a mail; return False if too many of its kind went to its address."""


@statement("""
    SELECT mail_id, to_email AS "to", subject, body AS text, created_at FROM mails
    WHERE $to::text IS NULL OR to_email = $to::text
    ORDER BY created_at DESC, mail_id DESC
    LIMIT $limit::integer
""")
async def find_mails(sql: Any, to: str | None, limit: int) -> list[MailResponse]:
    """Return mails, all or those to an address, the newest first."""


@statement("""
    SELECT kind, count(*)::integer AS mails, max(created_at) AS newest_at FROM mails
    WHERE created_at >= $since::timestamptz
    GROUP BY kind
    ORDER BY kind
""")
async def find_mails_of_kinds(sql: Any, since: datetime) -> list[MailsOfKind]:
    """Return how many mails of each kind were made since a time, and when the newest was."""


@statement("""
    SELECT mail_id, to_email AS "to", subject, created_at FROM mails
    WHERE user_id = $person.user_id::uuid OR to_email = $person.email::text
    ORDER BY created_at, mail_id
""")
async def find_mails_of_person(sql: Any, person: Person) -> list[dict[str, Any]]:
    """Return the mails to a person, without their texts, which contain links that work."""


@statement("UPDATE mails SET user_id = $person.user_id::uuid WHERE to_email = $person.email::text")
async def assign_mails(tx: Transaction, person: Person) -> None:
    """Make all mails to a person's address theirs, because they get another address."""


@statement("DELETE FROM mails WHERE to_email = $email::text")
async def delete_mails(tx: Transaction, email: str) -> None:
    """Delete the mails to an address."""
