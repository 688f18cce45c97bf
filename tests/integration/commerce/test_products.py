"""Products: what sellers list and change, offers of several sellers, holidays, blocks, the tree."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from common.clock import system_clock
from common.ids import new_id
from producers.services.products.model import MAX_VARIANTS
from tests.integration.commerce.people import admin, person, staff
from tests.integration.servers import await_true

LAMP = {
    "name": "Luminária de mesa «São João» 💡",
    "category": "Lamps",
    "description": "Warm light.\n<b>40 cm</b> high.",
    "attributes": {"colour": "blue"},
    "price_minor": 14_900,
    "handling_days": 2,
}
TERMS = {"price_minor": 15_900, "condition": "used"}


class Seller:
    """A seller's manager, who lists products."""

    def __init__(self, shop) -> None:
        self.shop, self.seller_id = shop, f"seller-{new_id()}"
        self.http = shop.as_principal(staff(self.seller_id, "manager"))
        self.path = f"/v1/sellers/{self.seller_id}"

    def send(self, **fields):
        """Send a listing."""
        return self.http.post(f"{self.path}/listings", json={**LAMP, **fields})

    def listed(self, **fields) -> list[dict]:
        """Return the listings that a request has made."""
        answer = self.send(**fields)
        assert answer.status_code == 201, answer.text
        return answer.json()

    def change(self, product_id: str, **fields):
        """Send a listing anew."""
        return self.http.put(f"{self.path}/listings/{product_id}", json={**LAMP, **fields})

    def set_price(self, product_id: str, price_minor: int):
        """Set the price of a listing."""
        return self.http.put(f"{self.path}/listings/{product_id}/price", json={"price_minor": price_minor})

    def offer(self, product_id: str, **fields):
        """Offer a product of another seller."""
        return self.http.post(f"{self.path}/offers", json={"product_id": product_id, **TERMS, **fields})

    def read(self, product_id: str) -> dict:
        """Return a listing."""
        return self.http.get(f"{self.path}/listings/{product_id}").raise_for_status().json()

    def all(self, **query) -> list[dict]:
        """Return the first page of the listings."""
        return self.http.get(f"{self.path}/listings", params=query).raise_for_status().json()["listings"]


@pytest.fixture
def seller(shop):
    return Seller(shop)


@pytest.fixture
def other(shop):
    return Seller(shop)


@pytest.fixture
def moderator(shop):
    return shop.as_principal(admin())


@pytest.fixture(autouse=True)
def _with_categories(shop):
    shop.await_row("SELECT FROM products.categories WHERE category_id = 'Lamps'")


def steps(shop, product_id, seller_id=None):
    """Return the events of a product, or of a seller's offer of it, in the order of their times.

    What was committed may not be in Kafka yet, so this waits for the relay.
    """
    await_true(shop.caught_up)
    found = [
        (event["occurred_at"], name, event)
        for name in ("product_listed", "product_changed", "product_delisted")
        for event in shop.events(name, product_id)
        if seller_id in (None, event["seller_id"])
    ]
    return [(name.removeprefix("product_"), event) for _, name, event in sorted(found, key=lambda it: it[:2])]


def kind(answer):
    """Return the kind of a refusal."""
    return answer.status_code, answer.json()["type"].removeprefix("urn:souk:problem:")


def test_a_product_is_listed_and_changed_and_taken_off_and_every_text_stays_as_it_is(shop, seller):
    (listing,) = seller.listed()
    assert {name: listing[name] for name in LAMP} == LAMP
    product_id = listing["product_id"]
    seller.change(product_id, price_minor=9_900, attributes={"colour": "azul-petróleo"}).raise_for_status()
    assert seller.http.delete(f"{seller.path}/listings/{product_id}").status_code == 204
    names, events = zip(*steps(shop, product_id), strict=True)
    assert names == ("listed", "changed", "delisted")
    assert {name: events[0][name] for name in LAMP} == LAMP
    assert set(events[1]["changed_fields"]) == {"price_minor", "attributes"}
    assert events[2]["reason"] == "seller_request"
    prices = seller.http.get(f"{seller.path}/listings/{product_id}/prices").json()
    assert [each["price_minor"] for each in prices] == [9_900, 14_900]


def test_a_draft_is_not_on_offer_until_it_is_listed(shop, seller):
    (draft,) = seller.listed(status="draft")
    product_id = draft["product_id"]
    seller.change(product_id, name="Better", status="draft").raise_for_status()
    assert seller.all(status="draft")[0]["name"] == "Better"
    assert steps(shop, product_id) == []
    seller.change(product_id, status="listed").raise_for_status()
    assert [name for name, _ in steps(shop, product_id)] == ["listed"]


