"""What starts a training of the recommender, and how it ends."""

from typing import Literal, get_args

Trigger = Literal["first", "scheduled", "drift", "requested"]
"""What started a training: there was no model, the night, a drift of the data, or a person."""

TRIGGERS: tuple[Trigger, ...] = get_args(Trigger)

TrainingOutcome = Literal[
    "running", "published", "kept", "too_little", "no_room", "failed", "stopped", "interrupted"
]
"""`kept`: the model in use is better. `too_little`: to learn from. `no_room`: in Redis. `stopped`: together
with the platform, or by a person. `interrupted`: nothing recorded its end."""
