"""The routes of products: what sellers list, the category tree, and what administrators do about both."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from pydantic import AwareDatetime

from common.access_policy import allow, anyone
from common.guarded_route import policy
from common.ids import Id, new_id
from common.openapi import openapi_problem
from producers.kit.http.endpoint import settings_of, transaction, transactions
from producers.kit.http.pages import Limit, Position, cut_page
from producers.kit.http.problems import require
from producers.kit.http.routes import JsonBody, PublicRoute, SellerPath
from producers.kit.outbox.transaction import Transaction
from producers.kit.tables.characters import without_accents
from producers.services.products import store
from producers.services.products.model import (
    ALREADY_LISTED,
    BLOCKED,
    CATEGORY_CYCLE,
    CATEGORY_IN_USE,
    CHANGED_SINCE,
    CONTENTS_OF_OWNER,
    LIST,
    MAX_VARIANTS,
    NAME,
    READ,
    SKU_TAKEN,
    TOO_MANY_VARIANTS,
    UNKNOWN_CATEGORY,
    UNKNOWN_LISTING,
    UNKNOWN_PRODUCT_TO_OFFER,
    AttributeRequest,
    BlockRequest,
    CategoryRequest,
    CategoryTree,
    Contents,
    Holiday,
    HolidayRequest,
    Key,
    Listing,
    ListingChange,
    ListingRequest,
    Listings,
    OfferRequest,
    OfferTerms,
    Price,
    PriceRequest,
    Status,
    check_contents,
    check_variants,
    new_listing,
    new_offer,
    variant_keys_of,
)
from producers.services.products.pictures import check_pictures
from schemas.product_categories import ProductAttribute, ProductCategory, with_ancestors

MODERATE = allow("admin", traffic="write")

EXAMPLE_TERMS = {"price_minor": 14_900, "condition": "new", "handling_days": 2, "sku": "LAMP-7"}
EXAMPLE_LISTING = {
    "name": "Desk lamp with a linen shade",
    "category": "Lamps",
    "description": "Warm light, 40 cm high.",
    "attributes": {"colour": "blue"},
    **EXAMPLE_TERMS,
}
NO_LISTING = openapi_problem(404, "There is no such listing, or the seller is not one of the sender's.")
REFUSED = openapi_problem(409, "The seller may not sell now, or something that exists contradicts.")
NOT_VALID = openapi_problem(422, "A field can't be used.")

ProductPath = Annotated[Id, Path(description="The product's id.", examples=["product-000001"])]
CategoryPath = Annotated[Id, Path(description="The category's id.", examples=["Lamps"])]
MAX_CURSOR = 1_400
"""More characters than a cursor whose product id has 128 characters of four bytes."""

Cursor = Annotated[
    str | None, Query(max_length=MAX_CURSOR, description="`next_cursor` of the previous page.")
]
ChangedAt = Annotated[
    AwareDatetime | None,
    Query(description="The `changed_at` that you have read. If the listing is newer, nothing is changed."),
]
StatusQuery = Annotated[Status | None, Query(description="Only those with this status.")]
Text = Annotated[str, Query(max_length=200, description="In the name, the SKU or the product id.")]

router = APIRouter(prefix="/v1", tags=["listings"], route_class=PublicRoute)


@router.get("/sellers/{seller_id}/listings", summary="A seller's listings")
@policy(READ)
async def listings_of_seller(
    request: Request,
    seller_id: SellerPath,
    status: StatusQuery = None,
    category: Annotated[Id | None, Query(description="Only those in this category.")] = None,
    group_id: Annotated[Id | None, Query(description="Only the variants of this product.")] = None,
    q: Text = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listings:
    """Return the listings of a seller in every status, the last changed first."""
    after = Position.of(cursor, is_of_uuids=False)
    async with transactions(request, NAME).connection() as sql:
        rows = await store.find_of_seller(
            sql, seller_id, status, category, group_id, without_accents(q), after, limit + 1
        )
    return _page(rows, limit)


@router.post(
    "/sellers/{seller_id}/listings",
    summary="List a product",
    status_code=201,
    responses=REFUSED | NOT_VALID,
)
@policy(LIST)
async def list_product(
    request: Request, seller_id: SellerPath, body: Annotated[ListingRequest, JsonBody(EXAMPLE_LISTING)]
) -> list[Listing]:
    """List a new product, or with `variants` a product for each of them. A draft is saved, and not on offer.

    The ids of the products are new. What others see follows within seconds.
    """
    async with transaction(request, NAME, seller_id) as tx:
        await store.lock_approved_seller(tx, seller_id)
        return await _list(request, tx, seller_id, body)


@router.get("/sellers/{seller_id}/listings/{product_id}", summary="A listing", responses=NO_LISTING)
@policy(READ)
async def listing(request: Request, seller_id: SellerPath, product_id: ProductPath) -> Listing:
    """Return a listing of a seller."""
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_listing(sql, product_id, seller_id)
    return require(found, UNKNOWN_LISTING(seller_id=seller_id, product_id=product_id))


@router.put(
    "/sellers/{seller_id}/listings/{product_id}",
    summary="Change a listing",
    responses=NO_LISTING | REFUSED | NOT_VALID,
)
@policy(LIST)
async def change_listing(
    request: Request,
    seller_id: SellerPath,
    product_id: ProductPath,
    body: Annotated[ListingChange, JsonBody(EXAMPLE_LISTING)],
    changed_at: ChangedAt = None,
) -> Listing:
    """Write a listing anew. Its contents become those of the offers of all sellers of the product."""
    async with transaction(request, NAME, product_id) as tx:
        await store.lock_approved_seller(tx, seller_id)
        offers = await store.lock_product(tx, product_id)
        before = _own(offers, seller_id, product_id)
        _require_unchanged(before, changed_at)
        after = before.with_contents(body).with_terms(body)
        contents = before.changed_contents(after)
        if before.owner_id != seller_id and contents:
            raise CONTENTS_OF_OWNER(seller_id=seller_id, product_id=product_id)
        await _check_contents(tx, seller_id, body, product_id, before.group_id)
        await check_pictures(tx, seller_id, body.pictures, before.pictures)
        after = await _save(tx, before, after)
        if before.owner_id == seller_id:
            await _share_contents(tx, offers, after)
    return after


@router.delete(
    "/sellers/{seller_id}/listings/{product_id}",
    summary="Take a listing off",
    status_code=204,
    responses=NO_LISTING,
)
@policy(LIST)
async def delist(request: Request, seller_id: SellerPath, product_id: ProductPath) -> None:
    """Take a listing off. It stays in the seller's list, where it can be listed again."""
    async with transaction(request, NAME, product_id) as tx:
        before = await _lock_own(tx, seller_id, product_id)
        if before.status == "listed":
            await store.save_changed(tx, before, replace(before, status="delisted", hidden=False))


