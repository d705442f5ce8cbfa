"""What a format that callers speak owes the data plane: requests read, answers and errors told."""

import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import msgspec

from domain.errors import FairleadError
from domain.principal import Principal
from domain.request import RequestFacts
from domain.secret import Secret
from domain.snapshot import Deployment
from domain.tokens import Count, TokenCounter
from gateway.asgi import Header
from gateway.bill import Bill
from gateway.continuation import Beginning
from gateway.egress.client import Outbound
from gateway.errors import Rendered
from gateway.stream import Scanner


class Errors(Protocol):
    """A module: failures in a format's words."""

    def render(self, error: FairleadError) -> Rendered:
        """An answer of its own."""

    def event(self, error: FairleadError) -> bytes:
        """The last event of a stream that cannot be completed."""

    def refusal(self, status: int, message: str, code: str, headers: list[Header]) -> Rendered:
        """For what is wrong before there is anything to do."""

    def bug(self, id: uuid.UUID) -> Rendered:
        """For what we did not foresee."""


class Whole(msgspec.Struct, frozen=True):
    """An answer that came whole: in OpenAI's shape, with its usage, and as its provider gave it."""

    body: bytes
    usage: bytes | None
    native: bytes


class Writer(Protocol):
    """Tells one stream to its client, in the client's format. `heartbeat` is said in silence."""

    heartbeat: bytes

    def write(self, events: bytes) -> bytes:
        """What a scanner passed on, as the client is sent it."""

    def finish(self, scanner: Scanner, bill: Bill) -> bytes:
        """The end of a whole answer: what it used where that is told, and the terminal event."""

    def said(self) -> bytes | None:
        """The words of all that was written; None when it is too long to have been kept."""

    def beginning(self) -> Beginning | None:
        """All that was written, where somebody else can go on with it."""

    def going_on(self) -> "Writer":
        """Tells the rest of what `beginning` gave, whose events come in OpenAI's words."""


class Request(Protocol):
    """One request, as its format has it.

    `member` is what a whole answer must have. `rest` makes the request for the rest of an answer
    of which a text, about so many tokens, was given (of no text: for the whole of it, anew), whose
    events are read in OpenAI's words; None: nobody else may go on with its stream.
    `shows_usage`: the caller's own stream options ask for usage, so that none has to be asked for
    on our account. `choices`: how many answers.
    """

    errors: Errors
    member: str
    stream: bool
    shows_usage: bool
    choices: int

    @property
    def rest(self) -> Callable[[str, int], "Request"] | None: ...

    def facts(
        self,
        id: uuid.UUID,
        now: float,
        principal: Principal,
        headers: Mapping[str, str],
        size: Count,
    ) -> RequestFacts:
        """What a routing decision depends on; `now` in Unix seconds, `size` of its input."""

    def roughly(self) -> Count | None:
        """Of its input, by length alone; None: it has to be counted."""

    def size(self, counter: TokenCounter) -> Count:
        """Of its input, counted."""

    def capped(self, deployment: Deployment, tokens: int) -> "Request":
        """The same with this limit of output, in words that the deployment's provider takes."""

    def outbound(self, deployment: Deployment, key: Secret | None, *, asks_usage: bool) -> Outbound:
        """In the words of the deployment's provider; raises `UpstreamFailure` UNSUPPORTED."""

    def ignored(self, deployment: Deployment) -> Sequence[str]:
        """Fields that this provider is not told, and that change nothing of what is said."""

    @property
    def is_at_list(self) -> bool:
        """Whether nothing in it can have `surcharges`: most have nothing, and need no look."""

    def surcharges(self, deployment: Deployment, *, bounded: bool) -> Sequence[str]:
        """By name, what it asks of this provider that is billed beside the list price; where its
        money is `bounded`, also what only the answer tells of, as that is too late then."""

    def read(self, deployment: Deployment, body: bytes) -> bytes:
        """A provider's whole answer in OpenAI's shape. Raises `UpstreamFailure`."""

    def reader(self, deployment: Deployment) -> tuple[Scanner, Writer]:
        """What follows a provider's stream, and what tells it to the client."""

    def tell(self, deployment: Deployment, answer: Whole, bill: Bill) -> bytes:
        """A whole answer for the client."""


class Format(Protocol):
    """A module. `errors` are in its words."""

    errors: Errors

    def decode(self, body: bytes, headers: Mapping[str, str]) -> Request:
        """Raises `MalformedRequest`, which says what is wrong and where."""
