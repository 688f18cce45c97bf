"""The jobs and the audit compute the same scores: their landmarks, half-lives and bounds are equal."""

import re
from pathlib import Path

from audit.comparisons.facts_vs_recommendations import MAX_BOUGHT, RETAINED_DAYS
from audit.comparisons.facts_vs_redis import HALF_LIFE_DAYS
from common.settings import ROOT
from jobs.recommendations.logic import MAX_RECENT, MAX_SIMILAR, OUTPUTS
from serving.kit.rankings import HALF_LIFE_DAYS as ANSWERED
from serving.kit.rankings import KEYS
from serving.recommendations.scoring import COVISIT_EPOCH_S, COVISIT_HALF_LIFE_S

JOB = Path(ROOT, "jobs/recommendations")
AUDIT = Path(ROOT, "audit/queries/facts_vs_recommendations")


def code(path: Path) -> str:
    """Return a query without its comments."""
    return re.sub(r"--.*", "", path.read_text(encoding="utf-8"))


def found(pattern: str, *paths: Path) -> set[str]:
    """Return the matches of a pattern's group; every query must have some."""
    matches = [set(re.findall(pattern, code(path))) for path in paths]
    assert all(matches), f"{pattern} is not in each of {paths}"
    return set().union(*matches)


LANDMARK = r"\b(1[0-9]{9})\b"


def test_similar_products_have_one_landmark() -> None:
    assert found(LANDMARK, JOB / "views/visit_pairs.sql", AUDIT / "similar.sql") == {"1451606400"}


def test_rankings_have_the_half_lives_of_the_audit() -> None:
    popularity = Path(ROOT, "jobs/rankings/views/popularity.sql")
    said = dict(re.findall(r", (\d+)\) AS (\w+)", code(popularity)))
    assert {f"{name}_products": int(days) for days, name in said.items()} == HALF_LIFE_DAYS
    assert {KEYS[name]: days for name, days in ANSWERED.items()} == HALF_LIFE_DAYS


def test_similar_products_have_one_half_life() -> None:
    job = found(r"\((\d+) \* 86400e0\)", JOB / "views/visit_pairs.sql")
    assert job == found(r"\(86400\. \* (\d+)\)", AUDIT / "similar.sql") == {"14"}


def test_a_visit_counts_the_same_number_of_products() -> None:
    job = found(r"kept => (\d+)", JOB / "views/visit_pairs.sql")
    assert job == found(r"1, (\d+)\) AS items", AUDIT / "similar.sql")


def test_a_visit_has_the_same_length() -> None:
    job = found(r"touched_s / (\d+)", JOB / "views/touches.sql")
    assert job == found(r"touched_s, (\d+)\)", AUDIT / "similar.sql") == {"86400"}


def test_lists_have_the_same_length() -> None:
    size = {output.table: output.size for output in OUTPUTS}
    assert found(r"LIMIT (\d+) BY", AUDIT / "similar.sql") == {str(MAX_SIMILAR)}
    assert found(r"LIMIT (\d+) BY", AUDIT / "recent.sql") == {str(MAX_RECENT)}
    assert found(r"LIMIT (\d+) BY", AUDIT / "bought.sql") == {str(size["bought"])} == {str(MAX_BOUGHT)}


def test_the_jobs_retain_what_the_audit_expects() -> None:
    days = {output.ttl for output in OUTPUTS if output.ttl and output.ttl.endswith(" d")}
    days |= found(r"STATE_TTL\('\w+' = '(\d+ d)'\)", JOB / "views/pairs.sql", JOB / "bought.sql")
    assert min(int(said.removesuffix(" d")) for said in days) == RETAINED_DAYS + 1


def test_recommendations_measure_the_support_of_a_pair_in_the_units_of_the_job() -> None:
    [(landmark, days)] = re.findall(
        r"\(first_s - (\d+)\) / \((\d+) \* 86400e0\)", code(JOB / "views/visit_pairs.sql")
    )
    assert (int(landmark), int(days) * 86_400) == (COVISIT_EPOCH_S, COVISIT_HALF_LIFE_S)
