"""Made-up orders as the exports of shops' software have them: published columns, with our rows."""

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

Row = dict[str, object]

PEOPLE = (
    "Ana Lima",
    "Bea Costa",
    "Cleo Martins",
    "Davi Rocha",
    "Eva Souza",
    "Félix Ramos",
    "Gil Torres",
    "Ida Nunes",
)
GOODS = (("TEA-1", "Green tea", 1290), ("CUP-2", "Blue cup", 850), ("POT-3", "Tea pot", 4999),
    ("BAG-4", "Linen bag", 1999),
         ("MAT-5", "Straw mat", 2475), ("JAR-6", "Glass jar", 675), ("KIT-7", "Tea kit", 10900))  # fmt: skip


@dataclass(frozen=True)
class SoldLine:
    """A line of an order. Amounts are in cents; `tax` is that of the whole line."""

    sku: str
    title: str
    quantity: int
    unit: int
    tax: int

    @property
    def gross(self) -> int:
        """Quantity times price."""
        return self.quantity * self.unit


@dataclass(frozen=True)
class SoldOrder:
    """An order. `tax` is in the prices if `inside`, else it is added."""

    number: int
    at: datetime
    buyer: str
    lines: tuple[SoldLine, ...]
    discount: int
    shipping: int
    inside: bool
    status: str = "paid"

    @property
    def goods(self) -> int:
        """The sum of the lines."""
        return sum(line.gross for line in self.lines)

    @property
    def tax(self) -> int:
        """The tax of the lines."""
        return sum(line.tax for line in self.lines)

    @property
    def total(self) -> int:
        """What the shopper pays."""
        return self.goods - self.discount + self.shipping + (0 if self.inside else self.tax)

    @property
    def email(self) -> str:
        """The shopper's address."""
        return f"{self.buyer.split()[0].lower()}@example.com"


def orders(
    count: int = 30,
    inside: bool = False,
    rate: float = 0.2,
    discounts: bool = True,
    shipping: bool = True,
    seed: int = 7,
) -> list[SoldOrder]:
    """Return made-up orders: a tenth is cancelled, and a tenth was returned."""
    random_ = random.Random(seed)
    made: list[SoldOrder] = []
    at = datetime(2026, 3, 2, 9, 5)  # noqa: DTZ001 (shops write local times)
    for number in range(1001, 1001 + count):
        at += timedelta(hours=random_.randint(3, 30), minutes=random_.randint(0, 59))
        lines = []
        for sku, title, unit in random_.sample(GOODS, random_.choice((1, 1, 2, 3))):
            quantity = random_.choice((1, 1, 2, 3))
            gross = quantity * unit
            lines.append(
                SoldLine(
                    sku, title, quantity, unit, round(gross * rate / (1 + rate) if inside else gross * rate)
                )
            )
        made.append(
            SoldOrder(
                number, at, random_.choice(PEOPLE), tuple(lines),
                random_.choice((0, 0, 150, 333)) if discounts else 0,
                random_.choice((0, 490, 990)) if shipping else 0,
                inside,
                "cancelled" if number % 10 == 4 else "refunded" if number % 10 == 7 else "paid",
            )
        )  # fmt: skip
    return made


def money(cents: int, decimal: str = ".", sign: str = "") -> str:
    """Return an amount as text: 12.34."""
    return f"{'-' if cents < 0 else ''}{sign}{abs(cents) // 100}{decimal}{abs(cents) % 100:02d}"


