"""Whatever is asked, the API answers as its OpenAPI description says."""

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


PATHS = (
    "/v1/sellers/{seller_id}/sales",
    "/v1/sellers/{seller_id}/products/top",
    "/v1/sellers/{seller_id}/orders",
    "/v1/sellers",
    "/v1/marketplace/sales",
    "/v1/products/popular",
    "/health",
)


@pytest.fixture(scope="module")
def described(shop: Settings) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{shop.serving}/openapi.json")


def test_every_address_is_tried(described: BaseSchema) -> None:
    assert set(described.raw_schema["paths"]) == {*PATHS, "/ready"}  # /ready has a test of its own


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_is_as_described(described: BaseSchema, path: str) -> None:
    @given(case=described[path]["GET"].as_strategy())
    @settings(max_examples=settings.default.max_examples // 5, suppress_health_check=list(HealthCheck))
    def ask(case: Case) -> None:
        case.call_and_validate(checks=CHECKS)

    ask()


@pytest.mark.parametrize("path", [path for path in PATHS if "{seller_id}" in path])
def test_what_is_said_of_a_known_seller_is_as_described(described: BaseSchema, path: str) -> None:
    described[path]["GET"].Case(path_parameters={"seller_id": "ana"}).call_and_validate(checks=CHECKS)
