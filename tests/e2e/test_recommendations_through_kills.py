"""Lists of recommendations go on while Redis, the trainer and processes of the API are killed."""

import os
import signal
import threading
import time
from collections import Counter
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta

import httpx
import psutil
import pytest

from bench.recommendations.shop_client import ShopClient
from bench.recommendations.small_shop import PRODUCTS, RecordProducer, events, product
from common.clock import system_clock
from common.errors import PartUnavailable
from common.principal_token import PlatformToken
from schemas.setup import register
from serving.recommendations.service import READ_EVERY_S

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1_500)]

ASKED_EVERY_S = 0.05

REFUSED_S = 30.0
"""After the API's main process was killed, nobody listens until the supervisor has started another one. That
took 5 s on two cores; this bound is for machines with other work."""


@dataclass(frozen=True)
class Answered:
    """What a request got: the status or the error's name, the number of items, and why sources passed."""

    at: float
    outcome: int | str
    items: int = 0
    model_version: str | None = None
    reasons: frozenset[str] = frozenset()

    @property
    def is_list(self):
        return self.outcome == 200 and self.items > 0


class Visitors:
    """Visitors with a history who ask for their lists, one every `ASKED_EVERY_S`, from a thread."""

    def __init__(self, settings):
        self._settings = settings
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.answers = []

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_error):
        self._ended.set()
        self._thread.join()

    @contextmanager
    def asking(self):
        """Yield the list to which the answers within the context are added at its end."""
        found, first = [], len(self.answers)
        yield found
        found += self.answers[first:]

    def _ask(self):
        token = PlatformToken(self._settings, "bench")
        with httpx.Client(base_url=self._settings.serving, auth=token, timeout=20, trust_env=False) as api:
            while not self._ended.wait(ASKED_EVERY_S):
                self.answers.append(ask(api, f"bench-visit-{len(self.answers) % 50}"))


def ask(api, visitor):
    try:
        answer = api.get(f"/v1/recommendations/{visitor}")
    except httpx.TransportError as error:
        return Answered(time.monotonic(), type(error).__name__)
    if answer.status_code != 200:
        return Answered(time.monotonic(), answer.status_code)
    body = answer.json()
    reasons = frozenset(part["reason"] for part in body["parts"] if part["reason"])
    return Answered(time.monotonic(), 200, len(body["items"]), body["model_version"], reasons)


@pytest.fixture
def shop(untouched, eventually):
    """A started platform with a small shop, whose visitors get lists and whose first training has begun."""
    untouched.environment["SOUK_TRAINING_BUDGET_S"] = "20"
    untouched.souk("up")
    settings = untouched.started_settings()
    producer = RecordProducer(settings.kafka, register(settings).schema_ids)
    for days_ago, seed in ((4, 1), (0, 2)):  # a training is judged on the newest days
        for name, record in events(system_clock() - timedelta(days=days_ago), seed):
            if name != "stock_changed":  # the inventory service reports its own stock
                producer.send(name, record)
    producer.flush()
    with ShopClient(settings) as client:
        eventually(lambda: client.set_stock(100, [product(number) for number in range(PRODUCTS)]), 120)
        eventually(lambda: is_ordered(client), 120)
        eventually(lambda: all(client.ids(f"bench-visit-{number}") for number in range(50)), 120)
        eventually(lambda: "popular" in {each["reason"]["kind"] for each in client.items("nobody")}, 120)
    time.sleep(2 * READ_EVERY_S)  # each process has read the popular products
    return untouched


def is_ordered(client):
    """Order products; return False while the orders service does not know all of them."""
    try:
        client.order("kills-buyer", {product(number): 1 for number in range(40)})
    except PartUnavailable:
        return False
    return True


def trainings(platform):
    return [each for each in platform.processes() if "recommenders.training.child" in each.cmdline()]


def serving_pids(main):
    """The pids of the processes that serve, without those that have ended."""
    found = set()
    for child in main.children():
        with suppress(psutil.Error):
            if "spawn_main" in " ".join(child.cmdline()):
                found.add(child.pid)
    return found


def kill(platform, part, eventually, timeout_s=120):
    """Kill a part's process and wait until the supervisor has started another one that is ready."""
    killed = platform.status()[part]["pid"]
    os.kill(killed, signal.SIGKILL)

    def is_back():
        found = platform.status()[part]
        return found["state"] == "ready" and found["pid"] != killed

    eventually(is_back, timeout_s)


def test_lists_go_on_while_the_trainer_redis_and_the_api_are_killed(shop, eventually):
    settings = shop.started_settings()
    with Visitors(settings) as visitors:
        eventually(lambda: visitors.answers and visitors.answers[-1].is_list, 30)

        # The trainer, while it trains.
        eventually(lambda: trainings(shop), 300)
        with visitors.asking() as answers:
            for training in trainings(shop):
                training.kill()
            kill(shop, "training", eventually)
        assert all(each.is_list for each in answers), Counter(each.outcome for each in answers)
        assert len(answers) > 20
        eventually(lambda: visitors.answers[-1].model_version, 600)  # the next training was not disturbed

        # Redis: popular products meanwhile, then everything again.
        with visitors.asking() as answers:
            kill(shop, "redis", eventually)
            eventually(lambda: visitors.answers[-1].model_version, 60)
        assert all(each.is_list for each in answers), Counter(each.outcome for each in answers)
        assert any("no_redis" in each.reasons for each in answers)

        # One of the processes that serve: only what it was answering is lost.
        main = psutil.Process(shop.status()["serving"]["pid"])
        first, *others = serving_pids(main)
        with visitors.asking() as answers:
            os.kill(first, signal.SIGKILL)
            eventually(lambda: len(serving_pids(main) - {first}) > len(others), 60)
            eventually(lambda: visitors.answers[-1].is_list, 30)
        assert sum(not each.is_list for each in answers) <= 1, Counter(each.outcome for each in answers)

        # The main process of the API, which takes all that serve with it: refused until there is another one.
        with visitors.asking() as answers:
            killed_at = time.monotonic()
            kill(shop, "serving", eventually)
            eventually(lambda: visitors.answers[-1].model_version, 60)
        failed = [each for each in answers if not each.is_list]
        assert all(isinstance(each.outcome, str) for each in failed), Counter(each.outcome for each in failed)
        assert max((each.at for each in failed), default=killed_at) - killed_at < REFUSED_S
