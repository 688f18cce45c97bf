"""Guardrails: an arm that breaks one is stopped, once, with a reason; without results nothing changes."""

import asyncio
from datetime import UTC, datetime, timedelta

import httpx
import orjson
import pytest

from common.clock import system_clock
from common.configuration.definitions import EXPERIMENTS
from common.experiments.reading import read_experiments
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from producers.services.configuration.guardrails import check_guardrails
from schemas.setup import register
from tests.integration.commerce.failures.test_configuration import history, put, state

START = datetime.now(UTC) - timedelta(days=1)
DEFINITION = {
    "name": "guarded",
    "surface": "home",
    "salt": "1",
    "start": START.isoformat(),
    "stop": None,
    "arms": [
        {"name": "live", "strategy": "live", "share": 0.5},
        {"name": "popular", "strategy": "popular", "share": 0.5},
    ],
    "guardrails": [{"metric": "conversion", "max_loss": 0.1}],
}


def api(status, content):
    """Return a client whose API answers every request for results with this."""

    def respond(request):
        assert request.url.path == "/v1/admin/experiments/guarded"
        return httpx.Response(status, json=content)

    return httpx.AsyncClient(base_url="http://api", transport=httpx.MockTransport(respond))


def results(breached):
    return {"arms": [{"name": "live", "breached": None}, {"name": "popular", "breached": breached}]}


def check(shop, status, content):
    """Run one round of the worker in this process, with the shop's database."""

    async def run():
        schema_ids = register(shop.settings).schema_ids
        async with make_pool(shop.settings, "configuration", 2) as pool, api(status, content) as http:
            events = EventWriter("configuration", {"setting_changed": schema_ids["setting_changed"]})
            transactions = Transactions(pool, events, system_clock, Notifier("configuration"))
            return await check_guardrails(transactions, http)

    return asyncio.run(run())


@pytest.fixture
def experiment(shop):
    """The experiment runs; afterwards there is none."""
    put(shop, EXPERIMENTS.name, orjson.dumps([DEFINITION]).decode()).raise_for_status()
    yield
    put(shop, EXPERIMENTS.name, "[]").raise_for_status()


def stopped_at(shop):
    (experiment,) = read_experiments(state(shop, EXPERIMENTS.name)["value"])
    return [arm.stopped_at for arm in experiment.arms]


@pytest.mark.usefixtures("experiment")
def test_an_arm_that_breaks_a_guardrail_is_stopped_once_and_says_why(shop):
    assert check(shop, 200, results("conversion")) == 1
    control, popular = stopped_at(shop)
    assert control is None
    assert START < popular <= datetime.now(UTC)
    newest = history(shop, EXPERIMENTS.name)["versions"][0]
    assert newest["author"] == "platform:guardrails"
    assert newest["reason"] == "arm popular of guarded breaks the guardrail of conversion"
    assert check(shop, 200, results("conversion")) == 0, "it has stopped already"
    assert history(shop, EXPERIMENTS.name)["versions"][0]["version"] == newest["version"]


@pytest.mark.usefixtures("experiment")
@pytest.mark.parametrize(
    ("status", "content"), [(200, results(None)), (503, {}), (404, {}), (200, {"arms": "none"})]
)
def test_without_a_breach_or_without_results_nothing_changes(shop, status, content):
    before = state(shop, EXPERIMENTS.name)["version"]
    assert check(shop, status, content) == 0
    assert state(shop, EXPERIMENTS.name)["version"] == before


def test_a_bad_definition_is_refused_and_says_what_to_change(shop):
    arms = [{**arm, "share": 0.7} for arm in DEFINITION["arms"]]
    answer = put(shop, EXPERIMENTS.name, orjson.dumps([DEFINITION | {"arms": arms}]).decode())
    assert answer.status_code == 422
    assert "the shares of its arms add up to 1.4; they may not exceed 1" in answer.json()["detail"]
