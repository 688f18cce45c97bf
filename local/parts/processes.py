"""The processes of this checkout: `python -m <module>`. Each answers `/ready` and `/metrics` on its port."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from common.settings import LOOPBACK, ROOT, Settings
from common.settings import Part as PartName
from jobs.fingerprint import FILES_DIGEST, plan_files_digest
from local.install.jars import connectors_digest
from local.parts.part import Part, Resolution, check_process
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec


@dataclass(frozen=True)
class Process:
    """A part that is a process of this checkout."""

    name: PartName
    """The part's name, and that of its port."""
    module: str
    secrets: Sequence[str]
    """The passwords that it needs. It gets no others."""
    needs: Sequence[str]
    """The parts and steps that it starts after."""
    url: Callable[[Settings], str] | None = None
    """Where a process is that the settings may give by URL, in `<name>_url`; None: it is always this one."""
    page: Callable[[Settings], str] | None = None
    """The page of it that a person opens; its metrics if it has no other."""
    ready_without: Sequence[str] = ()
    """What its `/ready` may still miss."""
    environment: Callable[[Settings], Mapping[str, str]] = lambda _: {}
    """What its environment has besides the settings."""

    def part(self, settings: Settings) -> Part:
        """Return the process of this checkout, or the one that the settings give by URL."""
        port = settings.port(self.name)
        url = self.url(settings) if self.url else f"http://{LOOPBACK}:{port}"
        page = self.page or self.url or (lambda _: f"{url}/metrics")
        ready = partial(check_process, self.name, url, exclude=self.ready_without)
        if self.url and getattr(settings, f"{self.name}_url"):
            return Part(self.name, Resolution("url", "", url), url, ready)
        environment = {**settings_environment(settings, self.secrets), **self.environment(settings)}
        return Part(
            self.name,
            Resolution("bundled", "", self.module),
            page(settings),
            ready,
            LaunchSpec([sys.executable, "-m", self.module], ROOT, environment),
            ports={self.name: port},
            needs=tuple(self.needs),
        )


def _digests(settings: Settings) -> dict[str, str]:
    """Return the digests of what plans are made of: a process builds them once, so `up` restarts it."""
    return {"CONNECTORS_DIGEST": connectors_digest(settings), FILES_DIGEST: plan_files_digest()}


PROCESSES = {
    process.name: process
    for process in (
        # It submits the Flink jobs and keeps them running.
        Process(
            "jobs",
            "jobs.reconciler",
            (
                *("internal_secret", "clickhouse_admin_password", "clickhouse_analyst_password"),
                *("redis_password", "registry_password"),
            ),
            ("topics", "tables", "taskmanager", "redis"),
            page=lambda settings: f"{settings.flink}/#/job/running",
            environment=_digests,
        ),
        # It refreshes the roll-ups in ClickHouse. Figures are right without it: the pages start first.
        Process("rollups", "clickhouse.rollup_worker", ("clickhouse_admin_password",), ("tables", "serving")),
        # It runs the queries of sellers in confined processes.
        Process(
            "seller_sql",
            "clickhouse.seller_sql",
            ("internal_secret", "clickhouse_serving_password"),
            ("tables",),
            url=lambda settings: settings.seller_sql,
        ),
        # The commerce services, which create their tables themselves.
        Process(
            "commerce",
            "producers",
            (
                *("internal_secret", "pictures_s3_secret_key", "postgres_admin_password"),
                *("postgres_role_secret", "registry_password"),
            ),
            ("postgres", "topics"),
            url=lambda settings: settings.commerce,
        ),
        # The API and the pages. They answer without the other parts, and say that the past is still being
        # counted: nobody should have to wait for them. `up` waits for each part by itself.
        Process(
            "serving",
            "serving",
            ("internal_secret", "clickhouse_serving_password", "redis_password", "registry_password"),
            ("tables", "redis", "postgres"),
            url=lambda settings: settings.serving,
            ready_without=("figures", "jobs", "flink", "kafka", "registry"),
        ),
        # It keeps the search index current. Without it, ClickHouse finds products: the pages start first.
        Process(
            "search",
            "serving.products.search",
            ("clickhouse_analyst_password", "registry_password"),
            ("topics", "tables", "serving"),
        ),
        # It trains the recommender every night: the pages start first.
        Process(
            "training",
            "recommenders.training.worker",
            ("clickhouse_admin_password", "clickhouse_analyst_password", "redis_password"),
            ("tables", "redis", "serving"),
        ),
        # It audits the platform every night, and reads every store: the pages start first.
        Process(
            "audit",
            "audit.nightly.worker",
            (
                *("internal_secret", "clickhouse_admin_password", "clickhouse_analyst_password"),
                *("postgres_role_secret", "redis_password", "registry_password"),
            ),
            ("tables", "serving"),
        ),
    )
}
"""The processes by name, in the order in which status and logs list them."""
