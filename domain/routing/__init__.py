"""How a model is chosen, as in routing.md: `plan` decides, `explain` renders a decision."""

from domain.routing.explain import Decisive, Dimension, Explained, Explanation, Term, explain
from domain.routing.flips import Flip, Lever, flips
from domain.routing.keys import after_limit, after_refusal
from domain.routing.plan import cell_of, plan, plan_alone
from domain.routing.planned import Candidate, Plan
from domain.routing.rules import governed, proposed, ruleset_of

__all__ = [
    "Candidate",
    "Decisive",
    "Dimension",
    "Explained",
    "Explanation",
    "Flip",
    "Lever",
    "Plan",
    "Term",
    "after_limit",
    "after_refusal",
    "cell_of",
    "explain",
    "flips",
    "governed",
    "plan",
    "plan_alone",
    "proposed",
    "ruleset_of",
]