@router.put(
    "/sellers/{seller_id}/listings/{product_id}/price",
    summary="Set the price of a listing",
    responses=NO_LISTING | REFUSED,
)
@policy(LIST)
async def set_price(
    request: Request,
    seller_id: SellerPath,
    product_id: ProductPath,
    body: Annotated[PriceRequest, JsonBody({"price_minor": 12_900})],
) -> Listing:
    """Set the price of one unit, and leave the rest of the listing as it is."""
    async with transaction(request, NAME, product_id) as tx:
        await store.lock_approved_seller(tx, seller_id)
        before = await _lock_own(tx, seller_id, product_id)
        if before.price_minor == body.price_minor:
            return before
        return await _save(tx, before, replace(before, price_minor=body.price_minor))


@router.get(
    "/sellers/{seller_id}/listings/{product_id}/prices",
    summary="The prices that a listing has had",
    responses=NO_LISTING,
)
@policy(READ)
async def prices(request: Request, seller_id: SellerPath, product_id: ProductPath) -> list[Price]:
    """Return the newest 1,000 prices of a listing, the newest first."""
    async with transactions(request, NAME).connection() as sql:
        found = await store.find_prices(sql, product_id, seller_id)
    return require(found or None, UNKNOWN_LISTING(seller_id=seller_id, product_id=product_id))


@router.post(
    "/sellers/{seller_id}/offers",
    summary="Offer a product that another seller has listed",
    status_code=201,
    responses=openapi_problem(404, "No product has this id.") | REFUSED,
)
@policy(LIST)
async def offer_product(
    request: Request,
    seller_id: SellerPath,
    body: Annotated[OfferRequest, JsonBody({"product_id": "product-000001", **EXAMPLE_TERMS})],
) -> Listing:
    """Offer a product of another seller. Its contents are those of the seller who listed it first."""
    async with transaction(request, NAME, body.product_id) as tx:
        await store.lock_approved_seller(tx, seller_id)
        offers = await store.lock_product(tx, body.product_id)
        currency = settings_of(request, NAME).shop_currency
        unknown = UNKNOWN_PRODUCT_TO_OFFER(product_id=body.product_id)
        offer = require(new_offer(offers, seller_id, currency, tx.now), unknown)
        if any(each.seller_id == seller_id for each in offers):
            raise ALREADY_LISTED(seller_id=seller_id, product_id=body.product_id)
        return await _save(tx, None, offer.with_terms(body))


