"""`/admin/categories`: the category tree and the attributes of products, named in each language."""

from typing import Any

from fastapi import Request
from starlette.responses import Response

from common.ids import Id
from common.problems import Problem, problem
from serving.web.admin.page import admin_page, admin_router
from serving.web.category_names import CategoryNames, category_names
from serving.web.forms import BadField, Form, action, sending
from serving.web.language import LANGUAGES
from serving.web.service_calls import ask
from serving.web.translation import gettext

PAGE = "/admin/categories"
CATEGORY = "/v1/admin/categories/{category_id}"
ATTRIBUTE = "/v1/admin/attributes/{key}"

BLANK_ROWS = 5
"""The rows for further values of an attribute."""

MAX_VALUES = 500

UNKNOWN = problem(404, "not-found", "Not found", "There is nothing at this address. Check the address.")

router = admin_router()


@router.get("/categories")
async def categories(request: Request) -> Response:
    """Return the tree, the attributes, and the forms that add to both."""
    return await _tree_page(request)


@router.post("/categories")
async def add_category(request: Request) -> Response:
    """Add a category."""

    async def add(form: Form) -> None:
        category_id = form.text("category_id")
        if category_id in (await category_names(request)).categories:
            raise BadField(gettext("There is a category with this id. Open it to change it."))
        await _save_category(request, form, category_id)

    return await action(request, add, _tree_page, PAGE, "category_saved")


@router.get("/categories/{category_id}")
async def category(request: Request, category_id: Id) -> Response:
    """Return a category with the form that changes it."""
    return await _category_page(request)


@router.post("/categories/{category_id}")
async def change_category(request: Request, category_id: Id) -> Response:
    """Save the names, the parent and the attributes of a category."""

    async def save(form: Form) -> None:
        await _save_category(request, form, category_id)

    return await action(request, save, _category_page, PAGE, "category_saved")


@router.post("/categories/{category_id}/removal")
async def remove_category(request: Request, category_id: Id) -> Response:
    """Delete a category that is empty."""
    delete = sending(request, "DELETE", CATEGORY)
    return await action(request, delete, _category_page, PAGE, "category_deleted")


@router.post("/attributes")
async def add_attribute(request: Request) -> Response:
    """Add an attribute, whose values are entered on its own page."""

    async def add(form: Form) -> None:
        key = form.text("key")
        if key in (await category_names(request)).attributes:
            raise BadField(gettext("There is an attribute with this key. Open it to change it."))
        await _save_attribute(request, form, key)

    return await action(request, add, _tree_page, f"{PAGE}#attributes-title", "attribute_saved")


@router.get("/attributes/{key}")
async def attribute(request: Request, key: Id) -> Response:
    """Return an attribute with its usual values and the form that changes them."""
    return await _attribute_page(request)


@router.post("/attributes/{key}")
async def change_attribute(request: Request, key: Id) -> Response:
    """Save the names and the usual values of an attribute."""

    async def save(form: Form) -> None:
        await _save_attribute(request, form, key)

    return await action(request, save, _attribute_page, "/admin/attributes/{key}", "attribute_saved")


def names_in(form: Form, prefix: str = "name") -> dict[str, str]:
    """Return language → name, of the languages in which one was entered."""
    return {language: text for language in LANGUAGES if (text := form.text(f"{prefix}.{language}"))}


def values_in(form: Form) -> dict[str, dict[str, str]]:
    """Return value → its names, of the rows that have a value."""
    numbers = range(min(len(form.fields), MAX_VALUES + BLANK_ROWS))
    return {
        value: names_in(form, f"value.{number}")
        for number in numbers
        if (value := form.text(f"value.{number}"))
    }


async def _save_category(request: Request, form: Form, category_id: str) -> None:
    body = {
        "names": names_in(form),
        "parent_id": form.optional("parent_id"),
        "attributes": list(form.all("attribute")),
    }
    await ask(request, "PUT", CATEGORY, body, category_id=category_id)


async def _save_attribute(request: Request, form: Form, key: str) -> None:
    body = {"names": names_in(form), "is_variant": bool(form.text("is_variant")), "values": values_in(form)}
    await ask(request, "PUT", ATTRIBUTE, body, key=key)


async def _tree_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    return _page(request, "categories.html", await category_names(request), problem, entered)


async def _category_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    names = await category_names(request)
    found = names.categories.get(request.path_params["category_id"])
    if found is None:
        raise UNKNOWN()
    return _page(request, "category.html", names, problem, entered, category=found)


async def _attribute_page(
    request: Request, problem: Problem | None = None, entered: Form | None = None
) -> Response:
    names = await category_names(request)
    found = names.attributes.get(request.path_params["key"])
    if found is None:
        raise UNKNOWN()
    users = [each for each, category in names.categories.items() if found.key in category.attributes]
    return _page(
        request,
        "attribute.html",
        names,
        problem,
        entered,
        attribute=found,
        values=list(found.values.items()),
        users=users,
        blank_rows=BLANK_ROWS,
    )


def _page(
    request: Request,
    template: str,
    names: CategoryNames,
    problem: Problem | None,
    entered: Form | None,
    **shown: Any,
) -> Response:
    return admin_page(
        request, template, "categories", problem, entered, names=names, page_languages=LANGUAGES, **shown
    )
