"""A data plane on a loopback port, with our side of its ports in memory and real sockets."""

import asyncio
import socket
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache

import msgspec
import uvicorn
from openai import AsyncOpenAI

from domain.destination import destination
from domain.health import Observatory
from domain.ports import Place, Recorder
from domain.ruleset import Ruleset
from domain.secret import Secret
from domain.snapshot import (
    Capability,
    Credential,
    CreditSettings,
    CreditsMode,
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
from fairlead.connections import WatchedHttp
from gateway.app import DataPlane, Limits
from gateway.cache import Cache
from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.holds import Holds
from gateway.repeat import Repeats
from gateway.watch import Patience
from tests.gateway.ports import KEY, Callers, Plain, Records, Running, identity

__all__ = [
    "KEY",
    "MICRO",
    "Callers",
    "Plain",
    "Plane",
    "Records",
    "Running",
    "counter",
    "identity",
    "serving",
]

MICRO = 1_000_000
"""Pico-USD per token of a price of 1 $ per 1M tokens."""


class Plane:
    """What a test holds: where to send requests, what was recorded, and what may be routed."""

    def __init__(self, base_url: str, records: Records, configuration: Running) -> None:
        self.base_url = base_url
        self.records = records
        self.configuration = configuration
        self.callers = Callers()
        self.refused: list[tuple[uuid.UUID, uuid.UUID | None]] = []
        self.cipher = Plain()
        self.client = AsyncOpenAI(base_url=base_url or "http://unset", api_key=KEY)
        self.server: uvicorn.Server | None = None

    def stop(self) -> None:
        """What SIGTERM does when requests do not end in time."""
        assert self.server is not None
        self.server.config.timeout_graceful_shutdown = 0
        self.server.should_exit = True

    def credits(self, mode: CreditsMode = CreditsMode.ENFORCED, markup: int = 0) -> None:
        """Enforced, unless told otherwise; `markup` in basis points."""
        self._swap(credits=CreditSettings(mode, markup))

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
        outputs: frozenset[Modality] = frozenset({Modality.TEXT}),
        canonical: str | None = None,
        **apart: int,
    ) -> Deployment:
        """Prices in pico-USD per token; None is unknown. `apart` are other components'."""
        reference, price = f"{provider.slug}/{name}", None
        if input is not None:
            price = Price(identity(f"{reference}$"), 0.0, input, output, **apart)
        made = Deployment(
            identity(reference),
            provider,
            name,
            canonical or name,
            name,
            context_length=context,
            input_modalities=modalities,
            output_modalities=outputs,
            capabilities=capabilities,
            prices=() if price is None else (price,),
        )
        held = self.configuration.snapshot
        names = {name, made.canonical_name}
        self._swap(
            deployments=held.deployments | {made.id: made},
            by_reference=held.by_reference | {reference: made},
            by_name=held.by_name | {n: (*held.by_name.get(n, ()), made) for n in names},
        )
        return made

    def own_key(
        self, provider: Provider, key: str, policy: KeyPolicy, spend: int | None = None
    ) -> Credential:
        """A key of the caller's, beside the provider's others, which may `spend` so much."""
        owner_id = self.callers.caller.user_id
        made = self.credential(provider, key, KeyOwner.USER, owner_id, policy)
        made = msgspec.structs.replace(made, spend_per_month=spend)
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
    repeats: Repeats | None = None,
    holds: Holds | None = None,
    cache: Cache | None = None,
    interval: float = 0.0,
) -> AsyncIterator[Plane]:
    """A plane that may reach the loopback hosts `allowed` (host:port).

    What it observes is looked at anew after `interval` seconds.
    It records in memory unless there is a `recorder`, and sets money aside where there are `holds`.
    """
    observatory = Observatory(time.time, 7, interval=interval)
    configuration, records = Running(observatory), Records()
    plane = Plane("", records, configuration)
    http = HttpClient(AddressGuard(allowed))
    app = DataPlane(
        authenticator=plane.callers,
        configuration=configuration,
        recorder=recorder or records,
        repeats=repeats,
        key_refused=lambda *key: plane.refused.append(key),
        cipher=plane.cipher,
        http=http,
        observatory=observatory,
        counter=counter(),
        limits=limits,
        patience=patience,
        commits=commits,
        holds=holds,
        cache=cache,
    )
    async with _listening(app, plane):
        yield plane
    await http.close()


@asynccontextmanager
async def _listening(app: DataPlane, plane: Plane) -> AsyncIterator[None]:
    server = uvicorn.Server(
        uvicorn.Config(
            app, http=WatchedHttp, lifespan="off", access_log=False, log_level="critical"
        )
    )
    listener = socket.create_server(("127.0.0.1", 0))
    serving = asyncio.create_task(server.serve([listener]))
    plane.server = server
    plane.base_url = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    plane.client = AsyncOpenAI(base_url=plane.base_url, api_key=KEY, max_retries=0)
    try:
        yield
    finally:
        await plane.client.close()
        server.should_exit = True
        await serving
