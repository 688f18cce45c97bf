"""What the commerce services sent to people, and what is late."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Any

from serving.ops.overview.schemas import AlertMessages, MailKind, MailOverview

AskCommerce = Callable[[str], Awaitable[Mapping[str, Any]]]
"""Returns the response of a commerce service to `GET` a target; raises `CommerceUnavailable`."""


async def read_mails(ask: AskCommerce) -> MailOverview:
    """Return the mails of a day, and the messages of sellers' alerts.

    Raises:
        CommerceUnavailable: a service does not answer.
    """
    mails, messages = await asyncio.gather(ask("/v1/mails/summary"), ask("/v1/alert_messages/summary"))
    return {
        "kinds": [_kind(each) for each in mails["kinds"]],
        "overdue": mails["overdue"],
        "alert_messages": _alert_messages(messages["statuses"]),
    }


def _kind(each: dict[str, Any]) -> MailKind:
    return {
        "kind": each["kind"],
        "mails": each["mails"],
        "newest_at": datetime.fromisoformat(each["newest_at"]),
    }


def _alert_messages(statuses: list[dict[str, Any]]) -> AlertMessages:
    found = {each["status"]: each for each in statuses}
    waiting = found.get("waiting")
    return {
        "waiting": waiting["messages"] if waiting else 0,
        "sent": found.get("sent", {}).get("messages", 0),
        "failed": found.get("failed", {}).get("messages", 0),
        "skipped": found.get("skipped", {}).get("messages", 0),
        "oldest_waiting_at": datetime.fromisoformat(waiting["oldest_at"]) if waiting else None,
    }
