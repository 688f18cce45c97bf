"""What the name of a column of amounts says: that it is a total, a price, a tax, a fee, … (many "
"languages)."""

import re
import unicodedata
from functools import cache


def words(text: str) -> frozenset[str]:
    """Return the words of a text, which blanks divide."""
    return frozenset(text.split())


_WORDS: dict[str, str] = {
    "fee": "fee fees tarifa tarifas taxa comissao comision commission commissions gebuehr gebuehren gebuhr"
           " gebuhren frais cargo cargos provision commissione provisie surcharge"
           " repasse acrescimo",
    "refund": "refund refunds refunded reembolso reembolsos reembolsado rueckerstattung ruckerstattung "
    "erstattung"
              " erstattet remboursement rembourse devolucao devolucion devuelto returned estorno rimborso"
              " terugbetaling anulaciones cancelamentos credit chargeback disputed",
    "tax": "tax taxes vat gst hst pst iva icms ipi iss imposto impostos impuesto impuestos steuer steuern "
    "mwst"
           " ust mehrwertsteuer tva taxe btw moms mva kdv podatek igv imposta dph afa",
    "discount": "discount discounts discounted desconto descontos descuento descuentos rabatt rabatte "
    "nachlass"
                " remise reduction sconto sconti korting kortingen promo promotion coupon voucher bonificacao"
                " bonificaciones bonificacion rebate rabat indirim cupom cupon znizka gutschein rabais avoir",
    "shipping": "shipping ship freight frete envio versand versandkosten porto livraison port spedizione"
                " verzending verzendkosten frakt fragt postage delivery carriage entrega flete handling kargo"
                " wysylka dostawa dostawy fracht lieferung lieferkosten envoi wrap packaging shipment",
    "quantity": "quantity qty quantidade qtd qtde cantidad cant unidades units menge anzahl stueck stuck "
    "stueckzahl"
                " stuckzahl quantite qte quantita qta aantal antal ilosc adet pcs pieces kolicina count"
                " nombre_articles items mengen stk",
    "total": "total totals totaal gesamt gesamtbetrag gesamtpreis gesamtsumme summe betrag montant somme "
    "importe"
             " importo amount valor sum suma subtotal zwischensumme revenue sales receita ingresos umsatz"
             " turnover faturamento grand totale razem kwota wartosc belopp summa beloeb belob belop tutar"
             " toplam"
             " paid pago bezahlt collected charged gross brutto net netto rechnungsbetrag endbetrag due"
             " value wert warenwert bestellwert valeur valore wartosc",
    "price": "price preco precio preis einzelpreis stueckpreis stuckpreis prix prezzo prijs stukprijs pris "
    "cena"
             " fiyat unitprice stykpris vk verkaufspreis each",
}  # fmt: skip
"""Role → words. The first role that has one of a name's words counts: a `tax total` is a tax."""

_WORDS_OF_ROLE = {role: words(text) for role, text in _WORDS.items()}

_BESIDE_THE_POINT = re.compile(
    r"\b(inc|incl|including|includes|inclusive|ex|exc|excl|excluding|exclusive|before|after|without|with|"
    r"net of|"
    r"ohne|inkl|zzgl|exkl|hors|sans|avec|sin|con|sem|com|pre|incluido|incluida|incluidos|incluso|incl\.)"
    r"[ .]+(of )?(the )?(all )?(item )?(sales )?"
    r"(tax|taxes|vat|gst|iva|mwst|ust|steuer|tva|btw|moms|discount|discounts|shipping|freight|desconto|impuestos?"
    r"|impostos?|frete|versand|rabatt|podatek)\b"
    r"|\btax (incl|excl|inclusive|exclusive|inc|exc)\b|\bpour \w+|\bpaid by \w+|\bcollected in \w+"
)
"""Parts of a name that qualify an amount, such as `(inc tax)`."""

_NO_AMOUNT = words(
    "id ids code codes name names type types method methods number no status date time at on title note "
    "notes rate percent percentage pct weight currency country region city state zip phone address "
    "details description sku reference ref nummer numero codigo nome data fecha datum class label "
    "required provider carrier service tracking code location quality exempt taxable options zone metodo "
    "forma tipo medio art"
)
"""Words that make a name one of no amount: `shipping method`, `tax rate`."""


_OF_A_UNIT = {"unit", "unitario", "unitaria", "unitaire", "einzel", "each", "unitprice"}


@cache
def plain(name: str) -> str:
    """Return a column's name in lower-case words without accents and signs: `Preço Unit.` → `preco unit`."""
    text = unicodedata.normalize("NFKD", name.replace("ß", "ss")).encode("ascii", "ignore").decode()
    text = re.sub(r"(?<=[a-z]{3})(?=[A-Z])", " ", text)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def is_word(token: str, known: frozenset[str]) -> bool:
    """Whether a token is one of the words, or a compound of one: `bestellnummer` of `bestell`."""
    return token in known or any(
        len(word) >= 5 and len(token) > len(word) and (token.startswith(word) or token.endswith(word))
        for word in known
    )


@cache
def role_of(name: str) -> str | None:
    """Return the role of a column of numbers by its name, or None: `"Order Total (inc tax)"` → `total`."""
    text = _BESIDE_THE_POINT.sub(" ", plain(name))
    tokens = text.split()
    if any(token in _NO_AMOUNT for token in tokens):
        return None
    for role, known in _WORDS_OF_ROLE.items():
        if role == "total" and _OF_A_UNIT & set(tokens):
            return "price"
        if any(is_word(token, known) for token in tokens):
            is_shipping = any(is_word(token, _WORDS_OF_ROLE["shipping"]) for token in tokens)
            return "shipping_discount" if role == "discount" and is_shipping else role
    return None


def is_grand_total(name: str) -> bool:
    """Whether a total's name says that it is that of the whole order, with everything."""
    tokens = set(plain(name).split())
    if tokens & {"subtotal", "zwischensumme", "item", "line", "lineitem", "product", "products", "produtos",
        "productos",
                 "net", "netto", "gross", "ex", "excl", "merchandise", "goods", "artikel"}:  # fmt: skip
        return False
    return bool(
        tokens & {"total", "grand", "gesamtbetrag", "gesamtsumme", "endbetrag", "totaal", "totale", "razem"}
    )


def is_paid_total(name: str) -> bool:
    """Whether a total's name says that it is what the shopper pays, or a part of it."""
    words = set(name.casefold().replace("_", " ").split())
    return not words & {"net", "adjusted", "due", "paid", "spent", "balance", "outstanding", "base", "payout"}
