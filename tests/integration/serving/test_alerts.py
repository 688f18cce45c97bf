"""Alerts, reports and views of a seller: through the API, and the workers on a schema of their own."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx
import orjson
import pytest
from redis import Redis

from common.ids import new_id
from common.principal import Principal, StaffRole
from common.settings import Settings
from producers.kit.encryption import new_key, seal
from producers.kit.http.peers import Peers
from producers.kit.makers import Makers
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.trace import Trace
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from producers.kit.postgres.roles import migrate_as_admin
from producers.registry import SERVICES
from producers.services.alerts import message_store, report_store, store
from producers.services.alerts.delivery import WAITS, Delivery
from producers.services.alerts.evaluation import Evaluator
from producers.services.alerts.figures import FiguresClient
from producers.services.alerts.message_store import close_alert
from producers.services.alerts.model import MAKER_LEFT, Progress
from producers.services.alerts.reporting import Reporter
from producers.services.alerts.schemas import AlertMessageResponse, ReportResponse
from producers.services.alerts.store import Rule
from producers.services.alerts.webhooks import WebhookSender, new_webhook_secret, signed_headers
from tests.integration.commerce.people import with_account
from tests.integration.commerce_servers import Shop
from tests.integration.servers import await_true
from tests.integration.serving.conftest import Office
from tests.integration.serving.visits import register_staff

SCHEMA = "alerts_apart"
"""A schema of the service that no process works on, besides the tests."""

ANA = "ana"
"""Sold 300 at 01:30 UTC, 400 at 02:30 and 5,000 at 03:00 on 18 February 2018, in the shop's smallest unit."""

AS_OF = datetime(2018, 2, 18, 5, 59, tzinfo=UTC)
NOW = datetime(2018, 2, 18, 6, 10, tzinfo=UTC)
MIDNIGHT = datetime(2018, 2, 18, tzinfo=UTC)
HOUR = timedelta(hours=1)


class Apart:
    """The workers on tables of their own, with a clock that a test sets. `owner` makes the rules."""

    def __init__(self, shop: Shop, owner: str) -> None:
        self.shop = shop
        self.owner = owner
        self.settings = shop.settings.model_copy(update={"postgres_url": shop.settings.postgres})
        self.now = NOW
        self.key = new_key()

    def run(self, work: Callable[[Transactions], Any]) -> Any:
        """Run a coroutine of the service."""

        async def run() -> Any:
            async with make_pool(self.settings, SCHEMA, 4) as pool:
                events = EventWriter("alerts", {"alert_raised": 1})
                return await work(Transactions(pool, events, lambda: self.now, Notifier(SCHEMA)))

        return asyncio.run(run())

    def rule(self, **columns: Any) -> Rule:
        """Create a rule: hourly gross sales above 350."""
        row = {
            "rule_id": new_id(), "seller_id": ANA, "name": "Much sold", "created_at": MIDNIGHT.isoformat(),
            "metric": "gross_sales", "window_length": "hour", "severity": "warning", "fires_after": 1,
            "resolves_after": 1, "distance_minutes": 60, "timezone": "America/Sao_Paulo", "target": "page",
            "condition": {"kind": "threshold", "direction": "above", "value": 350},
            "evaluate_at": MIDNIGHT.isoformat(), "evaluated_until": MIDNIGHT.isoformat(), "maker": self.owner,
            **columns,
        }  # fmt: skip

        async def create(transactions: Transactions) -> Rule | None:
            async with transactions.begin(Trace.start("test", None)) as tx:
                return await store.create_rule(tx, row, 10_000)

        return self.run(create)

    def webhook_rule(self, url: str, **columns: Any) -> tuple[Rule, str]:
        """Create a rule with a webhook; return it and the secret."""
        secret, rule_id = new_webhook_secret(), new_id()
        sealed = f"\\x{seal(self.key, secret.encode(), rule_id).hex()}"
        target = {"target": "webhook", "url": url, "sealed_secret": sealed}
        return self.rule(rule_id=rule_id, **target, **columns), secret

    def evaluate(self, rule: Rule, api: Settings) -> Rule:
        """Evaluate a rule with the figures of an API, and return it as it is then."""

        async def evaluate(transactions: Transactions) -> None:
            async with FiguresClient(api) as figures:
                await Evaluator(transactions, figures, Makers(Peers(self.settings, "tests")), api).evaluate(
                    rule
                )

        self.run(evaluate)
        return self.read(rule)

    def read(self, rule: Rule) -> Rule:
        async def read(transactions: Transactions) -> list[Rule]:
            async with transactions.connection() as sql:
                return await store.find_rules(sql, rule.seller_id)

        (found,) = [each for each in self.run(read) if each.rule_id == rule.rule_id]
        return found

    def deliver(self, allows_internal: bool = True) -> int:
        async def deliver(transactions: Transactions) -> int:
            makers = Makers(Peers(self.settings, "tests"))
            return await Delivery(
                transactions, WebhookSender(allows_internal), makers, self.key
            ).deliver_due()

        return self.run(deliver)

    def messages(self, rule: Rule) -> list[AlertMessageResponse]:
        """Return the messages of a rule, the newest first."""

        async def find(transactions: Transactions) -> list[AlertMessageResponse]:
            async with transactions.connection() as sql:
                return await message_store.find_messages(sql, rule.seller_id, None, 1_000)

        return [each for each in self.run(find) if each["rule_id"] == rule.rule_id]

    def events(self, rule: Rule) -> int:
        """Return how many events of a rule wait for Kafka."""
        marker = rule.rule_id.encode()
        rows = self.shop.sql(f"SELECT value FROM {SCHEMA}.outbox WHERE topic = 'alert_raised'")
        return sum(marker in row["value"] for row in rows)


