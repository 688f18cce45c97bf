"""Definitions of nine metrics change during a demo, and a reader never sees a wrong figure."""

import signal
import threading
import time
from dataclasses import dataclass, replace

import pytest

from clickhouse.client import connect
from clickhouse.metrics.definition import MetricDefinition, read_definitions, rollups_over
from clickhouse.metrics.versions import MetricVersions
from clickhouse.migrate import exclusive_client
from local.demo.figures import read_status

pytestmark = [pytest.mark.nightly, pytest.mark.timeout(1_800)]

SETTLES_S = 2.0
"""ClickHouse shows a fact before the rows that its insert derives, on a busy machine by a second."""

SETTLED_ROUNDS = 12
"""After so many rounds of reading, a switch is long past."""


@dataclass(frozen=True)
class Change:
    """A metric whose SELECT over `fact` changes: `old` becomes `new`.

    `figure` is read from the metric. `by_both` computes it from the facts: a tuple of what the old definition
    gives and what the new one gives.
    """

    metric: str
    fact: str
    old: str
    new: str
    figure: str
    by_both: str

    def apply(self, definition: MetricDefinition) -> MetricDefinition:
        """Return the changed definition."""
        select = definition.sources[self.fact]
        changed = select.replace(self.old, self.new, 1)
        assert changed != select
        return replace(definition, sources={**definition.sources, self.fact: changed})


def doubled(metric: str, fact: str, column: str, value: str, facts: str) -> Change:
    """A column that the new definition counts twice. `facts` selects its sum from the facts."""
    return Change(
        metric,
        fact,
        f"{value} AS {column}",
        f"2 * ({value}) AS {column}",
        f"SELECT sum({column}) FROM {metric}",
        f"SELECT (counted, 2 * counted) FROM (SELECT {facts.replace(' FROM ', ' AS counted FROM ', 1)})",
    )


def halved(metric: str, fact: str, figure: str, ids: str) -> Change:
    """Orders of which the new definition leaves out those with an odd hash. The facts count `ids`."""
    even = "cityHash64(order_id) % 2 = 0"
    return Change(
        metric,
        fact,
        f"FROM {fact}",
        f"FROM {fact} WHERE {even}",
        f"SELECT {figure} FROM {metric}",
        f"SELECT (uniqExact({ids}), uniqExactIf({ids}, {even})) FROM {fact}",
    )


CHANGES = (
    doubled(
        "sales_lines",
        "order_confirmed",
        "gross_minor",
        "line.quantity * line.unit_price_minor",
        "sum(arraySum((q, p) -> q * p, lines.quantity, lines.unit_price_minor)) FROM order_confirmed FINAL"
        " WHERE placed_at IS NOT NULL",
    ),
    doubled(
        "earning_lines",
        "payout_paid",
        "paid_minor",
        "amount_minor",
        "sum(amount_minor) FROM payout_paid FINAL",
    ),
    Change(
        "captured_payments",
        "payment_captured",
        "    amount_minor\n",
        "    2 * payment_captured.amount_minor AS amount_minor\n",
        "SELECT sum(amount_minor) FROM captured_payments",
        "SELECT (sum(amount_minor), 2 * sum(amount_minor)) FROM payment_captured FINAL",
    ),
    doubled(
        "product_views",
        "product_viewed",
        "views",
        "1",
        "count() FROM product_viewed FINAL WHERE seller_id IS NOT NULL",
    ),
    doubled(
        "recommended_items",
        "recommendation_shown",
        "impressions",
        "1",
        "sum(arrayCount(x -> x IS NOT NULL, items.seller_id)) FROM recommendation_shown FINAL",
    ),
    doubled(
        "return_lines",
        "order_returned",
        "returned_units",
        "line.quantity",
        "sum(arraySum(lines.quantity)) FROM order_returned FINAL",
    ),
    Change(  # Simulated shoppers take no review back.
        "review_versions",
        "review_published",
        "    score,\n",
        "    2 * review_published.score AS score,\n",
        "SELECT sum(score) FROM review_versions WHERE status = 'published'",
        "SELECT (sum(score), 2 * sum(score)) FROM review_published FINAL"
        " WHERE seller_id IS NOT NULL AND submitted_at IS NOT NULL",
    ),
    halved(
        "parcels",
        "order_shipped",
        "countIf(shipped_at IS NOT NULL)",
        "order_id, seller_id",
    ),
    halved(
        "order_state",
        "order_delivered",
        "countIf(delivered_at IS NOT NULL)",
        "order_id",
    ),
)


