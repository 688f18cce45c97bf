"""`/admin/recommendations`: boosts, pins, blocks and sponsored products, and what they do to a list."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Query, Request
from starlette.responses import Response

from common.configuration.recommendation_rules import BLOCKS, BOOSTS, PINS, RECOMMENDATION_RULES, SPONSORED
from common.configuration.setting import InvalidValue, ListSetting
from common.problems import Problem
from serving.analytics import dependencies
from serving.commerce.routes import CommerceDomain
from serving.kit.domain import opened
from serving.kit.problems import MISSING_PRODUCT, RedisUnavailable
from serving.recommendations.dependencies import RecommendationsDomain
from serving.recommendations.ranker import RankedItems
from serving.recommendations.rules.context import without_entries
from serving.recommendations.rules.shop_rules import Page
from serving.web.admin.page import Search, admin_page, admin_router
from serving.web.admin.settings import save_setting
from serving.web.forms import BadField, Form, action, read_form
from serving.web.renderer import PageRenderer
from serving.web.service_calls import ask
from serving.web.translation import N_, gettext

Kind = Literal["boost", "pin", "block", "sponsored"]

SETTINGS: Mapping[str, ListSetting] = {"boost": BOOSTS, "pin": PINS, "block": BLOCKS, "sponsored": SPONSORED}
"""Kind of an entry → the setting whose list has it."""

KINDS: Mapping[str, str] = {
    "boost": N_("Boost"),
    "pin": N_("Pin"),
    "block": N_("Block"),
    "sponsored": N_("Sponsored product"),
}
TARGETS: Mapping[str, str] = {
    "product": N_("Product"),
    "seller": N_("Seller"),
    "category": N_("Category"),
}
SURFACES: Mapping[str, str] = {
    "any": N_("All pages"),
    "home": N_("Home page"),
    "product": N_("Product pages"),
    "cart": N_("Cart"),
}

KEPT_AFTER_END = timedelta(days=30)
"""How long a list keeps an entry that has ended. The history of the setting keeps it for good."""


def read_entry(form: Form, zone: ZoneInfo, now: datetime) -> tuple[Kind, dict[str, Any]]:
    """Return the kind and the JSON of the entry of a form. Without a start, it starts now.

    Raises:
        BadField: a field can't be read.
    """
    kind = form.text("kind")
    if kind not in SETTINGS:
        raise BadField(gettext("Choose what the entry does: a boost, a pin, a block or a sponsored product."))
    until = form.moment("until", gettext("The end"), zone)
    if until is None:
        raise BadField(gettext("The end is missing: every entry ends at some time, at most a year later."))
    start = form.moment("from", gettext("The start"), zone) or now.replace(microsecond=0)
    dates = {
        "surface": form.text("surface") or "any",
        "from": start.isoformat(),
        "until": until.isoformat(),
    }
    target, id_ = form.text("target") or "product", form.text("id")
    if kind == "sponsored":
        if target != "product":
            raise BadField(gettext("Only a product can be sponsored: choose Product, and enter its id."))
        return "sponsored", {"product_id": id_, **dates}
    entry: dict[str, Any] = {"target": target, "id": id_, **dates}
    if kind == "boost":
        return "boost", entry | {"factor": float(form.number("factor", gettext("The factor")))}
    if kind == "pin":
        place = form.number("place", gettext("The place"))
        if place != int(place):
            raise BadField(gettext("The place must be a whole number: 1 is the first."))
        return "pin", entry | {"place": int(place)}
    return "block", entry


def state_of(entry: Mapping[str, Any], now: datetime) -> str:
    """Return `ended`, `announced` or `in force`."""
    if datetime.fromisoformat(entry["until"]) <= now:
        return "ended"
    return "announced" if datetime.fromisoformat(entry["from"]) > now else "in force"


def with_entry(entries: Sequence[Any], entry: Mapping[str, Any], now: datetime) -> list[Any]:
    """Return a list with one more entry, without entries that ended long ago."""
    return [*(each for each in entries if _is_kept(each, now)), entry]


def ending(entries: Sequence[Any], position: int, now: datetime) -> list[Any]:
    """Return a list in which the entry at a position (0 is the first) ends now. One not begun is left out.

    Raises:
        BadField: there is no such entry, or it has ended already.
    """
    if not 0 <= position < len(entries) or state_of(entries[position], now) == "ended":
        raise BadField(gettext("This entry has ended already. Open the page again."))
    ended, moment = entries[position], now.replace(microsecond=0)
    has_begun = datetime.fromisoformat(ended["from"]) < moment
    replaced = [{**ended, "until": moment.isoformat()}] if has_begun else []
    changed = [*entries[:position], *replaced, *entries[position + 1 :]]
    return [each for each in changed if _is_kept(each, now)]


def _is_kept(entry: Mapping[str, Any], now: datetime) -> bool:
    return datetime.fromisoformat(entry["until"]) > now - KEPT_AFTER_END


PREVIEWED = 12
"""The number of products in a previewed list: those of the row on the home page."""

HERE = "/admin/recommendations"

router = admin_router()

Lists = tuple[RankedItems, RankedItems]
"""A list before and after a change."""


@router.get("/recommendations")
async def recommendation_rules(
    request: Request,
    surface: Annotated[Page, Query()] = "home",
    product_id: Search = "",
) -> Response:
    """Return the entries in force, and a list of recommendations without them and with them."""
    service = opened(request, RecommendationsDomain).service
    rules = service.rules.of(surface)

    async def lists() -> Lists:
        _require_product(surface, product_id)
        before = await service.preview(PREVIEWED, surface, product_id or None, without_entries(rules))
        return before, await service.preview(PREVIEWED, surface, product_id or None, rules)

    try:
        return await _page(request, None, None, surface, product_id, await lists())
    except RedisUnavailable:
        return await _page(request, None, None, surface, product_id, is_available=False)
    except Problem as problem:
        return await _page(request, problem, None, surface, product_id)


@router.post("/recommendations")
async def add_recommendation_entry(request: Request) -> Response:
    """Add an entry to the list of its kind."""

    async def add(form: Form) -> None:
        now = dependencies.now(request)
        kind, entry = read_entry(form, opened(request, PageRenderer).formatter.zone, now)
        name = SETTINGS[kind].name
        setting = (await _settings(request))[name]
        value = with_entry(setting["value"], entry, now)
        await opened(request, CommerceDomain).check_setting(name, value)
        await save_setting(request, form, name, value, setting["version"])

    return await action(request, add, _page, HERE, "entry_added")


@router.post("/recommendations/preview")
async def preview_recommendation_entry(request: Request) -> Response:
    """Return the page with a list before and after the entry of the form, which is not added."""
    form = await read_form(request)
    service = opened(request, RecommendationsDomain).service
    surface: Page = "home"
    product_id = form.text("preview_product_id")
    try:
        kind, written = read_entry(
            form,
            opened(request, PageRenderer).formatter.zone,
            dependencies.now(request),
        )
        setting = SETTINGS[kind]
        entry = setting.read(setting.parse([written]))[0]
        surface = "product" if product_id else "home" if entry.surface == "any" else entry.surface
        _require_product(surface, product_id)
        before = await service.preview(PREVIEWED, surface, product_id or None, service.rules.of(surface))
        rules = service.rules.with_entry(surface, setting.name, entry)
        after = await service.preview(PREVIEWED, surface, product_id or None, rules)
    except InvalidValue as error:
        return await _page(request, BadField(f"{error}."), form, surface, product_id)
    except Problem as problem:
        return await _page(request, problem, form, surface, product_id)
    return await _page(request, None, form, surface, product_id, (before, after))


@router.post("/recommendations/end")
async def end_recommendation_entry(request: Request) -> Response:
    """End an entry now, unless somebody has changed the list since the page was opened."""

    async def end(form: Form) -> None:
        kind = form.text("kind")
        if kind not in SETTINGS:
            raise BadField(gettext("This entry has ended already. Open the page again."))
        name = SETTINGS[kind].name
        setting = (await _settings(request))[name]
        position = form.whole("position", gettext("The position"))
        value = ending(setting["value"], position, dependencies.now(request))
        await save_setting(request, form, name, value, form.whole("version", gettext("The version")))

    return await action(request, end, _page, HERE, "entry_ended")


async def _page(
    request: Request,
    problem: Problem | None = None,
    entered: Form | None = None,
    surface: Page = "home",
    product_id: str = "",
    lists: Lists | None = None,
    *,
    is_available: bool = True,
) -> Response:
    settings, now = await _settings(request), dependencies.now(request)
    entries = {
        kind: [(entry, state_of(entry, now)) for entry in settings[setting.name]["value"]]
        for kind, setting in SETTINGS.items()
    }
    others = [each for name, each in settings.items() if name not in {one.name for one in SETTINGS.values()}]
    return admin_page(
        request,
        "recommendations.html",
        "recommendations",
        problem,
        entered,
        kinds=KINDS,
        targets=TARGETS,
        surfaces=SURFACES,
        entries=entries,
        settings={kind: settings[setting.name] for kind, setting in SETTINGS.items()},
        others=others,
        surface=surface,
        product_id=product_id,
        before=lists[0].items if lists else None,
        after=lists[1].items if lists else None,
        rules_before=_rules(lists[0]) if lists else {},
        rules_after=_rules(lists[1]) if lists else {},
        effects=lists[1].ranked.effects if lists else (),
        is_available=is_available,
        is_draft=lists is not None and entered is not None,
    )


def _require_product(surface: Page, product_id: str) -> None:
    """Refuse a list for product pages without a product, instead of showing another page's list.

    Raises:
        MISSING_PRODUCT: there is no product.
    """
    if surface == "product" and not product_id:
        raise MISSING_PRODUCT(
            detail="The list of a product page depends on its product: enter the id of one."
        )


def _rules(shown: RankedItems) -> Mapping[str, str]:
    """Return product → the rule that gave it its place; without the products at the place of their rank."""
    return {each.candidate.product_id: each.rule for each in shown.ranked.items if each.rule}


async def _settings(request: Request) -> Mapping[str, dict[str, Any]]:
    """Return the settings of the rules by name, as the service has them now."""
    names = {setting.name for setting in RECOMMENDATION_RULES}
    found = await ask(request, "GET", "/v1/settings")
    return {setting["name"]: setting for setting in found if setting["name"] in names}
