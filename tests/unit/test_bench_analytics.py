"""The questions of the analytics benchmark fit the catalogue of metrics and both stores."""

import re
from datetime import UTC, datetime

import pytest

from bench.analytics.answers import _arguments
from bench.analytics.questions import QUESTIONS, AnalyticsQuestion
from clickhouse.metric_catalogue.definition import read_catalogue


def test_there_are_ten_questions() -> None:
    assert len({question.name for question in QUESTIONS}) == 10


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_the_api_can_answer_a_question_from_the_measured_table(question: AnalyticsQuestion) -> None:
    request = question.request("2025-01-01", "2025-04-01", "product-0")
    metrics = [read_catalogue()[name] for name in request.metrics]

    assert {metric.source.name for metric in metrics} == {"sales_lines"}
    assert all(request.by is None or request.by in metric.dimensions for metric in metrics)
    measures = {metric.source.measures[name].column for metric in metrics for name in metric.measures}
    assert measures == set(question.sums)


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_a_plain_query_has_a_value_for_each_placeholder(question: AnalyticsQuestion) -> None:
    at = datetime(2025, 1, 1, tzinfo=UTC)
    given = {"seller_id": "s", "currency": "BRL", "period_start": at, "period_end": at, "timezone": "UTC"}
    given |= {"product_id": "p"} if question.of_product else {}
    arguments = _arguments(question, given)  # type: ignore[arg-type]
    placeholders = set(re.findall(r"\$\d", question.sql("postgres", "sales_lines")))

    assert placeholders == {f"${number}" for number in range(1, len(arguments) + 1)}
    assert set(re.findall(r"\{(\w+):", question.sql("clickhouse", "t"))) <= set(given)
