"""Who may see the trainings of the recommender, and roll back."""

from collections.abc import Mapping

from common.access_policy import AccessPolicy, allow

POLICIES: Mapping[str, AccessPolicy] = {
    "trainings": allow("admin", "platform", traffic="read"),
    "training": allow("admin", "platform", traffic="read"),
    "roll_back_training": allow("admin", "platform", traffic="operations"),
}
