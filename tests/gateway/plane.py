"""A data plane on a loopback port, with our side of its ports in memory and real sockets."""

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import cache

import uvicorn
from openai import AsyncOpenAI

from domain.destination import destination
from domain.errors import Unauthenticated, Unavailable
from domain.health import Live, Observatory
from domain.ports import Place, Recorder, Sealed
from domain.principal import Principal, Role, Scope
from domain.ruleset import Ruleset
from domain.secret import Secret
from domain.snapshot import (
    Capability,
    Credential,
    Deployment,
    KeyOwner,
    KeyPolicy,
    Modality,
    Price,
    Provider,
    ProviderType,
    Snapshot,
    Timeouts,
)
from domain.tokens import TokenCounter
from domain.usage import Intent, Outcome, Progress
from gateway.app import DataPlane, Limits
from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.watch import Patience

KEY = "fl_test"
MICRO = 1_000_000
"""Pico-USD per token of a price of 1 $ per 1M tokens."""


def identity(name: str) -> uuid.UUID:
    return uuid.uuid5(uuid.NAMESPACE_URL, name)


@dataclass
class Callers:
    """Knows one key."""

    caller: Principal = field(
        default_factory=lambda: Principal(
            identity("user"), Role.USER, frozenset({Scope.INFERENCE}), api_key_id=identity("key")
        )
    )

    async def principal(self, headers: Mapping[str, str]) -> Principal | None:
        given = headers.get("authorization")
        if given is None:
            return None
        if given != f"Bearer {KEY}":
            raise Unauthenticated("This API key is not known here.")
        return self.caller


class Records:
    """Keeps intents and outcomes in memory; `away` makes it refuse."""

    def __init__(self) -> None:
        self.intents: list[Intent] = []
        self.progressed: list[Progress] = []
        self.outcomes: list[Outcome] = []
        self.away = False
        self._changed = asyncio.Event()
        self.on_disk = asyncio.Event()
        self.waiting = asyncio.Event()

    def intent(self, intent: Intent) -> None:
        if self.away:
            raise Unavailable("Requests cannot be recorded at the moment; try again.")
        self.intents.append(intent)

    def progress(self, progress: Progress) -> None:
        self.progressed.append(progress)

    def outcome(self, outcome: Outcome) -> None:
        if self.away:
            raise Unavailable("Requests cannot be recorded at the moment; try again.")
        self.outcomes.append(outcome)
        self._changed.set()

    async def synced(self) -> None:
        self.waiting.set()
        await self.on_disk.wait()

    async def settled(self, count: int = 1) -> list[Outcome]:
        """Waits until so many requests have ended."""
        while len(self.outcomes) < count:
            self._changed.clear()
            await self._changed.wait()
        return self.outcomes


class Plain:
    """A cipher that opens only in the place it sealed for; what it holds is no secret."""

    def seal(self, secret: Secret, place: Place) -> Sealed:
        return Sealed(f"{place}|{secret.reveal()}".encode(), "test")

    def open(self, sealed: Sealed, place: Place) -> Secret:
        where, _, value = sealed.ciphertext.decode().rpartition("|")
        if where != str(place):
            raise ValueError("This does not belong here.")
        return Secret(value)

    def fingerprint(self, secret: Secret) -> str:
        return secret.reveal()


@dataclass
class Running:
    """A configuration that tests fill; `live` is what was observed so far."""

    observatory: Observatory
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(1, 0.0, {}, {}, {}, {}, Ruleset()))

    @property
    def live(self) -> Live:
        return self.observatory.view(time.time())

    async def refresh(self) -> None:
        raise AssertionError("Requests run on the snapshot at hand; they never ask for another.")


