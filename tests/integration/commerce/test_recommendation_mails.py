"""The weekly mail with recommendations: only to those who agreed, once a week, until they end it."""

import asyncio
import re
from datetime import timedelta

import pytest

from producers.services.users.model import FIRST_RECOMMENDATION_MAIL_AFTER
from producers.services.users.recommendation_mails import (
    EVERY,
    LEASE,
    RETRY_AFTER,
    RecommendationMailer,
    RecommendedProduct,
    RecommendedRow,
    RowsUnavailable,
)
from tests.integration.commerce.users import FakeClock, People

PATH = "/v1/me/recommendation_mails"
ROWS = [
    RecommendedRow("Chosen for you", "list-1", [RecommendedProduct("p/1", "Desk lamp", 12_990, "BRL")]),
    RecommendedRow("Popular in vases", "list-2", [RecommendedProduct("p2", None, 900, "BRL")]),
]


@pytest.fixture
def people(shop):
    return People(shop)


class Sending:
    """Mailers of one shop with a clock of their own. `asked` has the shoppers whose lists they wanted."""

    def __init__(self, people):
        self.people, self.clock, self.asked = people, FakeClock(), []
        self.rows = ROWS

    async def _rows_of(self, shopper_id):
        self.asked.append(shopper_id)
        if self.rows is None:
            raise RowsUnavailable("the API is away")
        return self.rows

    def send(self, mailers=1):
        """Let several mailers send all that is due."""

        async def send(transactions, context):
            async def all_due():
                mailer = RecommendationMailer(transactions, context, self._rows_of)
                while await mailer.send_due():
                    pass

            await asyncio.gather(*(all_due() for _ in range(mailers)))

        self.people.in_process(send, self.clock)

    def advance(self, time):
        self.clock.advance(time.total_seconds())

    def mails(self, person):
        """The mails with recommendations to a person, the newest first."""
        mails = self.people.mails(person.tokens["user"]["email"])
        return [mail for mail in mails if mail["subject"] == ROWS[0].title]


@pytest.fixture
def sending(people):
    return Sending(people)


def agreed(people, wanted=True):
    person = people.person()
    person.http.put(PATH, json={"wanted": wanted}).raise_for_status()
    return person


def test_only_who_agreed_gets_one_mail_a_week_however_many_mailers_there_are(people, sending):
    agrees, agrees_too, does_not = agreed(people), agreed(people), agreed(people, wanted=False)
    sending.advance(FIRST_RECOMMENDATION_MAIL_AFTER - timedelta(minutes=5))
    sending.send()
    too_early = sending.mails(agrees)

    sending.advance(timedelta(minutes=10))
    sending.send(mailers=3)
    sending.send()

    assert too_early == sending.mails(does_not) == []
    assert does_not.shopper_id not in sending.asked
    assert [len(sending.mails(each)) for each in (agrees, agrees_too)] == [1, 1]
    assert sending.asked.count(agrees.shopper_id) == 1
    sending.advance(EVERY)
    sending.send(mailers=2)
    assert len(sending.mails(agrees)) == 2


def test_the_mail_has_the_rows_with_links_and_one_that_ends_the_mails(people, sending, shop):
    person = agreed(people)
    sending.advance(FIRST_RECOMMENDATION_MAIL_AFTER * 1.1)
    sending.send()

    (mail,) = sending.mails(person)
    lines = mail["text"].splitlines()
    site = shop.settings.public
    assert "Desk lamp, R$129.90" in lines
    assert f"{site}/shop/products/p%2F1#recommendation=list-1&position=1" in lines
    assert "p2, R$9.00" in lines
    token = re.search(rf"{re.escape(site)}/unsubscribe\?token=(\S+)", mail["text"])[1]

    ended = [people.post("/v1/auth/unsubscriptions", token=token) for _ in range(2)]

    assert [answer.status_code for answer in ended] == [204, 204]
    assert person.http.get(PATH).json() == {"wanted": False, "agreed_at": None}
    sending.advance(EVERY * 1.1)
    sending.send()
    assert len(sending.mails(person)) == 1


def test_a_token_that_the_shop_did_not_make_ends_nothing(people):
    person = agreed(people)
    name = person.user_id.replace("-", "")
    for token in (f"{name}.{'0' * 32}", name, "ä.b", "."):
        answer = people.post("/v1/auth/unsubscriptions", token=token)
        assert (answer.status_code, answer.json()["type"]) == (410, "urn:souk:problem:link-ended")

    assert person.http.get(PATH).json()["wanted"]


def test_without_the_api_the_mail_comes_later_and_without_recommendations_none(people, sending):
    person = agreed(people)
    sending.advance(FIRST_RECOMMENDATION_MAIL_AFTER * 1.1)
    sending.rows = None
    sending.send()
    assert sending.mails(person) == []

    sending.advance(RETRY_AFTER)
    sending.rows = []
    sending.send()
    assert sending.mails(person) == []

    sending.rows = ROWS
    sending.advance(EVERY - timedelta(minutes=5))
    sending.send()
    assert sending.mails(person) == []
    sending.advance(timedelta(minutes=10))
    sending.send()
    assert len(sending.mails(person)) == 1


def test_a_mailer_that_stopped_in_the_middle_leaves_the_mail_to_another_one(people, sending):
    person = agreed(people)
    sending.advance(FIRST_RECOMMENDATION_MAIL_AFTER * 1.1)

    async def claim_and_stop(transactions, context):
        async def stop(_shopper_id):
            raise asyncio.CancelledError

        with pytest.raises(asyncio.CancelledError):
            await RecommendationMailer(transactions, context, stop).send_due()

    people.in_process(claim_and_stop, sending.clock)
    sending.send()
    assert sending.mails(person) == []

    sending.advance(LEASE * 1.1)
    sending.send()
    assert len(sending.mails(person)) == 1


def test_an_agreement_is_given_once_and_exported(people):
    person = agreed(people)
    first = person.http.get(PATH).json()
    again = person.http.put(PATH, json={"wanted": True}).json()

    assert first == again
    assert person.http.get("/v1/me/export").json()["mails_with_recommendations"] == {
        "agreed_at": first["agreed_at"],
        "mailed_at": None,
    }
    ended = person.http.put(PATH, json={"wanted": False}).json()
    assert ended == {"wanted": False, "agreed_at": None}
    assert person.http.get("/v1/me/export").json()["mails_with_recommendations"] is None
