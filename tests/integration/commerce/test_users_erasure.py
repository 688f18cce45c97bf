"""After an erasure, no store names the person's id or e-mail address."""

import pytest
from confluent_kafka.admin import AdminClient

from common.ids import new_id
from common.principal import guest
from tests.integration.commerce.users import PASSWORD, People
from tests.integration.servers import await_true

OTHER_PASSWORD = "eight chairs and a table"
TABLES = """SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables
WHERE schemaname NOT IN ('pg_catalog', 'information_schema')"""


@pytest.fixture
def people(shop):
    return People(shop)


def problem(response):
    return response.status_code, response.json()["type"].removeprefix("urn:souk:problem:")


def rows_with(shop, text):
    """Return the tables of all schemas that have a row with a text in any column, also inside of bytea."""
    return [
        table["name"]
        for table in shop.sql(TABLES)
        if shop.sql(
            f"SELECT FROM {table['name']} AS r WHERE strpos(lower(r::text), $1) > 0 "
            f"OR strpos(lower(r::text), encode(convert_to($1, 'UTF8'), 'hex')) > 0 LIMIT 1",
            text.lower(),
        )
    ]


def topics_with(shop, text):
    """Return the topics that have a message with a text in its key, value or headers."""
    admin = AdminClient({"bootstrap.servers": shop.settings.kafka})
    topics = [name for name in admin.list_topics(timeout=30).topics if not name.startswith("__")]
    wanted = text.encode()
    return [
        topic
        for topic in topics
        if any(
            wanted in (message.key() or b"")
            or wanted in (message.value() or b"")
            or any(wanted in (value or b"") for _, value in message.headers() or ())
            for message in shop.messages(topic)
        )
    ]


def logs_with(shop, text):
    """Return the logs of the servers that contain a text."""
    return [
        path.name for path in shop.settings.home.rglob("*.log") if text in path.read_text(errors="replace")
    ]


def invite(shop, email):
    """Invite an address to the staff of a new seller of another system."""
    seller_id = f"s-{new_id()}"
    shop.tell("seller_registered", seller_id=seller_id)
    await_true(lambda: shop.sql("SELECT FROM sellers.sellers WHERE seller_id = $1", seller_id))
    shop.http.post(
        f"/v1/sellers/{seller_id}/staff_invitations", json={"email": email, "role": "analyst"}
    ).raise_for_status()


def test_an_erased_person_is_found_nowhere(people, shop, eventually):
    guest_id, lamp = new_id(), shop.product()
    person = people.person()
    first_email, email = person.tokens["user"]["email"], people.new_email()
    person.http.post("/v1/me/email_changes", json={"email": email, "password": PASSWORD})
    token = people.token(email, "confirm_email")
    people.post("/v1/auth/email_changes/confirmations", token=token, password=PASSWORD)
    with shop.as_principal(guest(guest_id)) as browser:
        login = {"email": email, "password": PASSWORD}
        person = people.signed_in(browser.post("/v1/auth/sessions", json=login))
    people.sign_in(email, OTHER_PASSWORD)
    people.post("/v1/auth/password_resets", email=email)
    person.http.patch("/v1/me", json={"name": "Ana"})
    home = {"recipient": "Ana", "street": email, "city": "São Paulo", "country": "BR"}
    person.http.put("/v1/me/addresses/home", json=home)
    order_id = shop.buy(lamp, shopper_id=person.shopper_id)
    shop.settled(order_id)
    invite(shop, email)
    person.http.post("/v1/me/password", json={"password": PASSWORD, "new_password": OTHER_PASSWORD})
    assert rows_with(shop, email)
    assert rows_with(shop, person.user_id)

    erased = person.http.post("/v1/me/erasure", json={"password": OTHER_PASSWORD})

    assert erased.status_code == 204, erased.text
    (event,) = eventually(lambda: shop.events("shopper_erased", person.shopper_id))
    assert event["shopper_id"] == person.shopper_id
    eventually(shop.caught_up)
    for text in (email, first_email, person.user_id, person.user_id.replace("-", "")):
        assert rows_with(shop, text) == []
        assert topics_with(shop, text) == []
        assert logs_with(shop, text) == []
    assert shop.order(order_id)["shopper_id"] == person.shopper_id
    assert people.is_revoked(person.tokens["access_token"])
    assert people.refresh(person.tokens["refresh_token"]).status_code == 401
    assert problem(people.sign_in(email, OTHER_PASSWORD)) == (401, "wrong-credentials")
    assert person.http.get("/v1/me").status_code == 404
    assert shop.sql("SELECT FROM users.person_keys WHERE user_id = $1", person.user_id) == []


def test_the_address_of_an_erased_person_can_register_again_as_another_shopper(people):
    person = people.person()
    email = person.tokens["user"]["email"]
    person.http.post("/v1/me/erasure", json={"password": PASSWORD}).raise_for_status()

    people.register(email)
    people.verify(email)
    again = people.signed_in(people.sign_in(email))

    assert again.user_id != person.user_id
    assert again.shopper_id != person.shopper_id
    assert again.http.get("/v1/me/export").json()["orders"] == []


def test_an_erasure_needs_the_password(people):
    person = people.person()

    refused = person.http.post("/v1/me/erasure", json={"password": OTHER_PASSWORD})

    assert problem(refused) == (403, "wrong-password")
    assert person.http.get("/v1/me").status_code == 200


def test_the_id_of_a_person_is_in_no_topic_and_no_log_while_they_exist(people, shop, eventually):
    person = people.person()
    shop.settled(shop.buy(shop.product(), shopper_id=person.shopper_id))
    eventually(shop.caught_up)

    for text in (person.user_id, person.tokens["user"]["email"]):
        assert topics_with(shop, text) == []
        assert logs_with(shop, text) == []
    assert "shopper_registered" in topics_with(shop, person.shopper_id)
