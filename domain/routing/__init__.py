"""How a model is chosen, as in routing.md: `plan` decides, `explain` renders a decision."""

from domain.routing.plan import Candidate, Plan, cell_of, plan

__all__ = ["Candidate", "Plan", "cell_of", "plan"]
