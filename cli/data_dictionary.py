"""The data dictionary: the views for analysts, their columns, and an example query for each."""

from clickhouse.analytics.catalogue import AnalyticsView, Column, read_views
from clickhouse.databases import ANALYTICS

INTRODUCTION = f"""The views of the database `{ANALYTICS}` are for people. Every event counts once without
`FINAL`, amounts are decimal numbers in units of the row's `currency` (`12.34` is R$12.34), times are UTC, and what is
unknown is `NULL`. Do not add up amounts of different currencies. Connect any ClickHouse client as the analyst, or use
`./souk sql`:

```sh
./souk sql "SELECT * FROM {ANALYTICS}.orders ORDER BY placed_at DESC LIMIT 5"
```

Each view and each column has its description as a comment in ClickHouse, too: `DESCRIBE TABLE {ANALYTICS}.orders`.
Sellers can query their own rows of the views that are marked **seller**.

A query is fast if it selects a seller (`sales`, `order_lines`, `products`), an order (`orders`, `shipments`,
`returns`, `reviews`, `payments`) or a session (`views`, `searches`, `recommendations`), because ClickHouse then reads
a few blocks only. A condition on the time leaves out other years. `sessions` always reads all events of visits."""  # noqa: E501


def data_dictionary() -> str:
    """Return the introduction, a list of the views, and a section for each."""
    views = read_views()
    listed = [
        "| view | a row | |",
        "|---|---|---|",
        *(
            f"| [{name}](#{name}) | {_cell(view.description)} | {'seller' if view.is_of_sellers else ''} |"
            for name, view in views.items()
        ),
    ]
    return "\n\n".join([INTRODUCTION, "\n".join(listed), *map(_section, views.values())])


def _section(view: AnalyticsView) -> str:
    columns = ["| column | type | meaning |", "|---|---|---|", *map(_row, view.columns)]
    parts = [
        f"## {view.name}",
        view.description,
        "\n".join(columns),
        view.question,
        f"```sql\n{view.example}\n```",
    ]
    return "\n\n".join(parts)


def _row(column: Column) -> str:
    return f"| `{column.name}` | `{_cell(column.type)}` | {_cell(column.comment)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
