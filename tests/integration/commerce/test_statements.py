"""PostgreSQL understands every statement that a function of a service or of the kit runs."""

import asyncio
import pkgutil
from collections.abc import Iterator
from importlib import import_module

import asyncpg

from producers.registry import SERVICES
from producers.services.payments.provider.simulated import SCHEMA as PROVIDER

SCHEMAS = {
    **{f"producers.services.{name}": name for name in SERVICES},
    "producers.kit": "inventory",  # any service: each has the tables of the kit
    "producers.kit.seller_status": "alerts",
    "producers.kit.offers": "orders",
    "producers.kit.throttles": "users",
    "producers.services.payments.provider": PROVIDER,
}
"""Package or module → the schema of its statements; the longest name counts."""


def statements() -> Iterator[tuple[str, str, str]]:
    """Return name, schema and text of each function with `@statement`."""
    for package in (import_module("producers.kit"), import_module("producers.services")):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            for name, function in vars(import_module(module.name)).items():
                sql = getattr(function, "sql", None)
                if isinstance(sql, str) and function.__module__ == module.name:
                    room = max((each for each in SCHEMAS if module.name.startswith(each)), key=len)
                    yield f"{module.name}.{name}", SCHEMAS[room], sql


async def refusals(url: str) -> dict[str, str]:
    """Return name → reason of the statements that PostgreSQL does not understand."""
    refused = {}
    connection = await asyncpg.connect(url)
    try:
        for name, schema, sql in statements():
            await connection.execute(f"SET search_path TO {schema}")
            try:
                await connection.prepare(sql)
            except asyncpg.PostgresError as error:
                refused[name] = str(error)
    finally:
        await connection.close()
    return refused


def test_postgresql_understands_every_statement(shop):
    assert len(list(statements())) > 200

    assert asyncio.run(refusals(shop.settings.postgres)) == {}
