"""Settings: changed with author and reason, known by every process, rolled back, kept during outages."""

import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from common.configuration.definitions import (
    BREAKER_FAILURE_SHARE,
    BREAKER_OPEN_S,
    BREAKER_TRIALS,
    BREAKER_WINDOW,
    DEFINITIONS,
    MAINTENANCE_BANNER,
    RATE_LIMITS,
    RECOMMENDATIONS_ENABLED,
    SHEDDING_ENABLED,
)
from common.ids import new_id
from common.principal import Principal, guest
from schemas.configuration.watcher import ConfigurationWatcher
from schemas.setup import set_up_topics
from schemas.topics import Topic

KNOWN_WITHIN_S = 10

ADMIN = Principal("019ac0de-a12e-72ea-a85a-748a90456231", frozenset({"admin"}), session_id="s-1")


def put(shop, name, value, reason="a test", **more):
    return shop.http.put(f"/v1/settings/{name}", json={"value": value, "reason": reason, **more})


def rollback(shop, name, version, reason="a test"):
    return shop.http.post(f"/v1/settings/{name}/rollback", json={"version": version, "reason": reason})


def state(shop, name):
    (found,) = [one for one in shop.http.get("/v1/settings").json() if one["name"] == name]
    return found


def history(shop, name, **query):
    return shop.http.get(f"/v1/settings/{name}/history", params=query).raise_for_status().json()


def another(shop, setting):
    """Return a valid number that is not the setting's present value."""
    return 20 + (state(shop, setting.name)["value"] + 1) % 50


@pytest.fixture
def watcher(shop):
    with ConfigurationWatcher(shop.settings) as running:
        assert running.wait_until_current(60)
        yield running


def test_every_setting_is_listed_with_its_value_and_what_it_takes(shop):
    listed = shop.http.get("/v1/settings").json()

    assert [one["name"] for one in listed] == list(DEFINITIONS)
    limit = state(shop, "rate_limit_page")
    assert (limit["type"], limit["default"], limit["unit"]) == ("number", 600, "requests per minute")
    assert limit["expected"] == "a whole number from 1 to 1,000,000 (requests per minute)"


def test_a_setting_that_nobody_has_changed_is_version_0_of_no_author(shop):
    assert state(shop, "rate_limit_sign_in") == {
        "name": "rate_limit_sign_in",
        "type": "number",
        "default": RATE_LIMITS["sign_in"].default,
        "description": RATE_LIMITS["sign_in"].description,
        "unit": "requests per minute",
        "expected": RATE_LIMITS["sign_in"].expected(),
        "version": 0,
        "value": RATE_LIMITS["sign_in"].default,
        "author": None,
        "reason": None,
        "changed_at": None,
        "rolled_back_to": None,
    }
    assert history(shop, "rate_limit_sign_in") == {
        "name": "rate_limit_sign_in",
        "versions": [],
        "next_before": None,
    }


def test_a_change_reaches_a_watching_process(shop, watcher):
    name, delays_s = BREAKER_WINDOW.name, []
    for _ in range(10):
        value = another(shop, BREAKER_WINDOW)
        started = time.perf_counter()
        put(shop, name, value).raise_for_status()
        while watcher.values.get(BREAKER_WINDOW) != value:
            assert time.perf_counter() - started < KNOWN_WITHIN_S
            time.sleep(0.002)
        delays_s.append(time.perf_counter() - started)

    assert watcher.values.version(BREAKER_WINDOW) == state(shop, name)["version"]
    delays_s.sort()
    print(f"from the request to the watcher: median {delays_s[5]:.3f} s, slowest {delays_s[-1]:.3f} s")


def test_values_of_every_type_reach_a_watching_process(shop, watcher, eventually):
    banner = f"Até já 🛒 {new_id()}"
    put(shop, "shedding_enabled", False)
    put(shop, "breaker_failure_share", 0.25)
    put(shop, "maintenance_banner", banner)
    put(shop, "recommendations_enabled", 0)

    eventually(lambda: watcher.values.get(MAINTENANCE_BANNER) == banner)
    eventually(lambda: not watcher.values.is_on(RECOMMENDATIONS_ENABLED, "visitor-1"))
    assert watcher.values.get(SHEDDING_ENABLED) is False
    assert watcher.values.get(BREAKER_FAILURE_SHARE) == 0.25

    for name in (
        "shedding_enabled",
        "breaker_failure_share",
        "maintenance_banner",
        "recommendations_enabled",
    ):
        rollback(shop, name, 0).raise_for_status()

    eventually(lambda: watcher.values.is_on(RECOMMENDATIONS_ENABLED, "visitor-1"))
    assert watcher.values.get(SHEDDING_ENABLED) is True
    assert watcher.values.get(MAINTENANCE_BANNER) == ""


