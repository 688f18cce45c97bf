"""The gateway's OpenAPI description agrees with the requests and responses of the services behind it."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from common.principal import Principal
from producers.inventory import schemas as inventory
from producers.orders import schemas as orders
from producers.orders.endpoints import shopper_of
from serving.commerce.gateway import EXAMPLE_ORDER
from serving.commerce.schemas.orders import OrderRequest, ShopperOrder, ShopperOrders
from serving.commerce.schemas.stock import Stock, StockUpdate, StockUpdates

WORDS = {"title", "description", "examples", "default"}
"""Keywords of a JSON schema that only describe; all others restrict values."""


def shape(schema: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """Return every field's name, type and bounds, including those of nested objects."""
    if "$ref" in schema:
        return shape(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    said = {name: value for name, value in schema.items() if name not in WORDS | {"$defs"}}
    if "properties" in said:
        fields = said["properties"].items()
        said["properties"] = {name: shape(field, definitions) for name, field in fields}
    if "items" in said:
        said["items"] = shape(said["items"], definitions)
    if "anyOf" in said:
        said["anyOf"] = [shape(one, definitions) for one in said["anyOf"]]
    return said | {name: sorted(said[name]) for name in ("required", "enum") if name in said}


def described(model: Any) -> dict[str, Any]:
    schema = (model if isinstance(model, TypeAdapter) else TypeAdapter(model)).json_schema()
    return shape(schema, schema.get("$defs", {}))


@pytest.mark.parametrize(
    ("gateway", "service"),
    [
        (OrderRequest, orders.OrderRequest),
        (ShopperOrder, orders.OrderResponse),
        (ShopperOrders, orders.OrdersResponse),
        (StockUpdate, inventory.StockRequest),
        (StockUpdates, inventory.STOCK_LIST_REQUEST),
        (Stock, inventory.StockResponse),
    ],
)
def test_the_gateway_describes_what_the_service_takes_and_answers(gateway: Any, service: Any) -> None:
    assert described(gateway) == described(service)


def of(model: Any, *path: str) -> dict[str, Any]:
    """Return the type and bounds of a field."""
    found = described(model)
    for name in path:
        found = found["properties"][name]
        found = found.get("items", found)
    return found


def test_what_the_service_refuses_is_not_promised() -> None:
    assert of(OrderRequest, "payment", "installments") == {"type": "integer", "minimum": 1, "maximum": 24}
    seller, _null = of(OrderRequest, "lines", "seller_id")["anyOf"]
    assert seller["minLength"] == 1
    price, _null = of(OrderRequest, "lines", "unit_price_minor")["anyOf"]
    assert price["minimum"] == 0
    assert of(OrderRequest, "lines")["additionalProperties"] is False


def test_the_example_of_an_order_is_one_that_anybody_may_place() -> None:
    request = orders.ORDER_REQUEST.validate_python(EXAMPLE_ORDER)

    for principal in (
        Principal("guest:g1", frozenset({"guest"}), ("g1",)),
        Principal("person-1", frozenset({"shopper"}), ("shopper-9",), session_id="s"),
    ):
        assert shopper_of(request, principal) == principal.shopper_id
