"""What the rules need of the outside world, as protocols; `auth` and `gateway` implement them."""

import uuid
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from domain.completion import Completion, Receipt, Said
from domain.health import Live
from domain.listed import ListedModel
from domain.principal import Principal
from domain.progress import Standing
from domain.secret import Secret
from domain.snapshot import Provider, Snapshot
from domain.usage import Intent, Outcome, Progress


@dataclass(frozen=True, slots=True)
class Place:
    """The only place a sealed secret opens: its row, its version and where it may be sent."""

    table: str
    column: str
    row: uuid.UUID
    version: int
    destination: str


@dataclass(frozen=True, slots=True)
class Sealed:
    ciphertext: bytes
    master_key_id: str


class Cipher(Protocol):
    def seal(self, secret: Secret, place: Place) -> Sealed: ...

    def open(self, sealed: Sealed, place: Place) -> Secret:
        """Raises `ValueError` when the ciphertext does not belong to this place."""
        ...

    def fingerprint(self, secret: Secret) -> str:
        """A short keyed digest: equal secrets have equal fingerprints, and nothing leaks."""
        ...

    def fingerprints(self, secret: Secret) -> Sequence[str]:
        """Those it has under each master key: an earlier one is of a key that sealed before."""
        ...


class Configuration(Protocol):
    """The running configuration of this process."""

    @property
    def process_id(self) -> uuid.UUID: ...

    @property
    def snapshot(self) -> Snapshot: ...

    @property
    def live(self) -> Live: ...

    async def refresh(self) -> None:
        """Apply committed changes now, and hint the other processes."""
        ...


class ConfigurationFeed(Configuration, Protocol):
    """The running configuration, and how far the other processes are with it."""

    def follow(self) -> AsyncGenerator[Standing, None]:
        """How it stands, and again whenever that changes, without an end."""
        ...


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """What a real call found. `error` is the provider's own text, cut to 500 characters;
    `refused`: it is about the key."""

    ok: bool
    latency_ms: int
    http_status: int | None
    models: Sequence[str]
    error: str | None
    refused: bool = False


@dataclass(frozen=True, slots=True)
class Listing:
    """What a real call found, and the models it listed as far as they are told."""

    result: ProbeResult
    models: Sequence[ListedModel]


class ProviderProbe(Protocol):
    async def test(
        self,
        provider: Provider,
        key: Secret | None,
        model: str | None = None,
        *,
        thorough: bool = False,
    ) -> ProbeResult:
        """List the provider's models with `key`; where it lists none, ask `model` for a token.

        `thorough`: for a token too, as lists are given for keys that are of no other use.

        Never raises for an upstream failure.
        """
        ...

    async def discover(self, provider: Provider, key: Secret | None) -> Listing:
        """The same call, with what it says of each model."""
        ...


class ProbeLater(Protocol):
    def __call__(self, provider_id: uuid.UUID, credential_id: uuid.UUID | None = None, /) -> object:
        """Test a provider in the background, with that key or the one that serves most."""
        ...


class Completer(Protocol):
    """Asks a model for a caller, as `/v1/chat/completions` does.

    `fields` are those of such a request but for the streaming ones; `headers` have lower-case
    names.
    """

    async def complete(
        self, caller: Principal, fields: Mapping[str, Any], headers: Mapping[str, str]
    ) -> Completion:
        """Raises `FairleadError`."""
        ...

    def stream(
        self, caller: Principal, fields: Mapping[str, Any], headers: Mapping[str, str]
    ) -> AsyncGenerator[Said | Receipt, None]:
        """Pieces of the answer, at last the receipt; close it to stop. Raises `FairleadError`."""
        ...


class Recorder(Protocol):
    """Keeps what requests used through the death of this process."""

    def intent(self, intent: Intent) -> None:
        """Before dispatch. Raises `Unavailable`: the request must then not be dispatched."""
        ...

    def progress(self, progress: Progress) -> None:
        """How far a stream has come, now and then. Raises `Unavailable`."""
        ...

    def outcome(self, outcome: Outcome) -> None:
        """Before anybody is told that the answer is whole. Raises `Unavailable`."""
        ...

    async def synced(self) -> None:
        """Returns when all that was recorded so far would survive the machine's death."""
        ...