class Plane:
    """What a test holds: where to send requests, what was recorded, and what may be routed."""

    def __init__(self, base_url: str, records: Records, configuration: Running) -> None:
        self.base_url = base_url
        self.records = records
        self.configuration = configuration
        self.callers = Callers()
        self.cipher = Plain()
        self.client = AsyncOpenAI(base_url=base_url or "http://unset", api_key=KEY)
        self.server: uvicorn.Server | None = None

    def stop(self) -> None:
        """What SIGTERM does when requests do not end in time."""
        assert self.server is not None
        self.server.config.timeout_graceful_shutdown = 0
        self.server.should_exit = True

    def rules(self, **fields: object) -> None:
        self._swap(ruleset=Ruleset(**fields))  # type: ignore[arg-type]

    def provider(
        self,
        slug: str,
        base_url: str,
        *,
        keys: tuple[str, ...] = (),
        type: ProviderType = ProviderType.CUSTOM,
        timeouts: Timeouts = Timeouts(),  # noqa: B008 - frozen
        priority: int = 100,
    ) -> Provider:
        made = Provider(identity(slug), slug, type, base_url, timeouts=timeouts, priority=priority)
        credentials = tuple(self.credential(made, key) for key in keys)
        held = self.configuration.snapshot.credentials
        self._swap(credentials=held | {made.id: credentials})
        return made

    def model(
        self,
        provider: Provider,
        name: str,
        *,
        input: int | None = 1 * MICRO,
        output: int = 4 * MICRO,
        context: int | None = 128_000,
        capabilities: frozenset[Capability] = frozenset({Capability.STREAMING}),
        modalities: frozenset[Modality] = frozenset({Modality.TEXT}),
        canonical: str | None = None,
    ) -> Deployment:
        """Prices in pico-USD per token; None is unknown."""
        reference = f"{provider.slug}/{name}"
        prices = () if input is None else (Price(identity(f"{reference}$"), 0.0, input, output),)
        made = Deployment(
            identity(reference),
            provider,
            name,
            canonical or name,
            name,
            context_length=context,
            input_modalities=modalities,
            capabilities=capabilities,
            prices=prices,
        )
        held = self.configuration.snapshot
        names = {name, made.canonical_name}
        self._swap(
            deployments=held.deployments | {made.id: made},
            by_reference=held.by_reference | {reference: made},
            by_name=held.by_name | {n: (*held.by_name.get(n, ()), made) for n in names},
        )
        return made

    def own_key(self, provider: Provider, key: str, policy: KeyPolicy) -> Credential:
        """A key of the caller's, beside the provider's others."""
        owner_id = self.callers.caller.user_id
        made = self.credential(provider, key, KeyOwner.USER, owner_id, policy)
        held = self.configuration.snapshot.credentials
        self._swap(credentials=held | {provider.id: (*held[provider.id], made)})
        return made

    def credential(
        self,
        provider: Provider,
        key: str,
        owner: KeyOwner = KeyOwner.SYSTEM,
        owner_id: uuid.UUID | None = None,
        policy: KeyPolicy = KeyPolicy.ONLY_MINE,
    ) -> Credential:
        id = identity(f"{provider.slug}:{key}")
        where = destination(provider.type, provider.base_url)
        place = Place("llm_credentials", "ciphertext", id, 1, where)
        return Credential(
            id,
            provider.id,
            owner,
            owner_id,
            1,
            where,
            "test",
            self.cipher.seal(Secret(key), place).ciphertext,
            policy=policy,
        )

    def _swap(self, **fields: object) -> None:
        held = self.configuration.snapshot
        values = {name: getattr(held, name) for name in held.__struct_fields__} | fields
        self.configuration.snapshot = Snapshot(**values | {"number": held.number + 1})


@cache
def counter() -> TokenCounter:
    """Loaded once: it takes a second."""
    return TokenCounter.load()


@asynccontextmanager
async def serving(
    *allowed: str,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    patience: Patience = Patience(),  # noqa: B008 - frozen
    commits: bool = False,
    recorder: Recorder | None = None,
) -> AsyncIterator[Plane]:
    """A plane that may reach the loopback hosts `allowed` (host:port).

    It records in memory unless there is a `recorder`.
    """
    observatory = Observatory(time.time, 7, interval=0.0)
    configuration, records = Running(observatory), Records()
    plane = Plane("", records, configuration)
    http = HttpClient(AddressGuard(allowed))
    app = DataPlane(
        authenticator=plane.callers,
        configuration=configuration,
        recorder=recorder or records,
        cipher=plane.cipher,
        http=http,
        observatory=observatory,
        counter=counter(),
        limits=limits,
        patience=patience,
        commits=commits,
    )
    server = uvicorn.Server(
        uvicorn.Config(app, lifespan="off", access_log=False, log_level="critical")
    )
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listener]))
    plane.server = server
    plane.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    plane.client = AsyncOpenAI(base_url=plane.base_url, api_key=KEY, max_retries=0)
    try:
        yield plane
    finally:
        await plane.client.close()
        server.should_exit = True
        await serving
        await http.close()
