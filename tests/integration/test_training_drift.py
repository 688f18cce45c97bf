"""Whether what is viewed since the newest training differs from before, on a real ClickHouse."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from clickhouse.client import connect
from common.settings import Settings
from recommenders.training import drift
from recommenders.training.drift import MIN_VIEWS, MIN_VISITORS, Drift, drift_since_training
from recommenders.training.training_log import TrainingEnd, TrainingLog, TrainingStart
from tests.integration.metric_tables import emptied

TRAINED = datetime(2026, 11, 20, 3, tzinfo=UTC)
NOW = TRAINED + timedelta(hours=12)
PRODUCTS, CATEGORIES = 120, 6
VIEW = ("event_id", "occurred_at", "session_id", "shopper_id", "product_id", "source")
LISTING = (
    "event_id", "occurred_at", "product_id", "seller_id", "name", "category", "currency", "price_minor",
)  # fmt: skip
THRESHOLD = Settings.model_fields["training_drift_psi"].default


@pytest.fixture
def settings(migrated_database: Settings) -> Settings:
    """A shop with 120 products in six categories, and a model in use that was trained on seven days."""
    made = emptied(migrated_database)
    list_products(made, range(PRODUCTS), TRAINED - timedelta(days=90))
    published(made, "v1", TRAINED)
    return made


def list_products(settings: Settings, numbers: Sequence[int], at: datetime, price_minor: int = 1_000) -> None:
    rows = [
        (f"l{number}", at, f"p{number}", "s1", f"Product {number}", f"c{number % CATEGORIES}", "EUR",
         price_minor * (1 + number % 7))
        for number in numbers
    ]  # fmt: skip
    with connect(settings, admin=True) as admin:
        admin.insert("product_listed", rows, column_names=LISTING)


def published(settings: Settings, version: str, last_event_at: datetime) -> None:
    start = TrainingStart(version, last_event_at, "scheduled")
    first = last_event_at - timedelta(days=30)
    end = TrainingEnd("published", "", last_event_at, version, "item_item", 1_000, first, last_event_at, 80.0)
    TrainingLog(settings).end(start, end)


def view(
    settings: Settings,
    views: int,
    start: datetime,
    end: datetime,
    products: Sequence[int] = range(PRODUCTS),
    visitors: int = 3_000,
    seed: int = 1,
) -> None:
    """Add views of products, which are popular in the order of `products`, spread over a time."""
    rng = np.random.default_rng(seed)
    chances = 1 / (10 + np.arange(len(products)))
    chosen = rng.choice(products, views, p=chances / chances.sum())
    seconds = rng.uniform(1, (end - start).total_seconds(), views)
    rows = [
        (
            f"v{seed}-{number}",
            start + timedelta(seconds=float(second)),
            f"visit-{seed}-{number}",
            f"visitor-{rng.integers(visitors)}",
            f"p{product}",
            "search",
        )
        for number, (product, second) in enumerate(zip(chosen.tolist(), seconds, strict=True))
    ]
    with connect(settings, admin=True) as admin:
        admin.insert("product_viewed", rows, column_names=VIEW)


def measured(settings: Settings, version: str = "v1") -> Drift | None:
    with connect(settings) as reader:
        return drift_since_training(reader, version, NOW)


def before(settings: Settings, views: int = 12_000) -> None:
    view(settings, views, TRAINED - timedelta(days=7), TRAINED, seed=1)


def test_the_same_tastes_are_no_drift(settings: Settings) -> None:
    before(settings)
    view(settings, 4_000, TRAINED, NOW, seed=2)

    found = measured(settings)

    assert found is not None
    assert found.is_known()
    assert found.exceeded(THRESHOLD) is None
    assert set(found.psi) == {"products", "categories", "price_bands", "new_products"}
    assert max(found.psi.values()) < 0.1, "the docstring says what chance makes at most"


def test_other_products_are_a_drift_of_products(settings: Settings) -> None:
    before(settings)
    reversed_tastes = list(range(PRODUCTS))[::-1]
    view(settings, 4_000, TRAINED, NOW, reversed_tastes, seed=2)

    found = measured(settings)

    assert found is not None
    assert found.exceeded(THRESHOLD) == "products"
    assert found.psi["new_products"] < 0.01
    assert "products" in str(found)
    assert f"{found.views[1]:,} views" in str(found)


def test_one_category_is_a_drift_of_categories(settings: Settings) -> None:
    before(settings)
    view(settings, 4_000, TRAINED, NOW, [each for each in range(PRODUCTS) if each % CATEGORIES == 5], seed=2)

    found = measured(settings)

    assert found is not None
    assert found.exceeded(THRESHOLD) is not None
    assert found.psi["categories"] > 1


def test_new_products_are_a_drift(settings: Settings) -> None:
    before(settings)
    list_products(settings, range(1_000, 1_060), TRAINED + timedelta(minutes=1))
    view(settings, 2_500, TRAINED, NOW, seed=2)
    view(settings, 1_500, TRAINED + timedelta(hours=1), NOW, range(1_000, 1_060), seed=3)

    found = measured(settings)

    assert found is not None
    assert found.psi["new_products"] > THRESHOLD


def test_the_psi_is_that_of_its_definition(settings: Settings) -> None:
    """Two products, three of four views of the one before, and one of four since: PSI = ln 3."""
    for start, end, many, few, seed in (
        (TRAINED - timedelta(days=1), TRAINED, 0, 1, 1),
        (TRAINED, NOW, 1, 0, 3),
    ):
        view(settings, 3_000, start, end, [many], visitors=10**9, seed=seed)
        view(settings, 1_000, start, end, [few], visitors=10**9, seed=seed + 1)

    found = measured(settings)

    assert found is not None
    assert found.views == (4_000, 4_000)
    assert found.psi["products"] == pytest.approx(np.log(3), rel=0.002)


def test_too_few_views_or_visitors_are_no_drift_whatever_they_show(settings: Settings) -> None:
    before(settings)
    one_category = [each for each in range(PRODUCTS) if each % CATEGORIES == 5]
    view(settings, MIN_VIEWS - 100, TRAINED, NOW, one_category, seed=2)
    few_views = measured(settings)
    assert few_views is not None
    assert few_views.psi["categories"] > 1
    assert few_views.exceeded(THRESHOLD) is None

    view(settings, 30_000, TRAINED, NOW, one_category, visitors=MIN_VISITORS - 300, seed=3)
    with connect(settings, admin=True) as admin:
        admin.command("DELETE FROM product_viewed WHERE startsWith(session_id, 'visit-2-')")
    few_visitors = measured(settings)
    assert few_visitors is not None
    assert few_visitors.exceeded(THRESHOLD) is None


def test_a_robot_makes_no_drift(settings: Settings) -> None:
    before(settings)
    view(settings, 4_000, TRAINED, NOW, seed=2)
    view(settings, 20_000, TRAINED, NOW, [119, 118, 117], visitors=1, seed=3)

    found = measured(settings)

    assert found is not None
    assert found.exceeded(THRESHOLD) is None


def test_of_very_many_views_a_share_of_the_visitors_is_read(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before(settings)
    view(settings, 6_000, TRAINED, NOW, list(range(PRODUCTS))[::-1], seed=2)
    whole = measured(settings)
    monkeypatch.setattr(drift, "MAX_VIEWS", 5_000)
    sampled = measured(settings)

    assert whole is not None
    assert sampled is not None
    assert sampled.views[0] < whole.views[0] / 2
    assert sampled.psi["products"] == pytest.approx(whole.psi["products"], rel=0.3)


def test_after_a_roll_back_no_drift_is_measured(settings: Settings) -> None:
    before(settings)
    view(settings, 4_000, TRAINED, NOW, list(range(PRODUCTS))[::-1], seed=2)
    published(settings, "v2", TRAINED + timedelta(hours=1))

    assert measured(settings, "v1") is None
    assert measured(settings, "unknown") is None


def test_without_a_view_there_is_no_drift(settings: Settings) -> None:
    assert measured(settings) is None