def test_the_history_has_each_version_with_author_reason_and_time(shop):
    before = state(shop, BREAKER_TRIALS.name)
    admin = shop.as_principal(ADMIN)
    body = {"value": another(shop, BREAKER_TRIALS), "reason": "the bank is slow"}
    changed = admin.put(f"/v1/settings/{BREAKER_TRIALS.name}", json=body).json()
    rolled_back = rollback(shop, BREAKER_TRIALS.name, before["version"], "it is fast again").json()

    newest, earlier = history(shop, BREAKER_TRIALS.name, limit=2)["versions"]

    assert earlier.items() <= changed.items()
    assert newest.items() <= rolled_back.items()
    assert (earlier["author"], earlier["reason"]) == (ADMIN.subject, "the bank is slow")
    assert (newest["author"], newest["reason"]) == ("platform:tests", "it is fast again")
    assert (newest["version"], newest["value"]) == (before["version"] + 2, before["value"])
    assert (earlier["rolled_back_to"], newest["rolled_back_to"]) == (None, before["version"])
    assert newest["changed_at"] > earlier["changed_at"]
    assert newest["changed_at"].endswith("Z")


def test_a_long_history_is_read_in_pages(shop):
    name = "rate_limit_write"
    for value in (11, 12, 13):
        put(shop, name, value)

    first = history(shop, name, limit=2)
    second = history(shop, name, limit=2, before=first["next_before"])

    assert [one["version"] for one in first["versions"] + second["versions"]] == [3, 2, 1]
    assert second["next_before"] is None


def test_a_value_that_the_setting_has_already_makes_no_version(shop):
    before = put(shop, "breaker_open_s", 30).json()

    repeated = put(shop, "breaker_open_s", 30, "another reason").json()

    assert repeated == before


def test_a_change_publishes_one_event_that_names_no_person(shop, eventually):
    value = another(shop, BREAKER_OPEN_S)
    before = state(shop, BREAKER_OPEN_S.name)
    body = {"value": value, "reason": "shorter outages"}
    after = shop.as_principal(ADMIN).put(f"/v1/settings/{BREAKER_OPEN_S.name}", json=body).json()

    def published():
        events = shop.events("setting_changed", BREAKER_OPEN_S.name)
        return [event for event in events if event["version"] == after["version"]]

    (event,) = eventually(published)
    assert (event["scope"], event["type"], event["reason"]) == ("platform", "number", "shorter outages")
    assert event["new_value"] == f"{float(value)}"
    assert event["old_value"] == (f"{before['value']}" if before["version"] else None)
    assert (event["changed_by"], event["rolled_back_to"]) == (None, None)
    sent = [message.value() for message in shop.messages("setting_changed")]
    assert not any(ADMIN.subject.encode() in value for value in sent)


def test_a_person_who_is_erased_is_no_author_any_more(shop):
    author = new_id()
    admin = shop.as_principal(Principal(author, frozenset({"admin"}), session_id="s-2"))
    body = {"value": another(shop, BREAKER_TRIALS), "reason": "because"}
    number = admin.put(f"/v1/settings/{BREAKER_TRIALS.name}", json=body).json()["version"]

    erasure = {"user_id": author, "email": "ana@shop.example"}
    refused = admin.post("/v1/erasures/configuration", json=erasure)
    for _ in range(2):  # a request may arrive twice
        shop.http.post("/v1/erasures/configuration", json=erasure).raise_for_status()

    assert refused.status_code == 403  # only users may ask
    newest = history(shop, BREAKER_TRIALS.name, limit=1)["versions"][0]
    assert (newest["version"], newest["author"], newest["reason"]) == (number, "erased", "because")


