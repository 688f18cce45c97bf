from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial

import pytest

from clickhouse import migrate as migrate_module
from clickhouse import query_files, views
from clickhouse.client import connect
from clickhouse.databases import analytics_database
from clickhouse.metrics.definition import read_definitions
from clickhouse.migrate import apply_migrations, migrate, split_statements
from clickhouse.migration_lock import migration_lock
from clickhouse.migration_state import FOLDER
from common.errors import PartUnavailable, UserError
from common.migrations import BrokenMigrations, read_migrations


@pytest.fixture
def settings(clickhouse_server, request):
    """Settings with a new database for each test."""
    database = "m_" + request.node.name.removeprefix("test_")[:40]
    yield clickhouse_server.model_copy(update={"clickhouse_database": database})
    with connect(clickhouse_server, admin=True) as admin:
        for each in (database, analytics_database(database)):
            admin.command(f"DROP DATABASE IF EXISTS {each}")


@pytest.fixture
def migrate_small(tmp_path):
    """`migrate` with two small migrations, no metric, and the queries of an empty folder.

    The second migration fails if it is applied twice.
    """
    folder, queries = tmp_path / "small", tmp_path / "queries"
    folder.mkdir()
    queries.mkdir()
    first = next(FOLDER.glob("0001_*.sql"))
    (folder / first.name).write_text(first.read_text())
    (folder / "0002_once.sql").write_text("CREATE TABLE once (n UInt8) ENGINE = MergeTree ORDER BY n")
    return partial(migrate, folder=folder, queries=queries, metrics={})


def test_every_migration_is_applied_once_and_every_query_is_a_view(settings):
    applied = migrate(settings)
    again = migrate(settings)

    client = connect(settings)
    count = "SELECT count() FROM system.tables WHERE database = currentDatabase() AND engine = 'View'"
    count += " AND name != 'seller_profiles'"  # a migration creates it
    assert applied == [migration.name for migration in read_migrations(FOLDER)]
    assert again == []
    names = client.query("SELECT name FROM schema_migrations FINAL ORDER BY number").result_rows
    assert [name for (name,) in names] == applied
    queries = list(query_files.FOLDER.glob("*.sql"))
    assert client.query(count).first_row == (len(queries) + len(read_definitions()),)
    comment = "SELECT comment FROM system.tables WHERE database = currentDatabase() AND name = 'q_sellers'"
    (said,) = client.query(comment).first_row
    assert said.startswith("Sellers that match a text")
    assert "(queries/sellers.sql, version " in said


def test_amounts_keep_the_decimals_with_which_a_shop_began_to_store_them(settings, monkeypatch):
    in_dinars = settings.model_copy(update={"shop_currency": "RSD"})
    migrate(in_dinars)
    migrate(in_dinars)
    client = connect(settings, admin=True)
    stored = "SELECT currency, digits FROM stored_minor_digits FINAL"
    assert client.query(stored).result_rows == [("RSD", 2)]

    monkeypatch.setattr(migrate_module, "minor_digits", lambda _currency: 0)
    with pytest.raises(UserError, match="amounts in RSD are stored with 2 decimals here, and ISO 4217 has 0"):
        migrate(in_dinars)


def test_amounts_that_an_older_release_stored_without_decimals_are_not_read_with_them(settings):
    migrate(settings)
    client = connect(settings, admin=True)
    client.command("INSERT INTO order_placed (event_id, order_id, currency) VALUES ('e', 'o', 'RSD')")

    with pytest.raises(UserError, match="amounts in RSD are stored with 0 decimals"):
        migrate(settings.model_copy(update={"shop_currency": "RSD"}))
    assert client.query("SELECT currency, digits FROM stored_minor_digits FINAL").result_rows == [("BRL", 2)]


@pytest.mark.parametrize("homes", [("one", "one"), ("one", "two")])
def test_two_runs_at_once_apply_each_migration_once(settings, tmp_path, migrate_small, homes):
    runs = [settings.model_copy(update={"home": tmp_path / home}) for home in homes]
    with ThreadPoolExecutor(2) as threads:
        applied = list(threads.map(migrate_small, runs))

    assert sorted(name for run in applied for name in run) == ["0001_schema_migrations.sql", "0002_once.sql"]
    assert connect(settings).query("SELECT count() FROM schema_migrations").first_row == (2,)


