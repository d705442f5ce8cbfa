"""Whether a stream is asked for its usage on our account: not where that is refused."""

import uuid

from domain.snapshot import Deployment
from gateway.failure import UpstreamFailure
from gateway.format import Request


class Asking:
    """Of one request. `refusing`: deployments that answer only without `stream_options`; shared."""

    def __init__(self, request: Request, refusing: set[uuid.UUID]) -> None:
        self._wanted = request.stream and not request.shows_usage
        self._refusing = refusing
        self._suspect: uuid.UUID | None = None

    def asks(self, deployment: Deployment) -> bool:
        return (
            self._wanted and deployment.id != self._suspect and deployment.id not in self._refusing
        )

    def refused(self, deployment: Deployment, failure: UpstreamFailure) -> bool:
        """Whether our asking may be what was refused; then this request goes without it."""
        named = "stream_options" in failure.words or "include_usage" in failure.words
        if not named or not self.asks(deployment):
            return False
        self._suspect = deployment.id
        return True

    def answered(self, deployment: Deployment) -> None:
        """An answer without it is the proof: a refusal's words may quote the caller's."""
        if self._suspect is not None and deployment.id == self._suspect:
            self._refusing.add(deployment.id)