@router.put(
    "/sellers/{seller_id}/offers/{product_id}",
    summary="Change the terms of a listing",
    responses=NO_LISTING | REFUSED,
)
@policy(LIST)
async def change_offer(
    request: Request,
    seller_id: SellerPath,
    product_id: ProductPath,
    body: Annotated[OfferTerms, JsonBody(EXAMPLE_TERMS)],
    changed_at: ChangedAt = None,
) -> Listing:
    """Change price, status, condition, handling time and SKU of a listing, and leave its contents."""
    async with transaction(request, NAME, product_id) as tx:
        await store.lock_approved_seller(tx, seller_id)
        before = await _lock_own(tx, seller_id, product_id)
        _require_unchanged(before, changed_at)
        return await _save(tx, before, before.with_terms(body))


@router.get("/sellers/{seller_id}/holiday", summary="When a seller's offers are taken off")
@policy(READ)
async def holiday(request: Request, seller_id: SellerPath) -> Holiday:
    """Return the holiday of a seller; nulls without one."""
    async with transactions(request, NAME).connection() as sql:
        return await store.find_holiday(sql, seller_id) or Holiday(None, None)


@router.put("/sellers/{seller_id}/holiday", summary="Take all offers off for a holiday")
@policy(LIST)
async def set_holiday(
    request: Request,
    seller_id: SellerPath,
    body: Annotated[
        HolidayRequest, JsonBody({"since": "2026-12-24T00:00:00Z", "until": "2027-01-02T00:00:00Z"})
    ],
) -> Holiday:
    """Set the holiday of a seller. Within seconds after `since` no offer of theirs can be bought."""
    holiday = Holiday(body.since, body.until)
    async with transaction(request, NAME, seller_id) as tx:
        await store.save_holiday(tx, seller_id, holiday)
    return holiday


@router.delete("/sellers/{seller_id}/holiday", summary="End a holiday", status_code=204)
@policy(LIST)
async def end_holiday(request: Request, seller_id: SellerPath) -> None:
    """End or cancel the holiday of a seller. Within seconds their offers can be bought again."""
    async with transaction(request, NAME, seller_id) as tx:
        await store.delete_holiday(tx, seller_id)


@router.get("/category_tree", summary="The category tree")
@policy(anyone("read"))
async def category_tree(request: Request) -> CategoryTree:
    """Return all categories, and the attributes that their products have."""
    async with transactions(request, NAME).connection() as sql:
        categories, attributes = await store.find_categories(sql), await store.find_attributes(sql)
    return {
        # By the ids from the department on, so that parents come before their children.
        "categories": sorted(
            categories.values(), key=lambda it: [*with_ancestors(it.category_id, categories)][::-1]
        ),
        "attributes": sorted(attributes.values(), key=lambda it: it.key),
    }


@router.put(
    "/admin/categories/{category_id}",
    summary="Add or change a category",
    responses=openapi_problem(409, "The category would be below itself.") | NOT_VALID,
)
@policy(MODERATE)
async def put_category(
    request: Request,
    category_id: CategoryPath,
    body: Annotated[CategoryRequest, JsonBody({"names": {"en": "Lamps", "pt_BR": "Luminárias"}})],
) -> ProductCategory:
    """Add a category, or change its names, its parent and the attributes of its products."""
    category = ProductCategory(category_id, body.parent_id, body.names, tuple(body.attributes))
    async with transaction(request, NAME, category_id) as tx:
        await store.lock_categories(tx)
        categories = await store.find_categories(tx)
        if body.parent_id is not None:
            require(categories.get(body.parent_id), UNKNOWN_CATEGORY(category=body.parent_id))
            if category_id in with_ancestors(body.parent_id, categories):
                raise CATEGORY_CYCLE(category_id=category_id, parent_id=body.parent_id)
        await store.save_category(tx, category)
    return category