def test_a_home_that_does_not_get_done_is_named_and_one_that_was_killed_is_taken_over(
    settings, tmp_path, migrate_small
):
    migrate_small(settings)
    one, two = (settings.model_copy(update={"home": tmp_path / name}) for name in ("one", "two"))
    client, other = connect(settings, admin=True), connect(settings, admin=True)
    killed = migration_lock(client, one)
    killed.__enter__()

    with pytest.raises(PartUnavailable, match=r"/one has been migrating .* drop .*\.schema_migrating if"):
        migration_lock(other, two, timeout_s=0).__enter__()
    assert migrate_small(one) == []
    assert migrate_small(two) == []


def test_a_home_that_lost_the_lock_leaves_it_to_its_new_holder(settings, tmp_path, migrate_small):
    migrate_small(settings)
    one, two = (settings.model_copy(update={"home": tmp_path / name}) for name in ("one", "two"))
    client, other = connect(settings, admin=True), connect(settings, admin=True)

    with migration_lock(client, one):
        other.command("DROP TABLE schema_migrating")
        taken = migration_lock(other, two)
        taken.__enter__()

    with pytest.raises(PartUnavailable, match="/two has been migrating"):
        migration_lock(client, one, timeout_s=0).__enter__()
    taken.__exit__(None, None, None)
    assert migrate_small(one) == []


def test_a_changed_file_is_an_error_and_changes_nothing(settings, tmp_path):
    first = tmp_path / "0001_first.sql"
    table = "CREATE TABLE IF NOT EXISTS schema_migrations (number UInt32, name String, sha256 String) "
    first.write_text(table + "ENGINE = ReplacingMergeTree ORDER BY number")
    migrate(settings, tmp_path, tmp_path / "no-queries", {}, tmp_path / "no-views")
    first.write_text(first.read_text() + " -- changed")

    with pytest.raises(BrokenMigrations, match=r"0001_first\.sql has changed"):
        migrate(settings, tmp_path, tmp_path / "no-queries", {}, tmp_path / "no-views")


def test_a_statement_that_fails_is_named(settings, tmp_path):
    table = "CREATE TABLE IF NOT EXISTS schema_migrations (number UInt32, name String, sha256 String) "
    (tmp_path / "0001_first.sql").write_text(table + "ENGINE = ReplacingMergeTree ORDER BY number")
    (tmp_path / "0002_bad.sql").write_text("SELECT 1; ALTER TABLE nope DELETE WHERE 1")

    with pytest.raises(BrokenMigrations, match=r"0002_bad\.sql failed at «ALTER TABLE nope"):
        migrate(settings, tmp_path, tmp_path / "no-queries", {}, tmp_path / "no-views")
    assert connect(settings).query("SELECT max(number) FROM schema_migrations").first_row == (1,)


def test_a_view_follows_its_file(settings, tmp_path, migrate_small):
    migrate_small(settings)
    client = connect(settings, admin=True)
    (tmp_path / "doubled.sql").write_text("SELECT {n:UInt32} * 2 AS n, {names:Array(String)} AS names")

    changed = views.install_queries(client, tmp_path)

    assert changed == ["q_doubled"]
    assert views.install_queries(client, tmp_path) == []
    reader = connect(settings)
    assert reader.query("SELECT * FROM q_doubled(n = 4, names = ['a'])").first_row == (8, ["a"])
    (tmp_path / "doubled.sql").unlink()
    assert views.install_queries(client, tmp_path) == ["q_doubled"]


def test_a_query_that_can_t_be_a_view_is_named(settings, tmp_path, migrate_small):
    (tmp_path / "broken.sql").write_text("SELECT * FROM nope")

    with pytest.raises(views.BrokenView, match=r"queries/broken\.sql can't be a view: .*UNKNOWN_TABLE"):
        migrate_small(settings, queries=tmp_path)


