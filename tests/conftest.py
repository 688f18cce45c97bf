"""Fixtures that several kinds of tests share."""

import csv
import gc
import os
import signal
from collections.abc import Callable, Generator
from contextlib import suppress
from functools import cache
from operator import itemgetter
from pathlib import Path
from typing import Any

import httpx
import psutil
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import settings

from common.gc_tuning import tune_gc
from producers.simulator.world.shape import WorldShape
from producers.simulator.world.world import World, build_world
from tests.nightly_results import NightlyRun, ResultStore, present_tree

httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)
"""Without this, each client would read all certificates: 30 ms of CPU, for thousands of clients."""

httpx._config.DEFAULT_TIMEOUT_CONFIG.read = 60.0
"""Seconds that a test waits for an answer where it says nothing else: a busy machine needs more than five."""

os.environ.setdefault("SOUK_INTERNAL_SECRET", "a secret of all processes")

settings.register_profile("souk", deadline=None, print_blob=True, max_examples=100)
settings.register_profile("nightly", settings.get_profile("souk"), max_examples=1_000)
settings.load_profile("souk")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of nightly runs, which `./souk test` passes."""
    group = parser.getgroup("souk")
    group.addoption("--leave-out-passed", action="store_true", help="Run what did not pass on these files.")
    group.addoption(
        "--end-by", type=float, metavar="TIME", help="Begin no test that would end later (Unix time)."
    )


def pytest_configure(config: pytest.Config) -> None:
    """Note results of nightly tests. Handle SIGTERM like Ctrl-C, so that it stops the servers, too."""
    goes_on, until = config.getoption("--leave-out-passed"), config.getoption("--end-by")
    config.pluginmanager.register(NightlyRun(ResultStore(present_tree()), goes_on, until))
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    gc.disable()  # the modules that the collection imports stay until the end


def pytest_collection_finish() -> None:
    """Collect garbage again, without the modules and the tests."""
    gc.enable()
    tune_gc()


_CPU_OF_FILES = pytest.StashKey[dict[str, float]]()
CPU_FILES = 10
"""Number of files whose CPU time each session prints: those that took the most."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> Generator[None, bool, bool]:
    """Note the CPU time of each file: its tests, their fixtures, and the servers while they ran."""
    files = item.config.stash.setdefault(_CPU_OF_FILES, {})
    ran = yield
    if nextitem is None or nextitem.path != item.path:
        files[item.nodeid.partition("::")[0]] = _cpu_s() - sum(files.values())
    return ran


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the CPU time of the session and of its most expensive files."""
    terminalreporter.write_line(f"CPU time with servers: {_cpu_s():.0f} s")
    files = config.stash.get(_CPU_OF_FILES, {})
    for file, seconds in sorted(files.items(), key=itemgetter(1), reverse=True)[:CPU_FILES]:
        terminalreporter.write_line(f"{seconds:7.1f} s  {file}")


def _cpu_s() -> float:
    """Return the CPU seconds of this process and of all that it started, whether they ended or run."""
    this = psutil.Process()
    found = 0.0
    for process in (this, *this.children(recursive=True)):
        with suppress(psutil.Error):
            found += sum(process.cpu_times()[:4])  # its own and its ended children's, user and system
    return found


Rows = dict[str, list[dict[str, Any]]]

CSV_NAMES = {
    "customers": "olist_customers_dataset",
    "orders": "olist_orders_dataset",
    "order_items": "olist_order_items_dataset",
    "order_payments": "olist_order_payments_dataset",
    "order_reviews": "olist_order_reviews_dataset",
    "products": "olist_products_dataset",
    "sellers": "olist_sellers_dataset",
}


@pytest.fixture(scope="session")
def world() -> World:
    """A small world of the simulator."""
    return build_world(WorldShape(seed=9, sellers=20, products=300, shoppers=500))


@pytest.fixture
def small_olist() -> Rows:
    """Olist's tables with two orders: `a`, of one line, delivered; `b`, of two sellers, not yet approved."""
    return {
        "customers": [_customer("ca", "ana", "01310"), _customer("cb", "bia", "98765")],
        "sellers": [
            {
                "seller_id": seller,
                "seller_zip_code_prefix": "13023",
                "seller_city": "campinas",
                "seller_state": "SP",
            }
            for seller in ("s1", "s2")
        ],
        "products": [_product("p1", "beleza_saude"), _product("p2", "pc_gamer"), _product("p3", None)],
        "product_category_name_translation": [
            {"product_category_name": "beleza_saude", "product_category_name_english": "health_beauty"}
        ],
        "orders": [
            _order("a", "ca", "delivered", "2017-10-02 10:56:33", "2017-10-02 11:07:15",
                   "2017-10-04 19:55:00", "2017-10-10 21:25:13"),
            _order("b", "cb", "created", "2017-10-05 08:00:00"),
        ],
        "order_items": [
            _item("a", 1, "p1", "s1", 29.99, 8.72),
            _item("b", 1, "p1", "s1", 31.5, 10.0),
            _item("b", 2, "p2", "s2", 0.85, 0.0),
            _item("b", 3, "p3", "s2", 100.1, 5.01),
        ],
        "order_payments": [
            _payment("a", 1, "credit_card", 30.0), _payment("a", 2, "voucher", 8.71),
            _payment("b", 1, "boleto", 147.46),
        ],
        "order_reviews": [
            {"review_id": "r1", "order_id": "a", "review_score": 4, "review_comment_title": None,
             "review_comment_message": "ok,\n\"bom\"", "review_creation_date": "2017-10-11 00:00:00",
             "review_answer_timestamp": "2017-10-12 03:43:48"}
        ],
    }  # fmt: skip


