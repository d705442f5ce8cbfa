"""Everything a serving process runs, built once from the foundation and handed down."""

import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from auth.callers import KnownCallers
from auth.identity import Authenticator
from db.session import Database
from domain.health import Observatory
from domain.hub import Hub
from domain.principal import Principal
from domain.tokens import TokenCounter
from fairlead.foundation import Foundation
from gateway.configuration import RunningConfiguration
from gateway.diskcopy import DiskCopy
from gateway.drain import Drain
from gateway.egress.client import HttpClient
from gateway.egress.guard import AddressGuard
from gateway.feed import Feed
from gateway.keeper import Keeper
from gateway.probe import HttpProbe
from gateway.prober import Prober
from gateway.spool import Spool
from gateway.webhook import Deliverer
from gateway.writer import Writer
from schema.context import Context


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
    counter: TokenCounter = field(default_factory=TokenCounter.load)
    drain: Drain = field(default_factory=Drain)

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
        )


@asynccontextmanager
async def running(foundation: Foundation) -> AsyncIterator[Runtime]:
    """Started in the order of need, stopped in the reverse: usage is settled before the end."""
    settings, database = foundation.settings, foundation.database
    observatory = Observatory(time.time, random.SystemRandom().getrandbits(64))
    configuration = RunningConfiguration(
        database, observatory, copy=DiskCopy(settings.snapshot_file, foundation.cipher)
    )
    authenticator = Authenticator(database, foundation.cipher)
    configuration.listen(authenticator.forget)
    callers = KnownCallers(authenticator, settings.callers_file, foundation.cipher)
    spool, hub = Spool(settings.spool_dir), Hub()
    writer, feed, keeper = _usage(database, spool, hub)
    http = HttpClient(AddressGuard(settings.allow_private_hosts))
    async with AsyncExitStack() as stack:
        for start, stop in (
            (spool.start, spool.close),
            (callers.start, callers.stop),
            (writer.start, writer.stop),
            (feed.start, feed.stop),
            (keeper.start, keeper.stop),
            (configuration.start, configuration.stop),
        ):
            await start()
            stack.push_async_callback(stop)
        stack.push_async_callback(http.close)
        await stack.enter_async_context(_delivering(foundation, configuration))
        probe = HttpProbe(http)
        prober = Prober(database, configuration, foundation.cipher, probe)
        stack.push_async_callback(prober.stop)
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
        )


def _usage(database: Database, spool: Spool, hub: Hub) -> tuple[Writer, Feed, Keeper]:
    """What settles usage, tells of it, and keeps it in order."""
    feed = Feed(database, hub)
    return Writer(database, spool, settled=feed.wake), feed, Keeper(database)


@asynccontextmanager
async def _delivering(
    foundation: Foundation, configuration: RunningConfiguration
) -> AsyncIterator[None]:
    """Webhooks go out by a client of their own, for which the operator's private hosts are none."""
    http = HttpClient(AddressGuard())
    deliverer = Deliverer(foundation.database, http, foundation.cipher)
    configuration.listen(lambda *_: deliverer.wake())
    await deliverer.start()
    try:
        yield
    finally:
        await deliverer.stop()
        await http.close()