def test_of_concurrent_writers_who_saw_the_same_version_one_succeeds(shop):
    name, seen = "rate_limit_checkout", state(shop, "rate_limit_checkout")["version"]

    def write(value):
        return put(shop, name, value, version=seen)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(write, range(1_001, 1_009)))

    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    refused = next(answer.json() for answer in answers if answer.status_code == 409)
    assert (refused["type"], refused["current_version"]) == ("urn:souk:problem:changed-meanwhile", seen + 1)
    (accepted,) = [answer.json()["value"] for answer in answers if answer.status_code == 200]
    assert (state(shop, name)["value"], state(shop, name)["version"]) == (accepted, seen + 1)


def test_concurrent_writers_without_a_version_make_one_version_each(shop, watcher, eventually):
    name, before = "rate_limit_read", state(shop, "rate_limit_read")["version"]

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda value: put(shop, name, value).json(), range(2_001, 2_025)))

    numbers = sorted(answer["version"] for answer in answers)
    assert numbers == list(range(before + 1, before + 25))
    eventually(lambda: watcher.values.version(RATE_LIMITS["read"]) == before + 24)
    assert watcher.values.get(RATE_LIMITS["read"]) == state(shop, name)["value"]


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({"value": "fast", "reason": "r"}, "bad-value"),
        ({"value": True, "reason": "r"}, "bad-value"),
        ({"value": 9, "reason": "r"}, "bad-value"),
        ({"value": 10**30, "reason": "r"}, "bad-value"),
        ({"value": 99.5, "reason": "r"}, "bad-value"),
        ({"value": None, "reason": "r"}, "bad-parameter"),
        ({"value": [50], "reason": "r"}, "bad-value"),
        ({"value": 50}, "bad-parameter"),
        ({"value": 50, "reason": "  "}, "bad-parameter"),
        ({"value": 50, "reason": "\x00"}, "bad-parameter"),
        ({"value": 50, "reason": "r", "version": -1}, "bad-parameter"),
        ({"value": 50, "reason": "r", "more": 1}, "bad-parameter"),
    ],
)
def test_an_invalid_change_is_refused_and_changes_nothing(shop, body, problem):
    before = state(shop, "breaker_window")

    answer = shop.http.put("/v1/settings/breaker_window", json=body)

    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:souk:problem:{problem}")
    if problem == "bad-value":
        assert "a whole number from 10 to 10,000 (calls)" in answer.json()["detail"]
    assert state(shop, "breaker_window") == before


def test_an_unknown_setting_or_version_is_404_and_says_which_there_are(shop):
    answers = [
        put(shop, "no_such_setting", 1),
        rollback(shop, "no_such_setting", 1),
        shop.http.get("/v1/settings/no_such_setting/history"),
    ]
    missing = rollback(shop, "breaker_window", 10**9)

    assert [answer.status_code for answer in answers] == [404] * 3
    assert put(shop, "%00", 1).status_code == 422  # no name of a setting
    assert all("breaker_window" in answer.json()["detail"] for answer in answers)
    assert (missing.status_code, missing.json()["type"]) == (404, "urn:souk:problem:unknown-version")


@pytest.mark.parametrize(
    ("principal", "status"),
    [
        (guest("g-1"), 401),
        (Principal("u-1", frozenset({"shopper"}), ("u-1",), session_id="s"), 403),
        (Principal("u-1", frozenset({"seller"}), sellers={"seller-1": "owner"}, session_id="s"), 403),
        (Principal("u-1", frozenset({"analyst"}), session_id="s"), 403),
        (
            Principal(
                "key:k", frozenset({"seller"}), sellers={"s": "owner"}, scopes=frozenset({"stock:write"})
            ),
            403,
        ),
        (ADMIN, 200),
    ],
)
def test_only_administrators_and_the_platform_read_and_change_settings(shop, principal, status):
    client = shop.as_principal(principal)
    change = {"value": "", "reason": "r"}

    answers = [
        client.get("/v1/settings"),
        client.get("/v1/settings/maintenance_banner/history"),
        client.put("/v1/settings/maintenance_banner", json=change),
        client.post("/v1/settings/maintenance_banner/rollback", json={"version": 0, "reason": "r"}),
    ]

    assert [answer.status_code for answer in answers] == [status] * 4


