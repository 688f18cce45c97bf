"""Installs the separate environment of `./souk dashboards deploy`.

grafana-client installs a fork of urllib3 under the name urllib3, which would replace that of
clickhouse-connect.
"""

import sys
from hashlib import sha256
from pathlib import Path

from local.install.environment import ROOT, sync_packages
from local.install.installation import installation_lock
from local.install.step import run

PACKAGES = ROOT / "requirements-dashboards.lock"


def python_with_grafana(install: Path) -> Path:
    """Return the Python of `<install>/dashboards`, which has exactly the locked packages. Installs it if
    needed.

    Raises:
        CannotInstall: no network, no space, or a package whose hash differs from the lock.
    """
    folder = install / "dashboards"
    python, stamp = folder / "bin" / "python", folder / "souk.stamp"
    lock_digest = sha256(PACKAGES.read_bytes()).hexdigest()
    if stamp.is_file() and stamp.read_text() == lock_digest and python.exists():
        return python
    log = install / "dashboards.log"
    with installation_lock(install):
        stamp.unlink(missing_ok=True)
        run("Python environment", [sys.executable, "-m", "venv", "--without-pip", "--clear", folder], log)
        sync_packages("Grafana's client", install, folder, PACKAGES, log)
        stamp.write_text(lock_digest)
    return python
