"""The process that submits the Flink jobs and keeps them running: `python -m jobs.reconciler`."""

import sys
from functools import partial

from common.settings import LOOPBACK, ROOT, Settings
from jobs.fingerprint import FILES_DIGEST, plan_files_digest
from local.install.jars import connectors_digest
from local.parts import readiness
from local.parts.part import Part, Resolution
from local.state_directory import settings_environment
from local.supervision.launch_file import LaunchSpec

SECRETS = (
    "internal_secret",
    "clickhouse_admin_password",
    "clickhouse_analyst_password",
    "redis_password",
    "registry_password",
)
"""The passwords that the process needs."""


def part(settings: Settings) -> Part:
    """Return the reconciler of this checkout's jobs, which uses the Flink of the settings."""
    port = settings.port("jobs")
    return Part(
        "jobs",
        Resolution("bundled", "", "jobs.reconciler"),
        f"{settings.flink}/#/job/running",
        partial(readiness.check, "jobs", f"http://{LOOPBACK}:{port}"),
        LaunchSpec(
            [sys.executable, "-m", "jobs.reconciler"],
            ROOT,
            # The process builds the plans when it starts, so `up` must restart it when their files change.
            {
                **settings_environment(settings, SECRETS),
                "CONNECTORS_DIGEST": connectors_digest(settings),
                FILES_DIGEST: plan_files_digest(),
            },
        ),
        ports={"jobs": port},
        needs=("topics", "tables", "taskmanager", "redis"),
    )
