"""Converts commission rules and costs to the API's responses. Pure."""

from collections.abc import Sequence
from datetime import datetime

from producers.services.sellers.commission import CommissionRule, rules_in_force
from producers.services.sellers.costs import ProductCosts
from producers.services.sellers.schemas import (
    CommissionResponse,
    CommissionRuleResponse,
    CostsResponse,
    TermResponse,
)


def present_rule(rule: CommissionRule) -> CommissionRuleResponse:
    """Return a rule as administrators see it."""
    return {
        "rule_id": rule.rule_id,
        "seller_id": rule.seller_id,
        "category": rule.category,
        "rate_bp": rule.rate_bp,
        "minimum_minor": rule.minimum_minor,
        "maximum_minor": rule.maximum_minor,
        "currency": rule.currency,
        "valid_from": rule.valid_from,
        "reason": rule.reason,
        "author": rule.author,
        "created_at": rule.created_at,
    }


def present_commission(rules: Sequence[CommissionRule], seller_id: str, now: datetime) -> CommissionResponse:
    """Return what a seller pays. `rules` are those that may apply to its lines.

    A rule of the seller applies to all its lines, so the default and the categories are left out then.
    """
    terms = {rule.scope: _term(rule) for rule in rules_in_force(rules, now)}
    own = terms.get((seller_id, None))
    by_category = [term for (_, category), term in sorted(terms.items(), key=str) if category is not None]
    later = sorted((rule for rule in rules if rule.valid_from > now), key=lambda rule: rule.valid_from)
    return {
        "seller": own,
        "default": None if own else terms.get((None, None)),
        "categories": [] if own else by_category,
        "announced": [_term(rule) for rule in later if not own or rule.seller_id == seller_id],
    }


def present_costs(products: Sequence[ProductCosts], currency: str, next_after: str | None) -> CostsResponse:
    """Return a page of products with their costs."""
    return {
        "currency": currency,
        "products": [
            {
                "product_id": product.product_id,
                "listed": product.listed,
                "costs": [
                    {"unit_cost_minor": unit_cost_minor, "valid_from": valid_from}
                    for valid_from, unit_cost_minor in product.costs
                ],
            }
            for product in products
        ],
        "next_after": next_after,
    }


def _term(rule: CommissionRule) -> TermResponse:
    return {
        "category": rule.category,
        "rate_bp": rule.rate_bp,
        "minimum_minor": rule.minimum_minor,
        "maximum_minor": rule.maximum_minor,
        "currency": rule.currency,
        "valid_from": rule.valid_from,
    }