def write(
    path: Path, header: Sequence[str], rows: Sequence[Row], delimiter: str = ",", before: Sequence[str] = ()
) -> Path:
    """Write rows, with empty cells for the columns that they lack, below the lines `before`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}\r\n" for line in before)
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(header)
        unknown = {name for row in rows for name in row} - set(header)
        assert not unknown, unknown
        writer.writerows([row.get(name, "") for name in header] for row in rows)
    return path


def columns(text: str) -> list[str]:
    """Return the names of a header that is written with `, ` and over several lines."""
    return [name.strip() for name in " ".join(text.split()).split(",")]


SHOPIFY = columns(
    """Name, Email, Financial Status, Paid at, Fulfillment Status, Fulfilled at, Accepts Marketing, Currency,
    Subtotal, Shipping, Taxes, Total, Discount Code, Discount Amount, Shipping Method, Created at, Lineitem
    quantity, Lineitem name, Lineitem price, Lineitem compare at price, Lineitem sku, Lineitem requires
    shipping, Lineitem taxable, Lineitem fulfillment status, Billing Name, Billing Street, Billing Address1,
    Billing Address2, Billing Company, Billing City, Billing Zip, Billing Province, Billing Country, Billing
    Phone, Shipping Name, Shipping Street, Shipping Address1, Shipping Address2, Shipping Company, Shipping
    City, Shipping Zip, Shipping Province, Shipping Country, Shipping Phone, Notes, Note Attributes,
    Cancelled at, Payment Method, Payment Reference, Refunded Amount, Vendor, Outstanding Balance, Employee,
    Location, Device ID, Id, Tags, Risk Level, Source, Lineitem discount, Tax 1 Name, Tax 1 Value, Tax 2
    Name, Tax 2 Value, Phone, Receipt Number, Duties"""
)


def shopify(directory: Path, sold: list[SoldOrder], currency: str = "USD", country: str = "US") -> None:
    """Write Shopify's export: the first row of an order has what belongs to the whole order."""
    rows: list[Row] = []
    for order in sold:
        first: Row = {
            "Financial Status": {"cancelled": "voided"}.get(order.status, order.status), "Currency": currency,
            "Subtotal": money(order.goods - order.discount), "Shipping": money(order.shipping),
            "Taxes": money(order.tax),
            "Total": money(order.total), "Discount Amount": money(order.discount),
            "Shipping Method": "Standard",
            "Billing Name": order.buyer, "Billing Country": country, "Shipping Country": country,
            "Billing Zip": f"{order.number:05d}", "Payment Method": "Shopify Payments",
            "Id": 5_000_000_000 + order.number,
            "Refunded Amount": money(order.total if order.status == "refunded" else 0),
            "Outstanding Balance": "0.00",
            "Tax 1 Name": "VAT 20%", "Tax 1 Value": money(order.tax), "Accepts Marketing": "no",
            "Risk Level": "Low",
            "Cancelled at": f"{order.at:%Y-%m-%d %H:%M:%S} +0000" if order.status == "cancelled" else "",
        }  # fmt: skip
        for place, line in enumerate(order.lines):
            rows.append((first if not place else {}) | {
                "Name": f"#{order.number}", "Email": order.email,
                "Created at": f"{order.at:%Y-%m-%d %H:%M:%S} +0000",
                "Lineitem quantity": line.quantity, "Lineitem name": line.title,
                "Lineitem price": money(line.unit),
                "Lineitem sku": line.sku, "Lineitem discount": "0.00", "Vendor": "Corner",
                "Lineitem taxable": "true",
            })  # fmt: skip
    write(directory / "orders_export_1.csv", SHOPIFY, rows)


WOOCOMMERCE = columns(
    """Order Number, Order Status, Order Date, Customer Note, First Name (Billing), Last Name (Billing),
    Company (Billing), Address 1&2 (Billing), City (Billing), State Code (Billing), Postcode (Billing),
    Country Code (Billing), Email (Billing), Phone (Billing), First Name (Shipping), Last Name (Shipping),
    Address 1&2 (Shipping), City (Shipping), State Code (Shipping), Postcode (Shipping), Country Code
    (Shipping), Payment Method Title, Cart Discount Amount, Order Subtotal Amount, Shipping Method Title,
    Order Shipping Amount, Order Refund Amount, Order Total Amount, Order Total Tax Amount, SKU, Item #,
    Item Name, Quantity (- Refund), Item Cost, Coupon Code, Discount Amount, Discount Amount Tax"""
)


def woocommerce(directory: Path, sold: list[SoldOrder]) -> None:
    """Write an export of Advanced Order Export For WooCommerce: every row has the order's amounts."""
    states = {"paid": "Completed", "cancelled": "Cancelled", "refunded": "Refunded"}
    write(directory / "orders.csv", WOOCOMMERCE, [
        {"Order Number": order.number, "Order Status": states[order.status],
            "Order Date": f"{order.at:%Y-%m-%d %H:%M}",
         "Last Name (Billing)": order.buyer, "Email (Billing)": order.email, "Country Code (Billing)": "PT",
         "Payment Method Title": "PayPal", "Cart Discount Amount": money(order.discount),
         "Order Subtotal Amount": money(order.goods), "Order Shipping Amount": money(order.shipping),
         "Order Total Amount": money(order.total), "Order Total Tax Amount": money(order.tax),
         "SKU": line.sku,
         "Item #": place, "Item Name": line.title, "Quantity (- Refund)": line.quantity,
         "Item Cost": money(line.unit)}
        for order in sold for place, line in enumerate(order.lines, 1)
    ])  # fmt: skip


AMAZON_ALL = columns(
    """amazon-order-id, merchant-order-id, purchase-date, last-updated-date, order-status,
    fulfillment-channel,
    sales-channel, order-channel, ship-service-level, product-name, sku, asin, item-status, quantity,
    currency, item-price, item-tax, shipping-price, shipping-tax, gift-wrap-price, gift-wrap-tax,
    item-promotion-discount, ship-promotion-discount, ship-city, ship-state, ship-postal-code, ship-country,
    promotion-ids, is-business-order, purchase-order-number, price-designation"""
)


