"""The lines that each list's steps add to existing files, and the checks that must then pass."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Put:
    """Text that a step inserts after `behind`, which occurs once in the file."""

    path: str
    behind: str
    text: str


@dataclass(frozen=True)
class Command:
    """A command that a step runs with the installation's Python; its output is written to the file `into`."""

    words: tuple[str, ...]
    into: str = ""


@dataclass(frozen=True)
class Example:
    """One list of CONTRIBUTING.md: its heading, and the changes of each step."""

    heading: str
    steps: dict[int, tuple[Put | Command, ...]]
    checks: tuple[str, ...]
    """Tests that pytest runs in the copy, including `noticed_by`."""
    forgotten: int
    """The number of a step. Without its lines, `noticed_by` fails."""
    noticed_by: tuple[str, ...]


SCHEMA = Command(("-m", "clickhouse.schema"))
DIAGRAMS = Command(("-m", "cli", "diagrams"))

SERVING = "serving/recommendations/service.py"
REASONS = "serving/recommendations/reasons.py"
RECOMMENDED = "audit/comparisons/facts_vs_recommendations.py"
SERVICE_DB_TEST = "tests/integration/commerce/test_audit_of_service_db.py"

EVENT = Example(
    "Add an event",
    {
        3: (
            Put(
                "schemas/topics.py",
                '    Topic("order_returned", "order_id", 4, FOREVER),\n',
                '    Topic("parcel_lost", "order_id", 4, FOREVER),\n',
            ),
        ),
        4: (
            Command(("-m", "clickhouse.facts", "parcel_lost"), "clickhouse/migrations/NEXT_parcel_lost.sql"),
            SCHEMA,
            DIAGRAMS,
        ),
    },
    (
        "tests/contracts",
        "tests/unit/test_topics.py",
        "tests/unit/test_job_plans.py",
        "tests/unit/test_codec.py",
    ),
    forgotten=4,
    noticed_by=("tests/contracts/test_tables.py",),
)

METRIC = Example(
    "Add a metric",
    {
        2: (DIAGRAMS,),
        3: (
            Put(
                "tests/integration/test_metrics.py",
                '"payments_minute": ("minute", "method", "currency"),',
                '\n    "reviews_minute": ("minute", "score"),',
            ),
        ),
    },
    (
        "tests/contracts",
        "tests/unit/test_topics.py",
        "tests/unit/test_job_plans.py",
        "tests/integration/test_metrics.py::test_a_review_counts_once_in_its_minute",
        "tests/integration/test_audit_of_reviews.py",
    ),
    forgotten=2,
    noticed_by=("tests/contracts/test_diagrams.py",),
)

SERVICE = Example(
    "Add a service",
    {
        5: (
            Put(
                "serving/web/translations/pt_BR/LC_MESSAGES/messages.po",
                'msgstr "Um produto aparece duas vezes"\n',
                '\n#: producers/services/loyalty/endpoints.py\nmsgid "No points"\nmsgstr "Sem pontos"\n',
            ),
        ),
        6: (
            Put(
                "schemas/services.toml",
                'tags.stock = "Units in stock at each seller."\n',
                '\n[services.loyalty]\nreads = ["payment_captured"]\n',
            ),
            DIAGRAMS,
        ),
        8: (Put(SERVICE_DB_TEST, '"outboxes", "inbox_vs_facts",', '\n    "service_db_vs_points",'),),
    },
    (
        "tests/contracts",
        "tests/unit/test_loyalty_model.py",
        "tests/integration/commerce/test_loyalty.py",
        SERVICE_DB_TEST + "::test_services_and_facts_agree_about_orders_of_every_outcome",
        SERVICE_DB_TEST + "::test_every_comparison_of_the_services_is_tested_here",
    ),
    forgotten=6,
    noticed_by=("tests/contracts/test_services.py",),
)

RECOMMENDER = Example(
    "Add a recommender",
    {
        2: (
            Put(
                SERVING,
                "from serving.recommendations.listings import PersonalListings\n",
                "from serving.recommendations.newest import NewestInCategory\n",
            ),
            Put(
                SERVING,
                "            PopularInCategory(self._redis),\n",
                "            NewestInCategory(self._redis),\n",
            ),
            Put(
                "serving/recommendations/strategies.py",
                'FALLBACKS = ("popular_in_category", ',
                '"newest_in_category", ',
            ),
            Put(
                REASONS,
                """"category": cause.of, "text": text}""",
                """
    if cause.kind == "newest":
        text = f"New in {cause.of.replace('_', ' ')}"
        return {"kind": "newest", "product_id": None, "category": cause.of, "text": text}""",
            ),
            Put(
                "serving/recommendations/proposal.py",
                'Kind = Literal["similar", "content", "category"',
                ', "newest"',
            ),
        ),
        3: (
            Put(
                "jobs/recommendations/logic.py",
                '    _best("popular_in_category", "popular:", ("category", "product_id"), MAX_POPULAR),\n',
                '    RedisOutput("newest_in_category", "zset", {"key.prefix": "newest:"}, size=50),\n',
            ),
            Put(
                "docs/architecture.md",
                "that are listed in the category | `interest` of the product |",
                "\n| `newest:{category}` | zset of the last 50 products | when last listed there |",
            ),
            Put(
                RECOMMENDED,
                '    yield latest(stores, "bought:{shopper}", "bought", MAX_BOUGHT, DAYS)\n',
                '    yield latest(stores, "newest:{category}", "newest", 50)\n',
            ),
        ),
    },
    (
        "tests/contracts",
        "tests/unit/test_job_plans.py",
        "tests/unit/test_audit_recommendations.py",
        "tests/integration/test_recommendations.py::test_what_is_new_is_found_in_the_categories_that_someone_looked_at",
    ),
    forgotten=3,
    noticed_by=("tests/unit/test_job_plans.py",),
)

PANEL = Example(
    "Add a dashboard panel",
    {
        2: (
            Put(
                "dashboards/marketplace.py",
                '            queries.sql("marketplace/refunds"),\n'
                '            {"amount": Column("Refunded", money, decimals=2)},\n'
                "            bars=True,\n"
                '            by="reason",\n'
                "        ),\n",
                "        time_series_panel(\n"
                '            "Returned",\n'
                '            "What shoppers sent back, by reason and by the time it came back.",\n'
                '            queries.sql("marketplace/returns"),\n'
                '            {"returns": Column("Returns", "short")},\n'
                "            FULL,\n"
                "            bars=True,\n"
                '            by="reason",\n'
                "        ),\n",
            ),
        ),
        3: (
            Put(
                "tests/integration/serving/panel_answers.py",
                '"Orders that were never confirmed are in no figure of the API.",',
                '\n    "marketplace: Returned": "The API counts units that came back, by no reason.",',
            ),
        ),
    },
    ("tests/contracts/test_dashboards.py", "tests/integration/serving/test_panels.py"),
    forgotten=2,
    noticed_by=("tests/contracts/test_dashboards.py",),
)

LISTS = {"event": EVENT, "metric": METRIC, "service": SERVICE, "recommender": RECOMMENDER, "panel": PANEL}
"""List → its example; the files of the example are in the folder of that name."""
