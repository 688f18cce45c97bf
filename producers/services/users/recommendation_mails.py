"""Sends a weekly mail with recommendations to the people who agreed to it.

People are claimed a few at a time, those who have waited longest first, and each has a row that says when the
next mail is due. So memory does not grow with their number, several processes can share the work, and after
a stop it goes on where it was. A mail and the time of the next one commit together: each week has one mail at
most.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

import structlog

from common.metrics import UNEXPECTED_ERRORS
from common.settings import Settings
from producers.kit.backoff import Backoff
from producers.kit.finishing import finish
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.errors import RETRYABLE
from producers.services.users import mail_store, recommendation_mail_store, store
from producers.services.users.access_tokens import find_shopper_ids
from producers.services.users.context import UsersContext, make_context
from producers.services.users.recommendation_mail_store import DueMail
from producers.services.users.recommended_rows import RecommendedRow, RecommendedRows, RowsUnavailable

WORKER = "recommendation mails"
EVERY = timedelta(days=7)

RETRY_AFTER = timedelta(minutes=10)
"""Time to the next attempt if the API can't answer."""

LEASE = timedelta(minutes=5)
AT_ONCE = 4
"""The number of people who are claimed together, and whose lists are asked for at the same time. It is small,
because visitors wait for their lists, and mails don't."""

INTERVAL_S = 15.0

RowsOf = Callable[[str], Awaitable[Sequence[RecommendedRow]]]

log = structlog.get_logger()


async def run_recommendation_mails(transactions: Transactions, settings: Settings) -> None:
    """Send mails when they are due, until cancelled."""
    UNEXPECTED_ERRORS.labels("users", WORKER)  # creates the series with 0, which the alert needs
    backoff = Backoff(f"users {WORKER}")
    async with RecommendedRows(settings) as rows:
        mailer = RecommendationMailer(transactions, make_context(settings), rows.of)
        while True:
            try:
                done = await finish(mailer.send_due(), settings.stop_timeout_s)
                backoff.reset()
            except RETRYABLE as error:
                await backoff.wait(error)
                continue
            if not done:
                await asyncio.sleep(INTERVAL_S)


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
            claimed = await recommendation_mail_store.claim_due(sql, now, LEASE, AT_ONCE)
        outcomes = await asyncio.gather(*map(self._send, claimed), return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, RETRYABLE) or (
                isinstance(outcome, BaseException) and not isinstance(outcome, Exception)
            ):
                raise outcome
            if isinstance(outcome, Exception):
                log.error("unexpected error", worker=WORKER, exc_info=outcome)
                UNEXPECTED_ERRORS.labels("users", WORKER).inc()
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
                await recommendation_mail_store.postpone(sql, due, now + RETRY_AFTER)
            return
        token = self._context.unsubscribe_links.token(due.user_id)
        async with self._transactions.begin(Trace("")) as tx:
            locked = await store.lock_person(tx, due.user_id)
            if locked is None or locked.suspended_at is not None:
                return
            mailed_at = tx.now if rows else None
            if not await recommendation_mail_store.postpone(tx.sql, due, tx.now + EVERY, mailed_at=mailed_at):
                return
            if rows:
                mail = self._context.mails.recommendations(locked.email, rows, token)
                await mail_store.send_mail(tx, mail, due.user_id)