def amazon_id(order: SoldOrder) -> str:
    """An order's id as Amazon writes it."""
    return f"303-{1_000_000 + order.number * 37}-{2_000_000 + order.number}"


def amazon_all(directory: Path, sold: list[SoldOrder], currency: str) -> None:
    """Write Amazon's report of all orders. A cancelled line has no price; the discount is on line 1."""
    rows: list[Row] = []
    for order in sold:
        for place, line in enumerate(order.lines):
            ended = order.status == "cancelled"
            rows.append({
                "amazon-order-id": amazon_id(order),
                "merchant-order-id": amazon_id(order) if order.number % 3 else "",
                "purchase-date": f"{order.at:%Y-%m-%dT%H:%M:%S}+00:00",
                "order-status": "Cancelled" if ended else "Shipped",
                "last-updated-date": f"{order.at + timedelta(days=2):%Y-%m-%dT%H:%M:%S}+00:00",
                "fulfillment-channel": "Merchant", "sales-channel": "Amazon.de", "product-name": line.title,
                "sku": line.sku, "asin": f"B0{line.sku[-1] * 8}",
                "item-status": "Cancelled" if ended else "Shipped",
                "quantity": 0 if ended else line.quantity, "currency": "" if ended else currency,
                "item-price": "" if ended else money(line.gross),
                "item-tax": "" if ended else money(line.tax),
                "shipping-price": money(order.shipping) if order.shipping and not place and not ended else "",
                "item-promotion-discount": money(0 if place or ended else order.discount) or "",
                "ship-country": "DE", "ship-city": "BERLIN", "ship-postal-code": "10115",
                "is-business-order": "false",
            })  # fmt: skip
    write(directory / "all_orders.txt", AMAZON_ALL, rows, delimiter="\t")


AMAZON_REPORT = columns(
    """order-id, order-item-id, purchase-date, payments-date, buyer-email, buyer-name, buyer-phone-number,
    sku,
    product-name, quantity-purchased, currency, item-price, item-tax, shipping-price, shipping-tax,
    ship-service-level, recipient-name, ship-address-1, ship-address-2, ship-address-3, ship-city,
    ship-state, ship-postal-code, ship-country, ship-phone-number, item-promotion-discount,
    item-promotion-id, ship-promotion-discount, ship-promotion-id, delivery-start-date, delivery-end-date,
    delivery-time-zone, delivery-Instructions, sales-channel"""
)


def amazon_report(directory: Path, sold: list[SoldOrder], currency: str) -> None:
    """Write the order report of Seller Central."""
    write(directory / "orders.txt", AMAZON_REPORT, [
        {"order-id": amazon_id(order), "order-item-id": 70_000_000_000_000 + order.number * 10 + place,
         "purchase-date": f"{order.at:%Y-%m-%dT%H:%M:%S}-08:00",
         "payments-date": f"{order.at:%Y-%m-%dT%H:%M:%S}-08:00",
         "buyer-email": order.email, "buyer-name": order.buyer, "sku": line.sku, "product-name": line.title,
         "quantity-purchased": line.quantity, "currency": currency, "item-price": money(line.gross),
         "item-tax": money(line.tax), "shipping-price": money(0 if place else order.shipping),
         "shipping-tax": "0.00",
         "recipient-name": order.buyer, "ship-country": "US", "ship-postal-code": "02134",
         "item-promotion-discount": money(0 if place else order.discount), "ship-promotion-discount": "0.00"}
        for order in sold for place, line in enumerate(order.lines)
    ], delimiter="\t")  # fmt: skip


ETSY_ITEMS = columns(
    """Sale Date, Item Name, Buyer, Quantity, Price, Coupon Code, Coupon Details, Discount Amount, Shipping
    Discount, Order Shipping, Order Sales Tax, Item Total, Currency, Transaction ID, Listing ID, Date Paid,
    Date Shipped, Ship Name, Ship Address1, Ship Address2, Ship City, Ship State, Ship Zipcode, Ship
    Country, Order ID, Variations, Order Type, Listings Type, Payment Type, InPerson Discount, InPerson
    Location, VAT Paid by Buyer, SKU"""
)
ETSY_ORDERS = columns(
    """Sale Date, Order ID, Buyer User ID, Full Name, First Name, Last Name, Number of Items, Payment Method,
    Date Shipped, Street 1, Street 2, Ship City, Ship State, Ship Zipcode, Ship Country, Currency, Order
    Value, Coupon Code, Coupon Details, Discount Amount, Shipping Discount, Shipping, Sales Tax, Order
    Total, Status, Card Processing Fees, Order Net, Adjusted Order Total, Adjusted Card Processing Fees,
    Adjusted Net Order Amount, Buyer, Order Type, Payment Type, InPerson Discount, InPerson Location, SKU"""
)


