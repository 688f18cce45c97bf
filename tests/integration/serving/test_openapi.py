"""Every response of the API matches its OpenAPI description."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import Case
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from common.settings import Settings

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]


OPERATIONS = (
    ("GET", "/v1/sellers/{seller_id}/sales"),
    ("GET", "/v1/sellers/{seller_id}/products/top"),
    ("GET", "/v1/sellers/{seller_id}/orders"),
    ("GET", "/v1/sellers"),
    ("GET", "/v1/marketplace/sales"),
    ("GET", "/v1/products/popular"),
    ("GET", "/v1/products"),
    ("GET", "/v1/products/{product_id}"),
    ("GET", "/v1/categories"),
    ("GET", "/v1/recommendations/{visitor_id}"),
    ("GET", "/v1/products/{product_id}/similar"),
    ("GET", "/health"),
)
NEEDS_OTHERS = (
    ("POST", "/v1/orders"),
    ("GET", "/v1/orders/{order_id}"),
    ("POST", "/v1/orders/{order_id}/cancellation"),
    ("GET", "/v1/products/{product_id}/stock"),
    ("PUT", "/v1/products/{product_id}/stock"),
    ("PUT", "/v1/stock"),
    ("POST", "/v1/events"),
)
"""Paths that need the commerce services or Kafka, which do not run here. Their errors are described, too."""


@pytest.fixture(scope="module")
def described(shop: Settings) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{shop.serving}/openapi.json")


def test_every_address_is_tried(described: BaseSchema) -> None:
    operations = {
        (method.upper(), path)
        for path, methods in described.raw_schema["paths"].items()
        for method in methods
    }
    assert operations == {*OPERATIONS, *NEEDS_OTHERS, ("GET", "/ready")}  # /ready has a test of its own


@pytest.mark.parametrize(("method", "path"), OPERATIONS + NEEDS_OTHERS)
def test_every_answer_is_as_described(described: BaseSchema, method: str, path: str) -> None:
    @given(case=described[path][method].as_strategy())
    @settings(max_examples=settings.default.max_examples // 5, suppress_health_check=list(HealthCheck))
    def ask(case: Case) -> None:
        case.call_and_validate(checks=CHECKS[1:] if (method, path) in NEEDS_OTHERS else CHECKS)

    ask()


@pytest.mark.parametrize("path", [path for _, path in OPERATIONS if "{seller_id}" in path])
def test_what_is_said_of_a_known_seller_is_as_described(described: BaseSchema, path: str) -> None:
    described[path]["GET"].Case(path_parameters={"seller_id": "ana"}).call_and_validate(checks=CHECKS)
