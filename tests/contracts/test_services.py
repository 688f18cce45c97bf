"""Every commerce service has the same structure."""

import inspect
import re

import pytest

from common.migrations import read_migrations
from producers.kit.service import ROOM
from producers.registry import SERVICES

FILES = (
    "__init__.py",
    "service.py",
    "model.py",
    "store.py",
    "handlers.py",
    "endpoints.py",
)

services = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


@services
def test_a_service_has_the_same_files_as_the_others(service):
    assert [name for name in FILES if not (ROOM / service.name / name).is_file()] == []


@services
def test_a_service_s_migrations_are_numbered_one_by_one(service):
    assert [len(read_migrations(folder)) > 0 for folder in service.migrations().values()] == [True] * 5


@services
def test_a_handlers_docstring_names_its_event(service):
    for one in service.subscriptions:
        assert f"`{one.event}`" in (inspect.getdoc(one.handler) or "")


@services
def test_every_statement_of_a_service_is_used_in_its_store(service):
    stores = [path.read_text() for path in (ROOM / service.name).glob("*store.py")]
    used = set(re.findall(r'SQL\["(\w+)"\]', "".join(stores)))

    assert used == {path.stem for path in (ROOM / service.name / "queries").glob("*.sql")}