@pytest.fixture
def write_olist(tmp_path: Path) -> Callable[..., Path]:
    """A function that writes tables into a directory: as CSV, or as Parquet with typed columns."""

    def write(tables: Rows, parquet: bool = False, into: str = "olist") -> Path:
        directory = tmp_path / into
        directory.mkdir(exist_ok=True)
        for name, rows in tables.items():
            if parquet:
                typed = pa.table({column: _column([row[column] for row in rows]) for column in rows[0]})
                pyarrow.parquet.write_table(typed, directory / f"{name}.parquet")
                continue
            with (directory / f"{CSV_NAMES.get(name, name)}.csv").open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0], quoting=csv.QUOTE_MINIMAL)
                writer.writeheader()
                writer.writerows(rows)
        return directory

    return write


def _column(values: list[Any]) -> pa.Array:
    array = pa.array(values)
    first = next((value for value in values if value is not None), None)
    is_time = isinstance(first, str) and len(first) == 19 and first[4] == "-"
    return array.cast(pa.timestamp("ms")) if is_time else array


def _customer(customer: str, person: str, zip_prefix: str) -> dict[str, Any]:
    return {
        "customer_id": customer,
        "customer_unique_id": person,
        "customer_zip_code_prefix": zip_prefix,
        "customer_city": "são paulo",
        "customer_state": "SP",
    }


def _product(product: str, category: str | None) -> dict[str, Any]:
    return {
        "product_id": product,
        "product_category_name": category,
        "product_name_lenght": 40,
        "product_description_lenght": 287,
        "product_photos_qty": 1,
        "product_weight_g": 225,
        "product_length_cm": 16,
        "product_height_cm": 10,
        "product_width_cm": 14,
    }


def _order(order: str, customer: str, status: str, purchased: str, *others: str) -> dict[str, Any]:
    approved, carrier, delivered = [*others, None, None, None][:3]
    return {
        "order_id": order,
        "customer_id": customer,
        "order_status": status,
        "order_purchase_timestamp": purchased,
        "order_approved_at": approved,
        "order_delivered_carrier_date": carrier,
        "order_delivered_customer_date": delivered,
        "order_estimated_delivery_date": "2017-10-18 00:00:00",
    }


def _item(order: str, number: int, product: str, seller: str, price: float, freight: float) -> dict[str, Any]:
    return {
        "order_id": order,
        "order_item_id": number,
        "product_id": product,
        "seller_id": seller,
        "shipping_limit_date": "2017-10-06 11:07:15",
        "price": price,
        "freight_value": freight,
    }


def _payment(order: str, number: int, kind: str, value: float) -> dict[str, Any]:
    return {
        "order_id": order,
        "payment_sequential": number,
        "payment_type": kind,
        "payment_installments": 1,
        "payment_value": value,
    }