BEFORE_CANCELLED_BESIDE_SOLD = """
INSERT INTO seller_sales_minute VALUES ('ann', 60, 'BRL', 9, 9, 9, 900, 9, 9, 1),
('ann', 60, 'BRL', 2, 3, 4, 500, 50, 10, 2), ('bob', 60, 'BRL', 1, 1, 1, 100, 0, 0, 1);
INSERT INTO seller_cancellations_minute VALUES ('ann', 60, 'BRL', 1, 2, 300, 5, 7),
('old', 0, 'BRL', 1, 1, 70, 0, 1);
INSERT INTO marketplace_sales_minute VALUES (60, 'BRL', 3, 4, 5, 600, 50, 10, 2);
INSERT INTO marketplace_cancellations_minute VALUES (60, 'BRL', 1, 2, 300, 5, 1);
INSERT INTO pipeline_progress VALUES ('seller_sales_minute', 0, 1, 5, 1),
('seller_cancellations_minute', 0, 1, 5, 1);
"""


MERGING = next(FOLDER.glob("0008_*.sql"))

PARCELS = next(FOLDER.glob("0009_*.sql"))


@pytest.fixture(scope="module")
def database_before(clickhouse_server, tmp_path_factory):
    """A function that returns the name of a database with the migrations before a given one."""

    @cache
    def before(migration):
        folder = tmp_path_factory.mktemp("before")
        copy_migrations(folder, lambda name: name < migration.name)
        database = f"before_{migration.stem}"
        apply_migrations(clickhouse_server.model_copy(update={"clickhouse_database": database}), folder)
        return database

    return before


def copy_migrations(folder, is_wanted):
    for path in FOLDER.glob("*.sql"):
        if is_wanted(path.name):
            (folder / path.name).write_text(path.read_text())


def migrated_after(migration, tables, rows, done, settings, before, folder):
    """Write `rows` before `migration`, run its first `done` statements, then migrate.

    The database gets the `tables` that the migration is about from the database `before`.
    """
    database = settings.clickhouse_database
    client = connect(settings, admin=True, database="default")
    client.command(f"CREATE DATABASE {database}")
    client.database = database
    for table in ("schema_migrations", *tables):
        client.command(f"CREATE TABLE {table} AS {before}.{table}")
    client.command(f"INSERT INTO schema_migrations SELECT * FROM {before}.schema_migrations")
    copy_migrations(folder, lambda name: name <= migration.name)
    interrupted = [*split_statements(migration.read_text())][:done]
    for statement in [*split_statements(rows), *interrupted]:
        client.command(statement)
    assert apply_migrations(settings, folder) == [migration.name]
    return client


@pytest.mark.parametrize("done", range(len([*split_statements(MERGING.read_text())]) + 1))
def test_what_was_cancelled_is_taken_over_wherever_it_was_interrupted(
    settings, tmp_path, database_before, done
):
    tables = [
        f"{of}_{what}_minute" for of in ("seller", "marketplace") for what in ("sales", "cancellations")
    ]
    tables.append("pipeline_progress")
    before = database_before(MERGING)
    client = migrated_after(MERGING, tables, BEFORE_CANCELLED_BESIDE_SOLD, done, settings, before, tmp_path)

    figures = "orders, lines, units, gross_minor, cancelled_orders, cancelled_units, cancelled_gross_minor"
    sellers = client.query(f"SELECT seller_id, {figures} FROM seller_sales_minute FINAL ORDER BY seller_id")
    assert sellers.result_rows == [
        ("ann", 2, 3, 4, 500, 1, 2, 300),
        ("bob", 1, 1, 1, 100, 0, 0, 0),
        ("old", 0, 0, 0, 0, 1, 1, 70),
    ]
    everyone = client.query(f"SELECT {figures}, cancelled_shipping_minor FROM marketplace_sales_minute FINAL")
    assert everyone.result_rows == [(3, 4, 5, 600, 1, 2, 300, 5)]
    assert client.query("SELECT table_name FROM pipeline_progress").result_rows == [("seller_sales_minute",)]


BEFORE_PARCELS = """
INSERT INTO order_state (order_id, placed_at, status) VALUES ('o', 1, 'cancelled'), ('new', 2, 'placed');
INSERT INTO order_shipped (event_id, occurred_at, order_id, shipment_id, seller_id)
VALUES ('1', 1, 'o', 'p1', 'ann'), ('2', 3, 'o', 'p2', 'ann'), ('3', 2, 'o', 'p3', 'bob');
INSERT INTO order_delivered (event_id, occurred_at, order_id, shipment_id, seller_id)
VALUES ('4', 4, 'o', 'p3', 'bob');
"""


