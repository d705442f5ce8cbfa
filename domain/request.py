"""What routing needs to know of a request: read off its body and its caller, never its text."""

import uuid

import msgspec

from domain.ruleset import PowerLevel
from domain.snapshot import Capability, Modality


class RequestFacts(msgspec.Struct, frozen=True):
    """The input of a routing decision.

    `now` is Unix seconds. `input_tokens` is counted, or estimated when `input_estimated`.
    `max_tokens` is the caller's cap on the answer, None without one. `level` is the caller's own
    power level. `session` keeps a conversation on one deployment. `id` is the request's UUIDv7
    and seeds every tie that chance decides. `keeps_an_hour`: what it has a cache keep may be kept
    that long.
    """

    id: uuid.UUID
    now: float
    model: str
    user_id: uuid.UUID
    input_tokens: int
    input_estimated: bool = False
    max_tokens: int | None = None
    stream: bool = False
    needs: frozenset[Capability] = frozenset()
    modalities: frozenset[Modality] = frozenset({Modality.TEXT})
    organization_id: uuid.UUID | None = None
    level: PowerLevel | None = None
    allowed_models: frozenset[str] | None = None
    session: str | None = None
    keeps_an_hour: bool = False
    task: str | None = None
