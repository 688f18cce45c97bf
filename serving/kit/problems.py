"""The error responses of the API and the pages."""

from collections.abc import Mapping, Sequence
from typing import Any

from common.errors import PartUnavailable
from common.problems import Problem


class UnknownSeller(Problem):
    """The seller never registered and never sold anything."""

    status, kind, title = 404, "unknown-seller", "Unknown seller"

    def __init__(self, seller_id: str) -> None:
        super().__init__(
            f"No seller has the id {seller_id!r}. "
            "Find sellers with GET /v1/sellers?q=, by id, city, state or name."
        )


class UnknownProduct(Problem):
    """The product was never listed."""

    status, kind, title = 404, "unknown-product", "Unknown product"

    def __init__(self, product_id: str) -> None:
        super().__init__(
            f"No product has the id {product_id!r}. Find products by name with GET /v1/products?q="
        )


class UnknownOrder(Problem):
    """The orders service has no order of this id."""

    status, kind, title = 404, "unknown-order", "Unknown order"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"No order has the id {order_id!r}. Check the link that you followed.")


class BodyTooLarge(Problem):
    """The body of a request exceeds the limit of its route."""

    status, kind, title = 413, "body-too-large", "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body may have at most {limit:,} bytes. Split it into several requests.")


class BadPeriod(Problem):
    """The bounds of a period can't be read, or are in the wrong order."""

    status, kind, title = 422, "bad-period", "This period can't be served"


class UnknownMetric(Problem):
    """The catalogue has no metric of this name."""

    status, kind, title = 404, "unknown-metric", "Unknown metric"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no metric {name!r}. GET /v1/analytics/metrics lists them.")


class BadAnalyticsRequest(Problem):
    """The parameters of a request for metrics don't fit together."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"


class QueryRefused(Problem):
    """A seller's query is invalid, or reads what sellers may not read. The message says what to change."""

    status, kind, title = 422, "query-refused", "This query can't be run"


class QueryOverLimit(Problem):
    """A seller's query exceeds a limit of time, memory or rows. The message says how to make it smaller."""

    status, kind, title = 422, "query-over-limit", "This query is too large"


class RepeatedParameter(Problem):
    """A parameter was given more than once."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"


class TooManyExcluded(Problem):
    """A request for recommendations excludes too many products."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"


class UnusableEntry(Problem):
    """An entry of a list of rules for recommendations would have no effect."""

    status, kind, title = 422, "unusable-entry", "An entry can't be used"


class NotExplained(Problem):
    """The sender may not see what the rules of the shop did to a list."""

    status, kind, title = 403, "not-explained", "The rules are not explained to you"

    def __init__(self) -> None:
        super().__init__(
            "Only processes of the platform may add `explain`: leave it out. Administrators see what the "
            "rules do under /admin/recommendations."
        )


class MissingProduct(Problem):
    """Recommendations for a product page were requested without a product."""

    status, kind, title = 422, "missing-product", "A parameter is missing"


class BadBody(Problem):
    """The body of a request does not have the expected shape."""

    status, kind, title = 422, "bad-body", "This body can't be used"


class NoEventAccepted(Problem):
    """A batch of events of which none can be accepted."""

    status, kind, title = 422, "no-event-taken", "None of these events can be used"

    def __init__(self, rejected: Sequence[Mapping[str, Any]]) -> None:
        """`rejected` has an entry for each event, as in the response to a batch."""
        super().__init__(
            f"None of {len(rejected)} events was accepted; `rejected` has the reason of each. The first: "
            f"{rejected[0]['problem']['detail']}. Correct the events before you send them again."
        )
        self.extensions = {"rejected": rejected}


class NotJson(Problem):
    """The body of a request is not JSON."""

    status, kind, title = 415, "not-json", "This body is not JSON"

    def __init__(self, content_type: str) -> None:
        super().__init__(f"The Content-Type is {content_type[:80]!r}. Send application/json.")


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


class SellerSqlUnavailable(_Unavailable):
    """The service that runs the queries of sellers does not answer, or can't run any query now."""

    status, kind, title = 503, "seller-sql-unavailable", "Queries can't be run now"
    retry_after_s = 5


class SearchUnavailable(_Unavailable):
    """ClickHouse does not answer, so that products can't be searched."""

    status, kind, title = 503, "search-unavailable", "The search is not available"
    retry_after_s = 5

    def __init__(self) -> None:
        super().__init__(
            "Products can't be searched right now. Try again in a few seconds, or browse the categories."
        )


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


class RegistryUnavailable(_Unavailable):
    """The schema registry does not answer."""

    status, kind, title = 503, "registry-unavailable", "Events can't be accepted right now"
    retry_after_s = 5
