"""Every response of the API matches its OpenAPI description, whoever sends the request."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import httpx
import orjson
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from requests.adapters import HTTPAdapter
from schemathesis import Case, GenerationMode, Response
from schemathesis.checks import not_a_server_error
from schemathesis.schemas import APIOperation, BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from common.ids import new_id
from common.principal import Principal, Role, StaffRole, guest, platform
from common.settings import ROOT, Settings
from tests.integration.servers import TEST_TIMEOUT_S, await_true
from tests.integration.serving.conftest import Office, live_index
from tests.integration.serving.test_access_matrix import SCOPES
from tests.integration.serving.test_search import EVENTS
from tests.principals import bearer

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SENT_BY_SEVERAL_ROLES = max(1, settings.default.max_examples // 100)
"""Requests to each operation that several roles send: 1, the simplest one; 10 with `--nightly`."""

SENT_BY_ONE_ROLE = max(1, settings.default.max_examples // 33)
"""Further requests to each operation, each sent by any of the roles: 3; 30 with `--nightly`."""

ROLES = (
    *("nobody", "guest", "shopper", "owner", "manager", "seller's analyst", "fulfilment"),
    *("API key", "analyst", "admin", "platform"),
)
SEVERAL_ROLES = ROLES if SENT_BY_SEVERAL_ROLES > 1 else ("nobody", "shopper", "owner", "platform")
"""All with `--nightly`. Else those whose responses differ: `test_access_matrix.py` tries every role."""
POSITIVE = GenerationMode.POSITIVE
ANA = "ana"
"""The seller who has sold something in the fixture `shop`."""


OPERATIONS = (
    ("GET", "/v1/sellers/{seller_id}/sales"),
    ("GET", "/v1/sellers/{seller_id}/sales/change"),
    ("GET", "/v1/sellers/{seller_id}/products/top"),
    ("GET", "/v1/sellers/{seller_id}/orders"),
    ("GET", "/v1/sellers/{seller_id}/tasks"),
    ("GET", "/v1/sellers/{seller_id}/signals"),
    ("GET", "/v1/sellers/{seller_id}/parcels/due"),
    ("GET", "/v1/sellers/{seller_id}/parcels/due/export.csv"),
    ("GET", "/v1/sellers/{seller_id}/reviews"),
    ("GET", "/v1/sellers/{seller_id}/reviews/export.csv"),
    ("GET", "/v1/sellers/{seller_id}/analytics/recommendation_uplift"),
    ("GET", "/v1/admin/experiments"),
    ("GET", "/v1/admin/experiments/{name}"),
    ("GET", "/v1/admin/recommendations/health"),
    ("GET", "/v1/admin/recommendations/{recommendation_id}"),
    ("GET", "/v1/admin/recommendations/trainings"),
    ("GET", "/v1/admin/recommendations/trainings/{training_id}"),
    ("POST", "/v1/admin/recommendations/trainings/{training_id}/rollback"),
    ("GET", "/v1/sellers/{seller_id}/analytics/{metric}"),
    ("GET", "/v1/sellers/{seller_id}/analytics/{metric}/rows"),
    ("GET", "/v1/sellers/{seller_id}/analytics/{metric}/export.csv"),
    ("GET", "/v1/sellers/{seller_id}/analytics/{metric}/export.parquet"),
    ("GET", "/v1/sellers/{seller_id}/analytics/{metric}/rows/export.csv"),
    ("GET", "/v1/sellers/{seller_id}/analytics/{metric}/rows/export.parquet"),
    ("GET", "/v1/sellers/{seller_id}/customers/cohorts"),
    ("GET", "/v1/sellers/{seller_id}/customers/cohorts/export.csv"),
    ("GET", "/v1/sellers/{seller_id}/customers/segments"),
    ("GET", "/v1/sellers/{seller_id}/customers/segments/export.csv"),
    ("GET", "/v1/sellers/{seller_id}/products/price-changes"),
    ("GET", "/v1/sellers/{seller_id}/products/price-changes/export.csv"),
    ("GET", "/v1/sellers/{seller_id}/products/bought-together"),
    ("GET", "/v1/sellers/{seller_id}/products/bought-together/export.csv"),
    ("POST", "/v1/sellers/{seller_id}/sql"),
    ("GET", "/v1/analytics/metrics"),
    ("GET", "/v1/analytics/metrics/{metric}"),
    ("GET", "/v1/sellers"),
    ("GET", "/v1/marketplace/sales"),
    ("GET", "/v1/marketplace/signals"),
    ("GET", "/v1/marketplace/analytics/{metric}"),
    ("GET", "/v1/marketplace/analytics/{metric}/export.csv"),
    ("GET", "/v1/products/popular"),
    ("GET", "/v1/products"),
    ("GET", "/v1/products/{product_id}"),
    ("GET", "/v1/categories"),
    ("GET", "/v1/recommendations/{visitor_id}"),
    ("GET", "/v1/recommendations/{visitor_id}/rows"),
    ("GET", "/v1/recommendations/{visitor_id}/products"),
    ("GET", "/v1/products/{product_id}/similar"),
    ("GET", "/.well-known/jwks.json"),
    ("POST", "/v1/auth/guest_sessions"),
    ("GET", "/v1/ops/services"),
    ("GET", "/v1/ops/overview"),
    ("GET", "/v1/ops/audits"),
    ("GET", "/v1/ops/audits/{audit_id}"),
    ("GET", "/health"),
)
DESCRIBED = {
    (method.upper(), path)
    for path, methods in orjson.loads((ROOT / "tests/golden/openapi.json").read_bytes())["paths"].items()
    for method in methods
}
NEEDS_OTHERS = tuple(sorted(DESCRIBED - {*OPERATIONS, ("GET", "/ready")}))  # /ready has a test of its own
"""Operations that need the commerce services or Kafka, which run behind the fixture `office`."""


@dataclass(frozen=True)
class KnownIds:
    """A principal of each role, and ids of things that exist, by the names of parameters and members."""

    principals: Mapping[str, Principal | None]
    ids: Mapping[str, str]

    def in_place_of(self, generated: Any, role: str, **others: str) -> Any:
        """Return generated parameters or a generated body with ids that exist, also those of the sender."""
        principal = self.principals[role]
        own = (principal and principal.shopper_id) or self.ids["shopper_id"]
        return _replaced(generated, {**self.ids, "shopper_id": own, "visitor_id": own, **others})


def _replaced(part: Any, ids: Mapping[str, str]) -> Any:
    if isinstance(part, list):
        return [_replaced(each, ids) for each in part]
    if isinstance(part, dict):
        return {name: ids.get(name) or _replaced(value, ids) for name, value in part.items()}
    return part


@pytest.fixture(scope="module")
def known(office: Office) -> KnownIds:
    shop, seller_id = office.shop, f"seller-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    product_id = shop.product(stock=1_000_000, seller_id=seller_id)

    def person(role: Role = "shopper", staff: StaffRole | None = None) -> Principal:
        user_id = office.register(f"{uuid4().hex}@shop.example", role)
        sellers = {seller_id: staff, ANA: staff} if staff else {}
        roles = frozenset({"shopper", role, *(["seller"] if staff else [])})
        return Principal(user_id, roles, (new_id(),), sellers, None, new_id())  # type: ignore[arg-type]

    key_of = {seller_id: "manager", ANA: "manager"}
    principals = {
        "nobody": None,
        "guest": guest(uuid4().hex),
        "shopper": person(),
        "owner": person(staff="owner"),
        "manager": person(staff="manager"),
        "seller's analyst": person(staff="analyst"),
        "fulfilment": person(staff="fulfilment"),
        "API key": Principal(f"key:{new_id()}", frozenset({"seller"}), (), key_of, SCOPES),  # type: ignore[arg-type]
        "analyst": person("analyst"),
        "admin": person("admin"),
        "platform": platform("tests"),
    }
    buyer, owner = person(), principals["owner"]
    assert buyer.shopper_id
    assert owner
    application = {"name": "A shop", "legal_name": "A shop Ltd", "tax_id": "123", "country": "BR"}
    application["contact_email"] = "a@shop.example"
    with office.http(buyer) as http:
        applied = http.post("/v1/seller_applications", json=application)
    with office.http(owner) as http:
        key = {"name": "A key", "scopes": ["orders:read"]}
        made = http.post(f"/v1/sellers/{seller_id}/api_keys", json=key)
    ids = {
        "seller_id": seller_id,
        "product_id": product_id,
        "shopper_id": buyer.shopper_id,
        "order_id": shop.buy(product_id, shopper_id=buyer.shopper_id),
        "user_id": buyer.subject,
        "application_id": applied.raise_for_status().json()["application_id"],
        "key_id": made.raise_for_status().json()["key_id"],
        "session_id": new_id(),
        "address_id": "home",
    }
    return KnownIds(principals, ids)


@pytest.fixture(scope="module")
def _live(shop: Settings) -> Iterator[None]:
    """A live index, so that no filter is answered by "the search is not available"."""

    def is_read() -> bool:
        answer = httpx.get(f"{shop.serving}/v1/products", params={"in_stock": True}, trust_env=False)
        return answer.status_code == 200

    with live_index(shop, "openapi", EVENTS):
        await_true(is_read)
        yield


@pytest.fixture(scope="module")
def described(shop: Settings) -> BaseSchema:
    return schemathesis.openapi.from_url(f"{shop.serving}/openapi.json")


def test_every_address_is_tried(described: BaseSchema) -> None:
    paths = described.raw_schema["paths"]
    assert {(method.upper(), path) for path, methods in paths.items() for method in methods} == DESCRIBED
    assert set(OPERATIONS) <= DESCRIBED


def client_from(address: str) -> requests.Session:
    """Return a client with an address of its own, because each may sign in a limited number of times."""
    adapter = HTTPAdapter()
    adapter.init_poolmanager(1, 1, source_address=(address, 0))
    client = requests.Session()
    client.trust_env = False
    client.mount("http://", adapter)
    return client


FRAMING = ("Content-Length", "Transfer-Encoding")
"""Headers that say where a request ends. With a wrong one, it is no request, and belongs to no operation."""


def cases(operation: APIOperation) -> st.SearchStrategy[Case]:
    """Return requests to an operation as its description allows them, and others if it takes anything."""
    parts = ("path_parameters", "query", "headers", "body")
    modes = list(GenerationMode) if any(getattr(operation, part) for part in parts) else [POSITIVE]
    return st.one_of([operation.as_strategy(generation_mode=mode) for mode in modes])


def check(case: Case, response: Response) -> None:
    """Fail if a response is not as described, or a server error. Being too busy is none.

    The server refuses a request of more than 64 KB before it knows the operation.
    """
    if response.status_code == HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE:
        return
    busy = response.status_code == 503 and "temporary-reduced-capacity" in response.text
    case.validate_response(response, checks=CHECKS[1:] if busy else CHECKS)


@pytest.mark.timeout(3_600)
@pytest.mark.usefixtures("seller_sql", "_live")
@pytest.mark.parametrize(("method", "path"), OPERATIONS + NEEDS_OTHERS)
def test_every_answer_to_every_role_is_as_described(
    described: BaseSchema, shop: Settings, office: Office, known: KnownIds, method: str, path: str
) -> None:
    is_analytic = (method, path) in OPERATIONS
    server = shop if is_analytic else office.settings
    others = {"seller_id": ANA} if is_analytic else {"name": "breaker_trials"} if "{name}" in path else {}
    number = (OPERATIONS + NEEDS_OTHERS).index((method, path))
    clients = {role: client_from(f"127.3.{number + 1}.{at}") for at, role in enumerate(ROLES, 1)}

    def send(case: Case, role: str) -> None:
        principal = known.principals[role]
        headers = bearer(shop, principal) if principal else {}
        for name in ("Authorization", *FRAMING):
            case.headers.pop(name, None)
        response = case.call(
            base_url=server.serving, session=clients[role], headers=headers, timeout=TEST_TIMEOUT_S
        )
        event(f"{role}: {response.status_code}")
        check(case, response)

    def use_known_ids(case: Case, generated: tuple[Any, ...], role: str) -> None:
        case.path_parameters, case.query, case.body = (
            known.in_place_of(part, role, **others) for part in generated
        )

    strategy = cases(described[path][method])

    @given(case=strategy)
    @settings(max_examples=SENT_BY_SEVERAL_ROLES, suppress_health_check=list(HealthCheck))
    def send_as_several_roles(case: Case) -> None:
        generated = case.path_parameters, case.query, case.body
        for role in SEVERAL_ROLES:
            use_known_ids(case, generated, role)
            send(case, role)

    @given(case=strategy, role=st.sampled_from(ROLES), exists=st.booleans())
    @settings(max_examples=SENT_BY_ONE_ROLE, suppress_health_check=list(HealthCheck))
    def send_as_one_role(case: Case, role: str, exists: bool) -> None:
        if exists:
            use_known_ids(case, (case.path_parameters, case.query, case.body), role)
        send(case, role)

    send_as_several_roles()
    send_as_one_role()
    for client in clients.values():
        client.close()
