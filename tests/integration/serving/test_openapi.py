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
from tests.principals import bearer

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
    ("GET", "/.well-known/jwks.json"),
    ("POST", "/v1/auth/guest_sessions"),
    ("GET", "/v1/ops/services"),
    ("GET", "/health"),
)
NEEDS_OTHERS = (
    ("POST", "/v1/orders"),
    ("GET", "/v1/orders"),
    ("GET", "/v1/orders/{order_id}"),
    ("POST", "/v1/orders/{order_id}/cancellation"),
    ("GET", "/v1/products/{product_id}/stock"),
    ("PUT", "/v1/products/{product_id}/stock"),
    ("PUT", "/v1/stock"),
    ("POST", "/v1/events"),
    ("POST", "/v1/auth/registrations"),
    ("POST", "/v1/auth/verifications"),
    ("POST", "/v1/auth/sessions"),
    ("POST", "/v1/auth/refresh"),
    ("POST", "/v1/auth/password_resets"),
    ("POST", "/v1/auth/password_resets/confirmations"),
    ("POST", "/v1/auth/email_changes/confirmations"),
    ("DELETE", "/v1/auth/sessions/current"),
    ("GET", "/v1/me"),
    ("PATCH", "/v1/me"),
    ("POST", "/v1/me/password"),
    ("POST", "/v1/me/email_changes"),
    ("GET", "/v1/me/sessions"),
    ("DELETE", "/v1/me/sessions/{session_id}"),
    ("GET", "/v1/me/addresses"),
    ("PUT", "/v1/me/addresses/{address_id}"),
    ("DELETE", "/v1/me/addresses/{address_id}"),
    ("GET", "/v1/me/export"),
    ("POST", "/v1/me/erasure"),
    ("POST", "/v1/seller_applications"),
    ("GET", "/v1/seller_applications"),
    ("GET", "/v1/seller_applications/mine"),
    ("POST", "/v1/seller_applications/{application_id}/approval"),
    ("POST", "/v1/seller_applications/{application_id}/refusal"),
    ("GET", "/v1/sellers/{seller_id}/profile"),
    ("PATCH", "/v1/sellers/{seller_id}/profile"),
    ("POST", "/v1/sellers/{seller_id}/suspension"),
    ("DELETE", "/v1/sellers/{seller_id}/suspension"),
    ("GET", "/v1/sellers/{seller_id}/staff"),
    ("POST", "/v1/sellers/{seller_id}/staff_invitations"),
    ("DELETE", "/v1/sellers/{seller_id}/staff_invitations/{invitation_id}"),
    ("POST", "/v1/staff_invitations/lookups"),
    ("POST", "/v1/staff_invitations/acceptances"),
    ("POST", "/v1/staff_invitations/refusals"),
    ("PUT", "/v1/sellers/{seller_id}/staff/{user_id}"),
    ("DELETE", "/v1/sellers/{seller_id}/staff/{user_id}"),
    ("GET", "/v1/sellers/{seller_id}/api_keys"),
    ("POST", "/v1/sellers/{seller_id}/api_keys"),
    ("DELETE", "/v1/sellers/{seller_id}/api_keys/{key_id}"),
    ("GET", "/v1/sellers/{seller_id}/commission"),
    ("GET", "/v1/commission_rules"),
    ("POST", "/v1/commission_rules"),
    ("GET", "/v1/people"),
    ("GET", "/v1/people/{user_id}"),
    ("PUT", "/v1/people/{user_id}/role"),
    ("POST", "/v1/people/{user_id}/suspension"),
    ("DELETE", "/v1/people/{user_id}/suspension"),
    ("GET", "/v1/mails"),
    ("GET", "/v1/settings"),
    ("GET", "/v1/settings/{name}/history"),
    ("PUT", "/v1/settings/{name}"),
    ("POST", "/v1/settings/{name}/rollback"),
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
def test_every_answer_is_as_described(described: BaseSchema, shop: Settings, method: str, path: str) -> None:
    @given(case=described[path][method].as_strategy())
    @settings(max_examples=settings.default.max_examples // 5, suppress_health_check=list(HealthCheck))
    def ask(case: Case) -> None:
        checks = CHECKS[1:] if (method, path) in NEEDS_OTHERS else CHECKS
        case.call_and_validate(checks=checks, headers=bearer(shop))

    ask()


@pytest.mark.parametrize("path", [path for _, path in OPERATIONS if "{seller_id}" in path])
def test_what_is_said_of_a_known_seller_is_as_described(
    described: BaseSchema, shop: Settings, path: str
) -> None:
    case = described[path]["GET"].Case(path_parameters={"seller_id": "ana"})
    case.call_and_validate(checks=CHECKS, headers=bearer(shop))
