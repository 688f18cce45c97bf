"""A definition of job `rankings` changes while somebody reads, on the whole platform with real events."""

import threading
import time
from dataclasses import replace
from functools import partial

import httpx
import pytest

from common.redis_client import redis_client
from jobs.registry import VERSIONED_PLANS
from jobs.versions import JobVersions, proposed, store_plan

pytestmark = [pytest.mark.timeout(3_600), pytest.mark.nightly]

OTHER = "0a0a0a0a"
"""A version in which the popular products are the trending ones."""


@pytest.fixture
def settings(platform):
    return platform.started_settings()


def other_plan(settings):
    plan = VERSIONED_PLANS["rankings"](settings, OTHER)
    queries = {output.table: output.query for output in plan.outputs}
    return replace(
        plan,
        outputs=tuple(replace(each, query=queries["trending_products"]) for each in plan.outputs),
    )


def test_readers_see_either_definition_and_never_a_part_of_one(olist_slice, settings, eventually):
    def ranked(name):
        answer = api.get("/v1/products/popular", params={"ranking": name, "n": 100}).raise_for_status()
        return [product["product_id"] for product in answer.json()["products"]]

    def keep_reading():
        while not done.is_set():
            try:
                seen.append(ranked("popular"))
            except httpx.HTTPError as error:
                seen.append(repr(error))
            time.sleep(0.1)

    seen, done = [], threading.Event()
    with httpx.Client(base_url=settings.serving, trust_env=False) as api, redis_client(settings) as client:
        popular, trending = ranked("popular"), ranked("trending")
        assert popular != trending
        assert len(popular) == 100

        reader = threading.Thread(target=keep_reading)
        reader.start()
        try:
            versions = JobVersions(settings, client)
            store_plan(settings, other_plan(settings))
            versions.change("rankings", partial(proposed, version=OTHER))
            eventually(lambda: versions.state("rankings").is_complete)
            olist_slice.souk("metrics", "switch", "rankings", "--version", OTHER)
            eventually(lambda: seen[-1] == trending)
            olist_slice.souk("metrics", "back", "rankings")
            eventually(lambda: seen[-1] == popular)
        finally:
            done.set()
            reader.join()

    assert [each for each in seen if each not in (popular, trending)] == []
    assert olist_slice.audit("--only", "facts_vs_redis")["exit_code"] == 0
