"""Reviews: who may write one, moderation, replies, votes and reports, and those of producers elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import httpx
import pytest

from common.clock import system_clock
from common.ids import new_id
from common.principal import Principal
from tests.integration.commerce.people import admin, person, staff, with_account

SELLER = "seller-of-reviews"
NICE = "It came early, and the box was in good order."


class Buyer:
    """A person with delivered lines, who reviews them."""

    def __init__(self, shop, seller_id: str = SELLER, lines: int = 1) -> None:
        self.shop, self.seller_id = shop, seller_id
        self.principal = with_account(shop, person())
        self.http = shop.as_principal(self.principal)
        self.products = [f"p-{new_id()}" for _ in range(lines)]
        self.order_id = self.order()

    def order(self, delivered: bool = True) -> str:
        """Tell of a paid order of all products, which has arrived; return its id."""
        order_id = new_id()
        lines = [
            {
                "line_number": number, "product_id": product_id, "seller_id": self.seller_id, "quantity": 1,
                "unit_price_minor": 100, "discount_minor": 0, "shipping_minor": 0, "tax_minor": 0,
                "commission_bp": 0,
            }
            for number, product_id in enumerate(self.products, 1)
        ]  # fmt: skip
        self.shop.tell(
            "order_confirmed", origin="orders", order_id=order_id, shopper_id=self.principal.shopper_id,
            currency="BRL", lines=lines, placed_at=system_clock(),
        )  # fmt: skip
        self.shop.await_row("SELECT FROM reviews.lines WHERE order_id = $1", order_id)
        if delivered:
            self.deliver(order_id)
        return order_id

    def deliver(self, order_id: str) -> None:
        """Tell that an order has arrived."""
        shipment = {"order_id": order_id, "shipment_id": new_id(), "seller_id": self.seller_id}
        self.shop.tell("order_delivered", **shipment)
        self.shop.await_row("SELECT FROM reviews.deliveries WHERE order_id = $1", order_id)

    def submit(self, line_number: int = 1, order_id: str | None = None, **fields) -> httpx.Response:
        body = {"order_id": order_id or self.order_id, "line_number": line_number, "score": 5, **fields}
        return self.http.post("/v1/reviews", json=body)

    def shown(self, line_number: int = 1, **query) -> dict:
        """Return what everyone reads about the product of a line."""
        path = f"/v1/products/{self.products[line_number - 1]}/reviews"
        return self.shop.as_principal(None).get(path, params=query).raise_for_status().json()


@pytest.fixture
def buyer(shop):
    return Buyer(shop)


@pytest.fixture
def moderator(shop):
    return shop.as_principal(admin())


def kinds(shop, order_id):
    """Return the events of the reviews of an order, in the order of their times."""
    names = ("submitted", "published", "rejected", "withdrawn", "answered")
    found = [(event["occurred_at"], rank, name) for rank, name in enumerate(names)
             for event in shop.events(f"review_{name}", order_id)]  # fmt: skip
    return [name for _, _, name in sorted(found)]


def problem(response):
    assert response.headers["content-type"] == "application/problem+json", response.text
    return response.status_code, response.json()["type"].rpartition(":")[2]


def test_a_review_of_a_delivered_line_is_published_and_counts(shop, buyer, eventually):
    answer = buyer.submit(score=4, title=" Good\n box ", comment=f"<b>{NICE}</b>\u202e")

    assert answer.status_code == 201, answer.text
    assert answer.json()["status"] == "published"
    shown = buyer.shown()
    assert [(one["title"], one["comment"], one["score"]) for one in shown["reviews"]] == [
        ("Good box", f"<b>{NICE}</b>", 4)
    ]
    assert "shopper_id" not in shown["reviews"][0]
    assert shown["aggregate"] == {
        "reviews": 1, "mean": 4.0, "distribution": [0, 0, 0, 1, 0], "bayesian_mean": 4.0, "prior_mean": 4.0,
        "prior_reviews": 10,
    }  # fmt: skip
    eventually(lambda: kinds(shop, buyer.order_id) == ["submitted", "published"])
    (submitted,), (published,) = (
        shop.events(f"review_{name}", buyer.order_id) for name in ("submitted", "published")
    )
    assert (submitted["title"], submitted["comment"]) == (None, None)
    assert published["submitted_at"] == submitted["occurred_at"]
    assert (published["line_number"], published["score"]) == (1, 4)


def test_what_may_be_reviewed_is_what_was_delivered_and_has_no_review(shop):
    buyer = Buyer(shop, lines=2)
    waiting = buyer.order(delivered=False)

    buyer.submit(1).raise_for_status()
    left = buyer.http.get("/v1/me/reviewable_lines").json()["lines"]

    assert [(line["order_id"], line["line_number"]) for line in left] == [(buyer.order_id, 2)]
    assert problem(buyer.submit(1, waiting)) == (409, "not-delivered")


def test_what_was_not_paid_or_was_cancelled_can_not_be_reviewed_whatever_a_carrier_says(shop, buyer):
    unpaid, cancelled = new_id(), buyer.order(delivered=False)
    subject = {"shopper_id": buyer.principal.shopper_id, "placed_at": system_clock(), "currency": "BRL"}
    subject |= {"reason": "shopper_request", "lines": [], "confirmed_at": None}
    shop.tell("order_cancelled", origin="orders", order_id=cancelled, **subject)
    shop.await_row("SELECT FROM reviews.cancelled_orders WHERE order_id = $1", cancelled)
    for order_id in (unpaid, cancelled):
        buyer.deliver(order_id)
        assert problem(buyer.submit(order_id=order_id)) == (404, "unknown-line")

    offered = buyer.http.get("/v1/me/reviewable_lines").json()["lines"]
    assert [line["order_id"] for line in offered] == [buyer.order_id]


def test_a_review_of_anothers_order_or_of_no_order_is_refused_alike(shop, buyer):
    other = Buyer(shop)

    assert problem(buyer.submit(order_id=other.order_id)) == (404, "unknown-line")
    assert problem(buyer.submit(order_id=new_id())) == (404, "unknown-line")
    assert problem(buyer.submit(line_number=2)) == (404, "unknown-line")
    assert problem(buyer.submit(shopper_id=other.principal.shopper_id)) == (403, "not-your-shopper")


@pytest.mark.parametrize(
    "fields",
    [
        {"score": 6},
        {"score": 0},
        {"score": "5"},
        {"comment": "x" * 20_000},
        {"title": "x" * 121},
        {"likes": 1},
    ],
)
def test_a_review_that_can_not_be_is_refused_and_nothing_is_saved(buyer, fields):
    assert problem(buyer.submit(**fields)) == (422, "bad-parameter")
    assert buyer.http.get("/v1/me/reviews").json()["reviews"] == []


def test_a_hundred_submissions_at_once_are_one_review(buyer):
    with ThreadPoolExecutor(20) as threads:
        answers = list(threads.map(lambda number: buyer.submit(comment=f"Number {number}"), range(100)))

    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 99
    (own,) = buyer.http.get("/v1/me/reviews").json()["reviews"]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert problem(refused) == (409, "already-reviewed")
    assert refused.json()["review_id"] == own["review_id"]
    assert buyer.shown()["aggregate"]["reviews"] == 1


def test_the_same_key_gives_the_same_answer(buyer):
    body = {"order_id": buyer.order_id, "line_number": 1, "score": 5}
    first, second = (
        buyer.http.post("/v1/reviews", json=body, headers={"Idempotency-Key": "k1"}) for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()


def test_a_withdrawn_review_leaves_no_trace_and_opens_again_with_its_id(shop, buyer, eventually):
    first = buyer.submit(score=1).json()
    assert buyer.http.delete(f"/v1/reviews/{first['review_id']}").status_code == 204
    assert buyer.http.delete(f"/v1/reviews/{first['review_id']}").status_code == 204
    assert (buyer.shown()["aggregate"]["reviews"], buyer.shown()["reviews"]) == (0, [])
    assert buyer.shown()["aggregate"]["bayesian_mean"] == 4.0

    again = buyer.submit(score=3).json()

    assert (again["review_id"], again["status"]) == (first["review_id"], "published")
    assert buyer.shown()["aggregate"]["distribution"] == [0, 0, 1, 0, 0]
    eventually(
        lambda: (
            kinds(shop, buyer.order_id) == ["submitted", "published", "withdrawn", "submitted", "published"]
        )
    )


def test_a_review_that_is_written_anew_replaces_its_former_version(shop, buyer, eventually):
    first = buyer.submit(score=1).json()
    changed = buyer.http.put(f"/v1/reviews/{first['review_id']}", json={"score": 5, "comment": NICE}).json()

    assert changed["review_id"] == first["review_id"]
    assert buyer.shown()["aggregate"]["distribution"] == [0, 0, 0, 0, 1]
    eventually(
        lambda: (
            kinds(shop, buyer.order_id) == ["submitted", "published", "withdrawn", "submitted", "published"]
        )
    )
    (withdrawn,) = shop.events("review_withdrawn", buyer.order_id)
    one, other = sorted(
        shop.events("review_published", buyer.order_id), key=lambda event: event["occurred_at"]
    )
    assert withdrawn["submitted_at"] == one["submitted_at"] < other["submitted_at"]
    assert (withdrawn["score"], other["score"]) == (1, 5)


def test_nobody_changes_or_withdraws_the_review_of_another(shop, buyer):
    review_id = buyer.submit().json()["review_id"]
    other = Buyer(shop)

    assert problem(other.http.put(f"/v1/reviews/{review_id}", json={"score": 1})) == (404, "unknown-review")
    assert problem(other.http.delete(f"/v1/reviews/{review_id}")) == (404, "unknown-review")
    assert buyer.shown()["aggregate"]["mean"] == 5.0


def test_a_review_with_a_link_waits_until_a_person_publishes_it(shop, buyer, moderator, eventually):
    waiting = buyer.submit(comment="Cheaper at https://example.org").json()
    assert (waiting["status"], buyer.shown()["reviews"]) == ("pending", [])
    queue = moderator.get("/v1/admin/reviews").json()["reviews"]
    (queued,) = [one for one in queue if one["review_id"] == waiting["review_id"]]
    assert queued["flags"] == ["links"]

    path, decision = f"/v1/admin/reviews/{waiting['review_id']}/decision", {"status": "published"}
    assert problem(moderator.put(path, json=decision | {"version": 2})) == (409, "changed-review")
    published = moderator.put(path, json=decision | {"version": queued["version"]})

    assert published.json()["status"] == "published"
    assert len(buyer.shown()["reviews"]) == 1
    eventually(lambda: kinds(shop, buyer.order_id) == ["submitted", "published"])
    (event,) = shop.events("review_published", buyer.order_id)
    assert event["moderated_by"] == "administrator"
    assert event["submitted_at"] < event["occurred_at"]


def test_a_rejected_review_says_why_and_may_be_written_anew(buyer, moderator):
    review_id = buyer.submit(comment="que merda").json()["review_id"]
    path, rejection = f"/v1/admin/reviews/{review_id}/decision", {"version": 1, "status": "rejected"}
    assert problem(moderator.put(path, json=rejection)) == (422, "bad-parameter")
    rejection |= {"reason": "offensive", "note": "Please write without insults."}
    moderator.put(path, json=rejection).raise_for_status()

    (own,) = buyer.http.get("/v1/me/reviews").json()["reviews"]
    assert (own["status"], own["reason"], own["note"]) == (
        "rejected", "offensive", "Please write without insults.",
    )  # fmt: skip
    (line,) = buyer.http.get("/v1/me/reviewable_lines").json()["lines"]
    assert line["review_id"] == review_id
    assert buyer.http.delete(f"/v1/reviews/{review_id}").status_code == 204
    assert buyer.submit(comment="It is bad.").json()["status"] == "pending"
    rewritten = buyer.http.put(f"/v1/reviews/{review_id}", json={"score": 2, "comment": "Bad."}).json()
    assert rewritten["status"] == "pending"
    moderator.put(path, json={"version": 3, "status": "published"}).raise_for_status()
    assert buyer.http.put(f"/v1/reviews/{review_id}", json={"score": 3}).json()["status"] == "published"


def test_a_rejection_for_another_reason_is_said(shop, buyer, moderator, eventually):
    review_id = buyer.submit(score=1).json()["review_id"]
    path, rejection = f"/v1/admin/reviews/{review_id}/decision", {"version": 1, "status": "rejected"}
    for reason in ("spam", "spam", "off_topic"):
        moderator.put(path, json=rejection | {"reason": reason}).raise_for_status()

    def reasons():
        said = sorted(shop.events("review_rejected", buyer.order_id), key=lambda each: each["occurred_at"])
        return [each["reason"] for each in said]

    eventually(lambda: reasons() == ["spam", "off_topic"])


def test_the_same_text_again_and_a_flood_wait_for_a_person(shop):
    buyer = Buyer(shop, lines=13)

    first, same = (buyer.submit(number, comment=NICE).json() for number in (1, 2))
    others = [buyer.submit(number).json()["status"] for number in range(3, 14)]

    assert (first["status"], same["status"]) == ("published", "pending")
    assert others == ["published"] * 8 + ["pending"] * 3


def registered(shop, seller_id):
    shop.sql(
        "INSERT INTO sellers.sellers (seller_id, status, source, created_at, registered_at) "
        "VALUES ($1, 'approved', 'event', now(), now()) ON CONFLICT DO NOTHING",
        seller_id,
    )


@pytest.mark.parametrize("relation", ["member", "former", "mailbox", "address"])
def test_a_person_close_to_the_seller_waits(shop, relation):
    seller_id = f"seller-{new_id()}"
    buyer = Buyer(shop, seller_id)
    colleague = with_account(shop, person())
    registered(shop, seller_id)
    if relation == "member":
        shop.employ(seller_id, buyer.principal.subject, "manager")
    elif relation == "former":
        path = f"/v1/people/{buyer.principal.subject}/sellers/{seller_id}"
        shop.http.put(path, json={"role": "manager"}).raise_for_status()
        shop.http.put(path, json={"role": None}).raise_for_status()
    else:
        shop.employ(seller_id, colleague.subject, "owner")
    if relation == "mailbox":
        email = shop.sql("SELECT email FROM users.people WHERE user_id::text = $1", colleague.subject)
        shop.sql(
            "UPDATE users.people SET email = $2 WHERE user_id::text = $1",
            buyer.principal.subject, email[0]["email"].replace("@", "+shop@"),
        )  # fmt: skip
    if relation == "address":
        for user_id, street in ((buyer.principal.subject, "Rua A, 1"), (colleague.subject, "RUA A 1")):
            shop.sql(
                "INSERT INTO users.addresses (user_id, address_id, recipient, street, city, country, "
                "saved_at) VALUES ($1, 'home', 'X', $2, 'Recife', 'BR', now())",
                user_id, street,
            )  # fmt: skip

    review = buyer.submit().json()

    assert review["status"] == "pending"
    (stored,) = shop.sql("SELECT flags FROM reviews.reviews WHERE review_id = $1", review["review_id"])
    assert stored["flags"] == ["related"]


def test_a_stranger_to_the_seller_does_not_wait(shop, buyer):
    registered(shop, SELLER)
    shop.employ(SELLER, with_account(shop, person()).subject, "owner")

    assert buyer.submit().json()["status"] == "published"


def test_a_vote_counts_once_and_not_for_oneself(shop, buyer):
    review_id = buyer.submit().json()["review_id"]
    other = shop.as_principal(person())

    assert problem(buyer.http.put(f"/v1/reviews/{review_id}/helpful")) == (409, "own-review")
    for _ in range(3):
        assert other.put(f"/v1/reviews/{review_id}/helpful").status_code == 204
    assert buyer.shown()["reviews"][0]["helpful"] == 1
    assert other.delete(f"/v1/reviews/{review_id}/helpful").status_code == 204
    assert buyer.shown()["reviews"][0]["helpful"] == 0


def test_the_list_goes_on_by_cursor_newest_or_most_helpful_first(shop, buyer):
    reviews = []
    for _ in range(3):
        other = Buyer(shop)
        other.products = buyer.products
        reviews.append(other.submit(order_id=other.order()).json()["review_id"])
    shop.as_principal(person()).put(f"/v1/reviews/{reviews[1]}/helpful").raise_for_status()

    def pages(**query):
        found, cursor = [], None
        while True:
            page = buyer.shown(limit=2, **query, **({"cursor": cursor} if cursor else {}))
            found += [one["review_id"] for one in page["reviews"]]
            if (cursor := page["next_cursor"]) is None:
                return found

    assert pages() == reviews[::-1]
    assert pages(sort="helpful") == [reviews[1], reviews[2], reviews[0]]
    path = f"/v1/products/{buyer.products[0]}/reviews"
    assert problem(shop.http.get(path, params={"cursor": "x"})) == (422, "bad-cursor")


def test_reports_of_several_people_put_a_review_into_the_queue_once(shop, buyer, moderator):
    review_id = buyer.submit().json()["review_id"]
    reporters = [shop.as_principal(person()) for _ in range(3)]

    def queued():
        reviews = moderator.get("/v1/admin/reviews").json()["reviews"]
        return [(one["flags"], one["reports"]) for one in reviews if one["review_id"] == review_id]

    for reporter in [reporters[0]] * 3 + [reporters[1]]:
        reporter.post(f"/v1/reviews/{review_id}/reports", json={"reason": "spam"}).raise_for_status()
    assert queued() == []
    reporters[2].post(f"/v1/reviews/{review_id}/reports", json={"reason": "spam"}).raise_for_status()
    assert queued() == [(["reported"], 3)]
    assert len(buyer.shown()["reviews"]) == 1

    decision = {"version": 1, "status": "published"}
    moderator.put(f"/v1/admin/reviews/{review_id}/decision", json=decision).raise_for_status()
    assert queued() == []
    assert len(buyer.shown()["reviews"]) == 1


@pytest.mark.parametrize("withdrawn", [False, True])
def test_a_reported_review_is_not_cleared_by_its_author(shop, buyer, moderator, withdrawn):
    review_id = buyer.submit().json()["review_id"]
    for reporter in [shop.as_principal(person()) for _ in range(3)]:
        reporter.post(f"/v1/reviews/{review_id}/reports", json={"reason": "spam"}).raise_for_status()

    if withdrawn:
        buyer.http.delete(f"/v1/reviews/{review_id}").raise_for_status()
        again = buyer.submit(comment="Fine.")
    else:
        again = buyer.http.put(f"/v1/reviews/{review_id}", json={"score": 4})

    assert (again.json()["status"], buyer.shown()["reviews"]) == ("pending", [])
    queue = moderator.get("/v1/admin/reviews").json()["reviews"]
    assert [one["flags"] for one in queue if one["review_id"] == review_id] == [["reported"]]


def test_the_seller_replies_in_public_and_takes_it_back(shop, buyer, eventually):
    review_id = buyer.submit().json()["review_id"]
    path = f"/v1/sellers/{SELLER}/published_reviews"
    manager, packer = (shop.as_principal(staff(SELLER, role)) for role in ("manager", "fulfilment"))
    other = shop.as_principal(staff("seller-2", "owner"))
    reply = f"{path}/{review_id}/reply"

    assert manager.put(reply, json={"text": "Thanks!\u200b"}).json()["reply"] == "Thanks!"
    assert packer.put(reply, json={"text": "Hello"}).status_code == 403
    assert other.put(reply, json={"text": "Hello"}).status_code == 404
    assert problem(manager.put(reply, json={"text": "\u200b"})) == (422, "bad-parameter")
    assert buyer.shown()["reviews"][0]["reply"] == "Thanks!"
    unanswered = packer.get(path, params={"unanswered": True, "limit": 100}).json()["reviews"]
    assert review_id not in [one["review_id"] for one in unanswered]

    assert manager.put(reply, json={"text": None}).json()["reply"] is None
    eventually(lambda: len(shop.events("review_answered", buyer.order_id)) == 2)
    assert [one["text"] for one in shop.events("review_answered", buyer.order_id)] == ["Thanks!", None]


def test_a_reply_ends_with_the_words_that_it_answers(shop, buyer, eventually):
    review_id = buyer.submit(comment="Great!").json()["review_id"]
    manager = shop.as_principal(staff(SELLER, "manager"))
    reply = f"/v1/sellers/{SELLER}/published_reviews/{review_id}/reply"
    manager.put(reply, json={"text": "We agree!"}).raise_for_status()

    buyer.http.put(f"/v1/reviews/{review_id}", json={"score": 1, "comment": "It broke."}).raise_for_status()

    (shown,) = buyer.shown()["reviews"]
    assert (shown["comment"], shown["reply"], shown["replied_at"]) == ("It broke.", None, None)
    eventually(lambda: len(shop.events("review_answered", buyer.order_id)) == 2)
    replies = sorted(shop.events("review_answered", buyer.order_id), key=lambda each: each["occurred_at"])
    assert [one["text"] for one in replies] == ["We agree!", None]


def sent(shop, event, order_id, **fields):
    subject = {"review_id": "their-1", "order_id": order_id, "shopper_id": "old", "line_number": None}
    subject |= {"product_id": f"p-{order_id}", "seller_id": SELLER}
    more = {
        "review_submitted": {"score": 2, "title": None, "comment": "Old\u200b text"},
        "review_rejected": {
            "reason": "spam", "note": None, "moderated_by": None, "score": None, "submitted_at": None,
        },
    }[event]  # fmt: skip
    return shop.tell(event, **{**subject, **more, **fields})


THEN = datetime(2017, 5, 6, 7, 8, 9, tzinfo=UTC)


def test_a_review_of_a_producer_is_published_as_it_comes_at_its_time(shop, eventually):
    order_id = new_id()
    for _ in range(2):
        sent(shop, "review_submitted", order_id, occurred_at=THEN)

    eventually(lambda: shop.events("review_published", order_id))
    shop.await_row("SELECT FROM reviews.reviews WHERE order_id = $1", order_id)
    shown = shop.http.get(f"/v1/products/p-{order_id}/reviews").json()
    assert [(one["score"], one["comment"]) for one in shown["reviews"]] == [(2, "Old text")]
    (event,) = shop.events("review_published", order_id)
    assert (event["occurred_at"], event["submitted_at"], event["review_id"]) == (THEN, THEN, "their-1")


@pytest.mark.parametrize("first", ["review_submitted", "review_rejected"])
def test_what_a_producer_rejects_is_not_shown_whichever_event_comes_first(shop, eventually, first):
    order_id = new_id()
    second = {"review_submitted": "review_rejected"}.get(first, "review_submitted")
    times = {"review_submitted": THEN, "review_rejected": THEN + timedelta(days=1)}
    sent(shop, first, order_id, occurred_at=times[first])
    table = "reviews" if first == "review_submitted" else "decisions"
    shop.await_row(f"SELECT FROM reviews.{table} WHERE order_id = $1", order_id)
    sent(shop, second, order_id, occurred_at=times[second])

    shop.await_row("SELECT FROM reviews.reviews WHERE order_id = $1 AND status = 'rejected'", order_id)
    assert shop.http.get(f"/v1/products/p-{order_id}/reviews").json()["reviews"] == []
    eventually(lambda: [one for one in shop.events("review_rejected", order_id) if one["submitted_at"]])


def test_each_review_of_many_at_once_names_its_own_cause(shop, eventually):
    orders = [new_id() for _ in range(30)]
    causes = {order_id: sent(shop, "review_submitted", order_id, occurred_at=THEN) for order_id in orders}

    def published():
        found = [m for m in shop.messages("review_published") if m.key().decode() in causes]
        return {m.key().decode(): dict(m.headers())["causation_id"].decode() for m in found}

    eventually(lambda: published() == causes)


def test_a_score_of_6_of_a_producer_is_a_dead_letter(shop, eventually):
    order_id = new_id()
    sent(shop, "review_submitted", order_id, score=6)

    eventually(lambda: [m for m in shop.messages("review_submitted_dlq") if m.key() == order_id.encode()])
    assert shop.sql("SELECT FROM reviews.reviews WHERE order_id = $1", order_id) == []


def test_an_erasure_takes_the_texts_and_leaves_the_stars(shop, eventually):
    buyer = Buyer(shop, lines=2)
    buyer.submit(1, score=2, comment=NICE).raise_for_status()
    buyer.submit(2, comment="see https://example.org").raise_for_status()

    shop.tell("shopper_erased", origin="users", shopper_id=buyer.principal.shopper_id)

    eventually(lambda: buyer.shown()["reviews"][0]["comment"] is None)
    assert buyer.shown()["aggregate"]["distribution"] == [0, 1, 0, 0, 0]
    stored = shop.sql("SELECT * FROM reviews.reviews WHERE order_id = $1", buyer.order_id)
    assert sorted((row["status"], row["title"], row["comment"]) for row in stored) == [
        ("published", None, None), ("withdrawn", None, None),
    ]  # fmt: skip
    eventually(lambda: len(shop.events("review_withdrawn", buyer.order_id)) == 1)
    assert problem(buyer.submit(2)) == (404, "unknown-line")
    other = Buyer(shop).submit().json()["review_id"]
    assert problem(buyer.http.put(f"/v1/reviews/{other}/helpful")) == (404, "unknown-review")
    report = buyer.http.post(f"/v1/reviews/{other}/reports", json={"reason": "spam"})
    assert problem(report) == (404, "unknown-review")


def test_a_process_of_the_platform_writes_for_a_shopper(shop, buyer):
    body = {
        "order_id": buyer.order_id,
        "line_number": 1,
        "score": 3,
        "shopper_id": buyer.principal.shopper_id,
    }

    assert shop.http.post("/v1/reviews", json=body).status_code == 201
    assert problem(shop.http.post("/v1/reviews", json=body)) == (409, "already-reviewed")


def test_what_was_bought_as_a_guest_is_reviewed_once_signed_in(shop):
    buyer = Buyer(shop)
    signed_in: Principal = with_account(shop, person())
    merged = replace(signed_in, shopper_ids=(*signed_in.shopper_ids, *buyer.principal.shopper_ids))

    answer = shop.as_principal(merged).post(
        "/v1/reviews", json={"order_id": buyer.order_id, "line_number": 1, "score": 5}
    )

    assert answer.status_code == 201, answer.text
    assert system_clock() - datetime.fromisoformat(answer.json()["submitted_at"]) < timedelta(minutes=5)


def test_an_export_has_what_a_person_has_written_and_done(shop, buyer):
    review_id = Buyer(shop).submit().json()["review_id"]
    own = buyer.submit(comment=NICE).json()
    buyer.http.put(f"/v1/reviews/{review_id}/helpful").raise_for_status()
    buyer.http.post(f"/v1/reviews/{review_id}/reports", json={"reason": "spam"}).raise_for_status()

    body = {"shopper_ids": list(buyer.principal.shopper_ids)}

    assert shop.http.post("/v1/reviews/exports", json=body).raise_for_status().json() == {
        "reviews": [own], "helpful_reviews": [review_id],
        "reported_reviews": [{"review_id": review_id, "reason": "spam"}],
    }  # fmt: skip
    assert buyer.http.post("/v1/reviews/exports", json=body).status_code == 403
