"""Sends a weekly mail with recommendations to the people who agreed to it.

People are claimed a few at a time, those who have waited longest first, and each has a row that says when the
next mail is due. So memory does not grow with their number, several processes can share the work, and after
a stop it goes on where it was. A mail and the time of the next one commit together: each week has one mail at
most.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlencode

import httpx
import structlog
from pydantic import TypeAdapter

from common.metrics import UNEXPECTED_ERRORS
from common.money import format_money
from common.principal_token import PlatformToken
from common.request_path import in_path
from common.settings import Settings
from producers.kit.http.problems import require
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transaction, Transactions
from producers.kit.polling import poll, run_isolated
from producers.kit.postgres.statements import statement
from producers.services.users import store
from producers.services.users.context import UsersContext, make_context
from producers.services.users.mails import Mail, send_mail
from producers.services.users.model import FIRST_RECOMMENDATION_MAIL_AFTER
from producers.services.users.problems import DEMO_PERSON, LINK_ENDED
from producers.services.users.pseudonyms import find_shopper_ids

WORKER = "recommendation mails"
EVERY = timedelta(days=7)

RETRY_AFTER = timedelta(minutes=10)
"""Time to the next attempt if the API can't answer."""

LEASE = timedelta(minutes=5)
AT_ONCE = 4
"""The number of people who are claimed together, and whose lists are asked for at the same time. It is small,
because visitors wait for their lists, and mails don't."""

INTERVAL_S = 15.0
TIMEOUT_S = 15.0

ROW_LENGTH = 4
"""The largest number of products in a row of a mail."""

LOCALE = "en"

log = structlog.get_logger()


class RowsUnavailable(Exception):
    """The API does not answer, or can't answer now."""


@dataclass(frozen=True, slots=True)
class RecommendedProduct:
    """A product of a row."""

    product_id: str
    name: str | None
    price_minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class RecommendedRow:
    """Products for one reason, which the title says."""

    title: str
    recommendation_id: str
    items: Sequence[RecommendedProduct]


_ROWS = TypeAdapter(list[RecommendedRow])


RowsOf = Callable[[str], Awaitable[Sequence[RecommendedRow]]]


@dataclass(frozen=True, slots=True)
class Agreement:
    """Since when a person gets mails with recommendations, and when the last one was sent."""

    agreed_at: datetime
    mailed_at: datetime | None


@dataclass(frozen=True, slots=True)
class DueMail:
    """A person whose mail is due. Nobody else sends it before `leased_until`, which identifies the claim."""

    user_id: str
    leased_until: datetime


async def want_recommendation_mails(
    transactions: Transactions, user_id: str, *, wanted: bool
) -> Agreement | None:
    """Record whether a person wants mails with recommendations, and return the agreement if they do.

    An agreement that was given before stays as it is.

    Raises:
        UNKNOWN_PERSON: they were erased.
        DEMO_PERSON: the person has no address to which a mail could go.
    """
    async with transactions.begin(Trace("")) as tx:
        person = await store.require_locked_person(tx, user_id)
        if not wanted:
            await _end(tx, user_id)
            return None
        if person.is_demo:
            raise DEMO_PERSON()
        await _agree(tx, user_id, FIRST_RECOMMENDATION_MAIL_AFTER)
        return await find_agreement(tx.sql, user_id)


async def unsubscribe(transactions: Transactions, context: UsersContext, token: str) -> None:
    """End the mails with recommendations to the person of a token; a second time changes nothing.

    Raises:
        LINK_ENDED: the token is not from a mail of this shop.
    """
    again = "Open the link from the mail again, or end the mails on the page of your account."
    user_id = require(context.unsubscribe_links.person(token), LINK_ENDED(again=again))
    async with transactions.begin(Trace("")) as tx:
        await _end(tx, user_id)


async def run_recommendation_mails(transactions: Transactions, settings: Settings) -> None:
    """Send mails when they are due, until cancelled."""
    UNEXPECTED_ERRORS.labels("users", WORKER)  # creates the series with 0, which the alert needs
    async with httpx.AsyncClient(
        base_url=settings.serving,
        auth=PlatformToken(settings, "users"),
        timeout=TIMEOUT_S,
        trust_env=False,
    ) as http:
        rows_of = partial(recommended_rows, http)
        mailer = RecommendationMailer(transactions, make_context(settings), rows_of)
        await poll(f"users {WORKER}", INTERVAL_S, mailer.send_due, settings.stop_timeout_s, drains=True)


