"""The servers of `docker-compose.yml` are configured as the bundled ones, which the tests run."""

from pathlib import Path
from xml.etree import ElementTree

import yaml

from clickhouse.sql_guard import allowlists
from common.settings import ROOT, Settings
from local.embedded_clickhouse import config
from local.embedded_clickhouse.users import READER_DEFAULTS, READER_LIMITS, SERVING_DEFAULTS
from local.parts import flink, kafka, postgres, redis, registry
from tests.containers import services

SERVICES = services()
DOCKER = ROOT / "docker"


def test_kafka_is_configured_as_the_bundled_one() -> None:
    text = kafka.CONFIG.format(
        host="HOST", port=9092, controller=9093, session=int(kafka.PEER_TIMEOUT_S * 1000)
    )
    pairs = [line.split("=", 1) for line in text.splitlines() if not line.startswith("#")]
    bundled = {f"KAFKA_{name.replace('.', '_').upper()}": value for name, value in pairs}
    ours = {name: str(value) for name, value in SERVICES["kafka"]["environment"].items()}
    assert ours.keys() - bundled.keys() == {"KAFKA_HEAP_OPTS"}
    assert {name for name in bundled if ours.get(name) != bundled[name]} == {
        "KAFKA_CONTROLLER_QUORUM_VOTERS", "KAFKA_LISTENERS", "KAFKA_ADVERTISED_LISTENERS", "KAFKA_LOG_DIRS",
    }  # fmt: skip


def test_postgres_is_configured_as_the_bundled_one() -> None:
    options = dict(word.removeprefix("--").split("=", 1) for word in SERVICES["postgres"]["command"][1:])
    assert options == {k: v for k, v in postgres.OPTIONS.items() if "address" not in k and "socket" not in k}


def test_valkey_is_configured_as_the_bundled_one() -> None:
    def directives(text: str) -> dict[str, str]:
        lines = (line for line in text.splitlines() if line and not line.startswith("#"))
        return {name: value for name, _, value in (line.partition(" ") for line in lines)}

    ours = directives((DOCKER / "valkey" / "valkey.conf").read_text())
    bundled = directives(redis.CONFIG)
    assert ours.keys() - bundled.keys() == {"maxmemory"}
    assert {name for name in bundled if ours.get(name) != bundled[name]} == {"bind", "port", "dir"}


def test_the_registry_is_configured_as_the_bundled_one() -> None:
    settings = Settings(registry_password="secret")  # type: ignore[arg-type]
    options = registry.access_options(settings) | registry.storage_options("postgresql://a:b@c/d")
    names = {registry._environment_name(name) for name in options}
    missing = names - SERVICES["registry"]["environment"].keys()
    assert missing == {"QUARKUS_HTTP_CORS_ORIGINS"}  # no browser reaches it


def test_flink_is_configured_as_the_bundled_one() -> None:
    home = Path("/var/lib/souk")
    bundled = flink.options(Settings(home=home, install=Path("/opt/souk")), home / "flink")
    ours = yaml.load((DOCKER / "flink" / "config.yaml").read_text(), yaml.BaseLoader)
    opened = [word for word in flink.command(Settings(), home, [], "jobmanager") if word.startswith("--add-")]
    assert set(opened) <= set(ours.pop("env.java.opts.all").split())
    assert "-XX:+UseSerialGC" in ours.pop("env.java.opts.jobmanager").split()
    assert "-XX:+UseParallelGC" in ours.pop("env.java.opts.taskmanager").split()
    assert ours.keys() <= bundled.keys()
    assert bundled.keys() - ours.keys() == {
        "python.executable", "python.client.executable", "web.log.path", "taskmanager.log.path",
    }  # fmt: skip
    assert {name for name in ours if ours[name] != bundled[name]} == {
        "jobmanager.rpc.address", "jobmanager.bind-host", "rest.address", "rest.bind-address",
        "taskmanager.bind-host", "taskmanager.host", "souk.rest.allowed-hosts", "web.tmpdir",
        "web.upload.dir", "taskmanager.memory.managed.size",
    }  # fmt: skip
    memory = sum(
        int(v[:-1]) for k, v in ours.items() if k.startswith("taskmanager.memory") and not k.endswith("min")
    )
    assert memory + 64 <= int(SERVICES["taskmanager"]["mem_limit"][:-1])


def _leaves(element: ElementTree.Element) -> dict[str, str]:
    return {one.tag: (one.text or "").strip() for one in element.iter() if len(one) == 0}


def test_clickhouse_is_configured_as_the_bundled_engine(tmp_path: Path) -> None:
    bundled = _leaves(ElementTree.parse(config.write_config(tmp_path)).getroot())
    ours = _leaves(ElementTree.parse(DOCKER / "clickhouse" / "config.xml").getroot())
    assert {name for name in bundled if ours.get(name) != bundled[name]} == {
        "max_server_memory_usage", "users_config", "os_threads_nice_value_merge_mutate",
    }  # fmt: skip
    assert int(ours["max_server_memory_usage"]) < int(SERVICES["clickhouse"]["mem_limit"][:-1]) << 20


def test_clickhouse_has_the_users_of_the_bundled_server_with_their_limits_but_no_seller() -> None:
    root = ElementTree.parse(DOCKER / "clickhouse" / "users.xml").getroot()
    settings = Settings()
    names = {
        settings.clickhouse_admin_user,
        settings.clickhouse_analyst_user,
        settings.clickhouse_serving_user,
    }
    users = {user.tag: user for user in root.findall("users/*") if "remove" not in user.attrib}
    assert users.keys() == names
    for name, user in users.items():
        password = user.find("password")
        assert password is not None
        assert password.attrib == {"from_env": f"SOUK_CLICKHOUSE_{name.upper()}_PASSWORD"}
        assert password.attrib["from_env"] in SERVICES["clickhouse"]["environment"]
    limits = root.findall("profiles/limited/constraints/*")
    assert {one.tag: one.findtext("max") for one in limits if one.find("max") is not None} == {
        name: str(limit) for name, limit in READER_LIMITS.items()
    }
    for profile, defaults in (("analyst", READER_DEFAULTS), ("serving", SERVING_DEFAULTS)):
        assert {one.tag: one.text for one in root.findall(f"profiles/{profile}/*")} == {
            "profile": "limited", **defaults,
        }  # fmt: skip
    queries = {one.text for one in root.findall("roles/reader/grants/query")}
    assert {f"GRANT SELECT ON system.{name}" for name in allowlists.SYSTEM_TABLES} <= queries
    assert config.GRANTS in {one.text for one in root.findall("users/admin/grants/query")}
