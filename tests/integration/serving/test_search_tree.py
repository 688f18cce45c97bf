"""What administrators change in the category tree is found, filtered and shown within seconds."""

import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from common.ids import new_id
from common.kafka import cluster_id
from serving.products.search.index import current_format, make_live, search_folder
from serving.products.search.indexer import Generation, Indexer
from tests.integration.servers import await_true
from tests.integration.serving.conftest import Office
from tests.integration.serving.test_search import listed
from tests.integration.serving.visits import ADMIN


class Shelf:
    """A product in a category of its own, in an index that an indexer follows."""

    def __init__(self, office: Office) -> None:
        self.office = office
        self.word = f"w{new_id()[-8:]}"
        self.category, self.department = f"Glow {self.word}", f"Fest {self.word}"

    def put(self, category_id: str, parent_id: str | None, en: str, pt_br: str) -> None:
        body = {"names": {"en": en, "pt_BR": pt_br}, "parent_id": parent_id}
        with self.office.http(ADMIN) as http:
            http.put(f"/v1/admin/categories/{category_id}", json=body).raise_for_status()

    def found(self, **asked: Any) -> dict[str, Any]:
        with httpx.Client(base_url=self.office.settings.serving, trust_env=False, timeout=30) as guest:
            answer: dict[str, Any] = guest.get("/v1/products", params=asked).raise_for_status().json()
        return answer

    def finds(self, **asked: Any) -> bool:
        return [each["product_id"] for each in self.found(**asked)["products"]] == [self.word]


@pytest.fixture
def shelf(office: Office) -> Iterator[Shelf]:
    shelf, settings = Shelf(office), office.settings
    shelf.put(shelf.category, None, "Glow", "Brilho")
    folder, name = search_folder(settings), f"{current_format()}-tree-{shelf.word}"
    generation = Generation(folder / name, settings.shop_currency)
    generation.rows.begin(cluster_id(settings.kafka), {})
    product = listed(shelf.word, "Thing", category=shelf.category, currency=settings.shop_currency)
    generation.rows.apply([product], {})
    generation.close()
    make_live(folder, name)
    stop = threading.Event()
    thread = threading.Thread(target=Indexer(settings, stop).run)
    thread.start()
    yield shelf
    stop.set()
    thread.join()
    (folder / "live").unlink()


def test_a_category_that_was_renamed_and_moved_is_found_by_its_new_names_and_its_new_parent(
    shelf: Shelf,
) -> None:
    await_true(lambda: shelf.finds(category=shelf.category), "the first search")
    name = f"Luzinhas{shelf.word}"
    assert not shelf.finds(q=name)
    assert not shelf.finds(category=shelf.department)

    shelf.put(shelf.department, None, "Party", "Festa")
    shelf.put(shelf.category, shelf.department, "Fairy lights", name)

    await_true(lambda: shelf.finds(category=shelf.department), "the filter by the new parent")
    assert shelf.finds(q=name.upper())
    assert shelf.finds(q="fairy light")
    facets = shelf.found(category=shelf.department, facets=True)["facets"]["categories"]
    assert {each["value"]: each["products"] for each in facets if shelf.word in each["value"]} == {
        shelf.category: 1,
        shelf.department: 1,
    }
    with httpx.Client(
        base_url=shelf.office.settings.serving, trust_env=False, headers={"Accept-Language": "pt-BR"}
    ) as guest:
        path = f"/shop/categories/{shelf.department}"
        await_true(lambda: name in guest.get(path).text, "the name on the page of the new parent")
        assert "<h1>Festa</h1>" in guest.get(path).text
