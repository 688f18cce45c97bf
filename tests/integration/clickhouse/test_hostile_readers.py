"""Generated hostile queries of readers and analysts: no file is read, no port reached, no call endless."""

import os
import socket
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from common.settings import LOOPBACK, Settings
from local.embedded_clickhouse.watchdog import GRACE_S
from tests.integration.clickhouse.hostile_reader_queries import hostile_reader_query
from tests.integration.conftest import clickhouse_settings, running_clickhouse

CANARY = "this line is in a file that no query may read"
LIMIT_S = 2
"""The time limit of each query."""
LATE_S = 2.0
"""How long a query of the campaign may outlive its limit."""

CAMPAIGN = int(os.environ.get("SOUK_TEST_HOSTILE_READER_QUERIES", 20_000))
CAMPAIGN_FIRST = int(os.environ.get("SOUK_TEST_HOSTILE_READER_FIRST", 10_000))
CAMPAIGN_LIMIT_S = 3600.0
"""The campaign of each user: its queries, the seed of the first one, and the time it may take."""


@dataclass
class Canaries:
    """A file of the server's own directory, which only the query check protects, and a listening port."""

    settings: Settings
    pid: int
    file: Path
    listener: socket.socket
    users: dict[str, tuple[str, str] | None]
    """The name and the password of each user; a reader of the demo has none."""
    late: list[tuple[float, int, str]] = field(default_factory=list)

    def text(self, seed: int) -> str:
        """Return the query of a seed with the canaries in it."""
        url = f"http://{LOOPBACK}:{self.listener.getsockname()[1]}/"
        return hostile_reader_query(seed).replace("{file}", str(self.file)).replace("{url}", url)

    def connections(self) -> int:
        """Return how many clients connected to the port."""
        count = 0
        while True:
            try:
                self.listener.accept()[0].close()
            except BlockingIOError:
                return count
            count += 1


@pytest.fixture(scope="module")
def canaries(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Canaries]:
    settings = clickhouse_settings(tmp_path_factory.mktemp("readers"))
    with socket.create_server((LOOPBACK, 0)) as listener, running_clickhouse(settings) as server:
        listener.setblocking(False)
        file = settings.home / "clickhouse" / "work" / "canary"
        file.write_text(CANARY)
        admin = settings.clickhouse_admin_user, settings.clickhouse_admin_password.get_secret_value()
        with httpx.Client(base_url=settings.clickhouse, auth=admin, trust_env=False) as client:
            assert client.post("/", content="CREATE DATABASE souk").status_code == 200
            assert CANARY in client.post("/", content=f"SELECT file('{file}')").text, (
                "the canary can't be read"
            )
        password = settings.clickhouse_analyst_password.get_secret_value()
        users = {"reader": None, "analyst": (settings.clickhouse_analyst_user, password)}
        yield Canaries(settings, server.pid, file, listener, users)
        assert server.poll() is None, "the server ended"


def run(canaries: Canaries, user: str, seeds: range, limit_s: float = float("inf")) -> Counter[str]:
    """Send the queries of these seeds as a user, and return how often each outcome occurred."""
    outcomes: Counter[str] = Counter()
    deadline = time.monotonic() + limit_s
    params = {"max_execution_time": LIMIT_S, "database": "souk"}
    with httpx.Client(
        base_url=canaries.settings.clickhouse,
        auth=canaries.users[user],
        timeout=LIMIT_S + GRACE_S * 3,
        trust_env=False,
    ) as client:
        for seed in seeds:
            if time.monotonic() > deadline:
                break
            query = canaries.text(seed)
            began = time.monotonic()
            try:
                answer = client.post("/", content=query.encode(errors="replace"), params=params)
            except httpx.RemoteProtocolError:  # an error after the first rows, or the end of the server
                assert client.get("/ping").text == "Ok.\n", f"seed {seed}: {query[:2000]}"
                outcomes["cut off"] += 1
                continue
            except httpx.HTTPError as error:
                pytest.fail(f"seed {seed}: {error!r}\n{query[:2000]}")
            seconds = time.monotonic() - began
            assert CANARY not in answer.text, f"seed {seed}: {query}"
            assert CANARY.encode().hex() not in answer.text.lower(), f"seed {seed}: {query}"
            assert answer.status_code != 429, f"seed {seed}: the server restarted\n{query[:2000]}"
            if seconds > LIMIT_S + LATE_S:
                canaries.late.append((seconds, seed, query[:500]))
            outcomes[answer.headers.get("x-clickhouse-exception-code", "answered")] += 1
    assert canaries.connections() == 0
    assert canaries.file.read_text() == CANARY
    return outcomes


@pytest.mark.parametrize(("user", "seeds"), [("reader", range(300)), ("analyst", range(300, 450))])
def test_hostile_queries_reach_no_canary(canaries: Canaries, user: str, seeds: range) -> None:
    outcomes = run(canaries, user, seeds)

    assert outcomes["answered"] > 3, outcomes
    assert outcomes["497"] > len(seeds) / 3, outcomes


@pytest.mark.campaign
@pytest.mark.timeout(2 * 3600)
@pytest.mark.parametrize(
    ("user", "first"), [("reader", CAMPAIGN_FIRST), ("analyst", CAMPAIGN_FIRST + CAMPAIGN)]
)
def test_many_hostile_queries_end_in_time(
    canaries: Canaries, user: str, first: int, capsys: pytest.CaptureFixture[str]
) -> None:
    canaries.late.clear()
    began = time.monotonic()
    outcomes = run(canaries, user, range(first, first + CAMPAIGN), CAMPAIGN_LIMIT_S)
    with capsys.disabled():
        print(f"\n{outcomes.total():,} hostile queries of {user} from seed {first:,} in ", end="")
        print(f"{time.monotonic() - began:,.0f} s: {dict(outcomes.most_common())}, late: {canaries.late}")

    assert canaries.late == []
    assert outcomes.total() == CAMPAIGN, f"{outcomes.total():,} of {CAMPAIGN:,} queries within the time"
