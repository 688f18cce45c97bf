"""The rows of documents: the newest event counts, in whatever order and however often events come."""

import json
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.settings import Settings
from serving.products.search.documents import FIELD_END, CardOffer
from serving.products.search.index import IndexWriter, current_format, damaged_files, live_name, make_live
from serving.products.search.indexer import work
from serving.products.search.rows import Rows

LAMP = f"product{FIELD_END}lamp"


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[Rows]:
    rows = Rows(tmp_path / "rows.sqlite", "BRL")
    yield rows
    rows.close()


def listed(at: int, price: int = 100, **changes: Any) -> tuple[str, Mapping[str, Any]]:
    event = {
        "product_id": "lamp",
        "seller_id": "ana",
        "at": at,
        "event_id": f"event-{at}-{price}",
        "name": "Lamp",
        "category": None,
        "description": None,
        "attributes": {},
        "group_id": None,
        "currency": "BRL",
        "price_minor": price,
        "pictures": [],
    }
    return "product_changed", {**event, **changes}


def delisted(at: int) -> tuple[str, Mapping[str, Any]]:
    return "product_delisted", {"product_id": "lamp", "seller_id": "ana", "at": at}


def stock(version: int, on_hand: int, reserved: int = 0) -> tuple[str, Mapping[str, Any]]:
    values = {"version": version, "on_hand": on_hand, "reserved": reserved}
    return "stock_changed", {"product_id": "lamp", "seller_id": "ana", "at": 1, **values}


def status(at: int, status: str) -> tuple[str, Mapping[str, Any]]:
    return "seller_status_changed", {"seller_id": "ana", "at": at, "status": status}


def review(name: str, at: int, score: int | None, review_id: str = "r1") -> tuple[str, Mapping[str, Any]]:
    return name, {"review_id": review_id, "product_id": "lamp", "at": at, "score": score}


def price_of(rows: Rows) -> int | None:
    fields = rows.fields(LAMP)
    return next(iter(fields["price"])) if fields else None


EVENTS = st.lists(
    st.one_of(
        st.builds(listed, st.integers(1, 4), st.integers(1, 3)),
        st.builds(delisted, st.integers(1, 4)),
        st.builds(lambda version: stock(version, version % 2), st.integers(1, 4)),
        st.builds(lambda at: status(at, "suspended" if at % 2 else "approved"), st.integers(1, 4)),
        st.builds(lambda at: review("review_published", at, at), st.integers(1, 4)),
        st.builds(lambda at: review("review_withdrawn", at, at), st.integers(1, 4)),
    ),
    max_size=12,
)


@given(events=EVENTS, order=st.randoms(use_true_random=False))
def test_the_order_and_the_repetition_of_events_do_not_matter(events: list[Any], order: Any) -> None:
    once, again = Rows(Path(":memory:"), "BRL"), Rows(Path(":memory:"), "BRL")
    once.apply(events, {})
    shuffled = [*events, *events]
    order.shuffle(shuffled)
    for event in shuffled:
        again.apply([event], {})
    assert once.fields(LAMP) == again.fields(LAMP)


def test_the_newest_listing_counts_and_an_end_at_the_same_time_does_not(rows: Rows) -> None:
    rows.apply([listed(2, 200), listed(1, 100)], {})
    assert price_of(rows) == 200
    rows.apply([delisted(1), delisted(2)], {})
    assert price_of(rows) == 200
    rows.apply([delisted(3)], {})
    assert price_of(rows) is None
    rows.apply([listed(4, 300)], {})
    assert price_of(rows) == 300


def test_offers_in_another_currency_and_of_suspended_sellers_are_not_found(rows: Rows) -> None:
    rows.apply([listed(1, currency="EUR")], {})
    assert price_of(rows) is None
    rows.apply([listed(2), status(3, "suspended")], {})
    assert price_of(rows) is None
    rows.apply([status(4, "approved")], {})
    assert price_of(rows) == 100


def test_a_document_is_written_for_stock_only_when_it_is_sold_out_or_not_any_more(rows: Rows) -> None:
    rows.apply([listed(1)], {})
    for event, pending in (
        (stock(1, 5), []),
        (stock(2, 5, reserved=5), [LAMP]),
        (stock(3, 0), []),
        (stock(4, 1), [LAMP]),
    ):
        rows.strike_off([LAMP])
        rows.apply([event], {})
        assert rows.pending(9) == pending


