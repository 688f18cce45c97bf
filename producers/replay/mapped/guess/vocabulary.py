"""The names that shops give to columns, and the values of statuses, in English and Portuguese.

They include the exports of Shopify and WooCommerce, UCI's Online Retail and the tables of Olist.
"""

import re
import unicodedata

COLUMN_NAMES: dict[str, tuple[str, ...]] = {
    "order": (
        "order_id", "order_number", "order_no", "order", "invoice", "invoice_no", "invoiceno", "invoice_id",
        "invoice_number", "transaction_id", "receipt_id", "receipt_no", "basket_id", "sale_id", "purchase_id",
        "id_pedido", "numero_pedido", "num_pedido", "numero_do_pedido", "pedido", "id_venda", "nota_fiscal",
        "cupom", "venda", "transaction", "receipt", "basket", "name",
    ),
    "line": ("order_item_id", "line_id", "line_number", "line_no", "lineitem_id", "order_line_id", "linha"),
    "product": (
        "product_id", "sku", "lineitem_sku", "stock_code", "stockcode", "product_sku", "item_sku",
        "product_code", "item_code", "article_id", "article", "id_produto", "cod_produto", "codigo_produto",
        "codigo_do_produto", "product", "produto", "item_id", "asin", "ean", "gtin", "codigo",
    ),
    "product_name": (
        "product_name", "lineitem_name", "item_name", "product_title", "nome_produto", "nome_do_produto",
        "descricao_produto", "descricao", "description", "product_description", "title", "item", "name",
    ),
    "category": (
        "category", "product_category_name_english", "product_category_name", "product_category", "categoria",
        "categoria_produto", "item_category", "product_type", "department", "category_name", "aisle",
    ),
    "shopper": (
        "customer_unique_id", "customer_id", "customerid", "user_id", "client_id", "shopper_id", "buyer_id",
        "id_cliente", "cod_cliente", "codigo_cliente", "customer", "cliente", "household_key", "member_id",
        "customer_email", "billing_email", "email_billing", "email", "user", "customer_name",
    ),
    "country": (
        "country", "customer_country", "shipping_country", "billing_country", "country_code",
        "country_code_shipping", "country_code_billing", "pais",
    ),
    "seller": (
        "seller_id", "merchant_id", "vendor_id", "id_vendedor", "cod_vendedor", "seller", "merchant",
        "vendor", "vendedor", "loja", "store_id", "store",
    ),
    "time": (
        "order_purchase_timestamp", "order_date", "invoice_date", "invoicedate", "created_at", "ordered_at",
        "purchase_date", "purchased_at", "transaction_date", "date_created", "order_created_at", "sale_date",
        "data_pedido", "data_do_pedido", "data_compra", "data_venda", "event_time", "datetime", "timestamp",
        "date", "data", "paid_at", "paid_date", "time",
    ),
    "price": (
        "unit_price", "unitprice", "price", "lineitem_price", "item_price", "item_cost", "product_price",
        "price_per_unit", "preco_unitario", "valor_unitario", "preco", "preco_unit", "vl_unitario",
    ),
    "line_price": (
        "line_total", "line_amount", "total_price", "item_total", "valor_total_item", "sales_value", "sales",
        "order_line_total", "subtotal", "amount", "revenue", "valor_total", "total", "valor",
    ),
    "quantity": (
        "quantity", "qty", "lineitem_quantity", "quantity_refund", "item_quantity", "quantidade", "qtd",
        "qtde", "units", "qty_ordered", "order_quantity", "quantity_sold", "items_sold", "unidades",
    ),
    "currency": ("currency", "order_currency", "currency_code", "moeda"),
    "discount": (
        "lineitem_discount", "discount_amount", "cart_discount_amount", "discount", "item_discount",
        "order_discount", "valor_desconto", "desconto", "discounts",
    ),
    "shipping": (
        "freight_value", "shipping", "order_shipping_amount", "shipping_amount", "shipping_cost", "freight",
        "valor_frete", "frete", "order_shipping", "shipping_total", "shipping_price", "postage",
    ),
    "tax": (
        "taxes", "tax", "tax_amount", "order_total_tax_amount", "order_tax", "total_tax", "imposto", "vat",
        "valor_imposto",
    ),
    "payment": (
        "payment_method", "payment_type", "payment_method_title", "forma_pagamento", "forma_de_pagamento",
        "metodo_pagamento", "meio_de_pagamento", "payment", "pagamento", "tender_type",
    ),
    "status": (
        "order_status", "financial_status", "status", "payment_status", "status_pedido", "status_do_pedido",
        "situacao", "situacao_pedido", "is_cancelled", "cancelled", "canceled", "cancelado",
    ),
    "cancelled_at": (
        "cancelled_at", "canceled_at", "cancellation_date", "date_cancelled", "cancelado_em",
        "data_cancelamento",
    ),
}  # fmt: skip
"""Field → names in the form that `normal` returns, the most certain first. `line_price` is a line's total."""

