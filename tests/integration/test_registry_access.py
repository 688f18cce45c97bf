"""Which requests a real schema registry answers."""

from collections.abc import Iterator

import httpx
import pytest
from pydantic import SecretStr

from common.errors import PartUnavailable
from common.settings import Settings
from common.timeouts import SERVER_KEEPALIVE_S
from common.urls import redact_password
from local.parts import registry as registry_part
from local.parts.part import NotReady
from local.parts.registry import check
from schemas.registry import SchemaRegistry
from tests.integration.conftest import REGISTRY_PASSWORD
from tests.integration.servers import Server, registry_in_memory

SCHEMA = '{"schema": "{\\"type\\": \\"string\\"}", "schemaType": "AVRO"}'
CALLS = [
    ("GET", "/apis/ccompat/v7/subjects"),
    ("POST", "/apis/ccompat/v7/subjects/s/versions"),
    ("DELETE", "/apis/ccompat/v7/subjects/s"),
    ("PUT", "/apis/ccompat/v7/config"),
    ("GET", "/apis/registry/v3/search/artifacts"),
    ("DELETE", "/apis/registry/v3/groups/default"),
    ("GET", "/apis/registry/v3/admin/config/properties"),
    ("POST", "/apis/registry/v3/admin/import"),
    ("GET", "/apis/../apis/registry/v3/search/artifacts"),
    ("GET", "//apis/registry/v3/search/artifacts"),
    ("GET", "/"),
]


@pytest.fixture
def http(settings: Settings, registry: Server) -> Iterator[httpx.Client]:  # noqa: ARG001 (it needs it)
    url = f"http://127.0.0.1:{settings.port('registry')}"
    with httpx.Client(base_url=url, trust_env=False, timeout=30) as client:
        yield client


@pytest.mark.parametrize(("method", "path"), CALLS)
@pytest.mark.parametrize("auth", [None, ("souk", ""), ("souk", "guess"), ("admin", REGISTRY_PASSWORD)])
def test_a_request_without_the_password_is_refused(
    http: httpx.Client, method: str, path: str, auth: tuple[str, str] | None
) -> None:
    answer = http.request(method, path, content=SCHEMA, auth=auth)

    assert answer.status_code == 401


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_page_under_a_name_that_resolves_to_this_machine_is_refused(
    http: httpx.Client, settings: Settings, method: str, path: str
) -> None:
    name = f"evil.example:{settings.port('registry')}"

    answer = http.request(method, path, headers={"Host": name, "Origin": f"http://{name}"})

    assert answer.status_code == 401


@pytest.mark.parametrize("origin", ["http://evil.example", "null", "http://localhost:8888"])
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_a_page_of_another_origin_is_refused_even_with_the_password(
    http: httpx.Client, method: str, path: str, origin: str
) -> None:
    answer = http.request(method, path, headers={"Origin": origin}, auth=("souk", REGISTRY_PASSWORD))

    assert answer.status_code == 403
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.usefixtures("registry")
def test_our_client_registers_and_reads_a_schema(settings: Settings) -> None:
    with SchemaRegistry(settings.registry) as client:
        schema_id = client.register("s-value", '{"type": "string"}')

        assert client.schema(schema_id) in ("string", {"type": "string"})
        assert "s-value" in client.subjects()


@pytest.mark.usefixtures("registry")
def test_messages_do_not_show_the_password(settings: Settings) -> None:
    wrong = settings.model_copy(update={"registry_password": SecretStr("guess")}).registry

    with SchemaRegistry(wrong) as client, pytest.raises(PartUnavailable) as refused:
        client.subjects()
    with pytest.raises(NotReady) as not_ready:
        check(wrong)

    assert "401" in str(refused.value)
    assert "401" in str(not_ready.value)
    assert "guess" not in f"{refused.value} {not_ready.value}"


def test_a_client_that_sends_a_large_head_is_refused(http: httpx.Client) -> None:
    answers = [
        http.get("/apis/ccompat/v7/subjects", headers={"X": "y" * size}, auth=("souk", REGISTRY_PASSWORD))
        for size in (60_000, 70_000)
    ]

    assert [answer.status_code for answer in answers] == [200, 431]


def test_nothing_listens_for_its_health_and_idle_connections_end(settings: Settings) -> None:
    part = registry_part.part(settings)

    assert part.launch is not None
    assert part.launch.env["QUARKUS_MANAGEMENT_HOST_ENABLED"] == "false"
    assert part.launch.env["QUARKUS_HTTP_IDLE_TIMEOUT"] == f"{SERVER_KEEPALIVE_S}s"


def test_neither_the_address_nor_an_argument_has_the_password(settings: Settings) -> None:
    part = registry_in_memory(settings)

    assert part.url == redact_password(settings.registry)
    assert part.launch is not None
    assert not [word for word in part.launch.argv if REGISTRY_PASSWORD in word]
