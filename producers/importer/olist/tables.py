"""The tables of the Brazilian E-Commerce Public Dataset by Olist, as published."""

from pathlib import Path

import pyarrow as pa

from producers.importer.dataset import ConversionFindings
from producers.importer.tables import Tables, TableSpec, find_files, read_table


def _schema(required: dict[str, pa.DataType], nullable: dict[str, pa.DataType] | None = None) -> pa.Schema:
    fields = [pa.field(name, type_, nullable=False) for name, type_ in required.items()]
    return pa.schema(fields + [pa.field(name, type_) for name, type_ in (nullable or {}).items()])


_STRING, _INT, _DOUBLE, _TIME = pa.string(), pa.int32(), pa.float64(), pa.timestamp("ms")

SPECS: list[TableSpec] = [
    TableSpec(
        "customers",
        "olist_customers_dataset",
        _schema(
            {"customer_id": _STRING, "customer_unique_id": _STRING},
            {
                "customer_zip_code_prefix": _STRING,
                "customer_city": _STRING,
                "customer_state": _STRING,
            },
        ),
        ("customer_id",),
    ),
    TableSpec(
        "orders",
        "olist_orders_dataset",
        _schema(
            {
                "order_id": _STRING,
                "customer_id": _STRING,
                "order_status": _STRING,
                "order_purchase_timestamp": _TIME,
            },
            {
                "order_approved_at": _TIME,
                "order_delivered_carrier_date": _TIME,
                "order_delivered_customer_date": _TIME,
                "order_estimated_delivery_date": _TIME,
            },
        ),
        ("order_id",),
    ),
    TableSpec(
        "order_items",
        "olist_order_items_dataset",
        _schema(
            {
                "order_id": _STRING,
                "order_item_id": _INT,
                "product_id": _STRING,
                "seller_id": _STRING,
                "price": _DOUBLE,
                "freight_value": _DOUBLE,
            }
        ),
        ("order_id", "order_item_id"),
    ),
    TableSpec(
        "order_payments",
        "olist_order_payments_dataset",
        _schema(
            {
                "order_id": _STRING,
                "payment_sequential": _INT,
                "payment_type": _STRING,
                "payment_installments": _INT,
                "payment_value": _DOUBLE,
            }
        ),
        ("order_id", "payment_sequential"),
    ),
    TableSpec(
        "products",
        "olist_products_dataset",
        _schema(
            {"product_id": _STRING},
            {
                "product_category_name": _STRING,
                "product_photos_qty": _INT,
                "product_weight_g": _INT,
                "product_length_cm": _INT,
                "product_height_cm": _INT,
                "product_width_cm": _INT,
            },
        ),
        ("product_id",),
    ),
    TableSpec(
        "sellers",
        "olist_sellers_dataset",
        _schema(
            {"seller_id": _STRING},
            {"seller_zip_code_prefix": _STRING, "seller_city": _STRING, "seller_state": _STRING},
        ),
        ("seller_id",),
    ),
    TableSpec(
        "product_category_name_translation",
        "product_category_name_translation",
        _schema({"product_category_name": _STRING, "product_category_name_english": _STRING}),
        ("product_category_name",),
    ),
    *(
        TableSpec(
            name,
            "olist_order_reviews_dataset" if name == "order_reviews" else name,
            _schema(
                {"review_id": _STRING, "order_id": _STRING, "review_score": pa.int8()},
                {
                    "review_comment_title": _STRING,
                    "review_comment_message": _STRING,
                    "review_creation_date": _TIME,
                    "review_answer_timestamp": _TIME,
                },
            ),
            ("review_id", "order_id"),
            optional=True,
        )
        for name in ("order_reviews", "order_reviews_head")
    ),
    TableSpec(
        "order_review_scores",
        "order_review_scores",
        _schema({"order_id": _STRING, "review_score": pa.int8()}),
        ("order_id",),
        optional=True,
    ),
]
"""The tables that are used. Reviews are in `order_reviews`, or in the two tables that follow it."""

KEYS = {spec.name: spec.key for spec in SPECS}
"""Table name → the columns that identify a row."""


def files(directory: Path) -> dict[str, Path]:
    """Return table name → file, without the two parts of the reviews if the complete table exists.

    Raises:
        UserError: the directory or a table is missing.
    """
    found = find_files(directory, SPECS)
    if "order_reviews" in found:
        found.pop("order_reviews_head", None)
        found.pop("order_review_scores", None)
    return found


def read_tables(directory: Path, findings: ConversionFindings | None = None) -> Tables:
    """Return the tables by name, with the publisher's columns in the types of `SPECS`.

    Rows with an unreadable cell are left out and recorded in `findings`.

    Raises:
        UserError: a table is missing or truncated, or has other columns.
    """
    found = files(directory)
    collected = ConversionFindings() if findings is None else findings
    return {spec.name: read_table(found[spec.name], spec, collected) for spec in SPECS if spec.name in found}
