"""The names that shops give to columns, and the words of statuses and payments, in many languages."""

import re
from functools import cache

from producers.importer.mapped.column_roles import is_word, plain, words

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
    "cancel", "gecancel", "kansell", "annul", "anul", "storn", "void", "fail", "refus", "reject", "declin",
    "expir", "vencid", "recus", "falh", "rechaz", "abbruch", "abgebrochen", "abgelehnt", "afgebroken",
    "geannuleerd", "afbest", "avbr", "avbest", "unavailable", "odrzuc", "zrusen", "peruttu", "peruutet",
    "mitato", "makulera", "avvist", "abandon", "incomplete", "payment error", "error de pago", "iptal",
    "torolve", "erreur de paiement", "zahlungsfehler", "erro no pagamento",
)  # fmt: skip
UNPAID_STEMS = (
    "pending", "unpaid", "draft", "awaiting", "aguardando", "pendente", "pendiente", "authorized",
    "authorised", "ausstehend", "unbezahlt", "offen", "impaye", "openstaand", "obetald", "nieoplacone",
    "em aberto", "esperando", "in attesa", "en attente", "nicht bezahlt", "not paid", "nao pago",
    "no pagado", "wartet auf zahlung", "on hold", "odenmedi",
)  # fmt: skip
UNPAID_STATES = frozenset(("created", "invoiced"))
"""Whole statuses of orders that nobody has paid yet. In longer ones, such words say something else."""

RETURNED_STEMS = (
    "refund", "returned", "return complete", "return received", "return accepted", "return approved",
    "return closed", "devolvid", "devuelt", "devoluc", "reembols", "retourniert", "zuruckgesendet",
    "erstattet", "ruckerstatt", "rembours", "rimbors", "restitu", "terugbetaald", "geretourneerd",
    "aterbetald", "refunderet", "zwrocon", "retorn", "chargeback", "charged back", "estornad", "iade",
    "te dimos el dinero al comprador",
)  # fmt: skip
"""How words in statuses begin, without accents."""

OTHER_SCRIPTS: dict[str, tuple[str, ...]] = {
    "cancelled": (
        "отмен", "аннулир", "скасован", "取消", "キャンセル", "취소", "ملغ", "إلغاء", "ακυρ", "בוטל",
    ),
    "returned": (
        "возврат", "возвращ", "повернен", "退款", "退货", "退貨", "返品", "返金", "환불", "반품", "مسترج",
        "επιστρ",
    ),
    "unpaid": ("не оплач", "ожидает оплат", "未付款", "待付款", "未支払", "入金待ち", "결제대기", "미결제"),
}  # fmt: skip
"""Meaning → parts of statuses in other scripts."""

KEPT_STEMS = ("partial", "parcial", "teilweise", "partiel", "parzial", "gedeeltelijk", "delvis", "czesciowo",
              "cancelled reversal", "canceled reversal", "cancelable", "cancellable", "payment received",
              "mediacao finalizada com", "te demos o dinheiro", "te dimos el dinero", "unshipped",
              "unfulfilled", "partially")  # fmt: skip
"""Texts with such a part are confirmed orders all the same. A part of an order that came back is not told."""

_NOT = words("not no nao nicht non niet ikke inte nie never kein keine sem sin")
_REFUSED = ("refus", "reject", "declin", "denied", "recus", "negad", "rechaz", "abgelehnt", "afgewezen")
"""Stems of words by which nothing came of what was asked for, such as in `refund declined`."""
_REQUESTED = ("request", "solicit", "beantragt", "angefragt", "demand", "aangevraagd", "cancellation pending")
_ASKED = (*_REQUESTED, "pending", "awaiting", "initiat", "open", "andamento", "in progress", "aguardando",
          "pendente", "pendiente")  # fmt: skip
"""Stems of words for what has not happened yet, such as in `cancellation requested`."""
_DONE = ("refunded", "returned", "devolvid", "devuelt", "reembolsad", "erstattet", "retourniert", "estornad",
         "zuruckgesendet", "terugbetaald", "geretourneerd", "rembourse")  # fmt: skip
"""Stems of words for what has happened, whatever else is still to come: `returned, pending inspection`."""
_SENDING = (
    "ship", "fulfil", "deliver", "dispatch", "pick", "collect", "pack", "stock", "label", "envio", "enviar",
    "entrega", "despach", "retirada", "retiro", "separac", "estoque", "versand", "liefer", "abhol",
    "expedi", "livrais", "spediz", "consegna", "verzend", "lever", "wysyl", "odeslan",
)  # fmt: skip
"""Stems of words for what happens after an order was paid."""
_PAYMENT = words("payment pagamento zahlung paiement betaling betalning platba platnosc funds capture")

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
    """Return `cancelled`, `unpaid` or `returned`, or None: the order counts as confirmed.

    What is only asked for, was refused or is denied has not happened (`refund declined`, `not cancelled`). An
    order that waits for its parcel is no unpaid one, and a parcel that could not be delivered no end.
    """
    folded = text.casefold()
    for meaning, parts in OTHER_SCRIPTS.items():
        if any(part in folded for part in parts):
            return meaning
    said = plain(text)
    if _has(said, KEPT_STEMS):
        return None
    if _has(said, RETURNED_STEMS) or said == "return":
        asked = () if _has(said, _DONE) else _ASKED
        is_denied = _is_denied(said, RETURNED_STEMS) or _has(said, (*_REFUSED, *asked))
        return None if is_denied else "returned"
    if _has(said, ("return", "retour")) and _has(said, _REFUSED):
        return None
    if _has(said, CANCELLED_STEMS):
        is_asked = _has(said, _REQUESTED)
        is_parcel = _has(said, ("fail", "falh")) and _has(said, _SENDING)
        return None if _is_denied(said, CANCELLED_STEMS) or is_asked or is_parcel else "cancelled"
    is_sent = _has(said, _SENDING) and not _PAYMENT & set(said.split())
    is_unpaid = said in UNPAID_STATES or (_has(said, UNPAID_STEMS) and not is_sent)
    return "unpaid" if is_unpaid else None


def payment_method(text: str) -> str | None:
    """Return the platform's method of payment, or None."""
    lower = text.casefold()
    return next((method for word, method in PAYMENT_WORDS if word in lower), None)


def _is_denied(words: str, stems: tuple[str, ...]) -> bool:
    """Whether a `not` stands at most one word before each word that begins with one of the stems."""
    found = [match.start() for stem in stems for match in re.finditer(rf"\b{re.escape(stem)}", words)]
    return all(_NOT & set(words[:start].split()[-2:]) for start in found)


def _has(words: str, stems: tuple[str, ...]) -> bool:
    """Whether a word begins with one of the stems."""
    return any(re.search(rf"\b{re.escape(stem)}", words) for stem in stems)
