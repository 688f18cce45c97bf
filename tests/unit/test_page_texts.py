"""Texts of pages that come from elsewhere: the description of the API, and problems."""

from serving.app import DESCRIPTION
from serving.web.api_reference import reference
from serving.web.texts import problem_text


def test_each_rule_of_the_api_is_one_entry_of_its_page() -> None:
    schema = {"components": {"schemas": {}}, "paths": {}, "tags": []}
    shown = reference(schema | {"info": {"title": "Souk", "description": DESCRIPTION}})

    assert len(shown["rules"]) == DESCRIPTION.count("\n* ")
    assert all(rule[-1] in ".`)" or rule.endswith("next") for rule in shown["rules"])
    assert " ".join(shown["rules"]).count("  ") == 0


def test_an_address_without_a_page_is_no_matter_of_the_api() -> None:
    detail = "GET /account/followed: Not Found. See /docs for all addresses."

    assert problem_text("not-found", detail) == "There is nothing at this address. Check the address."
    assert problem_text("bad-cursor", "This is no cursor.") == "This is no cursor."
