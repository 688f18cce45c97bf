"""The names that shops give to columns, and the words of statuses and payments, in many languages."""

import re
from functools import cache

from producers.replay.mapped.column_roles import is_word, plain, words

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
    "quantity": (
        "quantity", "qty", "lineitem_quantity", "quantity_refund", "item_quantity", "quantidade", "qtd",
        "qtde", "units", "qty_ordered", "order_quantity", "quantity_sold", "items_sold", "unidades",
    ),
    "currency": ("currency", "order_currency", "currency_code", "moeda"),
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
"""Field → names in the form that `normal` returns, the most certain first."""

FIELD_WORDS: dict[str, frozenset[str]] = {
    "order": words(
        "order orders pedido pedidos venda venta sale bestellung bestell bestel bestelling auftrag "
        "auftrags commande ordine ordre compra orden invoice receipt fatura factura rechnung rechnungs "
        "transaction ticket beleg zamowienie zamowienia objednavka ordernummer kvitto kvittering bon nota "
        "comanda checkout basket"
    ),
    "line": words(
        "line lineitem position pos linha linea ligne zeile"
    ),
    "product": words(
        "product produto producto produkt produit prodotto sku artikel article articulo artigo item "
        "anuncio publicacion asin ean gtin barcode isbn varenummer vare tuote towar zbozi listing "
        "merchandise"
    ),
    "product_name": words(
        "product produto producto produkt produit prodotto artikel article articulo artigo item title "
        "titulo titel titre bezeichnung beschreibung description descricao descripcion designation "
        "anuncio publicacion produktname artikelname omschrijving descrizione nazwa varenavn listing"
    ),
    "category": words(
        "category categoria kategorie kategori categorie warengruppe department rubrik"
    ),
    "shopper": words(
        "customer client cliente buyer comprador kunde kunden kundennummer kundennr acheteur klant "
        "shopper user consumidor acquirente klient zakaznik asiakas kund member purchaser besteller "
        "kaeufer kaufer email mail correo"
    ),
    "country": words(
        "country pais land pays paese kraj zeme landet ship shipping billing lieferland"
    ),
    "seller": words(
        "seller vendor merchant vendedor verkaeufer verkaufer vendeur venditore shop store"
    ),
    "time": words(
        "date data fecha datum dato created time placed ordered purchased purchase bestelldatum orderdate "
        "kaufdatum auftragsdatum compra venda venta pedido timestamp zeitpunkt dag pvm"
    ),
    "currency": words(
        "currency moeda moneda waehrung wahrung devise valuta waluta mena"
    ),
    "payment": words(
        "payment pagamento pago paiement zahlung zahlungsart zahlungsmethode bezahlung betaling "
        "betaalmethode betalning tender zahlungsweise platnosc"
    ),
    "status": words(
        "status state estado situacao situacion stato statut etat zustand bestellstatus stav tila "
        "tilstand"
    ),
    "cancelled_at": words(
        "cancelled canceled cancellation cancelado cancelamento storniert storno"
    ),
}  # fmt: skip
"""Field → words. A name that has one, and else only such words or `NEUTRAL` ones, may be the field's."""

NEUTRAL = words(
    "id ids no nr num number nummer numero n o code cod codigo ref reference referencia referenz name "
    "nome nombre nom navn the of de da do del di des du la le el der die das e y a um unique full user "
    "username usuario utilizador utilisateur benutzername login order item line lineitem my seller method"
    " methode metodo forma meio tipo medio moyen art "
    "mode pedido venda venta main orig original external short increment"
)
"""Words that change nothing of what a name says."""

DATES_OF_OTHERS = words(
    "ship shipped shipping delivery delivered entrega entregue updated modified changed birth due paid "
    "payment payments estimated maximum minimum last refund refunded settlement payout deposit fulfilled "
    "cancelled canceled expiry available posted end versand lieferung start envio camino caminho "
    "pagamento pago latest earliest deliver invoice completed processed"
)
"""Words of dates that are not that of the order."""