def etsy(directory: Path, sold: list[SoldOrder]) -> None:
    """Write Etsy's files of order items and of orders. Two orders of one day have one sale date."""
    items: list[Row] = []
    whole: list[Row] = []
    for order in sold:
        day = f"{order.at:%m/%d/%y}"
        for place, line in enumerate(order.lines):
            items.append({
                "Sale Date": day, "Item Name": line.title,
                "Buyer": f"{order.buyer} ({order.email.split('@')[0]})",
                "Quantity": line.quantity, "Price": money(line.unit),
                "Discount Amount": money(0 if place else order.discount),
                "Shipping Discount": "0", "Order Shipping": money(order.shipping),
                "Order Sales Tax": money(order.tax),
                "Item Total": money(line.gross), "Currency": "USD",
                "Transaction ID": 4_000_000_000 + order.number * 10 + place,
                "Listing ID": 1_000_000_000 + int(line.sku[-1]), "Date Paid": f"{order.at:%m/%d/%Y}",
                "Ship Name": order.buyer, "Ship Country": "United States",
                "Order ID": 3_000_000_000 + order.number,
                "Order Type": "online", "Payment Type": "online_cc", "SKU": line.sku,
            })  # fmt: skip
        fee = order.total * 3 // 100
        whole.append({
            "Sale Date": day, "Order ID": 3_000_000_000 + order.number,
            "Buyer User ID": order.email.split("@")[0],
            "Full Name": order.buyer, "Number of Items": sum(line.quantity for line in order.lines),
            "Payment Method": "Credit Card", "Currency": "USD", "Order Value": money(order.goods),
            "Discount Amount": money(order.discount), "Shipping Discount": "0.00",
            "Shipping": money(order.shipping),
            "Sales Tax": money(order.tax), "Order Total": money(order.total),
            "Status": {"cancelled": "Canceled", "refunded": "Refunded"}.get(order.status, "Shipped"),
            "Card Processing Fees": money(fee), "Order Net": money(order.total - fee),
            "Adjusted Order Total": "0.00",
            "Adjusted Card Processing Fees": "0.00", "Adjusted Net Order Amount": "0.00",
            "Order Type": "online",
            "Ship Country": "United States", "Buyer": order.buyer, "Payment Type": "online_cc",
        })  # fmt: skip
    write(directory / "EtsySoldOrderItems2026.csv", ETSY_ITEMS, items)
    write(directory / "EtsySoldOrders2026.csv", ETSY_ORDERS, whole)


EBAY = columns(
    """Sales Record Number, Order Number, Buyer Username, Buyer Name, Buyer Email, Buyer Note,
    Buyer Address 1,
    Buyer Address 2, Buyer City, Buyer State, Buyer Zip, Buyer Country, Buyer Tax Identifier Name, Buyer Tax
    Identifier Value, Ship To Name, Ship To Phone, Ship To Address 1, Ship To Address 2, Ship To City, Ship
    To State, Ship To Zip, Ship To Country, Item Number, Item Title, Custom Label, Sold Via Promoted
    Listings, Quantity, Sold For, Shipping And Handling, Item Location, Item Zip Code, Item Country, eBay
    Collect And Remit Tax Rate, eBay Collect And Remit Tax Type, eBay Reference Name, eBay Reference Value,
    Tax Status, Seller Collected Tax, eBay Collected Tax, Electronic Waste Recycling Fee, Mattress Recycling
    Fee, Battery Recycling Fee, White Goods Disposal Tax, Tire Recycling Fee, Additional Fee, Total Price,
    eBay Collected Tax and Fees Included in Total, Payment Method, Sale Date, Paid On Date, Ship By Date,
    Minimum Estimated Delivery Date, Maximum Estimated Delivery Date, Shipped On Date, Feedback Left,
    Feedback Received, My Item Note, PayPal Transaction ID, Shipping Service, Tracking Number, Transaction
    ID, Variation Details, Global Shipping Program, Global Shipping Reference ID, Click And Collect, Click
    And Collect Reference Number, eBay Plus"""
)


