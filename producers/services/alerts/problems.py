"""Error responses of the endpoints of alerts, reports and views."""

from common.errors import PartUnavailable
from common.problems import Problem
from producers.services.alerts.webhook_address import WebhookRefused


class NoApprovedSeller(Problem):
    """There is no such seller, or it may not sell now."""

    status, kind, title = 404, "unknown-seller", "Unknown seller"

    def __init__(self, seller_id: str) -> None:
        super().__init__(f"No approved seller has the id {seller_id!r}. Check the id in the address.")


class UnknownThing(Problem):
    """The seller has no such rule, report or view."""

    status, kind, title = 404, "unknown-thing", "There is no such thing"

    def __init__(self, what: str, path: str) -> None:
        super().__init__(f"This seller has no {what} of this id. GET {path} lists them.")


class UnknownMetric(Problem):
    """The catalogue has no such metric, or it can't be filtered as asked."""

    status, kind, title = 422, "unknown-metric", "The metric can't be used"


class ChangedMeanwhile(Problem):
    """The rule has another version than the request expects."""

    status, kind, title = 409, "changed-meanwhile", "The alert was changed meanwhile"

    def __init__(self, path: str, expected: int, current: int) -> None:
        self.extensions = {"current_version": current}
        super().__init__(
            f"The rule has version {current}, not {expected}: somebody has changed it. Read it again with "
            f"GET {path}, and send the change with `version`: {current} if it is still right. Nothing was "
            "changed."
        )


class FiguresNotReady(Problem, PartUnavailable):
    """The API's catalogue does not answer, so that the metric can't be checked."""

    status, kind, title = 503, "figures-not-ready", "The metrics can't be read right now"
    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__("The catalogue of metrics can't be read right now. Nothing was saved: try again.")


class NotAReader(Problem):
    """The address is not that of a person who may see the figures of the seller."""

    status, kind, title = 422, "not-a-reader", "Nobody with this address may see the figures"

    def __init__(self) -> None:
        super().__init__(
            "Mails with figures go only to owners, managers and analysts of the seller's staff, at the "
            "address of their account. Enter such an address, or invite the person to the staff first."
        )


class BadWebhook(Problem):
    """Nothing may be sent to the URL."""

    status, kind, title = 422, "bad-webhook", "The webhook's URL can't be used"

    def __init__(self, refused: WebhookRefused) -> None:
        super().__init__(str(refused))


class TooMany(Problem):
    """The seller has as many of these as it may have."""

    status, kind, title = 409, "too-many", "There are too many of these"

    def __init__(self, what: str, limit: int) -> None:
        super().__init__(f"A seller may have {limit} {what}. Delete one that is no longer needed.")


class TestedJustNow(Problem):
    """The rule has sent a test message just now."""

    status, kind, title = 429, "tested-just-now", "A test was sent just now"
    retry_after_s = 60

    def __init__(self) -> None:
        super().__init__("A test of this rule was sent less than a minute ago. Look for it, then try again.")


class RulePaused(Problem):
    """The rule is paused, so that it sends nothing."""

    status, kind, title = 409, "rule-paused", "The rule is paused"

    def __init__(self) -> None:
        super().__init__("This rule is paused and sends nothing. Resume it first.")


class NoRecipient(Problem):
    """The person who got the mails has left, or their account was deleted."""

    status, kind, title = 409, "no-recipient", "Nobody gets the mails"

    def __init__(self) -> None:
        super().__init__(
            "The person who got the mails has left. Delete this, and create it for another person."
        )
