"""Error responses of the routes about experiments."""

from common.problems import Problem


class UnknownExperiment(Problem):
    """There is no experiment of this name."""

    status, kind, title = 404, "unknown-experiment", "Unknown experiment"

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no experiment {name!r}. GET /v1/admin/experiments lists all.")


class UnknownRecommendation(Problem):
    """The log has no answer with this id."""

    status, kind, title = 404, "unknown-recommendation", "Unknown recommendation"

    def __init__(self, recommendation_id: str) -> None:
        super().__init__(
            f"The log has no answer {recommendation_id!r}. A new answer is there after a few seconds; "
            "answers are not logged while Kafka is away."
        )
