"""What can go wrong on the way out; messages name hosts and limits, never keys or bodies.

EgressError
├── ForbiddenAddress    a URL we do not take, or an address we do not connect to
├── UnsendableRequest   a method or header that must not go on the wire
├── ConnectFailed       no such name, refused, unreachable, TLS not trusted
│   └── ConnectTimeout
├── ConnectionLost      the connection died while an answer was owed
├── MalformedResponse   not HTTP as we take it
│   └── Compressed
└── ResponseTooLarge
"""


class EgressError(Exception):
    """The request got no, or no whole, answer."""


class ForbiddenAddress(EgressError):
    """Nothing was sent and nothing was connected to."""


class UnsendableRequest(EgressError):
    """Nothing was sent."""


class ConnectFailed(EgressError):
    """Nothing was sent."""


class ConnectTimeout(ConnectFailed):
    pass


class ConnectionLost(EgressError):
    """`before_headers`: no answer had begun; the request may have been acted on all the same."""

    def __init__(self, message: str, *, before_headers: bool) -> None:
        super().__init__(message)
        self.before_headers = before_headers


class MalformedResponse(EgressError):
    pass


class Compressed(MalformedResponse):
    pass


class ResponseTooLarge(EgressError):
    pass
