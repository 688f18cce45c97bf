"""How much of the catalogue is shown, and how popular it is."""


def catalogue_coverage(shown: int, offered: int) -> float | None:
    """Return the share of the offered products that any list showed; None if nothing is offered.

    Source: Ge, Delgado-Battenfeld and Jannach, Beyond Accuracy: Evaluating Recommender Systems by Coverage
    and Serendipity, RecSys 2010 (catalogue coverage).
    """
    return min(1.0, shown / offered) if offered else None


def popularity_lift(shown: float, catalogue: float) -> float | None:
    """Return how much more popular what is shown is than the catalogue: 0.5 is 50 % more.

    None if nothing in the catalogue is popular. Both are average popularities (of what is shown: average
    recommendation popularity, Yin et al., Challenging the Long Tail Recommendation, VLDB 2012). Source: the
    lift of Abdollahpouri et al., The Unfairness of Popularity Bias in Recommendation, RMSE 2019, relative to
    the catalogue instead of to profiles.
    """
    return (shown - catalogue) / catalogue if catalogue else None
