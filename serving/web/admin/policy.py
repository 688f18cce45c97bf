"""Who may open the pages of administration: administrators, and processes of the platform.

They are operations: an overloaded gateway still serves them, because its settings are changed here. The
services check each request of these pages by their own policies.
"""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

ADMINISTRATORS = allow("admin", "platform", traffic="operations")

POLICIES: Mapping[str, AccessPolicy] = dict.fromkeys(
    (
        "overview",
        "find",
        "operations",
        "operations_events",
        "audits",
        "audit",
        "applications",
        "approve_application",
        "refuse_application",
        "find_seller",
        "seller",
        "suspend_seller",
        "reinstate_seller",
        "people",
        "person",
        "set_role",
        "suspend_person",
        "end_suspension",
        "recommendation_rules",
        "add_recommendation_entry",
        "preview_recommendation_entry",
        "end_recommendation_entry",
        "recommendation_health_page",
        "settings",
        "setting",
        "change_setting",
        "roll_back_setting",
        "experiments",
        "experiment",
        "define_experiment",
        "start_experiment",
        "stop_experiment",
        "stop_arm",
        "trainings",
        "training",
        "roll_back_training",
        "commission",
        "add_commission_rule",
        "reviews",
        "decide_review",
        "dead_letters",
        "dead_letters_of_topic",
        "replay_dead_letters",
        "discard_dead_letters",
        "limits",
    ),
    ADMINISTRATORS,
)
