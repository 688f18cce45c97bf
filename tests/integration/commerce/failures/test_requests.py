"""Requests of a service to others: sent in order, once answered deleted, and marked if they are refused."""

from common.ids import new_id
from tests.integration.commerce.users import People

ADD = "INSERT INTO users.requests (service, method, path, body) VALUES ($1, 'POST', $2, $3)"


def waiting(shop, path):
    return shop.sql("SELECT refused FROM users.requests WHERE path = $1 ORDER BY position", path)


def unexpected_errors(shop):
    text = shop.http.get("/metrics").text
    series = 'souk_unexpected_errors_total{event="requests",service="users"} '
    return float(next(line for line in text.splitlines() if line.startswith(series)).removeprefix(series))


def test_a_refused_request_is_marked_and_counted_and_the_others_go_on(shop, eventually):
    before, path = unexpected_errors(shop), f"/v1/orders?{new_id()}"
    for _ in range(2):
        shop.sql(ADD, "orders", path, "{}")
    missing = f"/v1/settings/{new_id()}/rollback"
    shop.sql(ADD, "configuration", missing, '{"version": 0, "reason": "A test."}')

    eventually(lambda: unexpected_errors(shop) == before + 3)

    assert waiting(shop, path) == [{"refused": 400}] * 2 or waiting(shop, path) == [{"refused": 422}] * 2
    assert waiting(shop, missing) == [{"refused": 404}]
    shop.sql("DELETE FROM users.requests WHERE refused IS NOT NULL")


def test_a_request_to_a_route_that_is_not_there_yet_waits(shop, eventually):
    path = f"/v1/{new_id()}"
    shop.sql(ADD, "orders", path, "{}")
    person = People(shop).person()

    person.http.post("/v1/me/erasure", json={"password": "seven lamps and a vase"}).raise_for_status()

    eventually(lambda: shop.sql("SELECT count(*) AS n FROM users.requests")[0]["n"] == 1)
    assert waiting(shop, path) == [{"refused": None}]
    shop.sql("DELETE FROM users.requests WHERE path = $1", path)
    eventually(shop.caught_up)
