"""Following sellers: only those who may sell, once each, until the person ends it or is erased."""

import pytest

from tests.integration.commerce.people import admin
from tests.integration.commerce.test_sellers import admitted, problem
from tests.integration.commerce.users import PASSWORD, People

PATH = "/v1/me/followed_sellers"


@pytest.fixture
def people(shop):
    return People(shop)


def ids(answer):
    return [seller["seller_id"] for seller in answer.raise_for_status().json()["sellers"]]


def test_a_person_follows_sellers_each_once_until_they_unfollow_them(people, shop):
    boss, person, other = shop.as_principal(admin()), people.person(), people.person()
    first, second = admitted(shop, boss), admitted(shop, boss)

    for seller_id in (first, second, first):
        person.http.put(f"{PATH}/{seller_id}").raise_for_status()

    assert ids(person.http.get(PATH)) == [second, first]
    assert ids(other.http.get(PATH)) == []
    exported = person.http.get("/v1/me/export").json()["followed_sellers"]
    assert [seller["seller_id"] for seller in exported] == [second, first]
    assert (
        ids(person.http.delete(f"{PATH}/{second}")) == ids(person.http.delete(f"{PATH}/{second}")) == [first]
    )
    person.http.post("/v1/me/erasure", json={"password": PASSWORD}).raise_for_status()
    assert shop.sql("SELECT FROM users.followed_sellers WHERE seller_id = $1", first) == []


def test_nobody_follows_who_may_not_sell_but_a_suspension_ends_nothing(people, shop):
    boss, person = shop.as_principal(admin()), people.person()
    seller_id = admitted(shop, boss)
    person.http.put(f"{PATH}/{seller_id}").raise_for_status()
    boss.post(f"/v1/sellers/{seller_id}/suspension", json={"reason": "Fakes."}).raise_for_status()
    shop.knows_that(seller_id, approved=False)

    assert ids(person.http.put(f"{PATH}/{seller_id}")) == [seller_id]
    for nobody in (seller_id, "nobody"):
        assert problem(people.person().http.put(f"{PATH}/{nobody}")) == (404, "unknown-seller")
