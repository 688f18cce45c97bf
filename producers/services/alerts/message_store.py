"""The messages and events of alerts, made in the transaction that changes a rule, and how they are stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from common.ids import new_id
from producers.kit.makers import Made
from producers.kit.outbox.transaction import Transaction
from producers.kit.postgres.statements import statement
from producers.services.alerts import store
from producers.services.alerts.model import MessageKind, MessageStatus, TargetKind, send_at
from producers.services.alerts.schemas import AlertMessageResponse, MessagesOfStatus, SubscriptionResponse
from producers.services.alerts.store import Rule

MESSAGES_AGE = timedelta(days=90)
"""As long as `alert_raised` is in Kafka."""


@dataclass(frozen=True, slots=True)
class MessageText:
    """A message as people read it, and as a webhook gets it."""

    subject: str
    body: str
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class DueMessage(Made):
    """A message to send now, with the target and the maker of its rule. `attempts` counts this attempt, too.

    `is_approved` is whether its seller may sell now.
    """

    message_id: str
    rule_id: str
    kind: MessageKind
    subject: str
    body: str
    content: Mapping[str, Any]
    attempts: int
    target: TargetKind
    person_id: str | None
    url: str | None
    sealed_secret: bytes | None
    is_approved: bool


async def raise_alert(
    tx: Transaction, rule: Rule, alert_id: str, is_firing: bool, message: str, value: float | None
) -> None:
    """Record that an alert fires or is resolved, and emit `alert_raised`, which names no person."""
    status = "firing" if is_firing else "resolved"
    await store.add_step(tx, rule, alert_id, status)
    tx.emit(
        "alert_raised",
        alert_id=alert_id,
        name=rule.metric,
        severity=rule.severity,
        status=status,
        part="alerts",
        message=message,
        value=value,
        threshold=rule.condition.value,
        labels={"seller_id": rule.seller_id, "rule_id": rule.rule_id, "window": rule.window},
    )


async def close_alert(tx: Transaction, rule: Rule, why: str) -> None:
    """Resolve the open alert of a locked rule that is paused or deleted, and skip its waiting messages."""
    await skip_waiting(tx, rule.rule_id)
    if rule.alert_id is not None:
        await raise_alert(tx, rule, rule.alert_id, False, why, rule.last_value)


async def disable_rule(tx: Transaction, seller_id: str, rule_id: str, reason: str) -> None:
    """Pause a rule whose messages do not arrive, with a reason that its page shows."""
    rule = await store.lock_rule(tx, seller_id, rule_id)
    if rule is not None and rule.is_enabled:
        await close_alert(tx, rule, reason)
        await store.pause_rule(tx, rule_id, reason)


async def add_alert_message(
    tx: Transaction, rule: Rule, alert_id: str, kind: MessageKind, text: MessageText
) -> None:
    """Add a message about an alert, to be sent when the rule allows it.

    It replaces the messages of the rule that nobody has tried to send. The end of an alert of which nobody
    was told makes no message.
    """
    await skip_waiting(tx, rule.rule_id)
    if kind == "resolved" and not await is_known(tx, alert_id):
        return
    await add_message(tx, rule, alert_id, kind, text, await _send_at(tx, rule))


async def _send_at(tx: Transaction, rule: Rule) -> datetime:
    last = await find_last_send_at(tx, rule.rule_id)
    distance, zone = timedelta(minutes=rule.distance_minutes), ZoneInfo(rule.timezone)
    return send_at(tx.now, last, distance, rule.quiet_hours, zone)


PRUNE_MESSAGES = """
DELETE FROM messages
WHERE message_id IN (
    SELECT message_id FROM messages
    WHERE created_at < now() - $1::interval AND status <> 'waiting'
    LIMIT $2::integer
)
"""


@statement("""
    SELECT 'alert' AS kind, rule_id AS id, seller_id, name, created_at, is_enabled
    FROM rules
    WHERE person_id = $user_id::uuid
    UNION ALL
    SELECT 'report', report_id, seller_id, name, created_at, is_enabled
    FROM reports
    WHERE person_id = $user_id::uuid
    ORDER BY created_at, id
""")
async def find_subscriptions(sql: Any, user_id: str) -> list[SubscriptionResponse]:
    """Return the alerts and reports whose mails go to a person, the oldest first."""


@statement("""
    SELECT status, count(*)::integer AS messages, min(created_at) AS oldest_at FROM messages
    WHERE status = 'waiting' OR created_at >= $since::timestamptz
    GROUP BY status
    ORDER BY status
""")
async def summarise_messages(sql: Any, since: datetime) -> list[MessagesOfStatus]:
    """Return by status how many messages wait, or were made since a time, and when the oldest was made."""


@statement("""
    UPDATE messages SET status = 'skipped'
    WHERE rule_id = $rule_id::uuid AND status = 'waiting' AND attempts = 0 AND kind <> 'test'
