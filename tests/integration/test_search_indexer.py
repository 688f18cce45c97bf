"""The search index follows Kafka, survives every end of its process, and is built anew from ClickHouse."""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest.mock import sentinel
from uuid import uuid4

import orjson
import pytest
from confluent_kafka import Producer

from audit.comparisons.facts_vs_search import NO_INDEX
from audit.run import compare_once
from audit.sources.clickhouse import ClickHouseTables
from audit.stores import Stores
from clickhouse.client import connect
from common.ids import new_id
from common.settings import LOOPBACK, ROOT, Settings
from local.parts.processes import PROCESSES
from local.state_directory import settings_environment
from schemas.codec import Encoder
from schemas.events import all_events
from schemas.product_categories import ProductAttribute, default_tree
from schemas.setup import register
from serving.products.search.check import check
from serving.products.search.filters import variant_keys_in
from serving.products.search.index import REBUILD, LiveIndex, index_path, live_name, search_folder
from serving.products.search.indexer import Indexer
from serving.products.search.query import Search, find
from tests.integration.conftest import Kafka
from tests.integration.event_rows import insert_events
from tests.integration.servers import Server, await_true, terminated
from tests.ports import free_offset

AT = 1_790_000_000_000


class Catalogue:
    """A catalogue of its own: its events in Kafka and ClickHouse, and the index that follows them."""

    def __init__(self, settings: Settings, schema_ids: dict[str, int]) -> None:
        self.settings = settings
        self.folder = search_folder(settings)
        self.word = f"w{uuid4().hex[:12]}"
        self._index = LiveIndex(self.folder)
        self._producer = Producer({"bootstrap.servers": settings.kafka})
        self._encoders = {name: Encoder(all_events()[name], number) for name, number in schema_ids.items()}

    def send(self, name: str, *records: dict[str, Any]) -> None:
        """Send events to Kafka, and wait until it has them."""
        for record in records:
            key = str(record[all_events()[name].key]).encode()
            self._producer.produce(name, self._encoders[name].encode(record), key)
        self._producer.flush()

    def listed(self, product: str, at: int = AT, **changes: Any) -> dict[str, Any]:
        """Return a listing; a word that only this catalogue has is in its name."""
        defaults = {
            "event_id": new_id(),
            "occurred_at": at,
            "product_id": f"{self.word}-{product}",
            "seller_id": f"{self.word}-ana",
            "name": f"Lamp {self.word}",
            "category": "Lamps",
            "currency": self.settings.shop_currency,
            "price_minor": 100,
            "weight_g": None,
            "length_cm": None,
            "height_cm": None,
            "width_cm": None,
            "photos": None,
            "description": None,
            "group_id": None,
            "attributes": {},
            "condition": "new",
            "handling_days": None,
            "sku": None,
            "pictures": [],
        }
        return {**defaults, **changes}

    def delisted(self, product: str, at: int) -> dict[str, Any]:
        key = {"product_id": f"{self.word}-{product}", "seller_id": f"{self.word}-ana"}
        return {"event_id": new_id(), "occurred_at": at, **key, "reason": "seller_request"}

    def found(self) -> set[str] | None:
        """Return the products of this catalogue that are found; None if there is no index."""
        with self._index.read() as searcher:
            if searcher is None:
                return None
            hits = find(searcher, Search(self.word), 1_000).hits
            return {hit.offers[0].product_id.removeprefix(f"{self.word}-") for hit in hits}

    def await_found(self, *products: str) -> None:
        await_true(lambda: self.found() == set(products), f"the search for {self.word} with {products}")


@pytest.fixture(scope="module")
def schema_ids(settings: Settings, kafka: Kafka, registry: Server) -> dict[str, int]:  # noqa: ARG001
    return register(settings).schema_ids


@pytest.fixture
def catalogue(
    settings: Settings, empty_database: Settings, schema_ids: dict[str, int], tmp_path: Path
) -> Catalogue:
    own = settings.model_copy(
        update={
            "home": tmp_path,
            "port_offset": free_offset(),
            "kafka_bootstrap": settings.kafka,
            "registry_url": settings.registry,
            "clickhouse_url": empty_database.clickhouse,
            "clickhouse_database": empty_database.clickhouse_database,
            "clickhouse_admin_password": empty_database.clickhouse_admin_password,
            "clickhouse_analyst_password": empty_database.clickhouse_analyst_password,
        }
    )
    return Catalogue(own, schema_ids)


