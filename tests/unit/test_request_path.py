"""Any id reaches its route, through the API and through a service, and comes back in links."""

import asyncio
from collections.abc import Sequence
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from fastapi import APIRouter, FastAPI, Request
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp

from common.access_policy import AccessPolicy
from common.guarded_route import RouteHandler, guarded
from common.ids import MAX_ID_LENGTH, Id
from common.principal_token import PrincipalTokens
from common.problems import problem_response
from common.request_path import in_path
from common.settings import Settings
from common.stopping import Stopping
from producers.kit.http.middleware import CommerceMiddleware
from serving.commerce.commerce_client import target_path
from serving.gateway.middleware import HttpMiddleware
from serving.gateway.sign_in_redirect import sign_in_address

HOSTILE = [
    *("a/b", "/", "//", "a%2Fb", "%2f", "%", "%25", "%252F", "100%", "a?b", "a#b", "a&b=c", "...", ".a"),
    *("a..", "../../etc", "a b", " ", "+", "'", '"', "<b>", "\\", "{x}", "seller_id", "ü/ñ", "日本"),
    *("❤️", "a;b", "a,b:c@d"),
]
IDS = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from("/%2F5.?#ab é"), min_size=1, max_size=12),
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=20),
).filter(lambda id_: id_ not in (".", ".."))
READ = TypeAdapter(Id)


class NoGuard:
    """Lets every request pass."""

    async def handle(self, request: Request, _policy: AccessPolicy, respond: RouteHandler) -> Response:
        return await respond(request)


def app_with_routes() -> FastAPI:
    """An application whose routes return the ids that they get."""
    policy = AccessPolicy(frozenset(), "read", public=True)
    router = APIRouter(prefix="/v1", route_class=guarded({"pair": policy, "one": policy}))

    @router.get("/sellers/{seller_id}/products/{product_id}/stock")
    async def pair(request: Request, seller_id: Id, product_id: Id) -> JSONResponse:
        target = target_path(request.scope["route"].path_format, request.path_params)
        return JSONResponse([seller_id, product_id, target, sign_in_address(request, can_refresh=False)])

    @router.get("/sellers/{seller_id}")
    async def one(seller_id: Id) -> JSONResponse:
        return JSONResponse([seller_id])

    app = FastAPI()
    app.state.guard = NoGuard()
    app.include_router(router)
    return app


def of_api(app: FastAPI) -> ASGIApp:
    return HttpMiddleware(app, ["localhost"], problem_response, Stopping(), PrincipalTokens(Settings()))


def of_service(app: FastAPI) -> ASGIApp:
    return CommerceMiddleware(app, Stopping(), ["localhost"])


APPS = {"api": of_api(app_with_routes()), "service": of_service(app_with_routes())}


def ask(app: ASGIApp, paths: Sequence[str]) -> list[httpx.Response]:
    async def send() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return [await client.get(path) for path in paths]

    return asyncio.run(send())


@pytest.mark.parametrize("name", APPS)
@given(ids=st.tuples(IDS, IDS))
def test_any_two_ids_reach_the_route_unchanged_and_are_forwarded_so(name: str, ids: tuple[str, str]) -> None:
    path = f"/v1/sellers/{in_path(ids[0])}/products/{in_path(ids[1])}/stock"
    answer, alone = ask(APPS[name], [path, f"/v1/sellers/{in_path(ids[0])}"])

    assert answer.status_code == alone.status_code == 200, answer.text
    *found, target, sign_in = answer.json()
    assert tuple(found) == ids
    assert alone.json() == [ids[0]]
    assert target == path
    back = parse_qs(urlsplit(sign_in).query)["next"][0]
    assert ask(APPS[name], [back])[0].json()[:2] == list(ids)


@given(id_=st.text(max_size=MAX_ID_LENGTH + 2))
def test_an_id_is_any_text_but_control_characters_and_dots(id_: str) -> None:
    is_one = (
        0 < len(id_) <= MAX_ID_LENGTH
        and id_ not in (".", "..")
        and not any(ord(letter) < 32 or ord(letter) == 127 for letter in id_)
    )
    try:
        READ.validate_python(id_)
    except ValidationError:
        assert not is_one
    else:
        assert is_one


def test_a_segment_is_not_divided_and_segments_are_not_joined() -> None:
    unknown = ["/v1%2Fsellers/a", "/v1/sellers/a%2Fproducts/b/stock", "/v1/sellers/a/products/b%2Fstock"]
    assert [answer.status_code for answer in ask(APPS["api"], unknown)] == [404] * 3