def ebay(directory: Path, sold: list[SoldOrder]) -> None:
    """Write eBay's orders report: a blank line first, and a row of its own for an order of several items."""
    rows: list[Row] = []
    for order in sold:
        whole: Row = {
            "Sales Record Number": order.number,
            "Order Number": f"12-{order.number:05d}-{order.number * 7:05d}",
            "Buyer Username": order.email.split("@")[0], "Buyer Name": order.buyer,
            "Buyer Country": "United States",
            "Ship To Country": "United States", "Buyer Zip": "02134",
            "Seller Collected Tax": money(order.tax, sign="$"),
            "eBay Collected Tax": "$0.00", "Shipping And Handling": money(order.shipping, sign="$"),
            "Total Price": money(order.total, sign="$"), "Payment Method": "PayPal",
            "Sale Date": f"{order.at:%b-%d-%y}",
            "Paid On Date": f"{order.at + timedelta(days=1):%b-%d-%y}",
            "eBay Collected Tax and Fees Included in Total": "No",
            "Sold Via Promoted Listings": "No", "Tax Status": "No", "eBay Plus": "No",
        }  # fmt: skip
        items: list[Row] = [
            {"Item Number": 110_000_000_000 + int(line.sku[-1]), "Item Title": line.title,
                "Custom Label": line.sku,
             "Quantity": line.quantity, "Sold For": money(line.unit, sign="$"),
             "Item Country": "United States",
             "Transaction ID": 900_000 + order.number * 10 + place}
            for place, line in enumerate(order.lines)
        ]  # fmt: skip
        own = {
            name: whole[name]
            for name in ("Sales Record Number", "Order Number", "Buyer Username", "Sale Date")
        }
        if len(items) == 1:
            rows.append(whole | items[0])
        else:
            units = sum(line.quantity for line in order.lines)
            rows.append(whole | {"Quantity": units, "Sold For": money(order.goods, sign="$")})
            rows += [own | item for item in items]
    write(directory / "eBay-OrdersReport.csv", EBAY, rows, before=[""])


SQUARE = columns(
    """Date, Time, Time Zone, Category, Item, Qty, Price Point Name, SKU, Modifiers Applied, Gross Sales,
    Discounts, Net Sales, Tax, Transaction ID, Payment ID, Device Name, Notes, Details, Event Type,
    Location, Dining Option, Customer ID, Customer Name, Customer Reference ID, Unit, Count"""
)


def square(directory: Path, sold: list[SoldOrder]) -> None:
    """Write Square's item details; an order that was returned has rows with negative quantities later."""
    rows: list[Row] = []
    for order in sold:
        events = [(1, order.at, "Payment")] + (
            [(-1, order.at + timedelta(days=1), "Refund")] if order.status == "refunded" else []
        )
        for sign, at, kind in events:
            for place, line in enumerate(order.lines):
                discount = 0 if place else order.discount
                tax = 0 if order.inside else line.tax
                rows.append({
                    "Date": f"{at:%Y-%m-%d}", "Time": f"{at:%H:%M:%S}",
                    "Time Zone": "Eastern Time (US & Canada)",
                    "Category": "Tea", "Item": line.title, "Qty": f"{sign * line.quantity}.0",
                    "Price Point Name": "Regular",
                    "SKU": line.sku, "Gross Sales": money(sign * line.gross, sign="$"), "Unit": "ea",
                    "Count": sign * line.quantity,
                    "Discounts": money(-sign * discount, sign="$"),
                    "Net Sales": money(sign * (line.gross - discount), sign="$"),
                    "Tax": money(sign * tax, sign="$"), "Transaction ID": f"{kind[0]}x{order.number}kQ",
                    "Payment ID": f"p{order.number}Zz{sign}", "Device Name": "Till 1", "Event Type": kind,
                    "Location": "Corner", "Customer ID": order.email.split("@")[0].upper(),
                    "Customer Name": order.buyer,
                })  # fmt: skip
    write(directory / "items-2026-03.csv", SQUARE, rows)


