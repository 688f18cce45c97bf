"""Trainings of the recommender: what each learned from, how good it was, which is live, and roll-backs."""
