"""The error responses that several rooms of the API and the pages have."""

from common.errors import PartUnavailable
from common.problems import PartProblem, Problem, problem

UNKNOWN_SELLER = problem(
    404,
    "unknown-seller",
    "Unknown seller",
    "No seller has the id {seller_id!r}. Find sellers with GET /v1/sellers?q=, by id, city, state or name.",
)
"""The seller never registered and never sold anything."""

UNKNOWN_PRODUCT = problem(
    404,
    "unknown-product",
    "Unknown product",
    "No product has the id {product_id!r}. Find products by name with GET /v1/products?q=",
)
"""The product was never listed."""

BODY_TOO_LARGE = problem(
    413,
    "body-too-large",
    "The body is too large",
    "The body may have at most {limit:,} bytes. Split it into several requests.",
)
BAD_PERIOD = problem(422, "bad-period", "This period can't be served", "{detail}")
"""The bounds of a period can't be read, or are in the wrong order."""

UNUSABLE_PARAMETER = problem(422, "bad-parameter", "A parameter can't be used", "{detail}")
"""A parameter has a bad value, is repeated, or does not fit the others."""

MISSING_PRODUCT = problem(422, "missing-product", "A parameter is missing", "{detail}")
"""Recommendations for a product page were requested without a product."""

BAD_BODY = problem(422, "bad-body", "This body can't be used", "{detail}")
"""The body of a request does not have the expected shape."""

SEARCH_UNAVAILABLE = problem(
    503,
    "search-unavailable",
    "The search is not available",
    "Products can't be searched right now. Try again in a few seconds, or browse the categories.",
    retry_after_s=5,
    error=PartProblem,
)
"""ClickHouse does not answer, so that products can't be searched."""


class UnusableEntry(Problem):
    """An entry of a list of rules for recommendations would have no effect."""

    status, kind, title = 422, "unusable-entry", "An entry can't be used"


class _Unavailable(Problem, PartUnavailable):
    """A part does not answer. `retry_after_s` replaces the usual time after which to try again."""

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        if retry_after_s is not None:
            self.retry_after_s = retry_after_s


class ClickHouseUnavailable(_Unavailable):
    """ClickHouse does not answer, or is not set up yet."""

    status, kind, title = 503, "clickhouse-unavailable", "The figures are not available"
    retry_after_s = 5


class RedisUnavailable(_Unavailable):
    """Redis does not answer."""

    status, kind, title = 503, "redis-unavailable", "The rankings are not available"
    retry_after_s = 5


class CommerceUnavailable(_Unavailable):
    """The commerce services (orders, stock, payments) do not answer."""

    status, kind, title = 503, "commerce-unavailable", "The checkout is not available"
    retry_after_s = 2


class KafkaUnavailable(_Unavailable):
    """Kafka does not accept events."""

    status, kind, title = 503, "kafka-unavailable", "Events can't be accepted right now"
    retry_after_s = 5
