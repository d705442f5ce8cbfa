"""GET /v1/models: every name the caller may put into a request, in OpenAI's list shape."""

import time
import uuid
from collections.abc import Mapping

import msgspec

from domain.errors import ModelNotFound
from domain.ports import Configuration
from domain.principal import Principal
from domain.request import RequestFacts
from domain.routing import governed
from domain.routing.keys import keys_of
from domain.routing.resolve import AUTO, allows, near
from domain.ruleset import PowerLevel
from domain.snapshot import Deployment, Snapshot

KEPT = 256
"""Lists; one for each set of rights seen since the configuration changed."""
OURS = "fairlead"

Rights = tuple[uuid.UUID, uuid.UUID | None, frozenset[str] | None]


class _Model(msgspec.Struct, frozen=True):
    id: str
    created: int
    owned_by: str
    object: str = "model"


class _Models(msgspec.Struct, frozen=True):
    data: list[_Model]
    object: str = "list"


class ModelList:
    """Lists are kept, encoded, until the configuration changes."""

    def __init__(self, configuration: Configuration) -> None:
        self._configuration = configuration
        self._number = -1
        self._lists: dict[Rights, bytes] = {}

    def all(self, principal: Principal) -> bytes:
        snapshot = self._configuration.snapshot
        if snapshot.number != self._number or len(self._lists) >= KEPT:
            self._lists.clear()
            self._number = snapshot.number
        rights = (principal.user_id, principal.organization_id, principal.allowed_models)
        found = self._lists.get(rights)
        if found is None:
            models = _Models(list(_usable(snapshot, _facts(principal)).values()))
            found = self._lists[rights] = msgspec.json.encode(models)
        return found

    def one(self, principal: Principal, name: str) -> bytes:
        """Raises `ModelNotFound`, for what the caller may not use as well."""
        snapshot, facts = self._configuration.snapshot, _facts(principal, name)
        snapshot = governed(snapshot, facts.organization_id, facts.user_id)
        usable = _usable(snapshot, facts)
        found = usable.get(name)
        for deployment in snapshot.by_name.get(name, ()):
            if found is None and deployment.reference in usable:
                found = msgspec.structs.replace(usable[deployment.reference], id=name)
        if found is None:
            raise ModelNotFound(name[:100], near(snapshot, facts))
        return msgspec.json.encode(found)


def _usable(snapshot: Snapshot, facts: RequestFacts) -> Mapping[str, _Model]:
    """`auto` first, then aliases, then models as `provider/model`; by name."""
    snapshot = governed(snapshot, facts.organization_id, facts.user_id)
    allowed = facts.allowed_models
    # Auto is for everybody: it chooses among what the caller may use.
    ours = [AUTO, *(f"{AUTO}:{level.lower()}" for level in PowerLevel)]
    ours += [alias for alias in snapshot.ruleset.aliases if allowed is None or alias in allowed]
    models = {name: _Model(name, 0, OURS) for name in ours}
    keys: dict[uuid.UUID, bool] = {}
    for deployment in sorted(snapshot.deployments.values(), key=lambda found: found.reference):
        provider = deployment.provider
        if not (deployment.enabled and provider.enabled and allows(facts, deployment)):
            continue
        if provider.id not in keys:
            keys[provider.id] = keys_of(snapshot, provider, facts).available
        if keys[provider.id]:
            models[deployment.reference] = _model(deployment)
    return models


def _model(deployment: Deployment) -> _Model:
    since = deployment.prices[0].valid_from if deployment.prices else 0.0
    return _Model(deployment.reference, max(int(since), 0), deployment.provider.slug)


def _facts(principal: Principal, model: str = AUTO) -> RequestFacts:
    return RequestFacts(
        id=principal.user_id,
        now=time.time(),
        model=model,
        user_id=principal.user_id,
        input_tokens=0,
        organization_id=principal.organization_id,
        allowed_models=principal.allowed_models,
    )