def test_a_message_that_is_no_valid_change_is_ignored(shop, watcher, eventually):
    fields = {"scope": "platform", "version": 1, "type": "number", "changed_by": None, "reason": "by hand"}
    shop.send("setting_changed", b"no event", "breaker_window")
    shop.tell("setting_changed", name="no_such_setting", new_value="1", **fields)
    shop.tell("setting_changed", name="breaker_window", new_value="-5", **fields)
    shop.tell("setting_changed", name="breaker_window", new_value="{", **fields)

    value = another(shop, BREAKER_WINDOW)
    put(shop, "breaker_window", value).raise_for_status()

    eventually(lambda: watcher.values.get(BREAKER_WINDOW) == value)


def test_a_process_that_starts_without_kafka_has_the_last_known_values(shop, watcher, eventually):
    value = another(shop, BREAKER_WINDOW)
    put(shop, "breaker_window", value).raise_for_status()
    eventually(lambda: watcher.values.get(BREAKER_WINDOW) == value)
    away = shop.settings.model_copy(update={"kafka_bootstrap": "127.0.0.1:1"})

    eventually(lambda: known(away) == value)
    assert known(away.model_copy(update={"home": away.home / "empty"})) == BREAKER_WINDOW.default


def known(settings):
    """Return what a process knows that starts now, before it has read the topic."""
    with ConfigurationWatcher(settings) as starting:
        assert not starting.wait_until_current(0.2)
        return starting.values.get(BREAKER_WINDOW)


def test_a_process_that_starts_reads_the_values_from_kafka_without_a_file(shop, tmp_path):
    value = another(shop, BREAKER_WINDOW)
    put(shop, "breaker_window", value).raise_for_status()
    fresh = shop.settings.model_copy(update={"home": tmp_path})

    with ConfigurationWatcher(fresh) as starting:
        deadline = time.monotonic() + KNOWN_WITHIN_S
        while starting.values.get(BREAKER_WINDOW) != value:
            assert time.monotonic() < deadline
            time.sleep(0.01)

    assert (tmp_path / "run" / "configuration.json").is_file()


def cleanup_policy(kafka, topic):
    admin, resource = (
        AdminClient({"bootstrap.servers": kafka.bootstrap}),
        ConfigResource(ResourceType.TOPIC, topic),
    )
    (described,) = admin.describe_configs([resource]).values()
    return described.result()["cleanup.policy"].value


def test_the_topic_is_compacted_in_new_and_in_existing_installations(shop, kafka):
    assert cleanup_policy(kafka, "setting_changed") == "compact"

    name = f"t{new_id()[-12:]}"
    before = Topic(name, "name", 1, None)
    assert set_up_topics(shop.settings.kafka, [before]) == ([name], [])
    assert cleanup_policy(kafka, name) == "delete"
    assert set_up_topics(shop.settings.kafka, [Topic(name, "name", 1, None, compacted=True)]) == ([], [name])
    assert cleanup_policy(kafka, name) == "compact"


@pytest.fixture
def souk_settings(souk):
    """Runs `souk settings` with arguments."""
    return partial(souk, "settings")


def test_the_command_lists_sets_shows_and_rolls_back_settings(shop, souk_settings):
    before = state(shop, "rate_limit_page")["version"]

    assert souk_settings("set", "rate_limit_page", "450", "--reason", "[bold] sale") == (
        0,
        f"rate_limit_page is 450 (version {before + 1})\n",
        "",
    )
    code, listed, _ = souk_settings("list")
    assert code == 0
    assert any(
        "rate_limit_page" in line and "450" in line and "[bold] sale" in line for line in listed.splitlines()
    )
    assert souk_settings("rollback", "rate_limit_page", "0", "--reason", "over") == (
        0,
        f"rate_limit_page is 600 (version {before + 2})\n",
        "",
    )
    code, shown, _ = souk_settings("history", "rate_limit_page")
    assert code == 0
    assert "platform:cli" in shown
    assert "over (back to version 0)" in shown


def test_the_command_prints_a_mistake_in_one_line(souk_settings):
    assert souk_settings("set", "shedding_enabled", "perhaps", "--reason", "r") == (
        2,
        "",
        "souk: shedding_enabled takes true or false. Send such a value. Nothing was changed.\n",
    )
    code, _, error = souk_settings("history", "no_such_setting")
    assert (code, error) == (
        2,
        "souk: there is no setting no_such_setting: `./souk settings list` shows all\n",
    )