def test_each_variant_is_a_product_of_one_group(shop, seller):
    variants = [{"attributes": {"colour": colour}, "sku": f"L-{colour}"} for colour in ("blue", "black")]
    listings = seller.listed(
        attributes={}, variants=[*variants, {"attributes": {"colour": "red"}, "price_minor": 1}]
    )
    assert len({each["product_id"] for each in listings}) == 3
    assert {each["group_id"] for each in listings} == {listings[0]["product_id"]}
    assert [each["price_minor"] for each in listings] == [14_900, 14_900, 1]
    (late,) = seller.listed(attributes={"colour": "green"}, variant_of=listings[1]["product_id"])
    assert late["group_id"] == listings[0]["group_id"]
    assert len(seller.all(group_id=late["group_id"])) == 4
    assert {event["group_id"] for each in listings for _, event in steps(shop, each["product_id"])} == {
        listings[0]["group_id"]
    }
    alone = seller.listed()[0]["product_id"]
    (second,) = seller.listed(attributes={"colour": "black"}, variant_of=alone)
    assert second["group_id"] == alone == seller.read(alone)["group_id"]


@pytest.mark.parametrize(
    ("variants", "why"),
    [
        ([{"attributes": {"brand": "A"}}, {"attributes": {"brand": "B"}}], "bad-variants"),
        ([{"attributes": {"colour": "blue"}}, {"attributes": {"colour": "blue"}}], "bad-variants"),
        ([{"attributes": {}}], "bad-parameter"),
        ([{"attributes": {"wheels": "2"}}], "unknown-attribute"),
    ],
)
def test_variants_that_cannot_be_told_apart_are_refused(seller, variants, why):
    assert kind(seller.send(attributes={}, variants=variants)) == (422, why)
    assert seller.all() == []


def test_a_product_becomes_a_variant_in_the_offers_of_all_sellers(shop, seller, other):
    (lamp,) = seller.listed()
    product_id = lamp["product_id"]
    assert other.offer(product_id).status_code == 201
    (red,) = seller.listed(variant_of=product_id, attributes={"colour": "red"})
    assert {each.read(product_id)["group_id"] for each in (seller, other)} == {red["group_id"]}
    *_, (name, event) = steps(shop, product_id, other.seller_id)
    assert (name, event["changed_fields"], event["group_id"]) == ("changed", ["group_id"], red["group_id"])


def test_a_product_has_a_limit_of_variants_also_if_they_are_added_one_by_one(seller):
    colours = [{"attributes": {"colour": f"shade {n}"}} for n in range(MAX_VARIANTS - 1)]
    first, *_ = seller.listed(variants=colours, attributes={})
    added = [seller.send(variant_of=first["product_id"], attributes={"colour": name}) for name in "ab"]
    assert added[0].status_code == 201
    assert kind(added[1]) == (409, "too-many-variants")


def test_a_variant_cannot_become_equal_to_another_one(seller):
    blue, black = seller.listed(
        attributes={}, variants=[{"attributes": {"colour": colour}} for colour in ("blue", "black")]
    )
    assert kind(seller.change(black["product_id"], attributes={"colour": "blue"})) == (422, "bad-variants")
    assert kind(seller.send(attributes={"colour": "blue"}, variant_of=blue["product_id"])) == (
        422,
        "bad-variants",
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"commission_bp": 0}, {"seller_id": "another"}, {"owner_id": "another"}, {"product_id": "p"},
        {"currency": "USD"}, {"status": "blocked"}, {"block_reason": "other"}, {"hidden": True},
        {"price_minor": -1}, {"price_minor": 10**11}, {"price_minor": 1.5}, {"name": ""},
        {"name": "\u200b\u2800"},
        {"name": "a\nb"}, {"name": "x" * 201}, {"description": "x" * 5_001}, {"description": "a\0b"},
        {"condition": "broken"}, {"handling_days": 61}, {"attributes": {"colour": ""}},
        {"attributes": {"Colour": "blue"}}, {"pictures": ["../../etc/passwd"]}, {"weight_g": -1},
    ],
)  # fmt: skip
def test_what_a_seller_may_not_say_is_refused_and_not_ignored(seller, fields):
    assert seller.send(**fields).status_code == 422
    assert seller.all() == []


def test_a_category_or_an_attribute_that_does_not_exist_is_refused(seller):
    assert kind(seller.send(category="Nothing")) == (422, "unknown-category")
    assert kind(seller.send(attributes={"wheels": "4"})) == (422, "unknown-attribute")


