import copy
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas import history
from schemas.compatibility import find_incompatibilities
from schemas.events import all_events
from schemas.gate import find_violations

ORDER_PLACED = all_events()["order_placed"].schema
PAYMENT = all_events()["payment_captured"].schema


def changed(schema: dict[str, Any], field: str, **change: Any) -> dict[str, Any]:
    """The schema with one field (a path such as `lines.quantity`) changed; `drop=True` takes it out."""
    schema = copy.deepcopy(schema)
    *outer, name = field.split(".")
    fields = schema["fields"]
    for part in outer:
        fields = next(f for f in fields if f["name"] == part)["type"]["items"]["fields"]
    found = next(f for f in fields if f["name"] == name)
    if change.pop("drop", False):
        fields.remove(found)
    found.update(change)
    return schema


def with_field(schema: dict[str, Any], **field: Any) -> dict[str, Any]:
    return schema | {"fields": [*schema["fields"], field]}


@pytest.mark.parametrize("event", all_events().values(), ids=all_events())
def test_a_schema_is_compatible_with_itself(event: Any) -> None:
    assert find_incompatibilities(event.schema, event.schema) == []


@pytest.mark.parametrize(
    ("new", "field", "why"),
    [
        (with_field(ORDER_PLACED, name="gift", type="boolean"), "gift", "added without a default"),
        (changed(ORDER_PLACED, "currency", drop=True), "currency", "removed, and had no default"),
        (changed(ORDER_PLACED, "lines.quantity", type="long"), "lines.quantity", "type changed"),
        (changed(ORDER_PLACED, "lines.quantity", type="string"), "lines.quantity", "type changed"),
        (changed(ORDER_PLACED, "lines.tax_minor", drop=True), "lines.tax_minor", "removed"),
        (changed(ORDER_PLACED, "shopper_id", type=["null", "string"]), "shopper_id", "type changed"),
        (changed(ORDER_PLACED, "occurred_at", type="long"), "occurred_at", "logicalType changed"),
        (
            changed(ORDER_PLACED, "estimated_delivery_at", type=["null", "long"]),
            "estimated_delivery_at",
            "logicalType changed",
        ),
        (changed(ORDER_PLACED, "order_id", name="order_number"), "order_number", "added without a default"),
    ],
)
def test_a_breaking_change_is_named_with_its_field_and_the_reason(
    new: dict[str, Any], field: str, why: str
) -> None:
    found = {one.field: one for one in find_incompatibilities(ORDER_PLACED, new)}

    assert why in found[field].why
    assert found[field].advice


@pytest.mark.parametrize(
    "new",
    [
        with_field(ORDER_PLACED, name="gift", type="boolean", default=False),
        changed(ORDER_PLACED, "estimated_delivery_at", drop=True),
        changed(ORDER_PLACED, "order_id", doc="Another text."),
    ],
)
def test_a_change_that_every_reader_understands_passes(new: dict[str, Any]) -> None:
    assert find_incompatibilities(ORDER_PLACED, new) == []


def test_an_enum_with_a_default_may_grow_and_one_without_may_not() -> None:
    method = next(field["type"] for field in PAYMENT["fields"] if field["name"] == "method")
    grown = method | {"symbols": [*method["symbols"], "crypto"]}
    closed = {name: part for name, part in method.items() if name != "default"}

    assert find_incompatibilities(PAYMENT, changed(PAYMENT, "method", type=grown)) == []
    assert find_incompatibilities(
        changed(PAYMENT, "method", type=closed),
        changed(PAYMENT, "method", type=closed | {"symbols": grown["symbols"]}),
    )


@given(st.lists(st.sampled_from(["gift", "channel", "note"]), unique=True))
def test_optional_fields_may_come_and_go_in_any_order(names: list[str]) -> None:
    new = ORDER_PLACED
    for name in names:
        new = with_field(new, name=name, type=["null", "string"], default=None)

    assert find_incompatibilities(ORDER_PLACED, new) == find_incompatibilities(new, ORDER_PLACED) == []


def test_a_field_must_fit_every_earlier_version_not_only_the_last() -> None:
    older = with_field(ORDER_PLACED, name="gift", type="string", default="")
    new = with_field(ORDER_PLACED, name="gift", type="boolean", default=False)

    assert find_violations({"order_placed": new}, {"order_placed": [ORDER_PLACED]}) == []
    (finding,) = find_violations({"order_placed": new}, {"order_placed": [ORDER_PLACED, older]})
    assert str(finding).startswith("order_placed.gift: its type changed")


def test_an_event_that_is_gone_is_a_finding() -> None:
    (finding,) = find_violations({}, {"order_placed": [ORDER_PLACED]})

    assert "schemas/events/order_placed.avsc" in finding.advice


class Repository:
    """A git repository with an event's schema, on branch main."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")
        self.git("config", "user.email", "test@example.org")
        self.git("config", "user.name", "Test")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=self.root, check=True, capture_output=True)

    def commit(self, schema: dict[str, Any] | None, message: str = "Change") -> None:
        path = self.root / "schemas" / "events" / "order_placed.avsc"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink() if schema is None else path.write_text(json.dumps(schema))
        self.git("add", "-A")
        self.git("commit", "-q", "-m", message)


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "a checkout")


def test_all_versions_that_main_ever_held_are_read_from_git(repository: Repository) -> None:
    second = with_field(ORDER_PLACED, name="gift", type="string", default="")
    repository.commit(ORDER_PLACED)
    repository.commit(second)
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit(changed(ORDER_PLACED, "currency", drop=True))

    found = history.read(repository.root)

    assert found.versions == {"order_placed": [second, ORDER_PLACED]}
    assert found.base == "main"


def test_a_break_declared_in_a_commit_starts_the_history_anew(repository: Repository) -> None:
    second = changed(ORDER_PLACED, "currency", drop=True)
    repository.commit(ORDER_PLACED)
    repository.commit(second, "Drop the currency\n\nSchema-Break: order_placed")

    assert history.read(repository.root).versions == {"order_placed": [second]}


def test_a_break_declared_on_a_branch_counts_before_it_is_merged(repository: Repository) -> None:
    repository.commit(ORDER_PLACED)
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit(
        changed(ORDER_PLACED, "currency", drop=True), "Drop it\n\nSchema-Break: order_placed (unused)"
    )

    assert history.read(repository.root).versions == {}


def test_a_schema_that_main_dropped_is_still_remembered(repository: Repository) -> None:
    repository.commit(ORDER_PLACED)
    repository.commit(None)

    assert history.read(repository.root).versions == {"order_placed": [ORDER_PLACED]}


def test_without_git_or_main_or_history_nothing_is_compared_and_the_note_says_why(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    fresh = Repository(tmp_path / "fresh")

    assert history.read(plain) == history.SchemaHistory(note="this is not a git checkout")
    assert history.read(fresh.root) == history.SchemaHistory(note="there is no main branch yet")


def test_a_shallow_clone_says_that_it_saw_less(repository: Repository, tmp_path: Path) -> None:
    repository.commit(ORDER_PLACED)
    repository.commit(with_field(ORDER_PLACED, name="gift", type="string", default=""))
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "-q", "--depth", "1", repository.root.as_uri(), str(clone)], check=True)

    found = history.read(clone)

    assert len(found.versions["order_placed"]) == 1
    assert "shallow" in found.note