@pytest.mark.parametrize("done", range(len([*split_statements(PARCELS.read_text())]) + 1))
def test_parcels_are_taken_over_wherever_it_was_interrupted(settings, tmp_path, database_before, done):
    tables = ("order_state", "order_shipped", "order_delivered")
    before = database_before(PARCELS)
    client = migrated_after(PARCELS, tables, BEFORE_PARCELS, done, settings, before, tmp_path)

    shipped, delivered = (
        f"mapApply((seller, at) -> (seller, toUnixTimestamp(at)), {column})"
        for column in ("shipped_by", "delivered_by")
    )
    state = client.query(
        f"SELECT order_id, toString(status), {shipped}, {delivered} FROM order_state FINAL ORDER BY order_id"
    )
    assert state.result_rows == [
        ("new", "placed", {}, {}),
        ("o", "cancelled", {"ann": 3, "bob": 2}, {"bob": 4}),
    ]


CONDITIONS = next(FOLDER.glob("0033_*.sql"))

BEFORE_CONDITIONS = """
INSERT INTO product_listed (event_id, condition) VALUES ('old', ''), ('used', 'used');
INSERT INTO product_changed (event_id, condition) VALUES ('old', ''), ('used', 'used');
"""


@pytest.mark.parametrize("done", range(len([*split_statements(CONDITIONS.read_text())]) + 1))
def test_listings_without_a_condition_of_theirs_are_new_wherever_it_was_interrupted(
    settings, tmp_path, database_before, done
):
    tables = ("product_listed", "product_changed")
    before = database_before(CONDITIONS)
    client = migrated_after(CONDITIONS, tables, BEFORE_CONDITIONS, done, settings, before, tmp_path)

    for table in tables:
        client.command(f"INSERT INTO {table} (event_id) VALUES ('by a job from before')")
        rows = client.query(f"SELECT event_id, condition FROM {table} FINAL ORDER BY event_id").result_rows
        assert rows == [("by a job from before", "new"), ("old", "new"), ("used", "used")]


VOUCHERS = next(FOLDER.glob("0035_*.sql"))

BEFORE_VOUCHERS = """
INSERT INTO order_placed (event_id, lines) VALUES ('old', [(1, 'lamp', 'ann', 2, 500, 10, 0, 0, 1000)]);
INSERT INTO order_confirmed (event_id, lines) VALUES ('old', [(1, 'lamp', 'ann', 2, 500, 10, 0, 0, 1000)]);
INSERT INTO order_cancelled (event_id, lines) VALUES ('old', []);
INSERT INTO return_settled (event_id, lines) VALUES ('old', [(1, 'lamp', 1, 490, true)]);
INSERT INTO payment_refunded (event_id, lines) VALUES ('old', [(1, 'lamp', 1, 490)]);
"""


@pytest.mark.parametrize("done", [0, 3, 5])
def test_lines_from_before_vouchers_have_none_wherever_it_was_interrupted(
    settings, tmp_path, database_before, done
):
    tables = ("order_placed", "order_confirmed", "order_cancelled", "return_settled", "payment_refunded")
    before = database_before(VOUCHERS)
    client = migrated_after(VOUCHERS, tables, BEFORE_VOUCHERS, done, settings, before, tmp_path)

    def lines(table):
        return client.query(f"SELECT lines FROM {table} WHERE event_id = 'old'").first_row[0]

    sold = {
        "line_number": 1, "product_id": "lamp", "seller_id": "ann", "quantity": 2, "unit_price_minor": 500,
        "discount_minor": 10, "shipping_minor": 0, "tax_minor": 0, "commission_bp": 1000,
        "marketplace_minor": None, "line_voucher_id": None, "order_voucher_id": None,
    }  # fmt: skip
    back = {"line_number": 1, "product_id": "lamp", "quantity": 1, "refund_minor": 490}
    assert lines("order_placed") == lines("order_confirmed") == [sold]
    assert lines("order_cancelled") == []
    assert lines("return_settled") == [{**back, "restocked": True, "marketplace_minor": None}]
    assert lines("payment_refunded") == [{**back, "marketplace_minor": None}]
