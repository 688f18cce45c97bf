"""What the OpenAPI description says of the API as a whole."""

from schemas.services import SERVICES

DESCRIPTION = """Sales figures of a marketplace and its sellers, exact to the cent and fresh to the second.

* Money is an integer in minor units (cents) beside its currency.
* `from` is inclusive, `to` is exclusive; days, weeks and months are those of the shop's time zone.
* Sales include orders that were cancelled or unavailable later; `cancelled` has their number and amounts.
* A period that is not over is compared with the same part of the previous one; `compared` has that part.
* Send `Accept: text/csv` to get a list as CSV. Its header `Link` has the next page, `Souk-As-Of` has `as_of`.
  There, money is a decimal of the currency in the column `currency`, and no column's name ends in `_minor`.
  Texts that a spreadsheet would run as a formula begin with an apostrophe.
* Metrics, their rows and the results of SQL are Parquet with `Accept: application/vnd.apache.parquet` or
  `format=parquet`. There, money is a decimal of the currency, and times are UTC.
* Responses with figures or products have an `ETag`. With `If-None-Match`, an unchanged response is a 304.
* `as_of` is the event time up to which a figure is complete.
* While ClickHouse does not answer, you get the last figures of the same request: `stale` is true (CSV: the
  header `Souk-Stale`), and `as_of` says up to when they are complete.
* Every error is `application/problem+json` (RFC 9457) and says what to do next."""

TAGS = [
    {"name": "sellers", "description": "What one seller sold."},
    {"name": "metrics", "description": "The catalogue of metrics, and their values, splits and rows."},
    {"name": "sql", "description": "A seller's own queries, over views of what belongs to that seller."},
    {"name": "marketplace", "description": "What all sellers sold."},
    {"name": "products", "description": "What is on offer, and what is popular right now."},
    {"name": "recommendations", "description": "Products to show a shopper next."},
    {"name": "experiments", "description": "Administration: experiments, trainings, the log of answers."},
    *({"name": tag, "description": text} for room in SERVICES.values() for tag, text in room.tags.items()),
    {"name": "events", "description": "Browsing events of shoppers."},
    {"name": "operations", "description": "Health and readiness."},
]
