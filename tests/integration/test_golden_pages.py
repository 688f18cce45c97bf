"""What each role sees: every page as HTML, the columns of every file, of every view and of every table.

The shop has fixed facts, so that a page differs from its golden file only if the code has changed.
"""

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import httpx
import pytest
from pydantic import SecretStr

from clickhouse.client import connect
from clickhouse.databases import analytics_database
from clickhouse.migrate import migrate
from common.principal import Principal, Role, StaffRole, guest
from common.settings import ROOT, Settings
from local.parts import redis as local_redis
from local.state_directory import base_environment, settings_environment
from tests.golden_files import check_golden, golden_json
from tests.golden_html import golden_html, golden_views, without_changing
from tests.integration.commerce_servers import Shop
from tests.integration.conftest import is_ready
from tests.integration.servers import await_true, running, shed_no_load, terminated, without_experiments
from tests.integration.serving.access_table import expected
from tests.integration.serving.shop_history import PRODUCTS, SELLERS, History, load
from tests.ports import free_offset
from tests.principals import bearer

SELLER, PRODUCT = SELLERS[0], "hist-ana-1"
PERIOD = {"from": "2017-03-01", "to": "2017-03-31"}
LIVE = {
    "/ops": "figures of this moment",
    "/admin/limits": "what this machine allows",
    "/admin/dead-letters": "waits for Kafka",
    "/docs": "is made of openapi.json",
}
"""Page → why it has no golden file."""
pytestmark = pytest.mark.nightly


@dataclass(frozen=True)
class Site:
    """A running platform without jobs, and the people who look at its pages."""

    settings: Settings
    people: dict[str, Principal | None]
    ids: dict[str, str]
    """Parameter of a path → its value."""

    def get(self, path: str, name: str) -> httpx.Response:
        principal = self.people[name]
        headers = bearer(self.settings, principal) if principal else {}
        with httpx.Client(
            base_url=self.settings.serving,
            headers=headers | {"Accept": "text/html"},
            timeout=120,
            trust_env=False,
        ) as client:
            return client.get(path)


@pytest.fixture(scope="module")
def site(
    running_shop: Shop, clickhouse_server: Settings, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    own = Settings(
        home=tmp_path_factory.mktemp("golden"), port_offset=free_offset(), redis_password=SecretStr("secret")
    )
    passwords = ("clickhouse_admin_password", "clickhouse_analyst_password")
    settings = running_shop.settings.model_copy(
        update={
            "clickhouse_url": clickhouse_server.clickhouse,
            "clickhouse_database": "golden",
            "redis_url": own.redis,
            **{name: getattr(clickhouse_server, name) for name in passwords},
        }
    )
    migrate(settings)
    load(settings, History(seed=1, orders=120))
    shed_no_load(settings)
    without_experiments(settings)
    people, ids = registered(running_shop)
    environment = base_environment() | settings_environment(settings) | {"SOUK_SERVING_PROCESSES": "1"}
    command = [sys.executable, "-m", "serving"]
    with (
        running(local_redis.part(own), own),
        terminated(subprocess.Popen(command, cwd=ROOT, env=environment)) as process,
    ):
        await_true(lambda: is_ready(process, f"{settings.serving}/health"), "serving's start")
        await_true(lambda: knows_its_backlog(settings), "how far the figures are behind, which pages say")
        yield Site(settings, people, ids)


def knows_its_backlog(settings: Settings) -> bool:
    """Return whether the API knows how many events are not counted yet, in this shop without jobs."""
    figures = httpx.get(f"{settings.serving}/ready", trust_env=False).json()["figures"]
    return figures is not None and figures["messages_behind"] is not None


def registered(shop: Shop) -> tuple[dict[str, Principal | None], dict[str, str]]:
    """Register people and a seller with products, buy, and return who they are and the ids."""
    shop.tell("seller_registered", seller_id=SELLER, name="Ana's lamps", city="Recife", state="PE")
    for product_id, seller_id in PRODUCTS.items():
        shop.tell(
            "product_listed", product_id=product_id, seller_id=seller_id, name=f"A {product_id}",
            category="garden", currency="BRL", price_minor=1_000,
        )  # fmt: skip
    for product_id in PRODUCTS:
        shop.knows_listing(product_id)
    shop.set_stock(PRODUCT, 10, SELLER).raise_for_status()

    def person(name: str, role: Role, staff: StaffRole | None = None) -> Principal:
        body = {"email": f"{name}@example.com", "role": "shopper", "name": name.title()}
        user_id = shop.http.post("/v1/people", json=body).raise_for_status().json()["user_id"]
        sellers = {SELLER: staff} if staff else {}
        return Principal(user_id, frozenset({"shopper", role}), (f"shopper-of-{name}",), sellers)

    people: dict[str, Principal | None] = {
        "visitor": guest("g" * 32),
        "shopper": person("sara", "shopper"),
        "owner": person("olga", "seller", "owner"),
        "fulfilment": person("femi", "seller", "fulfilment"),
        "analyst": person("anton", "analyst"),
        "administrator": person("ada", "admin"),
    }
    order_id = shop.buy(PRODUCT, shopper_id="shopper-of-sara", quantity=2)
    shop.settled(order_id)
    sara = people["shopper"]
    assert sara is not None
    ids = {
        "seller_id": SELLER, "product_id": PRODUCT, "order_id": order_id, "user_id": sara.subject,
        "name": "breaker_window", "topic": "order_placed",
    }  # fmt: skip
    return people, ids


def page_paths() -> list[str]:
    """Return the path of each page: what somebody gets with a browser."""
    others = ("/v1/", "/health", "/ready", "/metrics", "/openapi", "/.")
    return [path for path in got_paths() if not path.startswith(others)]


def got_paths() -> list[str]:
    """Return the path of each `GET`; `test_access_matrix.py` compares them with the routes."""
    return sorted(route.removeprefix("GET ") for route in expected() if route.startswith("GET "))


def file_name(path: str) -> str:
    return path.strip("/").replace("/", "_").replace("{", "").replace("}", "") or "start"


def filled(path: str, ids: dict[str, str]) -> str | None:
    """Return a path with ids, or None if it has a parameter without a value."""
    for name, value in ids.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=""))
    return None if "{" in path else path


