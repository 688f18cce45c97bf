"""Error responses of the endpoints of alerts, reports and views."""

from common.problems import PartProblem, problem

NO_APPROVED_SELLER = problem(
    404,
    "unknown-seller",
    "Unknown seller",
    "No approved seller has the id {seller_id!r}. Check the id in the address.",
)
UNKNOWN_THING = problem(
    404,
    "unknown-thing",
    "There is no such thing",
    "This seller has no {what} of this id. GET {path} lists them.",
)
UNKNOWN_METRIC = problem(
    422,
    "unknown-metric",
    "The metric can't be used",
    "The catalogue has no metric {name!r}. GET /v1/analytics/metrics lists all of them.",
)
NOT_BY_PRODUCT = problem(
    422,
    "unknown-metric",
    "The metric can't be used",
    "{metric} can't be restricted to a product. Leave product_id out.",
)
CHANGED_MEANWHILE = problem(
    409,
    "changed-meanwhile",
    "The alert was changed meanwhile",
    "The rule has version {current}, not {expected}: somebody has changed it. Read it again with GET {path}, "
    "and send the change with `version`: {current} if it is still right. Nothing was changed.",
    members={"current_version": "current"},
)
FIGURES_NOT_READY = problem(
    503,
    "figures-not-ready",
    "The metrics can't be read right now",
    "The catalogue of metrics can't be read right now. Nothing was saved: try again.",
    retry_after_s=5,
    error=PartProblem,
)
NOT_A_READER = problem(
    422,
    "not-a-reader",
    "Nobody with this address may see the figures",
    "Mails with figures go only to owners, managers and analysts of the seller's staff, at the address of "
    "their account. Enter such an address, or invite the person to the staff first.",
)
BAD_WEBHOOK = problem(422, "bad-webhook", "The webhook's URL can't be used", "{refused}")
TOO_MANY = problem(
    409,
    "too-many",
    "There are too many of these",
    "A seller may have {limit} {what}. Delete one that is no longer needed.",
)
TESTED_JUST_NOW = problem(
    429,
    "tested-just-now",
    "A test was sent just now",
    "A test of this rule was sent less than a minute ago. Look for it, then try again.",
    retry_after_s=60,
)
RULE_PAUSED = problem(
    409,
    "rule-paused",
    "The rule is paused",
    "This rule is paused and sends nothing. Resume it first.",
)
NO_RECIPIENT = problem(
    409,
    "no-recipient",
    "Nobody gets the mails",
    "The person who got the mails has left. Delete this, and create it for another person.",
)
