"""Sellers who look at their sales, against a server: who looks, and what they notice of fresh figures."""

import asyncio
from collections import Counter
from datetime import datetime
from random import Random

import orjson
import pytest

from producers.simulator.live.api import Api
from producers.simulator.live.dashboards import Dashboards
from producers.simulator.status import Status
from producers.simulator.world.shape import Shape
from producers.simulator.world.world import build
from tests.integration.http_server import Heard, Say, answered, serving

NOW = datetime.fromisoformat("2026-05-01T12:00:30+00:00")
LOOKS = 60


def looks(say: Say, number: int) -> tuple[Dashboards, Heard, Status, Api]:
    """So many looks of the sellers of a small world."""
    world, status = build(Shape(seed=9, sellers=20, products=300, shoppers=500)), Status()

    async def look() -> tuple[Dashboards, Heard, Status, Api]:
        async with serving(say) as heard, Api(heard.url, status) as api:
            dashboards = Dashboards(world, api, Random(1), lambda: NOW)
            for _ in range(number):
                await dashboards.look()
            return dashboards, heard, status, api

    return asyncio.run(look())


@pytest.mark.parametrize(("as_of", "behind_s"), [("2026-05-01T09:00:18.5-03:00", 11.5), (None, None)])
def test_big_sellers_look_more_often_and_see_how_far_behind_figures_are(
    as_of: str | None, behind_s: float | None
) -> None:
    dashboards, heard, status, _ = looks(answered("200 OK", orjson.dumps({"as_of": as_of})), LOOKS)

    assert dashboards.behind_s == behind_s
    assert status.snapshot()["endpoints"]["sales"]["count"] == LOOKS
    asked = Counter(request.split()[1].split(b"/")[3] for request in heard.requests)
    assert asked.most_common(1)[0][0] == b"seller-0001"
    assert len(asked) > 3


def test_figures_that_nobody_answers_have_no_age_and_are_noticed() -> None:
    dashboards, _, status, api = looks(answered("503 Service Unavailable", b"{}"), 2)

    assert dashboards.behind_s is None
    assert api.unanswered == 2
    assert status.errors == {"sales: HTTP 503": 2}