def test_one_sku_names_one_listing_of_a_seller_but_two_sellers_may_have_the_same(seller, other):
    seller.listed(sku="A-1")
    assert kind(seller.send(sku="A-1")) == (409, "sku-taken")
    other.listed(sku="A-1")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: seller.send(sku="B-1").status_code, range(8)))
    assert sorted(answers) == [201] + [409] * 7


def test_another_seller_offers_the_product_with_the_contents_of_its_owner(shop, seller, other):
    product_id = seller.listed(sku="A-1")[0]["product_id"]
    offer = other.offer(product_id, sku="mine").raise_for_status().json()
    assert (offer["name"], offer["price_minor"], offer["condition"], offer["sku"], offer["owner_id"]) == (
        LAMP["name"], 15_900, "used", "mine", seller.seller_id,
    )  # fmt: skip
    assert kind(other.offer(product_id)) == (409, "already-listed")
    assert kind(other.change(product_id, name="FREE PHONE")) == (409, "contents-of-owner")
    seller.change(product_id, name="New name").raise_for_status()
    assert other.read(product_id)["name"] == "New name"
    assert [name for name, _ in steps(shop, product_id, other.seller_id)] == ["listed", "changed"]
    other.http.put(f"{other.path}/offers/{product_id}", json={"price_minor": 1}).raise_for_status()
    assert (other.read(product_id)["price_minor"], seller.read(product_id)["price_minor"]) == (1, 14_900)


def test_what_was_read_before_another_change_undoes_none(seller):
    (read,) = seller.listed()
    listing, offer = (f"{seller.path}/{kind}/{read['product_id']}" for kind in ("listings", "offers"))
    seller.http.put(f"{listing}/price", json={"price_minor": 7}).raise_for_status()
    old, new = ({"changed_at": each["changed_at"]} for each in (read, seller.read(read["product_id"])))
    for path, body in ((listing, LAMP), (offer, TERMS)):
        assert kind(seller.http.put(path, json=body, params=old)) == (409, "changed-since")
    assert seller.read(read["product_id"])["price_minor"] == 7
    assert seller.http.put(listing, json=LAMP, params=new).status_code == 200


def test_nobody_reads_or_changes_the_listing_of_another_seller(shop, seller, other):
    product_id = seller.listed()[0]["product_id"]
    assert other.http.get(f"{seller.path}/listings").status_code == 404
    assert other.http.get(f"{seller.path}/listings/{product_id}").status_code == 404
    assert other.http.put(f"{seller.path}/listings/{product_id}", json=LAMP).status_code == 404
    assert other.http.put(f"{other.path}/listings/{product_id}", json=LAMP).status_code == 404
    assert (
        other.http.put(f"{seller.path}/listings/{product_id}/price", json={"price_minor": 1}).status_code
        == 404
    )
    assert other.http.delete(f"{other.path}/listings/{product_id}").status_code == 404
    assert kind(other.send(variant_of=product_id)) == (404, "unknown-listing")
    assert shop.as_principal(person()).get(f"{seller.path}/listings").status_code == 403
    analyst = shop.as_principal(staff(seller.seller_id, "analyst"))
    assert analyst.post(f"{seller.path}/listings", json=LAMP).status_code == 403
    assert seller.read(product_id)["price_minor"] == 14_900


def test_a_suspended_seller_lists_nothing(shop, seller):
    product_id = seller.listed()[0]["product_id"]
    shop.tell("seller_status_changed", origin="sellers", seller_id=seller.seller_id, status="suspended")
    shop.await_row(
        "SELECT FROM products.seller_status WHERE seller_id = $1 AND NOT approved", seller.seller_id
    )
    assert kind(seller.send()) == (409, "seller-not-approved")
    assert kind(seller.change(product_id, name="x")) == (409, "seller-not-approved")
    assert kind(seller.set_price(product_id, 1)) == (409, "seller-not-approved")
    assert seller.http.delete(f"{seller.path}/listings/{product_id}").status_code == 204
    assert [name for name, _ in steps(shop, product_id)] == ["listed", "delisted"]


def test_nobody_buys_from_a_suspended_seller_until_it_is_reinstated(shop, seller, other, eventually):
    product_id, draft = (seller.listed(status=status)[0]["product_id"] for status in ("listed", "draft"))
    assert other.offer(product_id).status_code == 201
    for status, is_hidden in (("suspended", True), ("approved", False)):
        shop.tell("seller_status_changed", origin="sellers", seller_id=seller.seller_id, status=status)
        assert eventually(lambda is_hidden=is_hidden: seller.read(product_id)["hidden"] == is_hidden)
    assert not seller.read(draft)["hidden"]
    told = steps(shop, product_id, seller.seller_id)
    assert [(name, event.get("reason")) for name, event in told] == [
        ("listed", None),
        ("delisted", "seller_closed"),
        ("changed", None),
    ]
    assert [name for name, _ in steps(shop, product_id, other.seller_id)] == ["listed"]