def test_a_product_that_gets_a_group_leaves_its_own_document(rows: Rows) -> None:
    rows.apply([listed(1)], {})
    rows.strike_off([LAMP])
    rows.apply([listed(2, group_id="g")], {})
    assert set(rows.pending(9)) == {LAMP, f"group{FIELD_END}g"}
    assert rows.fields(LAMP) is None
    assert rows.fields(f"group{FIELD_END}g") is not None


def test_published_reviews_count_and_withdrawn_ones_do_not(rows: Rows) -> None:
    rows.apply([listed(1), review("review_published", 2, 5), review("review_published", 2, 3, "r2")], {})
    fields = rows.fields(LAMP)
    assert fields is not None
    assert fields["stars"] == 400
    rows.apply([review("review_withdrawn", 3, 5)], {})
    fields = rows.fields(LAMP)
    assert fields is not None
    assert fields["stars"] == 300


@pytest.mark.parametrize(("score", "stars"), [(10**6, 500), (-5, 100)])
def test_a_score_that_cannot_be_stops_no_index(tmp_path: Path, rows: Rows, score: int, stars: int) -> None:
    rows.apply([listed(1), review("review_published", 2, score)], {})
    fields = rows.fields(LAMP)
    assert fields is not None
    assert fields["stars"] == stars
    IndexWriter(tmp_path / "index").put(LAMP, fields)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_bug_of_the_indexer_ends_its_process(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RuntimeError):
        work(Settings(home=tmp_path / "file"), threading.Event())


def test_levels_are_those_of_the_newest_reading(rows: Rows) -> None:
    rows.apply([listed(1)], {})
    rows.strike_off([LAMP])
    rows.set_levels([("lamp", 7), ("unknown", 3)])
    assert rows.pending(9) == [LAMP]
    rows.strike_off([LAMP])
    rows.set_levels([("lamp", 7)])
    assert rows.pending(9) == []
    rows.set_levels([])
    assert rows.pending(9) == [LAMP]


def test_what_has_an_event_of_its_own_is_written_before_what_only_sells_better(rows: Rows) -> None:
    rows.apply([listed(1, product_id="a"), listed(1, product_id="b")], {})
    rows.strike_off(rows.pending(9))
    rows.set_levels([("a", 1)])
    rows.apply([listed(2, product_id="b")], {})
    assert rows.pending(1) == [f"product{FIELD_END}b"]


def test_positions_are_stored_with_the_rows(tmp_path: Path) -> None:
    rows = Rows(tmp_path / "rows.sqlite", "BRL")
    rows.begin("a cluster", {("product_listed", 0): 3})
    rows.apply([listed(1)], {("product_listed", 0): 5, ("stock_changed", 1): 1})
    rows.close()
    again = Rows(tmp_path / "rows.sqlite", "BRL")
    assert again.origin() == "a cluster"
    assert again.positions() == {("product_listed", 0): 5, ("stock_changed", 1): 1}
    assert again.pending(9) == [LAMP]
    assert again.is_sound()


def test_a_changed_or_missing_file_of_an_index_is_noticed(tmp_path: Path, rows: Rows) -> None:
    rows.apply([listed(1)], {})
    writer = IndexWriter(tmp_path / "index")
    writer.put(LAMP, rows.fields(LAMP))
    writer.commit()
    assert damaged_files(tmp_path / "index") == []
    store = next((tmp_path / "index").glob("*.store"))
    content = bytearray(store.read_bytes())
    content[len(content) // 3] ^= 1
    store.unlink()
    assert damaged_files(tmp_path / "index") == [store.name]
    store.write_bytes(content)
    assert damaged_files(tmp_path / "index") == [store.name]
    (tmp_path / "index" / "meta.json").write_text(json.dumps({}))
    assert damaged_files(tmp_path / "index") == ["meta.json"]


def test_an_index_of_another_format_is_not_read(tmp_path: Path) -> None:
    assert live_name(tmp_path) is None
    for name in ("old-1", "../x", "\x00"):
        make_live(tmp_path, name)
        assert live_name(tmp_path) is None
    make_live(tmp_path, f"{current_format()}-1")
    assert live_name(tmp_path) == f"{current_format()}-1"


def test_a_card_has_the_first_picture_of_its_offer(rows: Rows) -> None:
    rows.apply([listed(1, pictures=["a" * 64, "b" * 64])], {})

    fields = rows.fields(LAMP)

    assert fields is not None
    assert CardOffer(*json.loads(fields["card"])["offers"][0]).picture == "a" * 64
