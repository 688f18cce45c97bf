"""The gateway describes what it passes on as the services behind it take and answer it."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from producers.inventory import schemas as inventory
from producers.orders import schemas as orders
from serving.shop.schemas.orders import OrderSent, ShopperOrder
from serving.shop.schemas.stock import Stock, StockOfProduct, StockSet


def fields(schema: dict[str, Any], definitions: dict[str, Any]) -> Any:
    """Every field's name, with those of the objects within it."""
    if "$ref" in schema:
        return fields(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if schema.get("type") == "array":
        return fields(schema["items"], definitions)
    return {name: fields(field, definitions) for name, field in schema.get("properties", {}).items()}


def described(model: Any) -> Any:
    schema = TypeAdapter(model).json_schema()
    return fields(schema, schema.get("$defs", {}))


@pytest.mark.parametrize(
    ("gateway", "service"),
    [
        (OrderSent, orders.OrderSent),
        (ShopperOrder, orders.OrderShown),
        (StockSet, inventory.StockSent),
        (StockOfProduct, inventory.StockOfProductSent),
        (Stock, inventory.StockShown),
    ],
)
def test_the_gateway_knows_every_field_of_the_service(gateway: Any, service: Any) -> None:
    assert described(gateway) == described(service)


def test_it_asks_for_the_same_fields_of_an_order() -> None:
    assert set(TypeAdapter(OrderSent).json_schema()["required"]) == set(
        TypeAdapter(orders.OrderSent).json_schema()["required"]
    )
