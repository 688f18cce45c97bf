"""The new setting is listed, and every process knows a change of it."""

from common.configuration.definitions import TITLED_ROWS_ENABLED
from schemas.configuration.watcher import ConfigurationWatcher


def test_an_administrator_turns_the_rows_off(shop, eventually):
    name = TITLED_ROWS_ENABLED.name
    assert name in [one["name"] for one in shop.http.get("/v1/settings").json()]

    with ConfigurationWatcher(shop.settings) as watcher:
        assert watcher.values.is_on(TITLED_ROWS_ENABLED, "visitor-1")
        shop.http.put(f"/v1/settings/{name}", json={"value": 0, "reason": "a test"}).raise_for_status()
        eventually(lambda: not watcher.values.is_on(TITLED_ROWS_ENABLED, "visitor-1"))