def test_a_holiday_takes_all_offers_off_and_puts_them_back(shop, seller, eventually):
    product_id = seller.listed()[0]["product_id"]
    now = datetime.now(UTC)
    holiday = {"since": (now - timedelta(days=1)).isoformat(), "until": (now + timedelta(days=9)).isoformat()}
    seller.http.put(f"{seller.path}/holiday", json=holiday).raise_for_status()
    assert eventually(lambda: seller.read(product_id)["hidden"])
    late = seller.listed(name="Listed meanwhile")[0]
    assert late["hidden"]
    assert steps(shop, late["product_id"]) == []
    shop.tell(
        "product_changed", product_id=product_id, seller_id=seller.seller_id, currency="BRL", price_minor=7,
        occurred_at=system_clock() + timedelta(seconds=1), changed_fields=["price_minor"],
    )  # fmt: skip
    assert eventually(
        lambda: seller.read(product_id)["price_minor"] == 7 and seller.read(product_id)["hidden"]
    )
    assert seller.http.delete(f"{seller.path}/holiday").status_code == 204
    assert eventually(lambda: not any(each["hidden"] for each in seller.all()))
    reasons = [event.get("reason") for _, event in steps(shop, product_id)]
    assert reasons.count("seller_holiday") == 2
    assert steps(shop, product_id)[-1][0] == "changed"


def test_what_is_blocked_stays_off_whatever_its_seller_or_an_import_says(shop, seller, moderator):
    product_id = seller.listed()[0]["product_id"]
    block = f"/v1/admin/listings/{product_id}/{seller.seller_id}/block"
    assert seller.http.put(block, json={"reason": "other"}).status_code == 403
    moderator.put(block, json={"reason": "counterfeit"}).raise_for_status()
    assert kind(seller.change(product_id, name="x")) == (409, "blocked-listing")
    assert kind(seller.set_price(product_id, 1)) == (409, "blocked-listing")
    assert seller.read(product_id)["price_minor"] == LAMP["price_minor"]
    shop.tell(
        "product_listed", product_id=product_id, seller_id=seller.seller_id, currency="BRL", price_minor=7,
        occurred_at=system_clock() + timedelta(seconds=1),
    )  # fmt: skip
    shop.await_row(
        "SELECT FROM products.listings WHERE product_id = $1 AND price_minor = 7 AND status = 'blocked'",
        product_id,
    )
    assert [name for name, _ in steps(shop, product_id)][-2:] == ["listed", "delisted"]
    blocked = moderator.get("/v1/admin/listings?status=blocked").json()["listings"]
    assert blocked[0]["product_id"] == product_id
    assert moderator.delete(block).status_code == 204
    seller.change(product_id).raise_for_status()
    assert steps(shop, product_id)[-1][0] == "changed"


def test_what_was_taken_off_is_blocked_for_its_readers_too(shop, seller, moderator):
    product_id, draft = (seller.listed(status=status)[0]["product_id"] for status in ("listed", "draft"))
    seller.http.delete(f"{seller.path}/listings/{product_id}").raise_for_status()
    for each in (product_id, draft):
        block = f"/v1/admin/listings/{each}/{seller.seller_id}/block"
        moderator.put(block, json={"reason": "prohibited"}).raise_for_status()
    reasons = [event.get("reason") for _, event in steps(shop, product_id)]
    assert reasons == [None, "seller_request", "policy_violation"]
    assert steps(shop, draft) == []


def test_an_import_is_a_row_like_any_other_and_repeating_it_undoes_no_edit(shop, seller):
    product_id, before = f"p-{new_id()}", system_clock() - timedelta(days=400)
    event = {
        "product_id": product_id, "seller_id": seller.seller_id, "currency": "BRL", "price_minor": 5_000,
        "name": "cama_mesa", "category": f"imported-{product_id}", "occurred_at": before,
    }  # fmt: skip
    shop.tell("product_listed", **event)
    shop.await_row("SELECT FROM products.listings WHERE product_id = $1", product_id)
    found = seller.read(product_id)
    assert (found["name"], found["status"], found["owner_id"]) == ("cama_mesa", "listed", seller.seller_id)
    assert shop.sql("SELECT names FROM products.categories WHERE category_id = $1", event["category"])
    seller.change(product_id, price_minor=4_000).raise_for_status()
    shop.tell("product_listed", **event)
    shop.tell(
        "product_delisted",
        product_id=product_id,
        seller_id=seller.seller_id,
        occurred_at=before,
        reason="unknown",
    )
    last = f"p-{new_id()}"
    shop.tell("product_listed", **event | {"product_id": last})
    shop.await_row("SELECT FROM products.listings WHERE product_id = $1", last)
    kept = seller.read(product_id)
    assert (kept["price_minor"], kept["status"]) == (4_000, "listed")
    (changed,) = [event for name, event in steps(shop, product_id) if name == "changed"]
    assert changed["price_minor"] == 4_000