MERCADO_LIVRE = columns(
    """N.º de venda, Data da venda, Estado, Descrição do status, Pacote de diversos produtos, Pertence a um
    kit, Unidades, Receita por produtos (BRL), Receita por acréscimo no preço (pago pelo comprador), Taxa de
    parcelamento equivalente ao acréscimo, Tarifa de venda e impostos (BRL), Receita por envio (BRL),
    Tarifas de envio (BRL), Cancelamentos e reembolsos (BRL), Total (BRL), Mês de faturamento das suas
    tarifas, Venda por publicidade, SKU, # de anúncio, Loja oficial, Título do anúncio, Variação, Preço
    unitário de venda do anúncio (BRL), Tipo de anúncio, NF-e em anexo, Dados pessoais ou da empresa, Tipo e
    número do documento, Endereço, Tipo de contribuinte, Inscrição estadual, Comprador, Negócio, CPF,
    Endereço, Cidade, Estado, CEP, País, Forma de entrega, Data a caminho, Data entregue, Motorista, Número
    de rastreamento, URL de acompanhamento, Unidades, Forma de entrega, Revisado por Mercado Livre,
    Reclamação aberta, Reclamação encerrada, Em mediação"""
)
MERCADO_LIBRE = columns(
    """# de venta, Fecha de venta, Estado, Descripción del estado, Paquete de varios productos, Pertenece a un
    kit, Unidades, Ingresos por productos (ARS), Cargo por venta e impuestos (ARS), Ingresos por envío
    (ARS), Costos de envío (ARS), Anulaciones y reembolsos (ARS), Total (ARS), Mes de facturación de tus
    cargos, Venta por publicidad, SKU, # de publicación, Canal de venta, Título de la publicación, Variante,
    Precio unitario de venta de la publicación (ARS), Tipo de publicación, Factura adjunta, Datos personales
    o de empresa, Tipo y número de documento, Dirección, Condición fiscal, Comprador, Negocio, DNI,
    Domicilio, Ciudad, Estado, Código postal, País, Forma de entrega, Fecha en camino, Fecha entregado,
    Transportista, Número de seguimiento, URL de seguimiento, Unidades, Forma de entrega, Reclamo abierto,
    Reclamo cerrado, Con mediación"""
)
MONTHS = {
    "pt": ("janeiro", "fevereiro", "março", "abril", "maio", "junho", "julho", "agosto", "setembro",
        "outubro",
           "novembro", "dezembro"),
    "es": ("enero", "febrero", "marzo", "abril", "mayo", "junio", "julio", "agosto", "septiembre",
        "octubre", "noviembre",
           "diciembre"),
}  # fmt: skip