@contextmanager
def indexing(settings: Settings) -> Iterator[None]:
    """Run the indexer in this process."""
    stop = threading.Event()
    indexer = Indexer(settings, stop)
    thread = threading.Thread(target=indexer.run)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


@contextmanager
def indexing_process(settings: Settings) -> Iterator["subprocess.Popen[bytes]"]:
    secrets = PROCESSES["search"].secrets
    environment = {**os.environ, **settings_environment(settings, secrets)}
    command = [sys.executable, "-m", "serving.products.search"]
    with terminated(subprocess.Popen(command, cwd=ROOT, env=environment)) as process:
        yield process


def test_changes_are_found_soon(catalogue: Catalogue) -> None:
    catalogue.send("product_listed", catalogue.listed("a"), catalogue.listed("b"))
    with indexing(catalogue.settings):
        catalogue.await_found("a", "b")
        catalogue.send("product_listed", catalogue.listed("c"))
        catalogue.await_found("a", "b", "c")
        catalogue.send("product_delisted", catalogue.delisted("a", AT + 1))
        catalogue.await_found("b", "c")
        changed = {**catalogue.listed("b", AT + 2), "changed_fields": ["currency"], "currency": "XXX"}
        catalogue.send("product_changed", changed)
        catalogue.await_found("c")
        suspended = {"event_id": new_id(), "occurred_at": AT + 3, "seller_id": f"{catalogue.word}-ana"}
        catalogue.send("seller_status_changed", {**suspended, "status": "suspended"})
        catalogue.await_found()
    assert check(catalogue.settings) == []


class TreeServer:
    """A server that answers `GET /v1/category_tree` with `tree`."""

    def __init__(self) -> None:
        self.tree = default_tree()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                content = orjson.dumps(outer.tree.answer())
                self.send_response(200 if self.path == "/v1/category_tree" else 404)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        self.server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.url = f"http://{LOOPBACK}:{self.server.server_port}"


@pytest.fixture
def tree_server() -> Iterator[TreeServer]:
    server = TreeServer()
    thread = threading.Thread(target=server.server.serve_forever)
    thread.start()
    yield server
    server.server.shutdown()
    thread.join()
    server.server.server_close()


def test_another_attribute_of_variants_gets_an_index_of_its_own(
    catalogue: Catalogue, tree_server: TreeServer
) -> None:
    settings = catalogue.settings.model_copy(update={"serving_url": tree_server.url})
    glow = {"group_id": catalogue.word, "attributes": {"glow": "soft"}}
    catalogue.send("product_listed", catalogue.listed("a", **glow))
    with indexing(settings):
        catalogue.await_found("a")
        before = live_name(catalogue.folder)
        tree = tree_server.tree
        glows = ProductAttribute("glow", {"en": "Glow"}, is_variant=True)
        tree_server.tree = replace(tree, attributes={**tree.attributes, "glow": glows})
        await_true(lambda: live_name(catalogue.folder) != before, "another index")
        catalogue.await_found("a")
        with LiveIndex(catalogue.folder).read() as searcher:
            assert searcher is not None
            assert "glow" in variant_keys_in(searcher)
    assert check(settings) == []


def test_what_only_clickhouse_has_is_in_an_index_that_is_built_anew(catalogue: Catalogue) -> None:
    in_facts = {**catalogue.listed("old"), "occurred_at": "2026-01-01T00:00:00.000Z"}
    insert_events(catalogue.settings, {"product_listed": [in_facts]})
    catalogue.send("product_listed", catalogue.listed("new"))
    with indexing(catalogue.settings):
        catalogue.await_found("old", "new")