@router.delete(
    "/admin/categories/{category_id}",
    summary="Delete a category",
    status_code=204,
    responses=openapi_problem(409, "Something is in it."),
)
@policy(MODERATE)
async def delete_category(request: Request, category_id: CategoryPath) -> None:
    """Delete a category that has no listings and no categories below it."""
    async with transaction(request, NAME, category_id) as tx:
        await store.lock_categories(tx)
        require(not await store.is_in_use(tx, category_id), CATEGORY_IN_USE(category_id=category_id))
        require(await store.delete_category(tx, category_id), UNKNOWN_CATEGORY(category=category_id))


@router.put("/admin/attributes/{key}", summary="Add or change an attribute", responses=NOT_VALID)
@policy(MODERATE)
async def put_attribute(
    request: Request,
    key: Annotated[Key, Path(description="The attribute's key in events.", examples=["colour"])],
    body: Annotated[
        AttributeRequest, JsonBody({"names": {"en": "Colour", "pt_BR": "Cor"}, "is_variant": True})
    ],
) -> ProductAttribute:
    """Add an attribute, or change its names and usual values. Categories say which ones they have."""
    attribute = ProductAttribute(key, body.names, body.is_variant, body.values)
    async with transaction(request, NAME, key) as tx:
        await store.save_attribute(tx, attribute)
    return attribute