def mercado(directory: Path, sold: list[SoldOrder], language: str) -> None:
    """Write the sales report of Mercado Livre or Mercado Libre: a row for each sale, below some notes."""
    header = MERCADO_LIVRE if language == "pt" else MERCADO_LIBRE
    states = {
        "pt": {"paid": "Entregue", "cancelled": "Venda cancelada. Não envie.",
               "refunded": "Devolução finalizada com reembolso para o comprador"},
        "es": {"paid": "Entregado", "cancelled": "Cancelada por el comprador",
               "refunded": "Reclamo cerrado con reembolso al comprador"},
    }[language]  # fmt: skip
    rows: list[list[object]] = []
    for number, (order, line) in enumerate((each, line) for each in sold for line in each.lines):
        shipping, ended = (order.shipping if line is order.lines[0] else 0), order.status != "paid"
        fee, carriage = -(line.gross * 12 // 100), -(shipping + 500)
        back = -(line.gross + shipping + fee + carriage) if ended else 0
        name = MONTHS[language][order.at.month - 1]
        month = f"{order.at.day} de {name} de {order.at.year} {order.at:%H:%M} hs."
        said: dict[str, object] = {
            "N.º de venda": f"20000{80_000_000_000 + number}", "Data da venda": month,
            "Estado": states[order.status],
            "Descrição do status": f"Chegou no dia {order.at.day}", "Pacote de diversos produtos": "Não",
            "Pertence a um kit": "Não", "Unidades": line.quantity,
            "Receita por produtos (BRL)": money(line.gross),
            "Tarifa de venda e impostos (BRL)": money(fee), "Receita por envio (BRL)": money(shipping),
            "Tarifas de envio (BRL)": money(carriage),
            "Cancelamentos e reembolsos (BRL)": money(back) if back else "",
            "Total (BRL)": money(line.gross + shipping + fee + carriage + back),
            "Venda por publicidade": "Sim" if number % 2 else "Não",
            "SKU": line.sku, "# de anúncio": f"MLB{1_000_000 + int(line.sku[-1])}",
            "Título do anúncio": line.title,
            "Preço unitário de venda do anúncio (BRL)": money(line.unit), "Tipo de anúncio": "Clássico",
            "Comprador": order.buyer, "CPF": f"{order.buyer.encode().hex()[:11]}", "País": "Brasil",
            "Cidade": "São Paulo",
        }  # fmt: skip
        if language == "es":
            names = dict(zip(
                said,
                ("# de venta", "Fecha de venta", "Estado", "Descripción del estado",
                    "Paquete de varios productos",
                       "Pertenece a un kit", "Unidades", "Ingresos por productos (ARS)",
                       "Cargo por venta e impuestos (ARS)",
                       "Ingresos por envío (ARS)", "Costos de envío (ARS)",
                       "Anulaciones y reembolsos (ARS)", "Total (ARS)",
                       "Venta por publicidad", "SKU", "# de publicación", "Título de la publicación",
                       "Precio unitario de venta de la publicación (ARS)", "Tipo de publicación",
                       "Comprador", "DNI", "País",
                       "Ciudad"), strict=True))  # fmt: skip
            said = {names[name]: value for name, value in said.items()} | {"País": "Argentina"}
        # Of columns with one name, the first is the sale's.
        rows.append(
            [said.get(name, "") if header.index(name) == place else "" for place, name in enumerate(header)]
        )
    before = [
        "Estado das suas vendas",
        "",
        "Aqui estão as vendas do período; não altere este arquivo",
        "Vendas",
    ]
    path = directory / "vendas.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        file.writelines(f"{line}{',' * (len(header) - 1)}\r\n" for line in before)
        csv.writer(file).writerows([header, *rows])


MAGENTO = columns(
    """Order Number, Order Date, Order Status, Order Purchased From, Order Payment Method, Credit Card Type,
    Order Shipping Method, Order Subtotal, Order Tax, Order Shipping, Order Discount, Order Grand Total,
    Order Base Grand Total, Order Paid, Order Refunded, Order Due, Total Qty Items Ordered, Customer Name,
    Customer Email, Shipping Name, Shipping Company, Shipping Street, Shipping Zip, Shipping City, Shipping
    State, Shipping State Name, Shipping Country, Shipping Country Name, Shipping Phone Number, Billing
    Name, Billing Company, Billing Street, Billing Zip, Billing City, Billing State, Billing State Name,
    Billing Country, Billing Country Name, Billing Phone Number, Order Item Increment, Item Name, Item
    Status, Item SKU, Item Options, Item Original Price, Item Price, Item Qty Ordered, Item Qty Invoiced,
    Item Qty Shipped, Item Qty Canceled, Item Qty Refunded, Item Tax, Item Discount, Item Total"""
)


def magento(directory: Path, sold: list[SoldOrder]) -> None:
    """Write Simple Order Export for Magento: discounts are negative, amounts have four decimals."""
    states = {"paid": "complete", "cancelled": "canceled", "refunded": "closed (refunded)"}
    write(directory / "sales.csv", MAGENTO, [
        {"Order Number": 100_000_000 + order.number, "Order Date": f"{order.at:%Y-%m-%d %H:%M:%S}",
         "Order Status": states[order.status], "Order Payment Method": "checkmo",
         "Order Subtotal": f"{money(order.goods)}00", "Order Tax": f"{money(order.tax)}00",
         "Order Shipping": f"{money(order.shipping)}00", "Order Discount": f"{money(-order.discount)}00",
         "Order Grand Total": f"{money(order.total)}00", "Order Base Grand Total": f"{money(order.total)}00",
         "Order Paid": f"{money(order.total if order.status == 'paid' else 0)}00",
         "Total Qty Items Ordered": sum(line.quantity for line in order.lines), "Customer Name": order.buyer,
         "Customer Email": order.email, "Shipping Country": "GB", "Billing Country": "GB",
         "Order Item Increment": place,
         "Item Name": line.title, "Item SKU": line.sku, "Item Original Price": f"{money(line.unit)}00",
         "Item Price": f"{money(line.unit)}00", "Item Qty Ordered": line.quantity,
         "Item Tax": f"{money(line.tax)}00",
         "Item Discount": "0.0000", "Item Total": f"{money(line.gross)}00"}
        for order in sold for place, line in enumerate(order.lines, 1)
    ])  # fmt: skip


PRESTASHOP = columns(
    """id_order, reference, id_customer, email, payment, current_state, total_discounts,
    total_discounts_tax_incl, total_discounts_tax_excl, total_paid, total_paid_tax_incl,
    total_paid_tax_excl, total_paid_real, total_products, total_products_wt, total_shipping,
    total_shipping_tax_incl, total_shipping_tax_excl, date_add, product_id, product_reference, product_name,
    product_quantity, unit_price_tax_incl, unit_price_tax_excl, total_price_tax_incl, total_price_tax_excl,
    state_name"""
)


def prestashop(directory: Path, sold: list[SoldOrder]) -> None:
    """Write order_detail joined with orders, as PrestaShop's SQL Manager does; prices include the tax."""
    states = {"paid": "Livré", "cancelled": "Annulé", "refunded": "Remboursé"}
    write(directory / "request_sql.csv", PRESTASHOP, [
        {"id_order": order.number, "reference": f"XKBK{order.number}",
            "id_customer": PEOPLE.index(order.buyer) + 1,
         "email": order.email, "payment": "Carte bancaire",
         "current_state": {"paid": 5, "cancelled": 6, "refunded": 7}[order.status],
         "total_discounts": f"{money(order.discount)}0000",
         "total_discounts_tax_incl": f"{money(order.discount)}0000",
         "total_paid": f"{money(order.total)}0000", "total_paid_tax_incl": f"{money(order.total)}0000",
         "total_paid_tax_excl": f"{money(order.total - order.tax)}0000",
         "total_products_wt": f"{money(order.goods)}0000",
         "total_products": f"{money(order.goods - order.tax)}0000",
         "total_shipping": f"{money(order.shipping)}0000",
         "total_shipping_tax_incl": f"{money(order.shipping)}0000",
         "date_add": f"{order.at:%Y-%m-%d %H:%M:%S}",
         "product_id": line.sku[-1], "product_reference": line.sku, "product_name": line.title,
         "product_quantity": line.quantity, "unit_price_tax_incl": f"{money(line.unit)}0000",
         "unit_price_tax_excl": f"{(line.unit - line.tax / line.quantity) / 100:.6f}",
         "total_price_tax_incl": f"{money(line.gross)}0000",
         "total_price_tax_excl": f"{money(line.gross - line.tax)}0000",
         "state_name": states[order.status]}
        for order in sold for line in order.lines
    ], delimiter=";")  # fmt: skip


BIGCOMMERCE = columns(
    """Order ID, Customer ID, Customer Name, Customer Email, Customer Phone, Order Date, Order Status,
    Subtotal
    (inc tax), Subtotal (ex tax), Tax Total, Shipping Cost (inc tax), Shipping Cost (ex tax), Ship Method,
    Handling Cost (inc tax), Handling Cost (ex tax), Order Total (inc tax), Order Total (ex tax), Payment
    Method, Total Quantity, Total Shipped, Date Shipped, Order Currency Code, Exchange Rate, Order Notes,
    Customer Message, Billing First Name, Billing Last Name, Billing Company, Billing Street 1, Billing
    Street 2, Billing Suburb, Billing State, Billing Zip, Billing Country, Billing Phone, Billing Email,
    Shipping First Name, Shipping Last Name, Shipping Country, Coupon Value, Refund Amount"""
)


def _bigcommerce_order(order: SoldOrder) -> Row:
    states = {"paid": "Completed", "cancelled": "Cancelled", "refunded": "Refunded"}
    tax = order.tax
    return {
        "Order ID": order.number, "Customer ID": PEOPLE.index(order.buyer) + 1, "Customer Name": order.buyer,
        "Customer Email": order.email, "Order Date": f"{order.at:%d/%m/%Y}",
        "Order Status": states[order.status],
        "Subtotal (inc tax)": money(order.goods + (0 if order.inside else tax)),
        "Subtotal (ex tax)": money(order.goods - (tax if order.inside else 0)), "Tax Total": money(tax),
        "Shipping Cost (inc tax)": money(order.shipping), "Shipping Cost (ex tax)": money(order.shipping),
        "Handling Cost (inc tax)": "0.00", "Order Total (inc tax)": money(order.total),
        "Order Total (ex tax)": money(order.total - tax), "Payment Method": "Credit Card",
        "Total Quantity": sum(line.quantity for line in order.lines), "Order Currency Code": "AUD",
        "Exchange Rate": "1.0000",
        "Billing Country": "Australia", "Coupon Value": money(order.discount), "Refund Amount": "0.00",
    }  # fmt: skip


def bigcommerce(directory: Path, sold: list[SoldOrder]) -> None:
    """Write BigCommerce's default export: a row for each order, with all its products in one cell."""
    write(directory / "orders.csv", [*BIGCOMMERCE, "Product Details"], [
        _bigcommerce_order(order) | {"Product Details": " | ".join(
            f"Product ID: {line.sku[-1]}, Product Qty: {line.quantity}, Product SKU: {line.sku}, Product "
            f"Name: {line.title}, "
            f"Product Unit Price: {money(line.unit)}, Product Total Price: {money(line.gross)}"
            for line in order.lines)}
        for order in sold
    ])  # fmt: skip


def bigcommerce_items(directory: Path, sold: list[SoldOrder]) -> None:
    """Write BigCommerce's export with a row for each product of an order."""
    own = columns(
        "Product ID, Product Qty, Product SKU, Product Name, Product Unit Price, Product Total Price"
    )
    write(directory / "orders.csv", [*BIGCOMMERCE, *own], [
        _bigcommerce_order(order) | {
            "Product ID": line.sku[-1], "Product Qty": line.quantity, "Product SKU": line.sku,
            "Product Name": line.title,
            "Product Unit Price": money(line.unit), "Product Total Price": money(line.gross)}
        for order in sold for line in order.lines
    ])  # fmt: skip


Write = Callable[[Path, list[SoldOrder]], None]
