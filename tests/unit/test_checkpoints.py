import os
from pathlib import Path

from jobs.checkpoints import newest_checkpoint, prune_checkpoints, set_aside


def completed(attempt: Path, number: int, written_at: float) -> Path:
    checkpoint = attempt / f"chk-{number}"
    checkpoint.mkdir(parents=True)
    (checkpoint / "_metadata").write_bytes(b"state")
    os.utime(checkpoint / "_metadata", (written_at, written_at))
    return checkpoint


def test_the_newest_checkpoint_may_be_of_any_attempt(tmp_path: Path) -> None:
    completed(tmp_path / "first", 9, written_at=1000)
    last = completed(tmp_path / "second", 2, written_at=2000)

    assert newest_checkpoint(tmp_path) == last


def test_an_incomplete_checkpoint_does_not_count(tmp_path: Path) -> None:
    good = completed(tmp_path / "a", 1, written_at=1000)
    (tmp_path / "a" / "chk-2").mkdir()
    torn = completed(tmp_path / "a", 3, written_at=3000)
    (torn / "_metadata").write_bytes(b"")

    assert newest_checkpoint(tmp_path) == good


def test_a_missing_folder_has_no_newest_checkpoint(tmp_path: Path) -> None:
    assert newest_checkpoint(tmp_path / "absent") is None


def test_after_a_checkpoint_is_set_aside_the_one_before_is_the_newest(tmp_path: Path) -> None:
    before = completed(tmp_path / "a", 1, written_at=1000)
    set_aside(completed(tmp_path / "a", 2, written_at=2000))

    assert newest_checkpoint(tmp_path) == before


def test_nothing_is_pruned_before_the_running_attempt_has_a_checkpoint(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    old = completed(plan / "old", 5, written_at=1000)
    (plan / "running").mkdir()

    assert prune_checkpoints(tmp_path, plan, "running") == []
    assert old.exists()


def test_older_attempts_and_other_plans_are_pruned_once_it_has_one(tmp_path: Path) -> None:
    plan = tmp_path / "plan"
    completed(plan / "old", 5, written_at=1000)
    completed(tmp_path / "other-plan" / "x", 5, written_at=1500)
    kept = completed(plan / "running", 1, written_at=2000)

    prune_checkpoints(tmp_path, plan, "running")

    assert [path.name for path in tmp_path.iterdir()] == ["plan"]
    assert [path.name for path in plan.iterdir()] == ["running"]
    assert kept.exists()


def test_a_checkpoint_that_a_running_job_deletes_meanwhile_does_not_count(tmp_path: Path) -> None:
    good = completed(tmp_path / "a", 1, written_at=1000)
    (tmp_path / "a" / "chk-2").mkdir()
    (tmp_path / "a" / "chk-2" / "_metadata").symlink_to("deleted")  # it is listed, but can't be read

    assert newest_checkpoint(tmp_path) == good
