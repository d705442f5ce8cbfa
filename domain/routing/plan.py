"""The one place a routing decision is made: snapshot, request and live values in, a plan out."""

import msgspec

from domain.decision import Decision
from domain.errors import FairleadError
from domain.snapshot import Credential, Deployment, KeyOwner, Price


class Candidate(msgspec.Struct, frozen=True):
    """A deployment to try, and with which keys: in order, empty where none is needed.

    `expected_cost` is nano-USD, None when the price is unknown.
    """

    deployment: Deployment
    price: Price | None
    credentials: tuple[Credential, ...]
    key_owner: KeyOwner | None
    expected_cost: int | None


class Plan(msgspec.Struct, frozen=True):
    """`candidates` in the order to try, at most the rule's attempts; none with a `refusal`."""

    decision: Decision
    candidates: tuple[Candidate, ...]
    refusal: FairleadError | None