@pytest.mark.parametrize("path", page_paths())
def test_a_page(site: Site, path: str) -> None:
    target = filled(path, site.ids)
    if target is None:
        pytest.skip("the shop of the golden pages has none of these")
    if path in LIVE or path.endswith("/events"):
        pytest.skip(LIVE.get(path, "a stream"))
    if path.startswith("/sell/{seller_id}"):
        target = f"{target}?{httpx.QueryParams(PERIOD)}"
    also = {site.ids["user_id"]: "SARA", site.ids["order_id"]: "ORDER", site.ids["order_id"][-8:]: "ORDER"}
    views = {}
    for name in site.people:
        response = site.get(target, name)
        where = without_changing(response.headers.get("location", ""), also)
        head = f"{response.status_code} {response.headers.get('content-type', '')} {where}".strip()
        is_html = "html" in response.headers.get("content-type", "")
        body = (
            golden_html(response.text, also)
            if is_html
            else without_changing(response.text, also).splitlines()
        )
        views[name] = [head, *body]
    check_golden(f"pages/{file_name(path)}.txt", golden_views(views))


def test_the_columns_of_each_file(site: Site) -> None:
    metrics = httpx.get(f"{site.settings.serving}/v1/analytics/metrics", trust_env=False).json()
    names = [each["name"] for each in metrics["metrics"]]
    heads = {}
    for path in got_paths():
        if not path.startswith("/v1/") or not path.endswith(".csv"):
            continue
        for metric in names if "{metric}" in path else [""]:
            target = filled(path, site.ids | {"metric": metric})
            if target is None:
                continue
            answer = site.get(f"{target}?{httpx.QueryParams(PERIOD)}", "administrator")
            is_file = answer.headers.get("content-type", "").startswith("text/csv")
            said = answer.text.splitlines()[0] if is_file else answer.json()["type"]
            heads[path.replace("{metric}", metric or "")] = f"{answer.status_code} {said}"
    assert len(heads) > 100
    check_golden("files.json", golden_json(heads))


def test_the_columns_of_each_table_and_view(site: Site) -> None:
    database = site.settings.clickhouse_database
    query = """
        SELECT database, table, groupArray((name, type)) AS columns
        FROM (SELECT * FROM system.columns WHERE startsWith(database, {prefix:String}) ORDER BY position)
        GROUP BY database, table ORDER BY database, table
    """
    with connect(site.settings, admin=True) as client:
        rows = client.query(query, {"prefix": database}).result_rows
    found = {
        f"{where.replace(database, 'souk')}.{table}": [f"{name} {kind}" for name, kind in columns]
        for where, table, columns in rows
    }
    assert {where for where, _, _ in rows} >= {database, analytics_database(database)}
    check_golden("clickhouse.json", golden_json(found))