def test_a_seller_finds_listings_by_name_sku_and_id_page_by_page(seller):
    for number in range(5):
        seller.listed(name=f"Café {number}", sku=f"SKU/{number}")
    (chosen,) = seller.all(q="cafe 3")
    assert chosen["sku"] == "SKU/3"
    assert seller.all(q="sku/2")[0]["name"] == "Café 2"
    assert seller.all(q=chosen["product_id"]) == [chosen]
    seen, cursor = [], None
    while True:
        query = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = seller.http.get(f"{seller.path}/listings", params=query).json()
        seen += [each["name"] for each in page["listings"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [f"Café {number}" for number in reversed(range(5))]


def test_ids_of_any_characters_are_listed_page_by_page(shop, seller):
    ids = [f"{number}{'💡' * 126}" for number in range(3)]
    for number, product_id in enumerate(ids):
        shop.tell(
            "product_listed", product_id=product_id, seller_id=seller.seller_id, currency="BRL",
            price_minor=1, occurred_at=system_clock() - timedelta(days=number),
        )  # fmt: skip
    shop.await_row("SELECT FROM products.listings WHERE product_id = $1", ids[-1])
    found, cursor = [], None
    while not found or cursor:
        query = {"limit": 1, **({"cursor": cursor} if cursor else {})}
        page = seller.http.get(f"{seller.path}/listings", params=query).raise_for_status().json()
        found += [listing["product_id"] for listing in page["listings"]]
        cursor = page["next_cursor"]
    assert found == ids


def test_an_administrator_changes_the_tree_and_no_category_gets_below_itself(shop, seller, moderator):
    top, below = f"top-{new_id()}", f"below-{new_id()}"
    names = {"en": "Top", "pt_BR": "Topo"}
    assert seller.http.put(f"/v1/admin/categories/{top}", json={"names": names}).status_code == 403
    moderator.put(
        f"/v1/admin/categories/{top}", json={"names": names, "attributes": ["brand"]}
    ).raise_for_status()
    moderator.put(f"/v1/admin/categories/{below}", json={"names": names, "parent_id": top}).raise_for_status()
    for parent in (top, below):
        answer = moderator.put(f"/v1/admin/categories/{top}", json={"names": names, "parent_id": parent})
        assert kind(answer) == (409, "category-cycle")
    answer = moderator.put(f"/v1/admin/categories/{below}", json={"names": names, "parent_id": "nothing"})
    assert kind(answer) == (422, "unknown-category")
    tree = [
        each["category_id"] for each in shop.as_principal(None).get("/v1/category_tree").json()["categories"]
    ]
    assert tree.index(top) < tree.index(below)
    seller.listed(category=below, attributes={"brand": "Aurora"})
    assert kind(moderator.delete(f"/v1/admin/categories/{below}")) == (409, "category-in-use")
    assert kind(moderator.delete(f"/v1/admin/categories/{top}")) == (409, "category-in-use")
    empty = f"empty-{new_id()}"
    moderator.put(f"/v1/admin/categories/{empty}", json={"names": names}).raise_for_status()
    assert moderator.delete(f"/v1/admin/categories/{empty}").status_code == 204


def test_a_category_is_not_deleted_while_something_is_listed_in_it(seller, moderator):
    def race(number):
        path = f"/v1/admin/categories/{new_id()}"
        moderator.put(path, json={"names": {"en": f"Race {number}"}}).raise_for_status()
        with ThreadPoolExecutor(2) as pool:
            listed = pool.submit(seller.send, category=path.rpartition("/")[2], attributes={})
            deleted = pool.submit(moderator.delete, path)
        return listed.result().status_code, deleted.result().status_code

    assert {race(number) for number in range(20)} <= {(201, 409), (422, 204)}


def test_an_order_is_placed_for_a_product_that_was_listed_here(shop, seller):
    product_id = seller.listed()[0]["product_id"]
    shop.knows_listing(product_id)
    stock = {"seller_id": seller.seller_id, "on_hand": 3}
    shop.http.put(f"/v1/products/{product_id}/stock", json=stock).raise_for_status()
