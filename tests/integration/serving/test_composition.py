"""The API opens its domains when it starts, and closes all of them when it stops or its start fails."""

import asyncio
import threading
from typing import Any, NoReturn

import pytest
from fastapi import FastAPI

from common.settings import Settings
from serving.app import create_app
from tests.ports import free_offset

FAULTS = {
    "serving.gateway.domain.AuthState": "live settings",
    "serving.recommendations.domain.polled_health": "popular products",
    "serving.app.Admission": "overview",
}
"""What fails when it is made → a task that runs by then. One is in the first domain, one in another."""


class PlantedError(Exception):
    """The fault of a test."""


def own_threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}


def other_tasks() -> set[str]:
    return {task.get_name() for task in asyncio.all_tasks() if task is not asyncio.current_task()}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> FastAPI:
    """The API without any server."""
    return create_app(Settings(home=tmp_path_factory.mktemp("shop"), port_offset=free_offset()))


@pytest.mark.parametrize("fault", FAULTS)
def test_a_start_that_fails_closes_what_was_opened(
    fault: str, app: FastAPI, monkeypatch: pytest.MonkeyPatch
) -> None:
    running: list[set[str]] = []

    def fail(*_args: Any, **_options: Any) -> NoReturn:
        running.append(other_tasks())
        raise PlantedError

    before = own_threads()
    monkeypatch.setattr(fault, fail)

    async def start() -> set[str]:
        with pytest.raises(PlantedError):
            async with app.router.lifespan_context(app):
                pytest.fail("it started")
        return other_tasks()

    left = asyncio.run(start())

    assert FAULTS[fault] in running[0]
    assert left == set()
    assert own_threads() == before


def test_a_stop_closes_everything(app: FastAPI) -> None:
    before = own_threads()

    async def start_and_stop() -> tuple[set[str], set[str], set[str]]:
        async with app.router.lifespan_context(app):
            tasks, threads = other_tasks(), own_threads()
        return tasks, threads, other_tasks()

    tasks, threads, left = asyncio.run(start_and_stop())

    assert {"auth state", "live settings", "overview", "log of recommendations"} <= tasks
    assert threads - before >= {"cache-watcher", "configuration watcher"}
    assert left == set()
    assert own_threads() == before