@pytest.fixture(scope="module")
def apart(office: Office) -> Iterator[Apart]:
    office.shop.tell("seller_registered", seller_id=ANA)
    office.shop.knows_that(ANA, approved=True)
    asyncio.run(migrate_as_admin(office.settings, SCHEMA, SERVICES["alerts"].migrations()))
    yield Apart(office.shop, register_staff(office, ANA, "owner")[0])
    office.shop.sql(f"DROP SCHEMA {SCHEMA} CASCADE")


class Receiver(HTTPServer):
    """Receives webhooks on loopback, and answers each with the next status."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.statuses: list[int] = []
        received, statuses = self.received, self.statuses

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                received.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(statuses.pop(0) if statuses else 204)
                self.send_header("Location", "http://127.0.0.1:1/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server_port}/hook"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def mails(office: Office, email: str) -> list[dict[str, Any]]:
    """Return the mails of the service to an address; every new person also gets one from users."""
    found = office.shop.http.get("/v1/mails", params={"to": email}).raise_for_status().json()
    return [mail for mail in found if mail["subject"] != "Choose your password"]


def as_staff(office: Office, seller_id: str, role: StaffRole, user_id: str = "") -> httpx.Client:
    roles = frozenset({"shopper", "seller"})
    principal = Principal(user_id or new_id(), roles, (), {seller_id: role}, None, new_id())  # type: ignore[arg-type]
    return office.http(with_account(office.shop, principal))


def rule_body(**changes: Any) -> dict[str, Any]:
    condition = {"kind": "threshold", "direction": "below", "value": 10}
    body = {"name": "Few", "metric": "orders", "condition": condition, "target": {"kind": "page"}}
    return body | changes


def path(seller_id: str, end: str = "alerts") -> str:
    return f"/v1/sellers/{seller_id}/{end}"


@pytest.fixture(scope="module")
def seller(office: Office) -> str:
    seller_id = f"s-{new_id()}"
    office.shop.tell("seller_registered", seller_id=seller_id)
    office.shop.knows_that(seller_id, approved=True)
    return seller_id


def test_a_rule_is_created_paused_resumed_tested_and_deleted(office: Office, seller: str) -> None:
    with as_staff(office, seller, "manager") as manager:
        created = manager.post(path(seller), json=rule_body()).raise_for_status().json()
        one = f"{path(seller)}/{created['rule_id']}"

        assert manager.post(f"{one}/pause").json()["is_enabled"] is False
        assert manager.post(f"{one}/tests").status_code == 409
        assert manager.delete(f"{one}/pause").json()["is_enabled"] is True
        assert manager.post(f"{one}/tests").status_code == 202
        assert manager.post(f"{one}/tests").status_code == 429
        (message,) = manager.get(f"{path(seller)}/messages").json()["messages"]
        assert (message["kind"], message["status"], message["rule_name"]) == ("test", "sent", "Few")
        assert manager.delete(one).status_code == 204
        assert manager.get(path(seller)).json() == {"rules": []}
        assert manager.get(f"{path(seller)}/messages").json()["messages"] == []


def test_a_changed_rule_starts_anew_and_keeps_its_target(office: Office, seller: str) -> None:
    target = {"kind": "webhook", "url": "https://1.1.1.1/services/hook"}
    with (
        as_staff(office, seller, "manager") as manager,
        as_staff(office, seller, "analyst") as analyst,
    ):
        created = manager.post(path(seller), json=rule_body(target=target)).raise_for_status().json()
        one = f"{path(seller)}/{created['rule_id']}"
        before = office.shop.sql("SELECT * FROM alerts.rules WHERE rule_id = $1", created["rule_id"])[0]
        change = rule_body(name="Fewer", fires_after=4, target={"kind": "unchanged"}, version=1)

        assert analyst.put(one, json=change).status_code == 403
        changed = manager.put(one, json=change).raise_for_status().json()
        again = manager.put(one, json=change)
        other_url = {"kind": "webhook", "url": "https://1.0.0.1/hook"}
        renewed = (
            manager.put(one, json=change | {"target": other_url, "version": 2}).raise_for_status().json()
        )
        inside = {"kind": "webhook", "url": "https://10.0.0.1/"}
        internal = manager.put(one, json=change | {"target": inside, "version": 3})

        shown = {
            name: changed[name] for name in ("version", "name", "fires_after", "state", "webhook_secret")
        }
        assert shown == {
            "version": 2, "name": "Fewer", "fires_after": 4, "state": "normal", "webhook_secret": None,
        }  # fmt: skip
        assert changed["target"] == created["target"]
        assert changed["evaluated_until"] > created["evaluated_until"]
        assert (again.status_code, again.json()["current_version"]) == (409, 2)
        assert (internal.status_code, internal.json()["type"]) == (422, "urn:souk:problem:bad-webhook")
        assert renewed["webhook_secret"] not in (None, created["webhook_secret"])
        assert renewed["target"]["host"] == "1.0.0.1"
        row = office.shop.sql("SELECT * FROM alerts.rules WHERE rule_id = $1", created["rule_id"])[0]
        assert before["sealed_secret"] != row["sealed_secret"]
        manager.delete(one).raise_for_status()


def test_no_message_of_the_old_rule_is_sent_after_a_change(
    apart: Apart, office: Office, shop: Settings
) -> None:
    person_id, email = register_staff(office, ANA, "owner")
    rule = apart.rule(resolves_after=9, target="email", person_id=person_id, address_hint="a…@shop.example")
    assert apart.evaluate(rule, shop).progress.is_open
    row = {
        "name": "Much more sold", "metric": "gross_sales", "window_length": "hour", "severity": "warning",
        "condition": {"kind": "threshold", "direction": "above", "value": 10_000}, "fires_after": 1,
        "resolves_after": 1, "distance_minutes": 60, "timezone": "America/Sao_Paulo", "target": "email",
        "person_id": person_id, "address_hint": "a…@shop.example", "maker": apart.owner,
    }  # fmt: skip

    async def change(transactions: Transactions) -> None:
        async with transactions.begin(Trace.start("test", None)) as tx:
            locked = await store.lock_rule(tx, ANA, rule.rule_id)
            assert locked is not None
            await close_alert(tx, locked, "The rule was changed.")
            await message_store.skip_every_waiting(tx, rule.rule_id)
            await store.change_rule(tx, rule.rule_id, row)

    apart.run(change)
    changed = apart.evaluate(rule, shop)  # of the old rule: it must change nothing
    apart.deliver()

    assert (changed.progress, changed.alert_id, changed.name) == (Progress(), None, "Much more sold")
    assert changed.evaluated_until == apart.now
    assert [each["status"] for each in apart.messages(rule)] == ["skipped"]
    assert apart.events(rule) == 2  # firing, and resolved by the change
    assert mails(office, email) == []


def test_a_person_s_export_names_what_is_mailed_to_them(office: Office, seller: str) -> None:
    user_id, email = register_staff(office, seller, "manager")
    with as_staff(office, seller, "manager", user_id) as manager:
        target = {"kind": "email", "address": email}
        rule = manager.post(path(seller), json=rule_body(target=target)).raise_for_status().json()
        report = {"name": "Mornings", "period": "day", "metrics": ["orders"], "address": email}
        manager.post(path(seller, "reports"), json=report).raise_for_status()
        exported = manager.get("/v1/me/export").raise_for_status().json()["mails_about_sellers"]
        manager.delete(f"{path(seller)}/{rule['rule_id']}").raise_for_status()
        other_id, _ = register_staff(office, seller, "owner")
        with as_staff(office, seller, "owner", other_id) as other:
            assert other.get("/v1/me/export").json()["mails_about_sellers"] == []

    assert [(each["kind"], each["name"], each["seller_id"]) for each in exported] == [
        ("alert", "Few", seller),
        ("report", "Mornings", seller),
    ]


@pytest.mark.parametrize(
    ("changes", "kind", "says"),
    [
        ({"metric": "profits"}, "unknown-metric", "GET /v1/analytics/metrics"),
        ({"metric": "repeat_rate", "product_id": "lamp"}, "unknown-metric", "product_id"),
        ({"distance_minutes": 0}, "bad-parameter", "15"),
        ({"window": "second"}, "bad-parameter", "hour"),
        ({"repeat_minutes": 15, "distance_minutes": 60}, "bad-parameter", "repeat_minutes"),
        ({"timezone": "America/Sao_Paolo"}, "bad-parameter", "America/Sao_Paulo"),
        ({"quiet_hours": {"start": "22:00", "end": "22:00"}}, "bad-parameter", "whole day"),
        ({"target": {"kind": "webhook", "url": "https://127.0.0.1/"}}, "bad-webhook", "internal address"),
        ({"target": {"kind": "webhook", "url": "https://localhost/"}}, "bad-webhook", "internal address"),
        ({"target": {"kind": "webhook", "url": "https://169.254.169.254/a"}}, "bad-webhook", "internal"),
        ({"target": {"kind": "webhook", "url": "http://1.1.1.1/"}}, "bad-webhook", "https"),
        ({"target": {"kind": "email", "address": "somebody@else.example"}}, "not-a-reader", "staff"),
    ],
)
def test_a_rule_that_can_not_work_is_refused(
    office: Office, seller: str, changes: dict[str, Any], kind: str, says: str
) -> None:
    with as_staff(office, seller, "owner") as owner:
        refused = owner.post(path(seller), json=rule_body(**changes))

        assert refused.status_code == 422
        assert refused.json()["type"] == f"urn:souk:problem:{kind}"
        assert says in refused.json()["detail"]
        assert owner.get(path(seller)).json() == {"rules": []}


def test_a_webhook_s_secret_is_shown_once_and_its_url_never_in_full(office: Office, seller: str) -> None:
    target = {"kind": "webhook", "url": "https://1.1.1.1/services/T0/secret-path"}
    with as_staff(office, seller, "owner") as owner:
        created = owner.post(path(seller), json=rule_body(target=target)).raise_for_status().json()
        listed = owner.get(path(seller))

        assert created["webhook_secret"].startswith("whsec_")
        assert "secret-path" not in listed.text + orjson.dumps(created).decode()
        assert created["webhook_secret"] not in listed.text
        (row,) = office.shop.sql("SELECT * FROM alerts.rules WHERE rule_id = $1", created["rule_id"])
        assert created["webhook_secret"] not in str(row)
        owner.delete(f"{path(seller)}/{created['rule_id']}").raise_for_status()


def test_what_is_another_sellers_is_not_there(office: Office, seller: str) -> None:
    with (
        as_staff(office, seller, "owner") as owner,
        as_staff(office, ANA, "owner") as other,
    ):
        rule = owner.post(path(seller), json=rule_body()).raise_for_status().json()["rule_id"]
        view = {"name": "Mine", "choices": {"metric": "orders"}}
        view_id = owner.post(path(seller, "views"), json=view).raise_for_status().json()["view_id"]

        for end in (f"alerts/{rule}", f"alerts/{rule}/pause", f"views/{view_id}"):
            assert other.delete(path(ANA, end)).status_code == 404
            assert other.delete(path(seller, end)).status_code == 404
        assert other.post(path(ANA, f"alerts/{rule}/tests")).status_code == 404
        for of_seller in (ANA, seller):
            assert other.put(path(of_seller, f"alerts/{rule}"), json=rule_body()).status_code == 404
        assert other.get(path(seller)).status_code == 404
        assert [each["rule_id"] for each in owner.get(path(seller)).json()["rules"]] == [rule]
        assert [each["name"] for each in owner.get(path(seller, "views")).json()["views"]] == ["Mine"]
        owner.delete(path(seller, f"alerts/{rule}")).raise_for_status()


def test_a_view_of_the_same_name_is_replaced(office: Office, seller: str) -> None:
    with (
        as_staff(office, seller, "manager") as manager,
        as_staff(office, seller, "analyst") as analyst,
    ):
        for by in ("product", "category"):
            body = {"name": "Sales", "choices": {"metric": "net_sales", "by": by}}
            manager.post(path(seller, "views"), json=body).raise_for_status()

        views = analyst.get(path(seller, "views")).json()["views"]
        assert [each["choices"]["by"] for each in views if each["name"] == "Sales"] == ["category"]
        assert analyst.post(path(seller, "views"), json=body).status_code == 403
        page = analyst.get(f"/sell/{seller}/alerts", headers={"Accept": "text/html"})
        assert page.status_code == 200
        assert "New alert" not in page.text


def test_an_alert_fires_once_and_is_never_ahead_of_what_is_complete(apart: Apart, shop: Settings) -> None:
    rule = apart.rule(resolves_after=3)

    first = apart.evaluate(rule, shop)
    again = apart.evaluate(first, shop)

    assert first.progress.state == again.progress.state == "recovering"
    assert first.evaluated_until == AS_OF.replace(minute=0)  # 05:00 to 06:00 is not complete at 05:59
    (message,) = apart.messages(rule)
    assert (message["kind"], message["status"]) == ("fired", "sent")
    assert message["subject"] == "Alert: Much sold (Gross sales R$50.00)"
    assert apart.events(rule) == 1


@pytest.mark.parametrize(
    ("window", "until"), [("hour", AS_OF.replace(minute=0)), ("day", MIDNIGHT + 3 * HOUR), ("week", MIDNIGHT)]
)
def test_the_api_has_the_weeks_that_say_what_is_usual(
    apart: Apart, shop: Settings, window: str, until: datetime
) -> None:
    usual = {"kind": "usual", "direction": "either", "deviations": 3.5, "minimum": 0}

    rule = apart.evaluate(apart.rule(window_length=window, condition=usual), shop)

    assert rule.problem is None
    assert rule.evaluated_until == until  # the end of the newest hour or day that is complete; no week is
    assert rule.progress.state in ("normal", "no_data")


def test_series_of_alerts_do_not_replace_the_last_answers_of_people(
    shop: Settings, api: httpx.Client
) -> None:
    def stored() -> int:
        with Redis.from_url(shop.redis_url) as redis:
            return len(list(redis.scan_iter("last:1:answer:metrics:*")))

    before, address, many = stored(), path(ANA, "analytics/gross_sales"), 20
    for minute in range(many):
        query = {"from": "2018-01-02", "to": f"2018-01-06T00:{minute:02}"}
        api.get(address, params=query, headers={"Cache-Control": "no-store"}).raise_for_status()
    api.get(address, params={"from": "2018-01-02", "to": "2018-01-05"}).raise_for_status()

    await_true(lambda: stored() > before, "the answer of a person")
    assert stored() < before + many


def test_an_alert_that_came_and_went_during_an_outage_makes_no_message(apart: Apart, shop: Settings) -> None:
    rule = apart.evaluate(apart.rule(), shop)

    assert rule.progress == Progress()
    assert apart.messages(rule) == []
    assert apart.events(rule) == 0


def test_without_figures_an_alert_neither_fires_nor_ends(apart: Apart, shop: Settings) -> None:
    away = shop.model_copy(update={"serving_url": "http://127.0.0.1:9"})
    below = {"kind": "threshold", "direction": "below", "value": 350}
    quiet, firing = apart.rule(condition=below), apart.evaluate(apart.rule(resolves_after=9), shop)

    for rule in (quiet, firing):
        after = apart.evaluate(rule, away)

        assert after.progress == rule.progress
        assert after.evaluated_until == rule.evaluated_until
        assert after.problem is not None
        assert "figures could not be read" in after.problem
    assert apart.messages(quiet) == []


def test_two_evaluations_of_the_same_values_make_one_message(apart: Apart, shop: Settings) -> None:
    rule = apart.rule(resolves_after=9)

    async def evaluate_twice(transactions: Transactions) -> None:
        async with FiguresClient(shop) as figures:
            evaluator = Evaluator(transactions, figures, Makers(Peers(apart.settings, "tests")), shop)
            await asyncio.gather(evaluator.evaluate(rule), evaluator.evaluate(rule))

    apart.run(evaluate_twice)

    assert len(apart.messages(rule)) == 1
    assert apart.events(rule) == 1


def test_a_rule_of_a_suspended_seller_is_not_evaluated(apart: Apart) -> None:
    rule = apart.rule(seller_id="nobody")

    claimed = apart.run(_claim)

    assert {each.rule_id: each.is_approved for each in claimed}[rule.rule_id] is False
    assert apart.run(_claim) == []  # all are leased


async def _claim(transactions: Transactions) -> list[Rule]:
    async with transactions.connection() as sql:
        return await store.claim_rules(sql, NOW, HOUR, 1_000)


def test_a_webhook_is_signed_retried_and_recognised(apart: Apart, shop: Settings, receiver: Receiver) -> None:
    rule, secret = apart.webhook_rule(receiver.url, resolves_after=9)
    receiver.statuses += [500, 302]
    apart.evaluate(rule, shop)

    for wait in (timedelta(0), *WAITS[:2]):
        apart.now += wait
        assert apart.deliver() >= 1
        assert apart.deliver() == 0
    apart.now = NOW

    (message,) = apart.messages(rule)
    assert (message["status"], message["attempts"]) == ("sent", 3)
    headers = [headers for headers, _ in receiver.received]
    assert {each["webhook-id"] for each in headers} == {message["message_id"]}
    for each, body in receiver.received:
        expected = signed_headers(secret, each["webhook-id"], int(each["webhook-timestamp"]), body)
        assert each["webhook-signature"] == expected["webhook-signature"]
    content = orjson.loads(receiver.received[0][1])
    assert content["type"] == "alert.fired"
    assert (content["data"]["metric"], content["data"]["value"]) == ("gross_sales", 5000)


def test_a_webhook_that_always_fails_disables_its_rule_with_a_reason(
    apart: Apart, shop: Settings, receiver: Receiver
) -> None:
    rule, _ = apart.webhook_rule(receiver.url, resolves_after=9)
    gone, _ = apart.webhook_rule(receiver.url, resolves_after=9)
    receiver.statuses += [410, *[503] * (len(WAITS) + 1)]
    apart.evaluate(gone, shop)
    apart.deliver()
    apart.evaluate(rule, shop)

    for wait in (timedelta(0), *WAITS):
        apart.now += wait
        apart.deliver()
    apart.now = NOW

    for each, status in ((rule, "503"), (gone, "410")):
        after = apart.read(each)
        assert not after.is_enabled
        assert status in (after.disabled_reason or "")
        assert after.alert_id is None
        assert apart.messages(each)[0]["status"] == "failed"
        assert apart.events(each) == 2  # firing, and resolved by the end of the rule
    assert len(receiver.received) == 1 + len(WAITS) + 1


def test_a_webhook_whose_host_is_internal_now_is_not_called(
    apart: Apart, shop: Settings, receiver: Receiver
) -> None:
    rule, _ = apart.webhook_rule(receiver.url.replace("http:", "https:"), resolves_after=9)
    apart.evaluate(rule, shop)

    apart.deliver(allows_internal=False)

    (message,) = apart.messages(rule)
    assert message["status"] == "waiting"
    assert "internal address" in message["error"]
    assert receiver.received == []


def test_mails_go_to_staff_that_sees_figures_as_long_as_they_do(
    apart: Apart, office: Office, shop: Settings
) -> None:
    person_id, email = register_staff(office, ANA, "analyst")
    rule = apart.rule(resolves_after=9, target="email", person_id=person_id, address_hint="a…@shop.example")
    apart.evaluate(rule, shop)
    apart.deliver()

    (mail,) = mails(office, email)
    assert mail["subject"] == "Alert: Much sold (Gross sales R$50.00)"

    office.shop.sql("UPDATE users.staff_roles SET role = 'fulfilment' WHERE user_id = $1", person_id)
    other = apart.rule(resolves_after=9, target="email", person_id=person_id, address_hint="a…@shop.example")
    apart.evaluate(other, shop)
    apart.deliver()

    assert len(mails(office, email)) == 1
    assert not apart.read(other).is_enabled


def test_a_message_waits_for_the_morning_and_is_skipped_if_the_alert_is_over_by_then(
    apart: Apart, office: Office, shop: Settings
) -> None:
    person_id, email = register_staff(office, ANA, "owner")
    rule = apart.rule(
        resolves_after=9, target="email", person_id=person_id, quiet_start="02:00", quiet_end="08:00"
    )
    firing = apart.evaluate(rule, shop)  # at 03:10 in São Paulo
    (message,) = apart.messages(rule)
    assert message["send_at"] == datetime(2018, 2, 18, 11, tzinfo=UTC)
    apart.deliver()
    assert mails(office, email) == []

    apart.shop.sql(
        f"UPDATE {SCHEMA}.rules SET resolves_after = 1, evaluated_until = $2 WHERE rule_id = $1",
        rule.rule_id,
        MIDNIGHT,
    )
    apart.evaluate(apart.read(firing), shop)
    apart.now = NOW + 12 * HOUR
    apart.deliver()
    apart.now = NOW

    assert [each["status"] for each in apart.messages(rule)] == ["skipped"]
    assert mails(office, email) == []


def test_a_report_is_sent_once_a_period_with_its_change(apart: Apart, office: Office, shop: Settings) -> None:
    person_id, email = register_staff(office, ANA, "manager")
    row = {
        "report_id": new_id(), "seller_id": ANA, "name": "Every morning", "period": "day", "hour": 3,
        "metrics": ["gross_sales", "orders"], "timezone": "America/Sao_Paulo", "person_id": person_id,
        "address_hint": "a…@shop.example", "created_at": MIDNIGHT.isoformat(), "maker": apart.owner,
        "send_at": MIDNIGHT.isoformat(), "covered_until": (MIDNIGHT - 24 * HOUR).isoformat(),
    }  # fmt: skip

    async def create(transactions: Transactions) -> None:
        async with transactions.begin(Trace.start("test", None)) as tx:
            await report_store.create_report(tx, row, 10)

    async def send(transactions: Transactions) -> None:
        async with transactions.connection() as sql:
            claimed = await report_store.claim_reports(sql, NOW, HOUR, 10)
        async with FiguresClient(shop) as figures:
            reporter = Reporter(transactions, figures, Makers(Peers(apart.settings, "tests")), shop.serving)
            for report in claimed * 2:  # as a worker that was stopped after the mail
                await reporter.send(report)

    apart.run(create)
    apart.run(send)

    (mail,) = mails(office, email)
    assert mail["subject"] == "Every morning: Feb 17, 2018"
    assert "Gross sales: R$7.00 (before: R$0.00)" in mail["text"]
    assert "Orders: 2 (before: 0)" in mail["text"]
    (report,) = apart.run(_reports)
    assert report["last_sent_at"] == NOW
    assert report["send_at"] > NOW


@pytest.mark.parametrize(
    "end",
    [
        "DELETE FROM users.staff_roles WHERE user_id = $1",
        "UPDATE users.staff_roles SET role = 'analyst' WHERE user_id = $1",
        "UPDATE users.people SET suspended_at = now(), suspension_reason = '' WHERE user_id = $1",
        "UPDATE users.people SET rights_since = '2020-01-01' WHERE user_id = $1",
        "UPDATE users.people SET is_demo = true, password_hash = NULL WHERE user_id = $1",
        "DELETE FROM users.people WHERE user_id = $1",
    ],
    ids=["removed", "demoted", "suspended", "suspended before", "of the demo", "deleted"],
)
def test_what_a_person_made_stops_when_they_may_not_make_it_any_more(
    apart: Apart, office: Office, shop: Settings, receiver: Receiver, end: str
) -> None:
    maker, _ = register_staff(office, ANA, "manager")
    reader, email = register_staff(office, ANA, "owner")
    firing, _ = apart.webhook_rule(receiver.url, resolves_after=9, maker=maker)
    quiet = apart.rule(maker=maker)
    apart.evaluate(firing, shop)
    row = {
        "report_id": new_id(), "seller_id": ANA, "name": "Mornings", "period": "day", "hour": 3,
        "metrics": ["orders"], "timezone": "America/Sao_Paulo", "person_id": reader, "maker": maker,
        "address_hint": "a…@shop.example", "created_at": MIDNIGHT.isoformat(),
        "send_at": MIDNIGHT.isoformat(), "covered_until": (MIDNIGHT - 24 * HOUR).isoformat(),
    }  # fmt: skip

    async def report(transactions: Transactions) -> None:
        async with transactions.begin(Trace.start("test", None)) as tx:
            await report_store.create_report(tx, row, 10)
        async with transactions.connection() as sql:
            claimed = await report_store.claim_reports(sql, NOW, HOUR, 10)
        async with FiguresClient(shop) as figures:
            reporter = Reporter(transactions, figures, Makers(Peers(apart.settings, "tests")), shop.serving)
            for each in claimed:
                await reporter.send(each)

    office.shop.sql(end, maker)
    apart.deliver()
    apart.evaluate(quiet, shop)
    apart.run(report)

    assert receiver.received == []
    assert apart.messages(firing)[0]["status"] == "failed"
    for rule in (firing, quiet):
        assert not apart.read(rule).is_enabled
        assert apart.read(rule).disabled_reason == MAKER_LEFT
    assert mails(office, email) == []
    (stopped,) = [each for each in apart.run(_reports) if each["report_id"] == row["report_id"]]
    assert (stopped["is_enabled"], stopped["disabled_reason"]) == (False, MAKER_LEFT)


def test_whoever_resumes_or_changes_a_rule_is_its_maker(office: Office, seller: str) -> None:
    (first, _), (second, _) = (
        register_staff(office, seller, "manager"),
        register_staff(office, seller, "owner"),
    )

    def makers() -> set[str]:
        tables = ("alerts.rules", "alerts.reports")
        return {
            office.shop.sql(f"SELECT maker FROM {each} WHERE name = 'Mine'")[0]["maker"] for each in tables
        }

    with (
        as_staff(office, seller, "manager", first) as one,
        as_staff(office, seller, "owner", second) as other,
    ):
        address = office.shop.sql("SELECT email FROM users.people WHERE user_id = $1", second)[0]["email"]
        rule = one.post(path(seller), json=rule_body(name="Mine")).raise_for_status().json()
        body = {"name": "Mine", "period": "day", "metrics": ["orders"], "address": address}
        report = one.post(path(seller, "reports"), json=body).raise_for_status().json()
        made = makers()
        for end in (f"alerts/{rule['rule_id']}/pause", f"reports/{report['report_id']}/pause"):
            one.post(path(seller, end)).raise_for_status()
            other.delete(path(seller, end)).raise_for_status()
        resumed = makers()
        change = rule_body(name="Mine", target={"kind": "unchanged"})
        one.put(f"{path(seller)}/{rule['rule_id']}", json=change).raise_for_status()

        assert (made, resumed, makers()) == ({first}, {second}, {first, second})
        other.delete(f"{path(seller)}/{rule['rule_id']}").raise_for_status()
        other.delete(path(seller, f"reports/{report['report_id']}")).raise_for_status()


async def _reports(transactions: Transactions) -> list[ReportResponse]:
    async with transactions.connection() as sql:
        return await report_store.find_reports(sql, ANA)


def test_an_erased_person_gets_no_more_mails(office: Office, seller: str) -> None:
    user_id, email = register_staff(office, seller, "owner")
    with as_staff(office, seller, "owner", user_id) as owner:
        target = {"kind": "email", "address": email.upper()}
        created = owner.post(path(seller), json=rule_body(target=target)).raise_for_status().json()
        assert created["target"]["address_hint"].endswith("…@SHOP.EXAMPLE")

        erasure = {"user_id": user_id, "email": email}
        office.shop.http.post("/v1/erasures/alerts", json=erasure).raise_for_status()

        (rule,) = owner.get(path(seller)).json()["rules"]
        assert rule["is_enabled"] is False
        assert rule["target"]["address_hint"] is None
        assert owner.delete(f"{path(seller)}/{rule['rule_id']}/pause").status_code == 409
