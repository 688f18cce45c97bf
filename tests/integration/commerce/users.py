"""People of the users service, as tests use them: they register, read their mails and sign in."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import uuid4

import httpx
import orjson
from joserfc import jws
from joserfc.jwk import OKPKey

from common.clock import system_clock
from common.principal import Principal
from producers.kit.outbox.message import EventWriter
from producers.kit.outbox.transaction import Transactions
from producers.kit.postgres.listen_notify import Notifier
from producers.kit.postgres.pool import make_pool
from producers.services.users.context import UsersContext, make_context
from tests.integration.commerce.conftest import Shop
from tests.integration.servers import await_true

T = TypeVar("T")

PASSWORD = "seven lamps and a vase"
_LINK = re.compile(r"/(\w+)\?token=([\w-]+)")


class FakeClock:
    """A clock that a test advances."""

    def __init__(self) -> None:
        self.now = system_clock()

    def __call__(self) -> datetime:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@dataclass
class SignedIn:
    """The response to a sign-in, and a client that sends requests as this person."""

    tokens: dict[str, Any]
    http: httpx.Client

    @property
    def user_id(self) -> str:
        return self.tokens["user"]["user_id"]

    @property
    def shopper_id(self) -> str:
        return self.tokens["user"]["shopper_id"]


def once_free(send: Callable[[], httpx.Response]) -> httpx.Response:
    """Send a request until the service takes it: on a busy machine, it refuses to hash passwords (503)."""
    return await_true(lambda: None if (response := send()).status_code == 503 else response, "an answer")


@dataclass
class People:
    """A client of the users service from an address of its own."""

    shop: Shop
    address: str = field(default_factory=lambda: str(uuid4()))

    def __post_init__(self) -> None:
        self.anybody = self.shop.as_principal(None, self.address)
        self.anybody.headers["User-Agent"] = "a test"

    def new_email(self) -> str:
        return f"{uuid4().hex}@shop.example"

    def post(self, path: str, **body: Any) -> httpx.Response:
        """Send a request without a principal."""
        return self.anybody.post(path, json=body)

    def register(self, email: str, password: str = PASSWORD) -> httpx.Response:
        return self.post("/v1/auth/registrations", email=email, password=password)

    def mails(self, email: str) -> list[dict[str, Any]]:
        """Return the mails to an address, the newest first."""
        return self.shop.http.get("/v1/mails", params={"to": email}).raise_for_status().json()

    def token(self, email: str, page: str) -> str:
        """Return the token in the newest link to a page that was sent to an address."""
        links = [_LINK.search(mail["text"]) for mail in self.mails(email)]
        return next(found[2] for found in links if found and found[1] == page)

    def verify(self, email: str, password: str = PASSWORD) -> httpx.Response:
        token = self.token(email, "verify")
        return once_free(lambda: self.post("/v1/auth/verifications", token=token, password=password))

    def sign_in(self, email: str, password: str = PASSWORD, **fields: Any) -> httpx.Response:
        return self.post("/v1/auth/sessions", email=email, password=password, **fields)

    def person(self, **fields: Any) -> SignedIn:
        """Register a person, verify their address and sign them in."""
        email = self.new_email()
        once_free(lambda: self.register(email)).raise_for_status()
        self.verify(email).raise_for_status()
        return self.signed_in(once_free(lambda: self.sign_in(email, **fields)))

    def signed_in(self, response: httpx.Response) -> SignedIn:
        assert response.is_success, response.text
        tokens = response.json()
        return SignedIn(tokens, self.shop.as_principal(self.principal(tokens["access_token"])))

    def refresh(self, token: str, **fields: Any) -> httpx.Response:
        return self.post("/v1/auth/refresh", refresh_token=token, **fields)

    def state(self, after: int = 0) -> dict[str, Any]:
        return self.shop.http.get("/v1/auth/state", params={"after": after}).raise_for_status().json()

    def claims(self, access_token: str) -> dict[str, Any]:
        """Return the claims of a token whose signature a published key verifies."""
        keys = {key["kid"]: OKPKey.import_key(key) for key in self.state()["keys"]}
        header = jws.extract_compact(access_token.encode()).headers()
        assert (header["alg"], header["typ"]) == ("Ed25519", "at+jwt")
        payload = jws.deserialize_compact(access_token, keys[header["kid"]], algorithms=["Ed25519"]).payload
        return orjson.loads(payload)

    def principal(self, access_token: str) -> Principal:
        return Principal.from_claims(self.claims(access_token))

    def is_revoked(self, access_token: str) -> bool:
        """Return whether the gateway would refuse a token because of a revocation."""
        claims = self.claims(access_token)
        return any(
            revoked.get("session_id") == claims["sid"]
            or (revoked.get("user_id") == claims["sub"] and claims["iat"] < revoked["before"])
            for revoked in self.state()["revocations"]
        )

    def in_process(self, work: Callable[[Transactions, UsersContext], Any], clock: FakeClock) -> Any:
        """Run a coroutine of the service in this process, with the shop's database and another clock."""
        settings = self.shop.settings

        async def run() -> Any:
            async with make_pool(settings, "users", 2) as pool:
                events = EventWriter("users", {})
                transactions = Transactions(pool, events, clock, Notifier("users"))
                return await work(transactions, make_context(settings))

        return asyncio.run(run())
