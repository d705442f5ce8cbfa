"""What the fake provider was asked and what it sent: the truth that tests compare with."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(slots=True)
class Entry:
    """One request. `usage` is what was reported, None when nothing was; `chunks` content chunks.

    `finished` when the whole intended answer was sent, `aborted` when the client left before.
    `connection` counts accepted connections from 1: equal numbers mean keep-alive.
    """

    connection: int
    method: str
    path: str
    headers: dict[str, str]
    body: Any = None
    model: str | None = None
    status: int | None = None
    usage: dict[str, Any] | None = None
    chunks: int = 0
    bytes_sent: int = 0
    finished: bool = False
    aborted: bool = False
    faulted: str | None = None
    text: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Everything, with the text that was sent joined."""
        return asdict(self) | {"text": "".join(self.text)}