CANCELLED_WORDS = frozenset(
    [
        "cancelled",
        "canceled",
        "cancelado",
        "cancelada",
        "cancel",
        "voided",
        "failed",
        "unavailable",
        "expired",
        "refused",
        "rejected",
        "declined",
        "wc-cancelled",
        "wc-failed",
        "recusado",
        "falhou",
        "estornado",
    ]
)
UNPAID_WORDS = frozenset(
    ("pending", "created", "on-hold", "on hold", "on_hold", "unpaid", "draft", "checkout-draft", "wc-pending",
     "wc-on-hold", "pending payment", "awaiting payment", "authorized", "aguardando pagamento", "pendente",
     "em aberto")
)  # fmt: skip
RETURNED_WORDS = frozenset(
    [
        "refunded",
        "returned",
        "wc-refunded",
        "devolvido",
        "devolvida",
        "devolucao",
        "reembolsado",
        "reembolsada",
    ]
)
TRUE_WORDS = frozenset(["1", "true", "yes", "y", "sim", "s", "t"])
FALSE_WORDS = frozenset(["0", "false", "no", "n", "nao", "não", "f"])

SHIPPING_PRODUCTS = frozenset(
    ["post", "postage", "dot", "c2", "carriage", "shipping", "frete", "freight", "delivery", "porte"]
)
NOT_PRODUCTS = frozenset(
    ("m", "d", "s", "b", "bank charges", "amazonfee", "cruk", "adjust", "adjust2", "test001", "test002",
     "fee",
     "discount", "desconto", "taxa", "manual", "gift card", "samples")
)  # fmt: skip

PAYMENT_WORDS = (
    ("debit", "debit_card"), ("debito", "debit_card"), ("débito", "debit_card"), ("credit", "credit_card"),
    ("crédito", "credit_card"), ("visa", "credit_card"), ("master", "credit_card"), ("amex", "credit_card"),
    ("stripe", "credit_card"), ("card", "credit_card"), ("shopify payments", "credit_card"),
    ("boleto", "boleto"), ("voucher", "voucher"), ("gift", "voucher"), ("pix", "pix"),
    ("bacs", "bank_transfer"), ("bank", "bank_transfer"), ("transfer", "bank_transfer"),
    ("pay", "wallet"), ("wallet", "wallet"), ("cash", "cash"), ("cod", "cash"), ("dinheiro", "cash"),
    ("money", "cash"),
)  # fmt: skip
"""Part of a payment's text, in lower case → the platform's method; the first that fits counts."""

KNOWN = 60
"""Above this score, a column's name is one of a field's names."""

CURRENCY_SIGNS = {"£": "GBP", "€": "EUR", "R$": "BRL", "US$": "USD", "$": "USD", "¥": "JPY", "₹": "INR"}


def normal(name: str) -> str:
    """Return a column's name without case, accents and signs: `"Preço Unit."` → `preco_unit`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", plain)
    return re.sub(r"[^a-z0-9]+", "_", plain.lower()).strip("_")


def name_score(field: str, column: str) -> int:
    """Return how well a column's name fits a field: above `KNOWN` the name itself, above 0 a part of it."""
    name = normal(column)
    tokens = set(name.split("_"))
    best = 0
    for rank, known in enumerate(COLUMN_NAMES[field]):
        if name == known or name.replace("_", "") == known.replace("_", ""):
            best = max(best, 100 - rank)
        elif len(known) > 3 and (name.endswith(f"_{known}") or name.startswith(f"{known}_")):
            best = max(best, 58 - rank)
        elif len(known) > 3 and set(known.split("_")) <= tokens:
            best = max(best, 40 - rank)
    return best
