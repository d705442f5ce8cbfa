"""Who holds a long connection, and whether they still may."""

import asyncio
import time
from collections.abc import Hashable, Mapping

from auth.identity import Authenticator
from domain.errors import FairleadError, Unavailable
from domain.principal import Principal

_AFTER = 0.02
"""Seconds past an end, so that it is past on every clock that is asked."""
RECHECK = 1.0
"""Seconds between looks at a quiet connection's rights; they are answered from memory."""


class RightsEnded(Exception):
    """The connection must end. `code` is a WebSocket close code."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Caller:
    """The principal of a connection, looked up anew whenever it matters."""

    def __init__(
        self,
        authenticator: Authenticator,
        headers: Mapping[str, str],
        principal: Principal | None,
    ) -> None:
        self.principal = principal
        self._authenticator = authenticator
        self._headers = headers

    async def check(self) -> Principal | None:
        """The principal as of now. Raises RightsEnded when it is gone or has other rights."""
        if self.principal is None:
            return None
        try:
            now = await self._authenticator.principal(self._headers)
        except Unavailable as error:
            raise RightsEnded(1013, "Try again later") from error
        except FairleadError as error:
            raise RightsEnded(4403, "Forbidden") from error
        # A request is let in a little after its token's end, for clocks; a connection is not kept.
        over = now is not None and now.expires_at is not None and now.expires_at <= time.time()
        if now is None or over or rights_of(now) != rights_of(self.principal):
            raise RightsEnded(4403, "Forbidden")
        self.principal = now
        return now

    async def watch(self) -> None:
        """Never returns. Raises RightsEnded within `RECHECK` of a right's end."""
        while True:
            ends = None if self.principal is None else self.principal.expires_at
            pause = RECHECK if ends is None else min(RECHECK, max(0.0, ends - time.time()))
            await asyncio.sleep(pause + _AFTER)
            await self.check()


def rights_of(principal: Principal) -> tuple[Hashable, ...]:
    """What decides what a principal may see: two with the same rights are told the same."""
    return (
        principal.user_id,
        principal.role,
        principal.scopes,
        principal.organization_id,
        principal.organization_role,
        principal.api_key_id,
    )
