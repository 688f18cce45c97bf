"""Routes and dependencies are coroutines: FastAPI runs plain functions in a thread pool, which is slower."""

from collections.abc import Iterator
from inspect import iscoroutinefunction
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from common.guarded_route import all_routes
from common.settings import Settings
from serving.app import create_app


def calls(dependant: Dependant) -> Iterator[Any]:
    yield dependant.call
    for needed in dependant.dependencies:
        yield from calls(needed)


ROUTES = [route for route in all_routes(create_app(Settings())) if isinstance(route, APIRoute)]


def test_there_are_routes() -> None:
    assert {"/v1/orders", "/sell/{seller_id}"} <= {route.path for route in ROUTES}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.path)
def test_endpoints_and_what_they_depend_on_run_on_the_loop(route: APIRoute) -> None:
    assert [call.__name__ for call in calls(route.dependant) if not iscoroutinefunction(call)] == []
