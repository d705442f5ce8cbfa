"""Our side of the data plane's ports, in memory."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field

from auth.credential import presented
from domain.errors import Unauthenticated, Unavailable
from domain.health import Live, Observatory
from domain.ports import Place, Sealed
from domain.principal import Principal, Role, Scope
from domain.ruleset import Ruleset
from domain.secret import Secret
from domain.snapshot import Snapshot
from domain.usage import Intent, Outcome, Progress

KEY = "fl_test"


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

    async def principal(
        self, headers: Mapping[str, str], address: str | None = None
    ) -> Principal | None:
        given = presented(headers)
        if given is None:
            return None
        if given.api_key != KEY:
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

    def fingerprints(self, secret: Secret) -> list[str]:
        return [secret.reveal()]


@dataclass
class Running:
    """A configuration that tests fill; `live` is what was observed so far."""

    observatory: Observatory
    snapshot: Snapshot = field(default_factory=lambda: Snapshot(1, 0.0, {}, {}, {}, {}, Ruleset()))
    process_id: uuid.UUID = field(default_factory=uuid.uuid4)

    @property
    def live(self) -> Live:
        return self.observatory.view(time.time())

    async def refresh(self) -> None:
        raise AssertionError("Requests run on the snapshot at hand; they never ask for another.")
