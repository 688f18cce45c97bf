"""Sends the messages of rules: mails through the mailbox of the service users, webhooks over HTTP.

A message is leased and sent, and then marked. After a crash in between it is sent again with the same id, by
which users, or the receiver of a webhook, recognises it. If its rule is changed in this moment, it is sent
all the same.
"""

from datetime import timedelta
from typing import Any

import orjson

from common.clock import Clock
from common.metrics import UNEXPECTED_ERRORS
from common.principal_token import derived_key
from common.settings import Settings
from producers.kit.encryption import NotDecryptable, unseal
from producers.kit.http.peers import Peers
from producers.kit.http.problems import ServiceNotReady
from producers.kit.makers import USERS, Makers
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.polling import poll, run_isolated
from producers.services.alerts import message_store, store
from producers.services.alerts.message_store import DueMessage, disable_rule
from producers.services.alerts.model import MAKER_LEFT, MAKER_UNKNOWN, WRITE_WITH_SECRET
from producers.services.alerts.webhooks import WebhookFailed, WebhookSender, signed_headers

WORKER = "delivery"
INTERVAL_S = 2.0
AT_ONCE = 16
LEASE = timedelta(minutes=1)

SECRETS = "webhook secrets of alerts"
"""The purpose of the key that encrypts the secrets (`common.principal_token.derived_key`)."""

MAIL_KIND = "seller_alert"
LIMITED_RETRY_AFTER = timedelta(minutes=20)
"""Time to the next attempt after too many mails went to the address."""

MAX_LIMITED_ATTEMPTS = 12
"""After this many attempts, four hours, a mail is not sent any more."""

WAITS = tuple(timedelta(seconds=s) for s in (30, 120, 600, 3_600, 10_800))
"""The times between the attempts of a message. After the last one, the rule is disabled."""


async def run_delivery(transactions: Transactions, settings: Settings) -> None:
    """Send messages when they are due, until cancelled."""
    UNEXPECTED_ERRORS.labels("alerts", WORKER)  # creates the series with 0, which the alert needs
    sender = WebhookSender(settings.webhooks_to_internal_hosts)
    makers = Makers(Peers(settings, "alerts"))
    delivery = Delivery(transactions, sender, makers, derived_key(settings, SECRETS))
    await poll(f"alerts {WORKER}", INTERVAL_S, delivery.deliver_due, settings.stop_timeout_s, drains=True)


class Delivery:
    """Sends messages. `key` decrypts the secrets of webhooks."""

    def __init__(self, transactions: Transactions, sender: WebhookSender, makers: Makers, key: bytes) -> None:
        self._transactions = transactions
        self._sender = sender
        self._makers = makers
        self._key = key

    @property
    def _clock(self) -> Clock:
        return self._transactions.clock

    async def deliver_due(self) -> int:
        """Send a few messages that are due, and return their number.

        Raises:
            one of `producers.kit.postgres.errors.RETRYABLE`: PostgreSQL is unavailable.
        """
        async with self._transactions.connection() as sql:
            due = await message_store.claim_messages(sql, self._clock(), LEASE, AT_ONCE)
        await run_isolated("alerts", WORKER, [self._deliver(message) for message in due])
        return len(due)

    async def _deliver(self, message: DueMessage) -> None:
        if not message.is_approved:
            await self._end(message, "The seller may not sell now.")
            return
        try:
            if await self._makers.find(message, WRITE_WITH_SECRET) is None:
                await self._give_up(message, MAKER_LEFT)
            elif message.target == "webhook":
                await self._post(message)
            elif message.target == "email":
                await self._mail(message)
            else:
                await self._end(message, None)
        except ServiceNotReady:
            await self._retry(message, MAKER_UNKNOWN, WAITS[0])

    async def _mail(self, message: DueMessage) -> None:
        if message.person_id is None:
            await self._give_up(message, "The person who got the mails has left.")
            return
        outcome = await send_to_reader(
            self._makers.peers,
            mail_id=message.message_id,
            user_id=message.person_id,
            seller_id=message.seller_id,
            kind=MAIL_KIND,
            subject=message.subject,
            text=message.body,
        )
        if outcome == "left":
            await self._give_up(message, "The person who got the mails may not see these figures any more.")
        elif outcome == "limited":
            await self._limited(message)
        else:
            await self._end(message, None)

    async def _limited(self, message: DueMessage) -> None:
        reason = "Too many mails of alerts went to this address within an hour."
        if message.attempts >= MAX_LIMITED_ATTEMPTS:
            await self._end(message, reason)
        else:
            await self._retry(message, reason, LIMITED_RETRY_AFTER)

    async def _post(self, message: DueMessage) -> None:
        body = orjson.dumps({"type": f"alert.{message.kind}", "data": message.content})
        try:
            secret = unseal(self._key, message.sealed_secret or b"", message.rule_id).decode()
        except NotDecryptable:
            await self._give_up(message, "The secret of the webhook can't be read. Create the rule again.")
            return
        headers = signed_headers(secret, message.message_id, int(self._clock().timestamp()), body)
        try:
            await self._sender.send(message.url or "", headers, body)
        except WebhookFailed as failed:
            await self._failed(message, failed)
        else:
            await self._end(message, None)

    async def _failed(self, message: DueMessage, failed: WebhookFailed) -> None:
        if message.kind == "test":
            await self._end(message, str(failed))
        elif failed.is_final or message.attempts > len(WAITS):
            await self._give_up(message, f"The webhook failed {message.attempts} times: {failed}")
        else:
            await self._retry(message, str(failed), WAITS[message.attempts - 1])

    async def _retry(self, message: DueMessage, reason: str, after: timedelta) -> None:
        async with self._transactions.connection() as sql:
            await message_store.retry_message(sql, message.message_id, self._clock() + after, reason)

    async def _end(self, message: DueMessage, error: str | None) -> None:
        async with self._transactions.begin(Trace.start(message.rule_id, None)) as tx:
            await message_store.end_message(tx, message.message_id, error)

    async def _give_up(self, message: DueMessage, reason: str) -> None:
        async with self._transactions.begin(Trace.start(message.rule_id, None)) as tx:
            await store.lock_rule(tx, message.seller_id, message.rule_id)  # before the message, as elsewhere
            if await message_store.end_message(tx, message.message_id, reason):
                await disable_rule(tx, message.seller_id, message.rule_id, reason)


async def send_to_reader(peers: Peers, **mail: Any) -> str:
    """Put a mail to a person into the mailbox of users, once for each `mail_id`.

    Returns: `sent`; `limited`, if too many mails of the kind went to them; `left`, if they may not see the
    seller's figures any more.

    Raises:
        ServiceNotReady: users does not answer.
    """
    outcome: str = (await peers.ask(USERS, "/v1/mails", mail))["outcome"]
    return outcome
