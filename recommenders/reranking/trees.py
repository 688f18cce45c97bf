"""Gradient-boosted trees of scikit-learn, as arrays that are saved without pickle and evaluated compiled."""

from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from recommenders.compiled import compiled
from recommenders.histories import Floats, Ints
from recommenders.vocabulary import Codes

Arrays = dict[str, NDArray[Any]]


def learn(features: Floats, labels: NDArray[np.bool_], rounds: int, seed: int) -> Arrays:
    """Fit trees that predict the labels, bool [rows], from the features, float32 [rows, features].

    Fitting uses one thread: on a busy machine, further OpenMP threads would waste time in busy-waiting.
    """
    model = HistGradientBoostingClassifier(
        max_iter=rounds,
        learning_rate=0.08,
        max_leaf_nodes=24,
        min_samples_leaf=50,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
    with threadpool_limits(1):
        model.fit(features, labels)
    trees = [predictor.nodes for [predictor] in model._predictors]
    starts = np.cumsum([0, *(len(nodes) for nodes in trees)])
    nodes = np.concatenate(trees)
    return {
        "tree_starts": starts.astype(np.int64),
        "tree_features": np.where(nodes["is_leaf"], -1, nodes["feature_idx"]).astype(np.int32),
        "tree_thresholds": nodes["num_threshold"].astype(np.float64),
        "tree_left": nodes["left"].astype(np.int32),
        "tree_right": nodes["right"].astype(np.int32),
        "tree_values": nodes["value"].astype(np.float64),
    }


def predict(arrays: Arrays, features: Floats) -> Floats:
    """Return the log-odds of each row without the constant term, float32 [rows]."""
    log_odds = np.zeros(len(features), np.float32)
    _walk(
        arrays["tree_starts"],
        (arrays["tree_features"], arrays["tree_left"], arrays["tree_right"]),
        arrays["tree_thresholds"],
        arrays["tree_values"],
        features,
        log_odds,
    )
    return log_odds


@compiled
def _walk(
    starts: Ints,
    nodes: tuple[Codes, Codes, Codes],
    thresholds: NDArray[np.float64],
    values: NDArray[np.float64],
    rows: Floats,
    log_odds: Floats,
) -> None:
    feature_of, left, right = nodes
    for row in range(len(rows)):
        total = 0.0
        for tree in range(len(starts) - 1):
            root = starts[tree]
            at = root
            while feature_of[at] >= 0:
                below = rows[row, feature_of[at]] <= thresholds[at]
                at = root + (left[at] if below else right[at])
            total += values[at]
        log_odds[row] = total
