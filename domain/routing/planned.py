"""What a plan is: a decision, and the candidates to try in order."""

import msgspec

from domain.decision import Decision
from domain.errors import FairleadError
from domain.snapshot import Credential, Deployment, KeyOwner, Price


class Candidate(msgspec.Struct, frozen=True):
    """A deployment to try, and with which keys: in order, empty where none is needed.

    `key_owner` is the first key's; each says its own, and `domain.routing.keys` which may follow
    after what. What it is expected to cost stands in the decision.
    """

    deployment: Deployment
    price: Price | None
    credentials: tuple[Credential, ...]
    key_owner: KeyOwner | None

    @property
    def may_use_house(self) -> bool:
        """Whether it may go out with a key that is nobody's own, or needs none."""
        keys = self.credentials
        return not keys or KeyOwner.SYSTEM in [key.owner_kind for key in keys]


class Plan(msgspec.Struct, frozen=True):
    """`candidates` in the order to try; none with a `refusal`.

    At most `attempts` calls are made, although there may be one candidate more, of a larger
    context window. `passes_filter`: after a content filter's refusal the next is asked too.
    """

    decision: Decision
    candidates: tuple[Candidate, ...]
    refusal: FairleadError | None
    attempts: int = 0
    passes_filter: bool = False