@router.get("/admin/listings", summary="Listings of all sellers")
@policy(allow("admin", traffic="read"))
async def all_listings(
    request: Request,
    status: StatusQuery = None,
    seller_id: Annotated[Id | None, Query(description="Only those of this seller.")] = None,
    q: Text = "",
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Listings:
    """Return listings of all sellers, the last changed first."""
    after = Position.of(cursor, is_of_uuids=False)
    async with transactions(request, NAME).connection() as sql:
        rows = await store.find_all(sql, status, seller_id, without_accents(q), after, limit + 1)
    return _page(rows, limit)


@router.put(
    "/admin/listings/{product_id}/{seller_id}/block",
    summary="Take a listing off for good",
    responses=NO_LISTING,
)
@policy(MODERATE)
async def block(
    request: Request,
    product_id: ProductPath,
    seller_id: SellerPath,
    body: Annotated[BlockRequest, JsonBody({"reason": "counterfeit"})],
) -> Listing:
    """Take a listing off. Its seller sees the reason, and can't list it again."""
    async with transaction(request, NAME, product_id) as tx:
        before = await _lock_own(tx, seller_id, product_id)
        after = replace(before, status="blocked", block_reason=body.reason, hidden=False)
        return await store.save_changed(tx, before, after)


@router.delete(
    "/admin/listings/{product_id}/{seller_id}/block",
    summary="Let a seller list a product again",
    status_code=204,
    responses=NO_LISTING,
)
@policy(MODERATE)
async def unblock(request: Request, product_id: ProductPath, seller_id: SellerPath) -> None:
    """End a block. The listing stays off until its seller lists it."""
    async with transaction(request, NAME, product_id) as tx:
        before = await _lock_own(tx, seller_id, product_id)
        if before.status == "blocked":
            await store.save_changed(tx, before, replace(before, status="delisted", block_reason=None))


def _page(rows: list[Listing], limit: int) -> Listings:
    shown, next_cursor = cut_page(rows, limit, lambda it: Position(it.changed_at, it.product_id, 0))
    return {"listings": list(shown), "next_cursor": next_cursor}


async def _lock_own(tx: Transaction, seller_id: str, product_id: str) -> Listing:
    """Lock all offers of a product, and return the seller's own one.

    Raises:
        UNKNOWN_LISTING: the seller has none.
    """
    return _own(await store.lock_product(tx, product_id), seller_id, product_id)


def _own(offers: list[Listing], seller_id: str, product_id: str) -> Listing:
    """Return the seller's offer among those of a product.

    Raises:
        UNKNOWN_LISTING: the seller has none.
    """
    found = next((offer for offer in offers if offer.seller_id == seller_id), None)
    return require(found, UNKNOWN_LISTING(seller_id=seller_id, product_id=product_id))


def _require_unchanged(before: Listing, changed_at: datetime | None) -> None:
    """Raises CHANGED_SINCE: the locked listing is newer than the one that the sender has read."""
    require(changed_at in (None, before.changed_at), CHANGED_SINCE(product_id=before.product_id))


async def _save(tx: Transaction, before: Listing | None, after: Listing) -> Listing:
    """Save what a locked seller says in a listing.

    Raises:
        BLOCKED: an administrator has taken it off.
        SKU_TAKEN: another listing of the seller has its SKU.
    """
    if before is not None and before.block_reason is not None:
        raise BLOCKED(product_id=before.product_id, reason=before.block_reason)
    if after.sku is not None:
        other = await store.find_with_sku(tx, after.seller_id, after.sku, after.product_id)
        if other is not None:
            raise SKU_TAKEN(product_id=other, sku=after.sku)
    hidden = after.status == "listed" and await store.is_on_holiday(tx, after.seller_id, tx.now)
    return await store.save_changed(tx, before, replace(after, hidden=hidden))


async def _share_contents(tx: Transaction, offers: list[Listing], after: Listing) -> None:
    """Give the contents of a product, as its owner says them now, to the locked offers of other sellers."""
    others = (offer for offer in offers if offer.seller_id != after.seller_id)
    await store.save_all_changed(tx, [(offer, replace(offer, **after.contents)) for offer in others])


async def _check_contents(
    tx: Transaction, seller_id: str, contents: Contents, product_id: str, group_id: str | None
) -> None:
    """Check the contents of a listing against the category tree, and against the other variants of its group.

    Raises:
        UNKNOWN_CATEGORY, UNKNOWN_ATTRIBUTE, BAD_VARIANTS: see `model.py`.
    """
    await store.keep_categories(tx)
    known = check_contents(contents.category, contents.attributes, await store.find_categories(tx))
    if group_id is not None:
        siblings = await store.lock_group(tx, group_id, seller_id)
        others = [each.attributes for each in siblings if each.product_id != product_id]
        if others:
            check_variants(
                [*others, contents.attributes], variant_keys_of(known, await store.find_attributes(tx))
            )


async def _list(request: Request, tx: Transaction, seller_id: str, body: ListingRequest) -> list[Listing]:
    """Save new products of a locked seller: one, or one for each variant.

    Raises:
        UNKNOWN_LISTING: the product of which it is a variant is not the seller's own.
        UNKNOWN_CATEGORY, UNKNOWN_ATTRIBUTE, BAD_VARIANTS, SKU_TAKEN: see `model.py`.
    """
    variants = [variant.attributes for variant in body.variants]
    keys = {*body.attributes, *(key for variant in variants for key in variant)}
    await store.keep_categories(tx)
    known = check_contents(body.category, keys, await store.find_categories(tx))
    variant_keys = variant_keys_of(known, await store.find_attributes(tx))
    sets = (body.pictures, *(variant.pictures or () for variant in body.variants))
    await check_pictures(tx, seller_id, [picture for pictures in sets for picture in pictures])
    first_id, group_id = new_id(), None
    if variants:
        check_variants(variants, variant_keys)
        group_id = first_id
    elif body.variant_of is not None:
        group_id = await _join_group(tx, seller_id, body, variant_keys)
    currency = settings_of(request, NAME).shop_currency
    blank = new_listing(first_id, seller_id, currency, tx.now, group_id).with_contents(body).with_terms(body)
    if not variants:
        return [await _save(tx, None, blank)]
    saved = []
    for number, variant in enumerate(body.variants):
        pictures = blank.pictures if variant.pictures is None else variant.pictures
        listing = replace(
            blank,
            product_id=first_id if number == 0 else new_id(),
            attributes={**blank.attributes, **variant.attributes},
            price_minor=blank.price_minor if variant.price_minor is None else variant.price_minor,
            sku=variant.sku,
            pictures=pictures,
            photos=len(pictures),
        )
        saved.append(await _save(tx, None, listing))
    return saved


async def _join_group(tx: Transaction, seller_id: str, body: ListingRequest, variant_keys: list[str]) -> str:
    """Return the group of the product of which a new one is a variant; give it a group if it has none.

    Raises:
        UNKNOWN_LISTING: the seller does not own that product.
        TOO_MANY_VARIANTS: no further one may be in the group.
        BAD_VARIANTS: the new one can't be told apart from the others.
    """
    product_id = str(body.variant_of)
    offers = await store.lock_product(tx, product_id)
    sibling = _own(offers, seller_id, product_id)
    require(sibling.owner_id == seller_id, UNKNOWN_LISTING(seller_id=seller_id, product_id=product_id))
    group_id = sibling.group_id or product_id
    if sibling.group_id is None:
        sibling = await store.save_changed(tx, sibling, replace(sibling, group_id=group_id))
        await _share_contents(tx, offers, sibling)
    others = await store.lock_group(tx, group_id, seller_id)
    require(len(others) < MAX_VARIANTS, TOO_MANY_VARIANTS(product_id=product_id))
    check_variants([*(each.attributes for each in others), body.attributes], variant_keys)
    return group_id
