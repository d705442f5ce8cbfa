"""How much of an upstream the client puts up with."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds.

    `response` counts what arrives on the wire for one answer. `buffered` is where reading pauses
    until the consumer has caught up. `idle` connections are kept in all, each for `idle_time`.
    A kept connection that was closed meanwhile shows it within a round trip; when it is lost
    after `stale_time` the upstream was at work, and sending the request again would pay twice.
    """

    head: int = 64 * 1024
    headers: int = 128
    response: int = 256 * 1024 * 1024
    buffered: int = 256 * 1024
    connections: int = 10_000
    idle: int = 512
    idle_time: float = 30.0
    stale_time: float = 1.0
