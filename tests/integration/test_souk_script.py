"""`./souk` on machines without a prerequisite prints one line with the remedy, never a traceback."""

import os
import shutil
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from common.settings import ROOT

RunSouk = subprocess.CompletedProcess[str]

INGREDIENTS = (
    "souk", "requirements.lock", "requirements-installer.lock", "requirements-test.lock",
    "jars.toml", "jars.lock", "jobs/connectors/build.py",
    "local/__init__.py", "common/__init__.py", "common/errors.py", "common/file_lock.py",
    "common/file_replacement.py",
)  # fmt: skip


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of what `./souk` reads, at a path with a space; its command line prints its arguments."""
    copy = tmp_path / "a b" / "souk"
    for name in INGREDIENTS:
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, copy / name)
    shutil.copytree(ROOT / "local" / "install", copy / "local" / "install")
    (copy / "cli").mkdir()
    (copy / "cli" / "__init__.py").touch()
    (copy / "cli" / "__main__.py").write_text("import os, sys; print(sys.argv[1:], os.getcwd())\n")
    return copy


@pytest.fixture
def installed(checkout: Path) -> Path:
    """The same copy as if it were installed: with this Python and the stamp that `./souk` expects."""
    fake = executable(
        checkout / "ask" / "python3.11", '[ "$1" = -c ] || printf "%s\\n" "$5" > "$4/souk.stamp"'
    )
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to(sys.executable)
    souk(checkout / "souk", path=fake.parent)
    assert (checkout / ".venv" / "souk.stamp").is_file()
    return checkout


def executable(path: Path, script: str) -> Path:
    """Write an executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


def only_python(folder: Path) -> Path:
    """A PATH that contains only this Python 3.11."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "python3.11").symlink_to(Path(sys.executable).resolve())
    return folder


def with_tmpfs_on(folder: Path) -> tuple[str, ...]:
    """Return a command prefix that mounts an empty file system of 20 MB at `folder`, or skip the test."""
    alone = ["/usr/bin/unshare", "--mount"] + ["--map-root-user"] * (os.geteuid() != 0)
    mount = (*alone, "/bin/sh", "-c", f'/bin/mount -t tmpfs -o size=20m none "{folder}" && exec "$0" "$@"')
    try:
        subprocess.run([*mount, "/bin/true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("may not mount a file system of its own here")
    return mount


def souk(
    script: Path, *arguments: str, path: Path, cwd: Path = Path("/"), before: tuple[str, ...] = (), **env: str
) -> RunSouk:
    """Run the script with an environment of PATH, a HOME that does not exist, and `env`."""
    environment = {"PATH": str(path), "HOME": "/nonexistent", **env}
    return subprocess.run(
        [*before, str(script), *arguments], cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip


def test_without_python_it_says_how_to_install_it(checkout: Path, tmp_path: Path) -> None:
    done = souk(checkout / "souk", path=tmp_path / "empty")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "Python 3.11 is not on PATH (no python3 either)" in done.stderr
    assert "apt install python3.11-venv" in done.stderr


def test_another_python_is_named(checkout: Path, tmp_path: Path) -> None:
    old = executable(tmp_path / "old" / "python3", '[ "$1" = --version ] && echo Python 3.9.2 || exit 1')
    done = souk(checkout / "souk", path=old.parent)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "Python 3.11 is not on PATH (Python 3.9.2)" in done.stderr


def test_a_full_disk_is_refused_before_anything_is_installed(checkout: Path, tmp_path: Path) -> None:
    small = tmp_path / "small disk"
    small.mkdir()
    done = souk(
        checkout / "souk", path=only_python(tmp_path / "bin"), before=with_tmpfs_on(small),
        SOUK_INSTALL=str(small / "install"), SOUK_ANY_MACHINE="1",
    )  # fmt: skip
    assert done.returncode == 2
    assert "0.0 GB free: make room, or set SOUK_INSTALL" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.nightly
def test_without_a_network_it_says_so_and_can_be_repeated(checkout: Path, tmp_path: Path) -> None:
    nowhere = {
        "HTTPS_PROXY": "http://127.0.0.1:9",
        "HTTP_PROXY": "http://127.0.0.1:9",
        "SOUK_ANY_MACHINE": "1",
    }
    path = only_python(tmp_path / "bin")
    for _ in range(2):
        done = souk(checkout / "souk", path=path, **nowhere)
        assert done.returncode == 2
        assert "connect to the internet" in done.stderr.splitlines()[-1]
        assert "Traceback" not in done.stderr
        assert not (checkout / ".venv" / "souk.stamp").exists()


def test_a_python_without_its_venv_module_says_which_package_to_install(
    checkout: Path, tmp_path: Path
) -> None:
    import ensurepip

    lacking = with_tmpfs_on(Path(ensurepip.__file__).parent)
    done = souk(checkout / "souk", path=only_python(tmp_path / "bin"), before=lacking, SOUK_ANY_MACHINE="1")
    assert done.returncode == 2
    assert "apt install python3.11-venv" in done.stderr.splitlines()[-1]


def test_an_installation_of_another_user_says_what_to_do(checkout: Path, tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (checkout / ".venv").mkdir()
    (checkout / ".venv").chmod(0o555)
    done = souk(checkout / "souk", path=only_python(tmp_path / "bin"), SOUK_ANY_MACHINE="1")
    assert done.returncode == 2
    assert "set SOUK_INSTALL" in done.stderr.splitlines()[-1]


def test_it_runs_from_anywhere_through_links_with_every_argument_as_given(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "first").symlink_to("second")
    (tmp_path / "links" / "second").symlink_to(installed / "souk")
    (tmp_path / "cli").mkdir()
    (tmp_path / "cli" / "__main__.py").write_text("raise SystemExit('the wrong cli')")
    (tmp_path / "cli" / "__init__.py").touch()
    done = souk(tmp_path / "links" / "first", "sql", "SELECT 'a  b', *", path=tmp_path / "none", cwd=tmp_path)
    assert (done.stderr, done.returncode) == ("", 0)
    assert done.stdout == f"{['sql', 'SELECT %a  b%, *'.replace('%', chr(39))]} {tmp_path}\n"


@pytest.mark.parametrize("changed", ["requirements.lock", "jars.lock", "jobs/connectors/build.py"])
def test_a_changed_input_updates_the_installation(installed: Path, tmp_path: Path, changed: str) -> None:
    with (installed / changed).open("a") as file:
        file.write("# changed\n")
    done = souk(installed / "souk", path=tmp_path / "empty")
    assert done.returncode == 2
    assert "Python 3.11 is not on PATH" in done.stderr