@pytest.mark.nightly
def test_an_indexer_that_is_killed_misses_nothing(catalogue: Catalogue) -> None:
    expected: set[str] = set()
    for restart in range(4):
        with indexing_process(catalogue.settings) as process:
            catalogue.await_found(*expected)
            for number in range(40):
                name = f"{restart}-{number}"
                catalogue.send("product_listed", catalogue.listed(name))
                expected.add(name)
                if number % 10 == 9:
                    gone = f"{restart}-{number - 5}"
                    catalogue.send("product_delisted", catalogue.delisted(gone, AT + 1))
                    expected.discard(gone)
            process.send_signal(signal.SIGKILL)
            process.wait()
    with indexing(catalogue.settings):
        catalogue.await_found(*expected)
    assert check(catalogue.settings) == []


@pytest.mark.nightly
@pytest.mark.parametrize("damage", ["index", "rows", "meta", "folder"])
def test_a_damaged_index_is_built_anew(catalogue: Catalogue, damage: str) -> None:
    catalogue.send("product_listed", catalogue.listed("a"))
    with indexing(catalogue.settings):
        catalogue.await_found("a")
    name = live_name(catalogue.folder)
    assert name is not None
    generation = catalogue.folder / name
    if damage == "index":
        store = next(index_path(generation).glob("*.store"))
        content = store.read_bytes()
        store.unlink()  # readers keep the file that they have open
        store.write_bytes(content[:20] + bytes(20) + content[40:])
    elif damage == "rows":
        for file in generation.glob("rows.sqlite*"):
            file.unlink()
        (generation / "rows.sqlite").write_bytes(b"no database" * 1_000)
    elif damage == "meta":
        (index_path(generation) / "meta.json").write_text("{}")
    else:
        shutil.rmtree(generation)
    catalogue.send("product_listed", catalogue.listed("b"))
    with indexing(catalogue.settings):
        catalogue.await_found("a", "b")
        assert live_name(catalogue.folder) != name
    assert [each.name for each in catalogue.folder.iterdir() if each.is_dir()] == [
        live_name(catalogue.folder)
    ]


@pytest.mark.nightly
def test_another_index_is_built_while_the_present_one_is_followed(catalogue: Catalogue) -> None:
    catalogue.send("product_listed", catalogue.listed("a"))
    with indexing(catalogue.settings):
        catalogue.await_found("a")
        before = live_name(catalogue.folder)
        (catalogue.folder / REBUILD).touch()
        sent = {"a"}
        while live_name(catalogue.folder) == before:
            name = f"during-{len(sent)}"
            catalogue.send("product_listed", catalogue.listed(name))
            sent.add(name)
            catalogue.await_found(*sent)
        catalogue.await_found(*sent)
    assert check(catalogue.settings) == []


def test_the_audit_finds_offers_that_the_index_has_otherwise(catalogue: Catalogue) -> None:
    listings = [{**catalogue.listed(name), "occurred_at": "2026-01-01T00:00:00.000Z"} for name in "abc"]
    with connect(catalogue.settings) as client:
        stores = Stores(
            None, sentinel.kafka, ClickHouseTables(client), sentinel.service_db, sentinel.redis, sentinel.api,
            catalogue.settings.timezone, catalogue.settings.shop_currency, search=catalogue.folder,
        )  # fmt: skip

        def differing() -> set[str]:
            """Return the keys of this catalogue: Kafka has other tests' events, which the facts lack."""
            [found] = compare_once("facts_vs_search", stores)
            return {key for key in found.differing if catalogue.word in key}

        assert compare_once("facts_vs_search", stores)[0].notes == (NO_INDEX,)
        insert_events(catalogue.settings, {"product_listed": listings})
        with indexing(catalogue.settings):
            catalogue.await_found(*"abc")
        assert differing() == set()
        later = {"event_id": new_id(), "occurred_at": "2026-01-02T00:00:00.000Z"}
        dearer = {**listings[0], **later, "price_minor": 101, "changed_fields": ["price_minor"]}
        insert_events(
            catalogue.settings,
            {"product_changed": [dearer], "product_delisted": [{**catalogue.delisted("b", AT), **later}]},
        )
        assert len(differing()) == 2


def test_without_an_index_nothing_is_read(catalogue: Catalogue) -> None:
    assert catalogue.found() is None