PAYOUT = """
INSERT INTO payout_paid (event_id, occurred_at, payout_id, seller_id, currency, amount_minor)
VALUES ('paid', now64(3), 'paid', 'seller-1', 'BRL', 12345)
"""


@dataclass(frozen=True)
class Round:
    """The figures of all metrics, and those from the facts immediately before, in the order of `CHANGES`."""

    at: float
    by_old: tuple[int, ...]
    by_new: tuple[int, ...]
    figures: tuple[int, ...]


def all_of(selects: list[str]) -> str:
    """Return a query with one row: the value of each SELECT."""
    return f"SELECT {', '.join(f'({each})' for each in selects)}"


class Reader:
    """Reads each figure from facts and metric again and again, until it is stopped."""

    def __init__(self, settings):
        self.rounds: list[Round] = []
        self._settings = settings
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._read)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stopped.set()
        self._thread.join()

    def _read(self):
        facts = all_of([each.by_both for each in CHANGES])
        figures = all_of([each.figure for each in CHANGES])
        client = connect(self._settings, admin=True)
        try:
            while not self._stopped.wait(0.1):
                ((*computed,),) = client.query(facts).result_rows
                ((*read,),) = client.query(figures).result_rows
                by_old, by_new = zip(*computed, strict=True)
                self.rounds.append(Round(time.monotonic(), by_old, by_new, tuple(read)))
        finally:
            client.close()

    def definitions(self, number: int) -> list[tuple[bool, bool]]:
        """Return for each figure of a round whether it fits the old definition, and the new one."""
        this, high = self.rounds[number], self.rounds[number + 1]
        low = next(each for each in reversed(self.rounds[:number]) if each.at <= this.at - SETTLES_S)
        olds = zip(low.by_old, this.figures, high.by_old, strict=True)
        news = zip(low.by_new, this.figures, high.by_new, strict=True)
        return [(a <= b <= c, d <= e <= f) for (a, b, c), (d, e, f) in zip(olds, news, strict=True)]

    def wrong(self) -> list[str]:
        """Describe each figure that neither definition gives for facts of that moment."""
        begun = self.rounds[0].at
        return [
            f"round {number}: {change.metric} {figure}"
            for number, each in enumerate(self.rounds[:-1])
            if each.at > begun + SETTLES_S
            for change, figure, fits in zip(CHANGES, each.figures, self.definitions(number), strict=True)
            if not any(fits)
        ]


def test_a_reader_sees_either_definition_and_never_a_wrong_figure(untouched, eventually, request):
    definitions = read_definitions()
    changed = {each.metric: each.apply(definitions[each.metric]) for each in CHANGES}
    demo = untouched.start("demo", "--rate", "200", "--weeks", "1", "--seed", "7")
    request.addfinalizer(lambda: demo.poll() is None and demo.kill())

    def is_live() -> bool:
        assert demo.poll() is None, "the demo ended by itself"
        return read_status(untouched.settings.home).phase == "live"

    eventually(is_live, 900)
    settings = untouched.started_settings()
    with connect(settings, admin=True) as client:  # nobody pays sellers in a demo
        client.command(PAYOUT)
    with Reader(settings) as reader:
        eventually(lambda: len(reader.rounds) > 5)
        for change in CHANGES:
            with exclusive_client(settings) as client:
                versions = MetricVersions(client)
                versions.rebuild(changed[change.metric])
                for rollup in rollups_over(change.metric, definitions):
                    changed[rollup.name] = replace(rollup, adds_up=changed[rollup.adds_up.name])
                    versions.rebuild(changed[rollup.name])
                versions.switch(change.metric, changed[change.metric].version)
        switched = len(reader.rounds)
        eventually(lambda: len(reader.rounds) > switched + SETTLED_ROUNDS + 1)
        for change in CHANGES:
            untouched.souk("metrics", "back", change.metric)
        gone_back = len(reader.rounds)
        eventually(lambda: len(reader.rounds) > gone_back + SETTLED_ROUNDS + 1)
    demo.send_signal(signal.SIGINT)
    assert demo.wait(180) == 0

    print(f"{len(reader.rounds)} rounds of {len(CHANGES)} figures")
    assert reader.wrong() == []
    assert [new for _, new in reader.definitions(switched + SETTLED_ROUNDS)] == [True] * len(CHANGES)
    fit_both = zip(CHANGES, reader.definitions(switched + SETTLED_ROUNDS), strict=True)
    assert [change.metric for change, (old, _) in fit_both if old] == []  # no metric is empty
    assert [old for old, _ in reader.definitions(gone_back + SETTLED_ROUNDS)] == [True] * len(CHANGES)
