"""Every metric of the catalogue has a reference of its own, with which the audit compares it."""

import pytest

from audit.reference.domains import FAMILIES, fields
from clickhouse.metric_catalogue.definition import Metric, read_every_metric
from common.settings import ROOT
from schemas.events import all_events

METRICS = read_every_metric()


@pytest.mark.parametrize("metric", METRICS.values(), ids=lambda metric: metric.name)
def test_a_metric_has_a_formula_in_the_family_of_its_domain(metric: Metric) -> None:
    family = FAMILIES.get(metric.domain)

    assert family, f"no family of audit/reference/domains.py has the domain {metric.domain}"
    assert metric.name in family.formulas, (
        f"the metric {metric.name} has no reference: add its formula to audit/reference/{metric.domain}.py"
    )


def test_a_formula_is_about_a_metric_of_the_catalogue() -> None:
    assert {name for family in FAMILIES.values() for name in family.formulas} <= METRICS.keys()


def test_the_reference_reads_fields_of_events_and_nothing_of_the_catalogue() -> None:
    for kind, names in fields().items():
        assert set(names) <= {field["name"] for field in all_events()[kind].fields}, kind
    for path in (ROOT / "audit/reference").glob("*.py"):
        imported = [line for line in path.read_text().splitlines() if line.startswith(("from ", "import "))]
        assert not [line for line in imported if "clickhouse" in line or "serving" in line], path.name
