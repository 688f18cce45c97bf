"""Error responses of the routes about trainings."""

from common.problems import Problem


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
