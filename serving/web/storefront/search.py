"""Lists of products in the shop: of a search, of a category and of a seller; suggestions while typing."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import astuple, dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import Depends, Query, Request
from starlette.responses import Response

from common.ids import MAX_ID_LENGTH, PRINTABLE, Id
from common.problems import PartProblem
from common.request_path import in_path
from serving.analytics.dashboards import Dashboards
from serving.analytics.dependencies import DashboardsDep
from serving.analytics.metrics import MetricsRequest
from serving.kit.analytics_context import utc_minute
from serving.kit.cache.completeness import mark_incomplete
from serving.kit.cache.keys import categories_tags, found_tags, seller_tag, suggestions_tags
from serving.kit.cached_responses import CachedResponder, CachedResponderDep
from serving.kit.domain import opened
from serving.kit.parameters import CategoryParam, SearchText, SellerId
from serving.kit.problems import UNKNOWN_SELLER, ClickHouseUnavailable
from serving.kit.product_filters import MAX_CHOSEN
from serving.kit.product_lists import Categories, Category
from serving.products.endpoints import Cursor, ProductsDep, SortParam
from serving.products.indexed import FoundProducts
from serving.products.search.filters import Facets
from serving.products.service import ProductsService
from serving.web.category_names import CategoryNames
from serving.web.policy import ANYBODY, page_router
from serving.web.renderer import PageRenderer
from serving.web.seller.choices import all_time
from serving.web.storefront.search_form import DEFAULT_SORT, SearchForm, major
from serving.web.translation import gettext

PRODUCTS_PER_PAGE = 24
"""The number of products on a page of a listing."""

SUGGESTED = 5
"""The number of suggestions of each kind."""

RATING = ("review_score", "reviews")

router = page_router(ANYBODY, "/shop", repeated=("attribute",))

Link = Callable[..., str]
"""Returns the address of a list with further parameters."""

Amount = Annotated[str, Query(max_length=20, pattern=PRINTABLE)]
Pair = Annotated[str, Query(max_length=300, pattern=PRINTABLE)]
Part = Annotated[Literal["page", "cards"], Query()]


async def _search_form(
    q: SearchText = "",
    category: CategoryParam = "",
    sort: SortParam = "best",
    seller: Annotated[str, Query(max_length=MAX_ID_LENGTH, pattern=PRINTABLE)] = "",
    price_from: Amount = "",
    price_to: Amount = "",
    rating: Annotated[Literal["", "1", "2", "3", "4"], Query()] = "",
    in_stock: Annotated[bool, Query()] = False,
    attribute: Annotated[list[Pair], Query(max_length=MAX_CHOSEN)] = [],  # noqa: B006 (FastAPI copies it)
) -> SearchForm:
    return SearchForm(
        q.strip(),
        category,
        sort,
        seller,
        price_from.strip(),
        price_to.strip(),
        int(rating) if rating else None,
        in_stock,
        tuple(dict.fromkeys(each for each in attribute if each)),
    )


SearchFormDep = Annotated[SearchForm, Depends(_search_form)]


@dataclass(frozen=True, slots=True)
class CategoryLink:
    """A category beside a list: how many products of the search it has, and how deep it is."""

    category_id: str
    products: int
    depth: int
    is_chosen: bool


@dataclass(frozen=True, slots=True)
class Chosen:
    """A filter that was chosen, and the address of the list without it."""

    text: str
    link: str


@router.get("/products")
async def listing(
    request: Request,
    products: ProductsDep,
    respond: CachedResponderDep,
    search: SearchFormDep,
    cursor: Cursor | None = None,
    part: Part = "page",
) -> Response:
    """Return the page of a search or a category; the part `cards` has only the products that follow."""
    return await _listing(request, products, respond, search, cursor, part)


@router.get("/categories/{category_id}")
async def category_page(
    request: Request,
    products: ProductsDep,
    respond: CachedResponderDep,
    category_id: Id,
    search: SearchFormDep,
    cursor: Cursor | None = None,
    part: Part = "page",
) -> Response:
    """Return the page of a category, with those above and below it."""
    form = replace(search, category=category_id)
    return await _listing(request, products, respond, form, cursor, part)


@router.get("/suggestions")
async def suggestions(
    request: Request, products: ProductsDep, respond: CachedResponderDep, q: SearchText = ""
) -> Response:
    """Return only the list of what a shopper may be typing."""
    pages = opened(request, PageRenderer)

    async def render() -> tuple[bytes, set[str]]:
        found = await products.suggestions(q, SUGGESTED)
        return pages.render("shop/_suggestions.html", found=found, q=q), suggestions_tags(found)

    parts = (pages.cache_version, products.lists_version, "page", q)
    return await respond.page("suggestions", parts, render)


@router.get("/sellers/{seller_id}")
async def seller_page(
    request: Request,
    products: ProductsDep,
    respond: CachedResponderDep,
    dashboards: DashboardsDep,
    seller_id: SellerId,
    sort: SortParam = "best",
    cursor: Cursor | None = None,
    part: Part = "page",
) -> Response:
    """Return the public page of a seller: their products, their rating, and since when they sell."""
    pages = opened(request, PageRenderer)
    form = SearchForm(seller=seller_id, sort=sort)

    async def render() -> tuple[bytes, set[str]]:
        try:
            page = await products.find(
                "", "", sort, cursor, PRODUCTS_PER_PAGE, form.filters(products.currency)
            )
        except PartProblem:
            if part == "cards":
                raise
            mark_incomplete()
            about = await _about(dashboards, seller_id, pages, has_products=True)
            return pages.render(
                "shop/seller.html", seller_id=seller_id, page=None, search=form, **about
            ), set()
        shown = {**more_links(page, partial(_seller_link, form)), "page": page, "search": form}
        tags = found_tags(page) | {seller_tag(seller_id)}
        if part == "cards":
            return pages.render("shop/_product_cards.html", **shown), tags
        about = await _about(dashboards, seller_id, pages, has_products=bool(page["found"]))
        html = pages.render(
            "shop/seller.html", **shown, seller_id=seller_id, is_first=cursor is None, **about
        )
        return html, tags

    return await respond.page("seller_page", (pages.cache_version, seller_id, sort, cursor, part), render)


async def known_categories(products: ProductsService, respond: CachedResponder) -> list[Category] | None:
    """Return the categories; None if ClickHouse does not answer, and the last ones are not known."""
    try:
        found: Categories = await respond.content("categories", (), products.categories, categories_tags)
    except ClickHouseUnavailable:
        mark_incomplete()
        return None
    return found["categories"]


async def _listing(
    request: Request,
    products: ProductsService,
    respond: CachedResponder,
    search: SearchForm,
    cursor: str | None,
    part: str,
) -> Response:
    pages = opened(request, PageRenderer)
    filters = search.filters(products.currency)

    async def render() -> tuple[bytes, set[str]]:
        page = await products.find(
            search.q, search.category, search.sort, cursor, PRODUCTS_PER_PAGE, filters, part == "page"
        )
        shown = {**more_links(page, search.page_link), "page": page, "search": search}
        if part == "cards":
            return pages.render("shop/_product_cards.html", **shown), found_tags(page)
        names = pages.categories.names
        facets = page["facets"]
        sellers = (
            {facet["value"]: facet["name"] for facet in facets["sellers"]}
            if facets
            else await products.names.of_sellers(filter(None, [search.seller]))
        )
        counts = (
            {facet["value"]: facet["products"] for facet in facets["categories"]}
            if facets
            else with_parents(names, await known_categories(products, respond) or [])
        )
        html = pages.render(
            "shop/listing.html",
            **shown,
            is_first=cursor is None,
            heading=f"“{search.q}”" if search.q else names.category(search.category) or gettext("Everything"),
            crumbs=names.path(search.category or None),
            categories=category_links(names, counts, search.category),
            chosen=chosen_filters(search, names, sellers, pages),
            bands=price_bands(search, facets, products.currency) if facets else [],
        )
        return html, found_tags(page)

    parts = (pages.cache_version, products.lists_version, *astuple(search), cursor, part)
    return await respond.page("listing_page", parts, render)


def more_links(page: FoundProducts, link: Link) -> dict[str, str | None]:
    """Return the addresses of the products that follow: of their page, and of only their cards."""
    cursor = page["next_cursor"]
    if not cursor:
        return {"more": None, "next_page": None}
    return {"more": link(cursor=cursor, part="cards"), "next_page": link(cursor=cursor)}


def with_parents(names: CategoryNames, categories: Iterable[Category]) -> Mapping[str, int]:
    """Return how many products each category has, with those below it."""
    counts = Counter[str]()
    for each in categories:
        counts.update(dict.fromkeys(names.path(each["category"]), each["products"]))
    return counts


def category_links(names: CategoryNames, counts: Mapping[str, int], chosen: str) -> list[CategoryLink]:
    """Return the categories beside a list: those above the chosen one, it, and those right below it.

    Without a chosen one, they are the departments. Categories without products are left out, except the path.
    """
    path = names.path(chosen or None)
    links = [
        CategoryLink(each, counts.get(each, 0), depth, each == chosen) for depth, each in enumerate(path)
    ]
    known = names.below(chosen or None)
    if not chosen:
        known += sorted(each for each in counts if each not in names.categories)
    return links + [CategoryLink(each, counts[each], len(path), False) for each in known if counts.get(each)]


def chosen_filters(
    search: SearchForm, names: CategoryNames, sellers: Mapping[str, str | None], pages: PageRenderer
) -> list[Chosen]:
    """Return the filters that were chosen, each with the address of the list without it."""
    chosen = []
    if search.price_from or search.price_to:
        prices = gettext("%(low)s to %(high)s", low=search.price_from or "0", high=search.price_to or "…")
        text = f"{prices} {pages.formatter.currency}"
        chosen.append(Chosen(text, search.link(price_from="", price_to="")))
    if search.rating is not None:
        text = gettext("%(stars)s stars and more", stars=search.rating)
        chosen.append(Chosen(text, search.link(rating=None)))
    if search.in_stock:
        chosen.append(Chosen(gettext("In stock"), search.link(in_stock=False)))
    if search.seller:
        text = sellers.get(search.seller) or search.seller
        chosen.append(Chosen(text, search.link(seller="")))
    for pair in search.attributes:
        key, _, value = pair.partition(":")
        text = f"{names.attribute(key)}: {names.value(key, value)}"
        chosen.append(Chosen(text, search.without_attribute(pair)))
    return chosen


@dataclass(frozen=True, slots=True)
class Band:
    """A range of prices in minor units, None for no bound, and the address of the list with only these."""

    from_minor: int | None
    to_minor: int | None
    products: int
    link: str


def price_bands(search: SearchForm, facets: Facets, currency: str) -> list[Band]:
    """Return the ranges of prices that have products. The upper bound of the form is inclusive."""
    return [
        Band(
            band["from_minor"],
            band["to_minor"],
            band["products"],
            search.link(
                price_from=major(band["from_minor"], currency),
                price_to=major(None if band["to_minor"] is None else band["to_minor"] - 1, currency),
            ),
        )
        for band in facets["prices"]
    ]


def _seller_link(form: SearchForm, **added: str) -> str:
    parameters = {**({"sort": form.sort} if form.sort != DEFAULT_SORT else {}), **added}
    return f"/shop/sellers/{in_path(form.seller)}?{urlencode(parameters)}"


async def _about(
    dashboards: Dashboards, seller_id: str, pages: PageRenderer, has_products: bool
) -> dict[str, Any]:
    """Return what everybody may know of a seller; without ClickHouse, only what the last answers say.

    Raises:
        UNKNOWN_SELLER: nobody with this id registered, sold or lists anything.
    """
    try:
        seller = await dashboards.seller(seller_id)
        if seller is None and not has_products:
            raise UNKNOWN_SELLER(seller_id=seller_id)
        period = await all_time(dashboards, seller_id, pages.formatter)
        asked = MetricsRequest(RATING, period, "none")
        shown = await dashboards.metrics_of_seller(seller_id, asked) if seller else None
    except ClickHouseUnavailable:
        mark_incomplete()
        return {"seller": None, "since": None, "score": None, "reviews": 0}
    totals = {total["name"]: total["value"] for total in shown["totals"]} if shown else {}
    return {
        "seller": seller,
        "since": utc_minute(seller["registered_at"]) if seller else None,
        "score": totals.get("review_score"),
        "reviews": totals.get("reviews") or 0,
    }