CANCELLED_STEMS = (
    "cancel", "annul", "anul", "storn", "void", "fail", "refus", "reject", "declin", "expir", "recus", "falh",
    "rechaz", "abbruch", "abgebrochen", "abgelehnt", "afgebroken", "geannuleerd", "avbr", "unavailable",
    "odrzuc",
    "zrusen", "peruttu", "makulera", "avvist", "abandon", "incomplete", "payment error", "error de pago",
    "erreur de paiement",
    "zahlungsfehler", "erro no pagamento",
)  # fmt: skip
UNPAID_STEMS = (
    "pending", "unpaid", "draft", "awaiting", "aguardando", "pendente", "pendiente", "authorized",
    "authorised",
    "ausstehend", "unbezahlt", "offen", "impaye", "openstaand", "obetald", "nieoplacone", "em aberto",
    "created",
    "esperando", "in attesa", "en attente", "nicht bezahlt", "not paid", "nao pago", "no pagado",
    "wartet auf zahlung",
    "on hold", "invoiced",
)  # fmt: skip
RETURNED_STEMS = (
    "refunded", "returned", "devolvid", "devuelt", "devoluc", "reembols", "retourniert", "zuruckgesendet",
    "erstattet",
    "ruckerstatt", "rembours", "rimbors", "restitu", "terugbetaald", "geretourneerd", "aterbetald",
    "refunderet",
    "zwrocon", "retorn", "chargeback", "charged back", "estornad", "te dimos el dinero al comprador",
)  # fmt: skip
"""How words in statuses begin, without accents."""

KEPT_STEMS = ("partial", "parcial", "teilweise", "partiel", "parzial", "gedeeltelijk", "delvis", "czesciowo",
              "not cancel", "nao cancel", "no cancel", "nicht storn", "cancelled reversal",
              "canceled reversal",
              "cancellation requested", "cancel requested", "return requested", "payment received",
              "pending fulfil",
              "pending shipment", "awaiting shipment", "awaiting fulfil", "awaiting pickup",
              "awaiting delivery",
              "awaiting dispatch", "pending pickup", "pending delivery",
              "mediacao finalizada com", "te demos o dinheiro", "te dimos el dinero", "unshipped",
              "partially")  # fmt: skip
"""Texts with such a part are confirmed orders all the same. A part of an order that came back is not told."""

TRUE_WORDS = words("1 true yes y sim s t")
FALSE_WORDS = words("0 false no n nao não f")

SHIPPING_PRODUCTS = words("post postage dot c2 carriage shipping frete freight delivery porte")
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

LIKELY = 40
"""The score of a name that has only words of the field and neutral ones."""

CURRENCY_SIGNS = {"£": "GBP", "€": "EUR", "R$": "BRL", "US$": "USD", "$": "USD", "¥": "JPY", "₹": "INR"}


def normal(name: str) -> str:
    """Return a column's name without case, accents and signs: `"Preço Unit."` → `preco_unit`."""
    return plain(name).replace(" ", "_")


@cache
def name_score(field: str, column: str) -> int:
    """Return how well a column's name fits a field: above `KNOWN` the name itself, `LIKELY` words of it."""
    name = normal(column)
    for rank, listed in enumerate(COLUMN_NAMES.get(field, ())):
        if name == listed or name.replace("_", "") == listed.replace("_", ""):
            return 100 - min(rank, 100 - KNOWN - 1)
    known, tokens = FIELD_WORDS.get(field, frozenset()), name.split("_")
    named = [token for token in tokens if is_word(token, known)]
    rest = [token for token in tokens if token not in named and len(token) > 1 and not token.isdigit()]
    if not named or not NEUTRAL.issuperset(rest):
        return 0
    return LIKELY


def status_meaning(text: str) -> str | None:
    """Return `cancelled`, `unpaid` or `returned`, or None: the order counts as confirmed."""
    words = plain(text)
    if _has(words, KEPT_STEMS):
        return None
    for meaning, stems in (
        ("cancelled", CANCELLED_STEMS),
        ("returned", RETURNED_STEMS),
        ("unpaid", UNPAID_STEMS),
    ):
        if _has(words, stems):
            return meaning
    return None


def payment_method(text: str) -> str | None:
    """Return the platform's method of payment, or None."""
    lower = text.casefold()
    return next((method for word, method in PAYMENT_WORDS if word in lower), None)


def _has(words: str, stems: tuple[str, ...]) -> bool:
    """Whether a word begins with one of the stems."""
    return any(re.search(rf"\b{re.escape(stem)}", words) for stem in stems)
