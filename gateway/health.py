"""Tells the other processes what this one observes, and agrees with them on providers' states."""

import asyncio
import time
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import structlog

from db.keyset import Row
from db.queries.credential import claim_refused
from db.queries.health import change_state, claim_probe, keep_reports, provider_facts, reports
from db.session import Database, database_is_away
from domain.board import Board
from domain.event import EventType, emit
from domain.globalid import global_id
from domain.health import Health
from domain.observed import (
    HealthState,
    ProviderHealth,
    Report,
    has_changed,
    own_reports,
    provider_health,
    reports_of,
)
from domain.ports import ProbeLater
from gateway.configuration import RunningConfiguration

_LOOK_SECONDS = 1.0
_FIGURES_SECONDS = 5.0
_AGREE_SECONDS = 10.0
_OPEN_SECONDS = 30.0
_REFUSED_APART = (timedelta(minutes=5), timedelta(hours=6))
"""How soon, and how late at last, a refused key is tried again."""
_QUIET = {(None, HealthState.HEALTHY), (HealthState.UNKNOWN, HealthState.HEALTHY)}
_QUIET |= {(None, HealthState.UNKNOWN), (HealthState.HEALTHY, HealthState.UNKNOWN)}

log = structlog.get_logger(__name__)

Told = tuple[Health, float | None, int, float]
"""Of a deployment: its health, until when it is limited, the samples, and when it was told."""


class HealthReporter:
    """Once a second: what changed here goes to the database, within five what only grew.

    The states of providers follow from the reports of all processes and from tests; of those that
    see a change one writes it down and tells the webhooks. A provider without traffic is tested
    every `idle_seconds`, one that fares badly every 30 s, by one of them, and a key that was
    refused is asked about (`confirm`), ever more seldom; 0 switches that off.
    """

    def __init__(
        self,
        database: Database,
        configuration: RunningConfiguration,
        board: Board,
        probe_later: ProbeLater,
        confirm: ProbeLater = lambda *_: None,
        *,
        idle_seconds: float = 300.0,
        look_seconds: float = _LOOK_SECONDS,
    ) -> None:
        self._database = database
        self._configuration = configuration
        self._board = board
        self._probe_later = probe_later
        self._confirm = confirm
        self._idle_seconds = idle_seconds
        self._look_seconds = look_seconds
        self._told: dict[uuid.UUID, Told] = {}
        self._agreed_at = 0.0
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._task = asyncio.create_task(self._run())

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _run(self) -> None:
        away = False
        while True:
            try:
                await self.look()
                away = False
            except Exception as error:
                if not away:
                    known = database_is_away(error)
                    log.warning("health is not told", exc_info=None if known else error)
                away = True
                self._told.clear()
            await asyncio.sleep(self._look_seconds)

    async def look(self) -> None:
        """Tell what changed, and where it is due find what all processes see together."""
        moved = await self._report()
        due = time.monotonic() - self._agreed_at >= _AGREE_SECONDS
        if moved or due or self._board.watched:
            await self._agree()
            self._agreed_at = time.monotonic()
        if not self._board.watched:
            self._board.rest()

    async def _report(self) -> bool:
        """Whether more than figures changed."""
        now, found, moved = time.time(), [], False
        configuration = self._configuration
        present: dict[uuid.UUID, Told] = {}
        snapshot, live = configuration.snapshot, configuration.live
        for each in own_reports(configuration.process_id, snapshot, live, now):
            health, before = each.vitals.health_at(now), self._told.get(each.model_id)
            same = before is not None and before[:2] == (health, each.limited_until)
            grown = before is None or each.vitals.samples != before[2]
            if before and same and not (grown and now - before[3] >= _FIGURES_SECONDS):
                present[each.model_id] = before
                continue
            moved |= not same
            present[each.model_id] = (health, each.limited_until, each.vitals.samples, now)
            found.append(_row(each))
        gone = self._told.keys() - present.keys()
        if found or gone:
            async with self._database.write(None) as session:
                await keep_reports(session, configuration.process_id, found, gone)
        self._told = present
        return moved or bool(gone)

    async def _agree(self) -> None:
        now = time.time()
        async with self._database.read(None) as session:
            facts = {row.id: row for row in await provider_facts(session)}
            by_provider: dict[uuid.UUID, list[Report]] = {}
            for report in reports_of(await reports(session)):
                by_provider.setdefault(report.provider_id, []).append(report)
        found = [provider_health(row, by_provider.get(id, []), now) for id, row in facts.items()]
        for each in found:
            before = facts[each.provider_id].state
            if each.state != before:
                await self._change(each, before)
        newest = self._board.newest
        self._board.publish(
            [each for each in found if has_changed(newest.get(each.provider_id), each)]
        )
        for each in found:
            await self._probe(each, facts[each.provider_id], now)
        if self._idle_seconds > 0:
            await self._ask_about_refused()

    async def _change(self, health: ProviderHealth, before: str | None) -> None:
        async with self._database.write(None) as session:
            ours = await change_state(session, health.provider_id, before, health.state)
            if ours and (before, health.state) not in _QUIET:
                data = {
                    "providerId": global_id("Provider", health.provider_id),
                    "slug": health.slug,
                    "before": before or HealthState.UNKNOWN,
                    "after": health.state,
                    "disabledReason": health.disabled_reason,
                }
                await emit(session, EventType.PROVIDER_HEALTH_CHANGED, data)

    async def _ask_about_refused(self) -> None:
        async with self._database.write(None) as session:
            due = await claim_refused(session, *_REFUSED_APART)
        for key in due:
            self._confirm(key.provider_id, key.id)

    async def _probe(self, health: ProviderHealth, facts: Row, now: float) -> None:
        """Have it tested when nothing was heard of it for long."""
        if self._idle_seconds <= 0 or health.disabled_reason is not None:
            return
        heard = [at.timestamp() for at in (facts.tested_at, facts.probed_at) if at is not None]
        apart = self._idle_seconds
        if health.state is HealthState.UNHEALTHY:
            apart = min(_OPEN_SECONDS, apart)
        else:
            heard += [vitals.at for model in health.models for vitals in model.vitals]
        if now - max(heard, default=0.0) < apart:
            return
        async with self._database.write(None) as session:
            ours = await claim_probe(session, health.provider_id, timedelta(seconds=apart))
        if ours:
            self._probe_later(health.provider_id)


def _row(report: Report) -> dict[str, object]:
    limit = report.limited_until
    return {
        "model_id": report.model_id,
        "vitals": msgspec.to_builtins(report.vitals),
        "limited_until": None if limit is None else datetime.fromtimestamp(limit, UTC),
    }
