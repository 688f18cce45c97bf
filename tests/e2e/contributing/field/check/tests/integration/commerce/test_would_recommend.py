"""The new field goes from the form of the page to the service, and back to the page."""

from common.settings import Settings
from serving.web.forms import Form
from serving.web.renderer import PageRenderer
from serving.web.storefront.reviews import STATUSES
from tests.integration.commerce.test_reviews import Buyer


def test_what_the_form_says_is_stored_and_shown(shop):
    buyer = Buyer(shop)
    entered = {"order_id": buyer.order_id, "line_number": "1", "score": "2", "would_recommend": "false"}
    body = Form({name: [text] for name, text in entered.items()}).body("POST", "/v1/reviews")
    buyer.http.post("/v1/reviews", json=body).raise_for_status()

    own = buyer.http.get("/v1/me/reviews").json()
    page = PageRenderer(Settings())(
        "shop/reviews.html", entered=Form(), problem=None, done=None, lines=[], cards={}, statuses=STATUSES,
        reasons={}, max_title=120, max_comment=5_000, **own,
    ).body.decode()  # fmt: skip

    assert [one["would_recommend"] for one in (*own["reviews"], *buyer.shown()["reviews"])] == [False, False]
    assert "Would not recommend it" in page
    assert '<option value="false" selected>' in page
