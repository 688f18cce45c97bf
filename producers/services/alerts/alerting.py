"""Makes the messages and events of alerts, within the transaction that changes the rule."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from producers.kit.outbox.transaction import Transaction
from producers.services.alerts import message_store, store
from producers.services.alerts.message_store import MessageText
from producers.services.alerts.model import MessageKind, send_at
from producers.services.alerts.store import Rule


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
    await message_store.skip_waiting(tx, rule.rule_id)
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
    await message_store.skip_waiting(tx, rule.rule_id)
    if kind == "resolved" and not await message_store.is_known(tx, alert_id):
        return
    await message_store.add_message(tx, rule, alert_id, kind, text, await _send_at(tx, rule))


async def _send_at(tx: Transaction, rule: Rule) -> datetime:
    last = await message_store.find_last_send_at(tx, rule.rule_id)
    distance, zone = timedelta(minutes=rule.distance_minutes), ZoneInfo(rule.timezone)
    return send_at(tx.now, last, distance, rule.quiet_hours, zone)
