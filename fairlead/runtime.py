"""Everything a serving process runs, built once from the foundation and handed down."""

import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol

from auth.callers import KnownCallers
from auth.identity import Authenticator
from auth.origin import Origins
from db.session import Database
from domain.balances import Balances
from domain.board import Board
from domain.health import Observatory
from domain.hub import Hub
from domain.principal import Principal
from domain.tokens import TokenCounter
from fairlead.foundation import Foundation
from fairlead.openid import openid_provider
from gateway.app import DataPlane
from gateway.cache import Cache
from gateway.configuration import RunningConfiguration
from gateway.diskcopy import DiskCopy
from gateway.drain import Drain
from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.feed import Feed
from gateway.health import HealthReporter
from gateway.holds import Holds
from gateway.keeper import Keeper
from gateway.probe import HttpProbe
from gateway.prober import Prober
from gateway.rates import RateLimiter
from gateway.repeat import Repeats
from gateway.spool import Spool
from gateway.thresholds import SpendWatch
from gateway.webhook import Deliverer
from gateway.writer import Writer
from schema.context import Context

Step = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Runtime:
    """The parts that requests meet."""

    foundation: Foundation
    authenticator: Authenticator
    configuration: RunningConfiguration
    observatory: Observatory
    spool: Spool
    hub: Hub
    http: HttpClient
    probe: HttpProbe
    prober: Prober
    health: Board
    holds: Holds
    rates: RateLimiter
    counter: TokenCounter = field(default_factory=TokenCounter.load)
    drain: Drain = field(default_factory=Drain)

    @cached_property
    def data_plane(self) -> DataPlane:
        """What answers `/v1`, and asks models for those who come by GraphQL."""
        settings = self.foundation.settings
        return DataPlane(
            authenticator=self.authenticator,
            configuration=self.configuration,
            recorder=self.spool,
            cipher=self.foundation.cipher,
            http=self.http,
            observatory=self.observatory,
            origins=Origins(settings.allowed_origins),
            commits=settings.spool_sync == "commit",
            counter=self.counter,
            drain=self.drain,
            rates=self.rates,
            cache=Cache(self.foundation.database, self.foundation.cipher),
            holds=self.holds,
            key_refused=self.prober.confirm,
            repeats=Repeats(
                self.foundation.database, self.foundation.cipher, self.configuration.process_id
            ),
        )

    @cached_property
    def balances(self) -> Balances:
        """One for all who follow a wallet here."""
        return Balances(self.foundation.database)

    def context_for(self, principal: Principal | None) -> Context:
        """What one GraphQL request carries."""
        return Context(
            self.foundation.database,
            principal,
            self.configuration,
            self.foundation.cipher,
            self.probe,
            self.hub,
            self.foundation.settings.allow_private_hosts,
            self.counter,
            probe_later=self.prober.later,
            health=self.health,
            completer=self.data_plane.completer,
            balances=self.balances,
        )


@asynccontextmanager
async def running(foundation: Foundation) -> AsyncIterator[Runtime]:
    """Started in the order of need, stopped in the reverse: usage is settled before the end."""
    settings, database = foundation.settings, foundation.database
    observatory = Observatory(time.time, random.SystemRandom().getrandbits(64))
    configuration = _configuration(foundation, observatory)
    spool, hub = Spool(settings.spool_dir), Hub()
    writer, feed, keeper = _usage(database, spool, hub)
    http = HttpClient(AddressGuard(settings.allow_private_hosts))
    holds = Holds(database, configuration.process_id)
    async with AsyncExitStack() as stack:
        authenticator = await stack.enter_async_context(_signing_in(foundation))
        configuration.listen(authenticator.forget)
        callers = KnownCallers(authenticator, settings.callers_file, foundation.cipher)
        parts: tuple[Part, ...] = (callers, writer, feed, keeper, configuration, holds)
        await _start(stack, (spool.start, spool.close), *((p.start, p.stop) for p in parts))
        stack.push_async_callback(http.close)
        await stack.enter_async_context(_delivering(foundation, configuration))
        probe, health = HttpProbe(http), Board()
        prober = await stack.enter_async_context(
            _observing(foundation, configuration, probe, health)
        )
        yield Runtime(
            foundation,
            authenticator,
            configuration,
            observatory,
            spool,
            hub,
            http,
            probe,
            prober,
            health,
            holds,
            await stack.enter_async_context(_limiting(database, configuration)),
        )


def _usage(database: Database, spool: Spool, hub: Hub) -> tuple[Writer, Feed, Keeper]:
    """What settles usage, tells of it, and keeps it in order."""
    feed = Feed(database, hub)
    return Writer(database, spool, settled=feed.wake), feed, Keeper(database)


class Part(Protocol):
    """Runs from its start to its stop."""

    async def start(self) -> None: ...
    async def stop(self) -> None: ...


def _configuration(foundation: Foundation, observatory: Observatory) -> RunningConfiguration:
    copy = DiskCopy(foundation.settings.snapshot_file, foundation.cipher)
    return RunningConfiguration(foundation.database, observatory, copy=copy)


@asynccontextmanager
async def _limiting(
    database: Database, configuration: RunningConfiguration
) -> AsyncIterator[RateLimiter]:
    """What counts callers' rates, with every other process."""
    rates = RateLimiter(database, configuration.process_id)
    try:
        yield rates
    finally:
        await rates.stop()


async def _start(stack: AsyncExitStack, *parts: tuple[Step, Step]) -> None:
    """Start each, and have it stopped when the stack unwinds."""
    for start, stop in parts:
        await start()
        stack.push_async_callback(stop)


@asynccontextmanager
async def _observing(
    foundation: Foundation, configuration: RunningConfiguration, probe: HttpProbe, health: Board
) -> AsyncIterator[Prober]:
    """Tests of providers, and what all processes make of them."""
    prober = Prober(foundation.database, configuration, foundation.cipher, probe)
    reporter = HealthReporter(
        foundation.database,
        configuration,
        health,
        prober.later,
        prober.confirm,
        idle_seconds=foundation.settings.probe_seconds,
    )
    await reporter.start()
    try:
        yield prober
    finally:
        await reporter.stop()
        await prober.stop()


@asynccontextmanager
async def _delivering(
    foundation: Foundation, configuration: RunningConfiguration
) -> AsyncIterator[None]:
    """Webhooks go out by a client of their own, for which the operator's private hosts are none."""
    http = HttpClient(AddressGuard())
    deliverer = Deliverer(foundation.database, http, foundation.cipher)
    configuration.listen(lambda *_: deliverer.wake())
    watch = SpendWatch(foundation.database)
    await deliverer.start()
    await watch.start()
    try:
        yield
    finally:
        await watch.stop()
        await deliverer.stop()
        await http.close()


@asynccontextmanager
async def _signing_in(foundation: Foundation) -> AsyncIterator[Authenticator]:
    """Keys, and tokens of the OpenID provider where the operator named one."""
    provider = openid_provider(foundation.settings)
    yield Authenticator(
        foundation.database,
        foundation.cipher,
        verifier=None if provider is None else provider.verifier,
        suspend_after=foundation.settings.openid_suspend_after,
    )
    if provider is not None:
        await provider.close()
