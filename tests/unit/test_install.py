"""The installer: supported machines, disk space, explanations of failures, and locked jars."""

import venv
from pathlib import Path

import pytest

from local.install.environment import INSTALLER, PACKAGES, ROOT, TEST_PACKAGES, is_usable, read_pip_config
from local.install.jars import Group, Jar, groups, is_complete
from local.install.lock import first_versions, render
from local.install.step import CannotInstall, check_machine, check_space, failure_reason

LOG = Path("install.log")


def test_linux_on_x86_64_with_glibc_is_supported() -> None:
    check_machine("Linux", "x86_64", "glibc")


@pytest.mark.parametrize(
    ("system", "machine", "libc"),
    [
        ("Linux", "aarch64", "glibc"),
        ("Linux", "x86_64", ""),
        ("Darwin", "arm64", ""),
        ("Linux", "i686", "glibc"),
    ],
)
def test_another_machine_is_refused_by_name(
    system: str, machine: str, libc: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SOUK_ANY_MACHINE", raising=False)
    with pytest.raises(CannotInstall, match=f"this machine is {system} {machine}.*SOUK_ANY_MACHINE=1"):
        check_machine(system, machine, libc)


def test_another_machine_may_be_tried_on_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOUK_ANY_MACHINE", "1")
    check_machine("Darwin", "arm64", "")


def test_a_disk_with_too_little_space_is_refused_before_anything_is_written() -> None:
    with pytest.raises(CannotInstall, match=r"needs 3 GB and /srv has 1\.0 GB free"):
        check_space(Path("/srv"), 1024**3)


@pytest.mark.parametrize(
    ("output", "advice"),
    [
        ("The virtual environment was not created because ensurepip is not available", "python3.11-venv"),
        ("error: failed to write to file: No space left on device (os error 28)", "disk is full"),
        ("  Caused by: dns error: failed to lookup address information", "connect to the internet"),
        ("NewConnectionError: Failed to establish a new connection: [Errno 101]", "connect to the internet"),
        ("error: Hash mismatch for `orjson==3.13.0`", "does not have the hash in the lock"),
        ("note: this\nerror: something else broke\n", r"something else broke.*install\.log"),
        ("", r"no reason given.*install\.log"),
    ],
)
def test_a_failed_step_is_explained_in_one_line(output: str, advice: str) -> None:
    line = failure_reason("Python packages", output, LOG)
    assert "\n" not in line
    with pytest.raises(CannotInstall, match=advice):
        raise CannotInstall(line)


def test_the_index_that_pip_uses_is_the_one_that_uv_uses() -> None:
    listing = (
        ":env:.timeout='60'\nglobal.cert='/etc/ca.pem'\nglobal.index-url='https://mirror.example/simple'\n"
    )
    assert read_pip_config(listing) == {
        "UV_DEFAULT_INDEX": "https://mirror.example/simple",
        "SSL_CERT_FILE": "/etc/ca.pem",
    }


def test_no_lock_names_a_host() -> None:
    locks = [
        PACKAGES,
        TEST_PACKAGES,
        INSTALLER,
        ROOT / "jars.lock",
    ]
    assert [lock.name for lock in locks if "://" in lock.read_text()] == []


def test_every_locked_package_has_a_hash() -> None:
    for lock in (PACKAGES, TEST_PACKAGES, INSTALLER):
        requirements = lock.read_text().replace("\\\n", " ").splitlines()
        assert [line for line in requirements if "--hash=sha256:" not in line] == []


def test_the_test_lock_only_adds_packages_to_the_other() -> None:
    def pins(lock: Path) -> set[str]:
        return {line.split(" ")[0] for line in lock.read_text().splitlines() if "==" in line.split(" ")[0]}

    assert pins(PACKAGES) <= pins(TEST_PACKAGES)


def test_every_wanted_jar_is_locked_and_every_file_to_serve_comes_from_one() -> None:
    locked = groups()
    assert set(locked) == {
        "kafka",
        "registry",
        "flink",
        "compiler",
        "web",
        "jdbc",
        "zipkin",
        "postgres_contrib",
    }
    assert all(len(sha256) == 64 for group in locked.values() for sha256 in group.jars.values())
    sources = {source.split("/")[0] for source in locked["web"].serve.values()}
    assert sources == {jar.artifact for jar in locked["web"].jars}


@pytest.mark.parametrize("coordinate", ["a:b:1", "a:b:1:tar.gz:all", "a:b:1:jar:all", "a:b:1:pom"])
def test_a_coordinate_is_written_as_it_was_read(coordinate: str) -> None:
    assert str(Jar.parse(coordinate)) == coordinate


@pytest.mark.parametrize("coordinate", ["a:b", "a::1", "a:b:1:jar:all:more", ""])
def test_an_incomplete_coordinate_is_refused(coordinate: str) -> None:
    with pytest.raises(ValueError, match="group:artifact:version"):
        Jar.parse(coordinate)


def test_a_jar_has_the_file_name_of_maven_repositories() -> None:
    assert Jar.parse("g:app:3.3:tar.gz:all").filename == "app-3.3-all.tar.gz"


def test_the_first_named_of_two_versions_of_a_jar_is_used() -> None:
    first, second, other = Jar.parse("g:a:2"), Jar.parse("g:a:3"), Jar.parse("g:b:1")
    assert first_versions([other, first, second]) == [first, other]


def test_the_lock_of_jars_is_sorted_toml() -> None:
    assert render({"web": {Jar.parse("g:a:1"): "ff"}}).endswith('\n[web]\n"g:a:1" = "ff"\n')


def test_a_group_is_complete_only_for_the_lock_that_it_was_downloaded_with(tmp_path: Path) -> None:
    before = Group("web", {Jar.parse("g:a:1"): "00"}, {}, test_only=False)
    after = Group("web", {Jar.parse("g:a:2"): "11"}, {}, test_only=False)
    folder = tmp_path / "share" / "souk" / "web"
    folder.mkdir(parents=True)
    assert not is_complete(tmp_path, before)
    (folder / "digest").write_text(before.digest)
    assert is_complete(tmp_path, before)
    assert not is_complete(tmp_path, after)


def test_an_environment_without_its_configuration_is_not_usable(
    tmp_path: Path,
) -> None:
    venv.create(tmp_path)
    pip = tmp_path / "lib" / "python3.11" / "site-packages" / "pip"
    pip.mkdir()
    (pip / "__init__.py").touch()
    (tmp_path / "bin" / "pip").write_text(f"#!{tmp_path}/bin/python\n")
    assert is_usable(tmp_path)

    (tmp_path / "pyvenv.cfg").unlink()
    assert not is_usable(tmp_path)
