"""What the API and the pages answer instead of what was asked for."""

from collections.abc import Mapping, Sequence
from typing import Any

from common.errors import PartUnavailable
from common.problems import Problem


class UnknownSeller(Problem):
    """No registration and no sale of this seller is known."""

    status, kind, title = 404, "unknown-seller", "Unknown seller"

    def __init__(self, seller_id: str) -> None:
        super().__init__(
            f"No seller has the id {seller_id!r}. "
            "Find sellers with GET /v1/sellers?q=, by id, city, state or name."
        )


class UnknownProduct(Problem):
    """Nobody ever listed this product."""

    status, kind, title = 404, "unknown-product", "Unknown product"

    def __init__(self, product_id: str) -> None:
        super().__init__(
            f"No product has the id {product_id!r}. Look for it by its name: GET /v1/products?q="
        )


class UnknownOrder(Problem):
    """The orders service knows no such order."""

    status, kind, title = 404, "unknown-order", "Unknown order"

    def __init__(self, order_id: str) -> None:
        super().__init__(f"No order has the id {order_id!r}. Check the address that you were given.")


class BodyTooLarge(Problem):
    """A request's body is longer than its address takes."""

    status, kind, title = 413, "body-too-large", "The body is too large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"This address takes at most {limit:,} bytes. Send less, in several requests.")


class BadPeriod(Problem):
    """`from` and `to` make no period that can be served."""

    status, kind, title = 422, "bad-period", "This period can't be served"


class RepeatedParameter(Problem):
    """A parameter was given more than once."""

    status, kind, title = 422, "bad-parameter", "A parameter can't be used"


class BadCursor(Problem):
    """A cursor that this API did not give out."""

    status, kind, title = 422, "bad-cursor", "This cursor is not ours"


class MissingProduct(Problem):
    """A list beside a product was asked for without the product."""

    status, kind, title = 422, "missing-product", "A parameter is missing"


class BadBody(Problem):
    """A request's body is not what its address takes."""

    status, kind, title = 422, "bad-body", "This body can't be used"


class NoEventTaken(Problem):
    """A batch in which no event can be used."""

    status, kind, title = 422, "no-event-taken", "None of these events can be used"

    def __init__(self, rejected: Sequence[Mapping[str, Any]]) -> None:
        """`rejected`: what is wrong with each, as the answer of a batch has it."""
        super().__init__(
            f"None of {len(rejected)} events was taken; `rejected` says what is wrong with each. The first: "
            f"{rejected[0]['problem']['detail']}. Correct them: the same again would be refused again."
        )
        self._rejected = rejected

    @property
    def extensions(self) -> Mapping[str, Any]:
        """What is wrong with each."""
        return {"rejected": self._rejected}


class NotJson(Problem):
    """A request's body is of another type than its address takes."""

    status, kind, title = 415, "not-json", "This body is not JSON"

    def __init__(self, content_type: str) -> None:
        super().__init__(f"The Content-Type is {content_type[:80]!r}. Send application/json.")


class ClickHouseUnavailable(Problem, PartUnavailable):
    """ClickHouse does not answer, or not yet."""

    status, kind, title = 503, "clickhouse-unavailable", "The figures are out of reach"
    retry_after_s = 5


class RedisUnavailable(Problem, PartUnavailable):
    """Redis does not answer."""

    status, kind, title = 503, "redis-unavailable", "The rankings are out of reach"
    retry_after_s = 5


class CommerceUnavailable(Problem, PartUnavailable):
    """The services of orders, stock and payments do not answer."""

    status, kind, title = 503, "commerce-unavailable", "The shop's till is out of reach"
    retry_after_s = 2


class KafkaUnavailable(Problem, PartUnavailable):
    """Kafka does not take events."""

    status, kind, title = 503, "kafka-unavailable", "Events can't be taken right now"
    retry_after_s = 5


class RegistryUnavailable(Problem, PartUnavailable):
    """The schema registry does not answer."""

    status, kind, title = 503, "registry-unavailable", "Events can't be taken right now"
    retry_after_s = 5
