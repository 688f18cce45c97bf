"""`docker-compose.yml` is consistent with itself, with the settings and with the other files of the stack."""

import ipaddress
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import pytest
import yaml

from cli.compose import MONITORING, PASSWORDS, PROFILES
from common.settings import PORTS, ROOT, Settings
from dashboards.containers import ADDRESSES, ALERTMANAGER, CLICKHOUSE_URL, PROMETHEUS_URL, ZIPKIN_URL
from dashboards.prometheus.configuration import hand_written_alerts
from local.install.jars import groups
from local.parts.on_demand import NO_OTHER_SITE, WEBHOOK
from local.stack import all_parts
from tests.containers import COMPOSE, VARIABLE, compose, dockerfile, resolved, services

SERVICES = services()
OURS = {name: one for name, one in SERVICES.items() if one["image"].startswith("souk:")}
ONCE = {name for name, one in SERVICES.items() if one["restart"] == "no"}
"""Services that end before others start."""
SCHEMA_CHECK = (sys.executable, "-P", "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec")
DOCKER = ROOT / "docker"
PAGE = ROOT / "docs" / "containers.md"


def settings_of(name: str, values: Mapping[str, str] = MappingProxyType({})) -> dict[str, str]:
    """Return the variables of a service that are settings, as the container gets them with this `.env`."""
    return {key: resolved(str(value), values) for key, value in SERVICES[name].get("environment", {}).items()}


