"""An overloaded shop answers requests for pictures."""

import pytest
from fastapi.testclient import TestClient
from starlette.requests import Request
from starlette.responses import Response

from common.access_policy import AccessPolicy
from common.guarded_route import RouteHandler
from common.settings import Settings
from serving.app import create_app
from serving.gateway.load_shedding import Overloaded


class FullShop:
    """A guard that refuses every request."""

    async def handle(self, _request: Request, _policy: AccessPolicy, _respond: RouteHandler) -> Response:
        """Raise `Overloaded`."""
        raise Overloaded(1)


@pytest.fixture(scope="module")
def client() -> TestClient:
    app = create_app(Settings())
    app.state.guard = FullShop()
    return TestClient(app, base_url="http://127.0.0.1")


def test_a_full_shop_refuses_pages_and_not_their_pictures(client: TestClient) -> None:
    assert client.get("/shop").status_code == 503
    picture = client.get("/shop/tiles/lamp-teal-3-1.svg")
    assert picture.status_code == 200
    assert picture.headers["content-type"] == "image/svg+xml"


def test_an_unknown_picture_is_a_problem_and_not_an_error(client: TestClient) -> None:
    assert client.get("/shop/tiles/lamp-mauve-0-0.svg").json()["type"].endswith("unknown-tile")