""")
async def skip_waiting(tx: Transaction, rule_id: str) -> None:
    """Skip the messages of a rule, except tests, that nobody has tried to send."""


@statement("UPDATE messages SET status = 'skipped' WHERE rule_id = $rule_id::uuid AND status = 'waiting'")
async def skip_every_waiting(tx: Transaction, rule_id: str) -> None:
    """Skip all messages of a rule that are not sent yet, also tests and those that are to be retried."""


@statement("""
    SELECT EXISTS (SELECT FROM messages WHERE alert_id = $alert_id::uuid
        AND (status = 'sent' OR attempts > 0))
""")
async def is_known(tx: Transaction, alert_id: str) -> bool:
    """Return whether a message about an alert was sent, or somebody has tried to send it."""


@statement("""
    SELECT max(send_at) FROM messages WHERE rule_id = $rule_id::uuid AND kind <> 'test'
        AND status <> 'skipped'
""")
async def find_last_send_at(tx: Transaction, rule_id: str) -> datetime | None:
    """Return when the last message of a rule was or will be sent; tests and skipped messages do not count."""


async def add_message(
    tx: Transaction, rule: Rule, alert_id: str | None, kind: MessageKind, text: MessageText, send_at: datetime
) -> None:
    """Add a message of a rule, to be sent at `send_at`. One for the page is only listed: it is sent now."""
    if rule.target.kind == "page":
        await _add_message(tx, new_id(), rule, alert_id, kind, "sent", text, tx.now, tx.now)
    else:
        await _add_message(tx, new_id(), rule, alert_id, kind, "waiting", text, send_at, None)


@statement("""
    INSERT INTO messages
    (message_id, seller_id, rule_id, alert_id, kind, status, subject, body, content, created_at, send_at,
        sent_at)
    VALUES (
        $message_id::uuid, $rule.seller_id::text, $rule.rule_id::uuid, $alert_id::uuid, $kind::text,
            $status::text, $text.subject::text, $text.body::text, $text.content::jsonb, $tx.now::timestamptz,
        $send_at::timestamptz, $sent_at::timestamptz
    )
""")
async def _add_message(
    tx: Transaction,
    message_id: str,
    rule: Rule,
    alert_id: str | None,
    kind: MessageKind,
    status: MessageStatus,
    text: MessageText,
    send_at: datetime,
    sent_at: datetime | None,
) -> None:
    """Insert a message of a rule."""


@statement("""
    SELECT EXISTS (SELECT FROM messages WHERE rule_id = $rule_id::uuid AND kind = 'test'
        AND created_at > $since::timestamptz)
""")
async def was_tested_since(tx: Transaction, rule_id: str, since: datetime) -> bool:
    """Return whether a test of a locked rule was made since a moment."""


@statement("""
    SELECT
        messages.message_id,
        messages.rule_id,
        rules.name AS rule_name,
        messages.kind,
        messages.status,
        messages.subject,
        messages.body,
        messages.created_at,
        messages.send_at,
        messages.sent_at,
        messages.attempts,
        messages.error
    FROM messages
    JOIN rules USING (rule_id)
    WHERE messages.seller_id = $seller_id::text
        AND ($before::uuid IS NULL OR messages.message_id < $before::uuid)
    ORDER BY messages.message_id DESC
    LIMIT $limit::integer
""")
async def find_messages(
    sql: Any, seller_id: str, before: str | None, limit: int
) -> list[AlertMessageResponse]:
    """Return messages of a seller, the newest first, older than `before`."""


@statement("""
    UPDATE messages
    SET send_at = $now::timestamptz + $lease::interval, attempts = attempts + 1
    FROM rules
    WHERE rules.rule_id = messages.rule_id
        AND messages.message_id IN (
            SELECT message_id FROM messages
            WHERE status = 'waiting' AND send_at <= $now
            ORDER BY send_at
            LIMIT $limit::integer
            FOR UPDATE SKIP LOCKED
        )
    RETURNING
        messages.message_id,
        messages.seller_id,
        messages.rule_id,
        messages.kind,
        messages.subject,
        messages.body,
        messages.content,
        messages.attempts,
        rules.target,
        rules.person_id,
        rules.maker,
        rules.made_at,
        rules.url,
        rules.sealed_secret,
        is_approved(rules.seller_id) AS is_approved
""")
async def claim_messages(sql: Any, now: datetime, lease: timedelta, limit: int) -> list[DueMessage]:
    """Return at most `limit` messages that are due. Nobody else gets them until `lease` has passed."""


@statement("""
    UPDATE messages
    SET
        status = CASE WHEN $error::text IS NULL THEN 'sent' ELSE 'failed' END,
        sent_at = CASE WHEN $error IS NULL THEN $tx.now::timestamptz END,
        error = $error
    WHERE message_id = $message_id::uuid AND status = 'waiting'
    RETURNING true
""")
async def end_message(tx: Transaction, message_id: str, error: str | None) -> bool:
    """Mark a message as sent or, with an error, as failed; return False if it was marked before."""


@statement("""
    UPDATE messages SET send_at = $send_at::timestamptz, error = $error::text
        WHERE message_id = $message_id::uuid AND status = 'waiting'
""")
async def retry_message(sql: Any, message_id: str, send_at: datetime, error: str) -> None:
    """Send a message again later."""
