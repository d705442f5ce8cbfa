"""What is observed of deployments: `Observatory` takes it in, `Live` is what decisions read."""

from domain.health.deadline import answer_deadline, first_token_deadline
from domain.health.live import PRIOR, Failure, Health, Live, Pace, Vitals, Warmth
from domain.health.observatory import Observatory

__all__ = [
    "PRIOR",
    "Failure",
    "Health",
    "Live",
    "Observatory",
    "Pace",
    "Vitals",
    "Warmth",
    "answer_deadline",
    "first_token_deadline",
]
