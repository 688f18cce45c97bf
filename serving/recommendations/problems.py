"""Error responses of the routes about experiments, the log of answers and trainings."""

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


class UnknownTraining(Problem):
    """There is no training with this id."""

    status, kind, title = 404, "unknown-training", "Unknown training"

    def __init__(self, training_id: str) -> None:
        super().__init__(
            f"There is no training {training_id!r}. GET /v1/admin/recommendations/trainings lists all."
        )


class ModelNotKept(Problem):
    """The model of a training can't be served: only the live model and the one before it are kept."""

    status, kind, title = 409, "model-not-kept", "This model can't be served again"