def test_the_file_is_valid_against_the_schema_of_compose(tmp_path: Path) -> None:
    subprocess.run([*SCHEMA_CHECK, COMPOSE], check=True)
    misspelt = tmp_path / "docker-compose.yml"
    misspelt.write_text(COMPOSE.read_text().replace("mem_limit:", "memory_limit:", 1))
    done = subprocess.run([*SCHEMA_CHECK, misspelt], capture_output=True, text=True, check=False)
    assert (done.returncode, "memory_limit" in done.stdout) == (1, True), done.stdout


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_limited_pinned_and_confined(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", service["image"])
    assert re.fullmatch(r"\d+m", service["mem_limit"])
    assert service["profiles"] in (["core"], ["observability"], ["demo"], ["training"], ["audit"], ["sql"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"]["max-size"]
    assert "privileged" not in service


BESIDE = {"training": "training", "audit": "audit", "seller-sql": "sql"}
"""Service → its profile, whose memory comes on top of that of all others."""


def test_the_limits_of_all_profiles_but_these_three_add_up_to_at_most_8_gb() -> None:
    """Of what runs at the same time: what runs once has ended before the containers start that are larger."""
    ours = {name: one for name, one in SERVICES.items() if name not in BESIDE}
    limits = {name: int(one["mem_limit"][:-1]) for name, one in ours.items()}
    for once in ONCE:
        after = {name for name, one in ours.items() if once in one.get("depends_on", {})}
        assert limits.pop(once) <= sum(limits[name] for name in after)
    assert sum(limits.values()) <= 8 * 1024


@pytest.mark.parametrize("name", BESIDE)
def test_the_page_says_how_much_memory_a_further_profile_adds(name: str) -> None:
    added = f"{int(SERVICES[name]['mem_limit'][:-1]) / 1024:.1f}".removesuffix(".0") + " GB"
    profile = BESIDE[name]
    assert re.search(rf"\| `{profile}` \| .* up to {added} \|", PAGE.read_text(encoding="utf-8"))
    assert re.search(rf"\b{profile} \([^()]+; {added} more\)", re.sub(r"\n#\s+", " ", COMPOSE.read_text()))


def test_a_signal_reaches_our_processes_without_a_shell_in_between() -> None:
    for name, service in OURS.items():
        assert service["command"][:2] == ["python", "-m"], name


def test_only_the_servers_that_write_elsewhere_have_a_writable_root() -> None:
    assert {name for name, one in SERVICES.items() if not one.get("read_only")} == {"kafka", "registry"}


def test_what_a_service_waits_for_exists_and_can_say_that_it_is_ready() -> None:
    for name, service in SERVICES.items():
        for needed, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_completed_successfully":
                assert SERVICES[needed]["restart"] == "no", name
            else:
                assert how["condition"] == "service_healthy", name
                assert SERVICES[needed]["healthcheck"]["test"], name
            assert set(SERVICES[needed]["profiles"]) <= {*service["profiles"], "core"}, name
    without = {name for name, one in SERVICES.items() if "healthcheck" not in one}
    assert without == ONCE


def test_only_nginx_may_be_opened_to_a_network() -> None:
    published = {name: one["ports"] for name, one in SERVICES.items() if one.get("ports")}
    assert published.pop("nginx") == ["${HTTP_ADDRESS:-127.0.0.1:8000}:8080"]
    assert all(port.startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_links_of_the_page_of_operations_lead_to_published_ports() -> None:
    given = settings_of("serving", MONITORING)
    for name in ("prometheus", "zipkin", "grafana"):
        public = given.get(f"SOUK_{name.upper()}_PUBLIC_URL") or given[f"SOUK_{name.upper()}_URL"]
        (port,) = SERVICES[name]["ports"]
        assert public == f"http://localhost:{port.split(':')[1]}", name


def test_no_page_of_another_site_may_read_metrics_or_traces() -> None:
    assert NO_OTHER_SITE in SERVICES["prometheus"]["command"]
    (port,) = SERVICES["zipkin"]["ports"]
    allowed = SERVICES["zipkin"]["environment"]["ZIPKIN_QUERY_ALLOWED_ORIGINS"]
    assert allowed == f"http://localhost:{port.split(':')[1]}"


def test_every_volume_is_declared_and_used_and_every_mounted_file_exists() -> None:
    sources = {volume.split(":")[0] for one in SERVICES.values() for volume in one.get("volumes", ())}
    named = {source for source in sources if not source.startswith("./")}
    assert named == set(compose()["volumes"])
    for path in sources - named:
        assert (ROOT / path).is_file()
    assert all(v.endswith(":ro") for one in SERVICES.values() for v in one.get("volumes", ()) if v[0] == ".")


def test_the_data_directory_of_postgres_18_is_inside_the_volume() -> None:
    assert "postgres:/var/lib/postgresql" in SERVICES["postgres"]["volumes"]


def test_every_variable_that_begins_with_souk_is_a_setting() -> None:
    known = {f"SOUK_{name.upper()}" for name in Settings.model_fields}
    names = set(re.findall(r"\bSOUK_\w+", COMPOSE.read_text(encoding="utf-8")))
    assert names - known == set()


@pytest.mark.parametrize("name", OURS)
def test_our_processes_accept_their_settings(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in settings_of(name).items():
        monkeypatch.setenv(variable, value)
    settings = Settings()
    reached = [settings.kafka_bootstrap, settings.commerce, settings.serving]
    reached += filter(
        None,
        (
            settings.registry_url,
            settings.clickhouse_url,
            settings.flink_url,
            settings.redis_url,
            settings.postgres_url,
            settings.zipkin_url,
        ),
    )
    for url in reached:
        address = urlsplit(url if "//" in url else f"//{url}")
        assert address.hostname in SERVICES
    for part in ("commerce", "serving"):
        assert urlsplit(getattr(settings, part)).port == PORTS[part]  # type: ignore[index]


def test_souk_up_with_the_addresses_of_the_stack_starts_only_processes_of_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = {name: value for service in OURS for name, value in settings_of(service).items()}
    servers = {name: value for name, value in given.items() if name.endswith(("_URL", "_BOOTSTRAP"))}
    for name in servers.keys() - {"SOUK_COMMERCE_URL", "SOUK_SERVING_URL"}:
        monkeypatch.setenv(name, servers[name])
    parts = all_parts(Settings(home=tmp_path))
    always = {"jobs", "rollups", "search", "training", "audit"}
    assert {part.name for part in parts if part.launch} == always | {"commerce", "serving"}
    monkeypatch.setenv("SOUK_COMMERCE_URL", servers["SOUK_COMMERCE_URL"])
    monkeypatch.setenv("SOUK_SERVING_URL", servers["SOUK_SERVING_URL"])
    assert {part.name for part in all_parts(Settings(home=tmp_path)) if part.launch} == always


def test_the_queries_of_sellers_run_in_a_network_without_a_way_out() -> None:
    assert compose()["networks"]["sql"]["internal"] is True
    assert SERVICES["seller-sql"]["networks"] == ["sql"]
    assert not SERVICES["seller-sql"].get("volumes")
    given = SERVICES["seller-sql"]["environment"]
    assert set(given) == {"SOUK_INTERNAL_SECRET", "SOUK_CLICKHOUSE_URL", "SOUK_CLICKHOUSE_SERVING_PASSWORD"}
    address = urlsplit(SERVICES["serving"]["environment"]["SOUK_SELLER_SQL_URL"])
    assert (address.hostname, address.port) == ("seller-sql", PORTS["seller_sql"])
    for name in ("clickhouse", "serving"):
        assert "sql" in SERVICES[name]["networks"]


def test_souk_compose_generates_every_variable_without_a_default() -> None:
    variables = VARIABLE.findall(COMPOSE.read_text(encoding="utf-8"))
    needed = {name for name, operator, _ in variables if operator != "-"}
    assert needed == set(PASSWORDS)
    assert all(operator == "?" for name, operator, _ in variables if name in needed)
    assert PROFILES == "COMPOSE_PROFILES"


def test_the_api_trusts_nginx_and_nothing_else() -> None:
    (front,) = compose()["networks"]["front"]["ipam"]["config"]
    address = SERVICES["nginx"]["networks"]["front"]["ipv4_address"]
    assert ipaddress.ip_address(address) in ipaddress.ip_network(front["subnet"])
    assert SERVICES["serving"]["environment"]["SOUK_TRUSTED_PROXIES"] == address
    assert {name for name, one in SERVICES.items() if "front" in one.get("networks", ())} == {
        "nginx",
        "serving",
    }
    assert f"server serving:{PORTS['serving']};" in (DOCKER / "nginx" / "nginx.conf").read_text()


def test_the_files_of_nginx_are_limited_to_a_part_of_its_memory() -> None:
    (files,) = SERVICES["nginx"]["tmpfs"]
    size = re.fullmatch(r"/tmp:size=(\d+)m", files)
    cache = re.search(r" max_size=(\d+)m", (DOCKER / "nginx" / "nginx.conf").read_text())
    assert size
    assert cache
    assert int(cache[1]) < int(size[1]) < int(SERVICES["nginx"]["mem_limit"][:-1])


def test_responses_vary_by_what_is_in_the_key_of_nginx_and_by_nothing_else() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "serving").rglob("*.py"))
    values = re.findall(r"""["']Vary["']\]?\s*[:=]\s*([^,}\n]+)""", sources)
    assert set(values) == {'"Accept"', "LANGUAGE_HEADERS"}
    key = "$language|$http_accept_language|$http_accept"
    assert (DOCKER / "nginx" / "nginx.conf").read_text().count(key) == 2


def test_prometheus_reaches_every_process_under_a_name_that_it_accepts() -> None:
    text = (ROOT / "dashboards" / "prometheus" / "prometheus.yml").read_text()
    parts = re.findall(r'"\$(\w+)"', text)
    assert {"serving", "commerce", "clickhouse", "jobs"} <= set(parts)
    for part in parts:
        host = ADDRESSES[part].partition(":")[0]
        assert host in SERVICES
        if part in ("jobs", "rollups", "search", "training", "audit", "simulator"):
            assert SERVICES[host]["hostname"] == host


def test_grafana_and_prometheus_read_servers_of_the_stack() -> None:
    for url in (CLICKHOUSE_URL, PROMETHEUS_URL, ZIPKIN_URL, f"http://{ALERTMANAGER}"):
        address = urlsplit(url)
        check = " ".join(SERVICES[str(address.hostname)]["healthcheck"]["test"])
        assert f"127.0.0.1:{address.port}/" in check, url


def test_traces_go_to_the_zipkin_of_the_stack_in_the_version_of_the_bundled_one() -> None:
    for name in OURS:
        given = settings_of(name, MONITORING)
        assert (given["SOUK_ZIPKIN"], given["SOUK_ZIPKIN_URL"]) == ("true", ZIPKIN_URL)
        assert float(given["SOUK_TRACE_SAMPLING"]) == Settings.model_fields["trace_sampling"].default
    (jar,) = groups()["zipkin"].jars
    assert SERVICES["zipkin"]["image"] == f"openzipkin/zipkin:{jar.version}"


def test_without_the_profile_of_monitoring_no_process_expects_its_servers() -> None:
    watched = settings_of("serving", MONITORING)
    assert watched["SOUK_PROMETHEUS_URL"] == PROMETHEUS_URL
    for name in OURS:
        given = settings_of(name)
        assert given["SOUK_ZIPKIN"] == "false"
        assert {given.get(address, "") for address in MONITORING.keys() - {"SOUK_ZIPKIN"}} == {""}


def test_our_images_have_the_projects_version_and_all_others_are_pinned() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    stages = [stage[0][1].partition(" AS ") for stage in dockerfile()]
    names = {name for _, _, name in stages}
    for base, _, _ in stages:
        assert base in names or re.search(r":v?\d+\.\d+\.\d+", base)
    for service in SERVICES.values():
        if "build" in service:
            assert service["build"]["target"] in names
            assert service["image"].rpartition(":")[2] == version


def test_our_image_does_not_run_as_root() -> None:
    users = [
        [arguments for name, arguments in stage if name == "USER"][-1]
        for stage in dockerfile()
        if stage[0][1].endswith((" AS souk", " AS flink"))
    ]
    assert users == ["9999:9999"] * 2


def test_compiled_code_is_cached_where_our_processes_may_write() -> None:
    """Their user owns no source and has no home, and numba refuses to compile without a folder."""
    (env,) = [
        arguments
        for stage in dockerfile()
        if stage[0][1].endswith(" AS souk")
        for name, arguments in stage
        if name == "ENV"
    ]
    (folder,) = re.findall(r"\bNUMBA_CACHE_DIR=(\S+)", env)
    assert folder.startswith("/tmp/")
    assert all("/tmp" in service["tmpfs"] for service in OURS.values())


def test_alertmanagers_own_tool_finds_nothing_wrong(tmp_path: Path) -> None:
    amtool = shutil.which("amtool")
    if amtool is None:
        pytest.skip("amtool is not on PATH (Debian: apt install prometheus-alertmanager)")
    written = DOCKER / "alertmanager" / "alertmanager.yml"
    with_webhook = tmp_path / "alertmanager.yml"
    with_webhook.write_text(written.read_text() + WEBHOOK.format(url="https://example.com/a?b=c"))
    for configuration in (written, with_webhook):
        subprocess.run([amtool, "check-config", configuration], check=True)


def test_alertmanager_leaves_out_warnings_that_exist() -> None:
    severities = {name: severity for name, severity, *_ in hand_written_alerts()}
    rules = yaml.safe_load((DOCKER / "alertmanager" / "alertmanager.yml").read_text())["inhibit_rules"]

    def named(kind: str, label: str) -> list[set[str]]:
        matchers = (each for rule in rules for each in rule[f"{kind}_matchers"] if each.startswith(label))
        return [set(re.findall(r"\w+", each)[1:]) for each in matchers]

    assert {severities[name] for names in named("source", "alertname") for name in names} == {"critical"}
    assert {severities[name] for names in named("target", "alertname") for name in names} == {"warning"}


def test_the_webhook_of_alertmanager_is_written_as_by_the_bundled_part() -> None:
    assert WEBHOOK.format(url="%s").strip() in SERVICES["alertmanager"]["entrypoint"][-1]


def test_the_page_names_the_tests_of_every_part_of_the_stack() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## What was tested")[2]
    tests = re.findall(r"`((?:contracts|integration|e2e)/[\w/]+\.py)`", section)
    assert tests
    assert [path for path in tests if not (ROOT / "tests" / path).is_file()] == []
    others = {"postgres": "PostgreSQL", "jobmanager": "Flink", "taskmanager": "Flink"}
    named = {others.get(name, name) for name in SERVICES.keys() - OURS.keys()}
    assert [name for name in named if name.lower() not in section.lower()] == []
