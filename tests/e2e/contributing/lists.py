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


def translated(file: str, texts: dict[str, str]) -> Put:
    """Return the lines that translate the texts of a file."""
    said = (f'\n#: {file}\nmsgid "{text}"\nmsgstr "{translation}"\n' for text, translation in texts.items())
    path = "serving/web/translations/pt_BR/LC_MESSAGES/messages.po"
    return Put(path, 'msgstr "Um produto aparece duas vezes"\n', "".join(said))


SCHEMA = Command(("-m", "clickhouse.schema"))
DIAGRAMS = Command(("-m", "cli", "diagrams"))

SERVING = "serving/recommendations/service.py"
REASONS = "serving/recommendations/reasons.py"
RECOMMENDED = "audit/comparisons/facts_vs_recommendations.py"
SERVICE_DB_TEST = "tests/integration/commerce/test_audit_of_service_db.py"
REVIEW = "producers/services/reviews/model.py"
REVIEW_PARTS = "serving/web/templates/shop/_reviews.html"
TRANSLATIONS_TEST = "tests/contracts/test_translations.py"
ROUTES_TEST = "tests/integration/serving/test_access_matrix.py::test_the_table_has_every_route"
SETTINGS = "common/configuration/definitions.py"
SHOP_PAGES = "serving/web/storefront/pages.py"
ROWS = "serving/web/storefront/recommendation_rows.py"

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
        5: (translated("producers/services/loyalty/endpoints.py", {"No points": "Sem pontos"}),),
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
                "            PopularInCategory(rankings, contents),\n",
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

FIELD = Example(
    "Add a field to a resource",
    {
        2: (
            Put(
                REVIEW,
                'AfterValidator(clean_text), Field(max_length=MAX_COMMENT_CHARS)] = ""\n',
                "    would_recommend: bool | None = None\n",
            ),
            Put(REVIEW, "    comment: str | None\n", "    would_recommend: bool | None = None\n"),
        ),
        3: (
            Put(
                REVIEW_PARTS,
                '<p class="review-text">{{ review.comment }}</p>{% endif %}\n',
                '{% if review.would_recommend is not none %}<p class="quiet">{{ _("Would recommend it") '
                'if review.would_recommend else _("Would not recommend it") }}</p>{% endif %}\n',
            ),
            Put(
                REVIEW_PARTS,
                'review.get("comment") or "" }}</textarea>\n',
                '{% set known = review.get("would_recommend") | string | lower %}\n'
                '{% set chosen = typed.text("would_recommend") if is_typed else known %}\n'
                '<label for="{{ id }}-recommend">{{ _("Would you recommend it?") }}</label>\n'
                '<select id="{{ id }}-recommend" name="would_recommend">'
                '{% for value, text in [("", ""), ("true", _("Yes")), ("false", _("No"))] %}'
                '<option value="{{ value }}"{% if chosen == value %} selected{% endif %}>{{ text }}</option>'
                "{% endfor %}</select>\n",
            ),
        ),
        4: (
            translated(
                REVIEW_PARTS,
                {
                    "Would recommend it": "Recomenda",
                    "Would not recommend it": "Não recomenda",
                    "Would you recommend it?": "Você recomendaria?",
                    "Yes": "Sim",
                    "No": "Não",
                },
            ),
        ),
    },
    (TRANSLATIONS_TEST, "tests/contracts/test_services.py", "tests/unit/test_reviews_model.py"),
    forgotten=4,
    noticed_by=(TRANSLATIONS_TEST,),
)

PAGE = Example(
    "Add a page, or a drawing",
    {
        3: (
            Put(SHOP_PAGES, "from serving.web.storefront import cart, ", "delivery, "),
            Put(SHOP_PAGES, "search_router, reviews.router", ", delivery.router"),
        ),
        4: (
            Put(
                "tests/integration/serving/access_table.py",
                "GET /shop/recommended                            everybody\n",
                "GET /shop/delivery                               everybody\n",
            ),
        ),
        5: (
            translated(
                "serving/web/templates/shop/delivery.html",
                {
                    "How parcels arrive · Souk": "Como os pacotes chegam · Souk",
                    "How parcels arrive": "Como os pacotes chegam",
                    "Each seller sends a parcel of their own.": "Cada vendedor envia o seu pacote.",
                },
            ),
        ),
    },
    (TRANSLATIONS_TEST, "tests/contracts/test_serving_loop.py", ROUTES_TEST),
    forgotten=3,
    noticed_by=(ROUTES_TEST,),
)

SETTING = Example(
    "Add a setting that changes while the platform runs",
    {
        1: (
            Put(
                SETTINGS,
                '    "% of visitors",\n)\n',
                "TITLED_ROWS_ENABLED = RolloutSetting(\n"
                '    "titled_rows_enabled",\n'
                "    100.0,\n"
                '    "Percentage of visitors with titled rows.",\n'
                '    "% of visitors",\n'
                ")\n",
            ),
            Put(SETTINGS, "    RECOMMENDATIONS_ENABLED,\n", "    TITLED_ROWS_ENABLED,\n"),
        ),
        2: (
            Put(ROWS, "definitions import RECOMMENDATIONS_ENABLED", ", TITLED_ROWS_ENABLED"),
            Put(
                ROWS,
                "    if not values.is_on(RECOMMENDATIONS_ENABLED, visitor):\n        return []\n",
                "    if not values.is_on(TITLED_ROWS_ENABLED, visitor):\n        return []\n",
            ),
        ),
        3: (
            translated(
                "common/configuration/titled_rows_enabled",
                {"Percentage of visitors with titled rows.": "Porcentagem de visitantes com fileiras."},
            ),
        ),
        4: (DIAGRAMS,),
    },
    (TRANSLATIONS_TEST, "tests/contracts/test_diagrams.py"),
    forgotten=4,
    noticed_by=("tests/contracts/test_diagrams.py",),
)

LISTS = {
    "event": EVENT,
    "metric": METRIC,
    "service": SERVICE,
    "field": FIELD,
    "page": PAGE,
    "setting": SETTING,
    "recommender": RECOMMENDER,
    "panel": PANEL,
}
"""List → its example; the files of the example are in the folder of that name."""
