"""The small environment of `./souk dashboards deploy`, beside the platform's own packages.

grafana-client brings a fork of urllib3 under urllib3's own name, which clickhouse-connect must not meet.
"""

import os
import shutil
import sys
from hashlib import sha256
from pathlib import Path

from local.install.environment import ROOT, pip_indexes
from local.install.installation import alone
from local.install.step import run

PACKAGES = ROOT / "requirements-dashboards.lock"


def python_with_grafana(install: Path) -> Path:
    """The Python of `<install>/dashboards` with exactly the locked packages; made when it is not there yet.

    Raises:
        CannotInstall: no network, no space, or a package that is not the locked one.
    """
    folder = install / "dashboards"
    python, stamp = folder / "bin" / "python", folder / "souk.stamp"
    wanted = sha256(PACKAGES.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == wanted and python.exists():
        return python
    log = install / "dashboards.log"
    with alone(install):
        stamp.unlink(missing_ok=True)
        run("Python environment", [sys.executable, "-m", "venv", "--without-pip", "--clear", folder], log)
        downloads = folder / ".downloads"
        indexes = pip_indexes([sys.executable, "-m", "pip"])
        environment = {"UV_CACHE_DIR": str(downloads), "UV_HTTP_TIMEOUT": "60"} | indexes | dict(os.environ)
        uv: list[str | Path] = [
            install / "bin" / "uv",
            "pip",
            "sync",
            "--python",
            python,
            "--system-certs",
            "--no-progress",
        ]
        run("Grafana's client", [*uv, "--require-hashes", PACKAGES], log, environment)
        shutil.rmtree(downloads, ignore_errors=True)
        stamp.write_text(wanted)
    return python