class RecommendationMailer:
    """Sends the mails. `rows_of` returns the titled rows of a shopper."""

    def __init__(self, transactions: Transactions, context: UsersContext, rows_of: RowsOf) -> None:
        self._transactions, self._context, self._rows_of = transactions, context, rows_of

    async def send_due(self) -> int:
        """Send a few mails that are due, and return the number of people.

        Raises:
            one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable; the leases end.
        """
        now = self._transactions.clock()
        async with self._transactions.connection() as sql:
            claimed = await _claim_due(sql, now, LEASE, AT_ONCE)
        await run_isolated("users", WORKER, map(self._send, claimed))
        return len(claimed)

    async def _send(self, due: DueMail) -> None:
        """Send the mail of a person; without recommendations, they get none this week."""
        now = self._transactions.clock()
        async with self._transactions.connection() as sql:
            person = await store.find_person(sql, due.user_id)
            if person is None:
                return
            (shopper_id, *_) = await find_shopper_ids(sql, self._context.pseudonyms, person, 0)
        try:
            rows = await self._rows_of(shopper_id)
        except RowsUnavailable as error:
            log.warning("a mail with recommendations is sent later", reason=str(error))
            async with self._transactions.connection() as sql:
                await _postpone(sql, due, now + RETRY_AFTER)
            return
        token = self._context.unsubscribe_links.token(due.user_id)
        async with self._transactions.begin(Trace("")) as tx:
            locked = await store.lock_person(tx, due.user_id)
            if locked is None or locked.suspended_at is not None:
                return
            if not await _postpone(tx.sql, due, tx.now + EVERY, mailed_at=tx.now if rows else None):
                return
            if rows:
                mail = recommendation_mail(self._context.mails.site, locked.email, rows, token)
                await send_mail(tx, mail, due.user_id)


def recommendation_mail(site: str, to: str, rows: Sequence[RecommendedRow], unsubscribe_token: str) -> Mail:
    """Show rows of recommended products, of which the first has the mail's subject as its title."""
    lines: list[str] = []
    for row in rows:
        lines += [row.title, ""]
        for position, each in enumerate(row.items, 1):
            price = format_money(each.price_minor, each.currency, LOCALE)
            # The fragment tells the page's script which list led there.
            referral = urlencode({"recommendation": row.recommendation_id, "position": position})
            link = f"{site}/shop/products/{in_path(each.product_id)}#{referral}"
            lines += [f"{each.name or each.product_id}, {price}", link, ""]
        lines.append("")
    lines += [
        "You get this mail once a week because you agreed to it. End these mails:",
        f"{site}/unsubscribe?{urlencode({'token': unsubscribe_token})}",
    ]
    return Mail("recommendations", to, rows[0].title, "\n".join(lines) + "\n")


async def recommended_rows(http: httpx.AsyncClient, shopper_id: str) -> Sequence[RecommendedRow]:
    """Return the rows of a mail to a shopper, from the API; none if nothing is known of what they like.

    Raises:
        RowsUnavailable: the API does not answer, or can't answer now.
    """
    path = f"/v1/recommendations/{in_path(shopper_id)}/rows"
    try:
        answer = await http.get(path, params={"page": "email", "n": ROW_LENGTH})
        return _ROWS.validate_python(answer.raise_for_status().json()["rows"])
    except (httpx.HTTPError, ValueError, KeyError) as error:
        raise RowsUnavailable(str(error) or type(error).__name__) from error


@statement("""
    INSERT INTO recommendation_mails (user_id, agreed_at, send_at)
    SELECT user_id, $tx.now::timestamptz, $tx.now::timestamptz + $first_after::interval
    FROM people WHERE user_id = $user_id::uuid AND NOT is_demo
    ON CONFLICT (user_id) DO NOTHING
""")
async def _agree(tx: Transaction, user_id: str, first_after: timedelta) -> None:
    """Record that a person agrees. People of the demo, who have no address, are left out."""


@statement("DELETE FROM recommendation_mails WHERE user_id = $user_id::uuid")
async def _end(tx: Transaction, user_id: str) -> None:
    """Record that a person wants no mails with recommendations."""


@statement("SELECT agreed_at, mailed_at FROM recommendation_mails WHERE user_id = $user_id::uuid")
async def find_agreement(sql: Any, user_id: str) -> Agreement | None:
    """Return what a person agreed to; None if they get no such mails."""


@statement("""
    UPDATE recommendation_mails
    SET send_at = $now::timestamptz + $lease::interval
    WHERE user_id IN (
        SELECT recommendation_mails.user_id
        FROM recommendation_mails
        JOIN people USING (user_id)
        WHERE recommendation_mails.send_at <= $now::timestamptz AND people.suspended_at IS NULL
        ORDER BY recommendation_mails.send_at
        LIMIT $limit::integer
        FOR UPDATE OF recommendation_mails SKIP LOCKED
    )
    RETURNING user_id, send_at AS leased_until
""")
async def _claim_due(sql: Any, now: datetime, lease: timedelta, limit: int) -> list[DueMail]:
    """Claim at most `limit` people whose mail is due, those who have waited longest first."""


@statement("""
    UPDATE recommendation_mails
    SET send_at = $until::timestamptz, mailed_at = coalesce($mailed_at::timestamptz, mailed_at)
    WHERE user_id = $due.user_id::uuid AND send_at = $due.leased_until::timestamptz
    RETURNING true
""")
async def _postpone(sql: Any, due: DueMail, until: datetime, mailed_at: datetime | None = None) -> bool:
    """Set when the next mail is due; return False if the person has withdrawn or the lease has ended."""


@statement("SELECT count(*)::integer FROM recommendation_mails WHERE send_at < $due_before::timestamptz")
async def count_overdue_mails(sql: Any, due_before: datetime) -> int:
    """Return how many people wait for a weekly mail that was due before a time."""
