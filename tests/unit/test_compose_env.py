"""`./souk compose` writes `.env` with passwords that stay."""

from pathlib import Path

from local.compose_env import PASSWORDS, complete


def read(path: Path) -> dict[str, str]:
    return dict(line.split("=", 1) for line in path.read_text().splitlines() if "=" in line)


def test_it_writes_a_password_for_each_server_that_only_its_owner_can_read(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    assert set(complete(path)) == {"COMPOSE_PROFILES", *PASSWORDS}
    values = read(path)
    assert len({values[name] for name in PASSWORDS}) == len(PASSWORDS)
    assert min(len(values[name]) for name in PASSWORDS) >= 32
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_second_run_and_an_edited_file_keep_their_values(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# mine\nCOMPOSE_PROFILES=core,demo\nSOUK_REDIS_PASSWORD=chosen\n")
    path.chmod(0o644)
    complete(path)
    before = path.read_text()
    assert before.startswith("# mine\nCOMPOSE_PROFILES=core,demo\nSOUK_REDIS_PASSWORD=chosen\n")
    assert complete(path) == []
    assert path.read_text() == before
    assert path.stat().st_mode & 0o777 == 0o600
