"""Opens provider keys where the upstream request is built, and forgets them within a minute."""

import uuid
from collections.abc import Callable

from domain.destination import credential_place, destination
from domain.ports import Cipher, Sealed
from domain.secret import Secret
from domain.snapshot import Credential, Provider

KEPT = 60.0
"""Seconds."""
MOST = 1_000

_Opened = tuple[uuid.UUID, int, str]


class KeyRing:
    """`clock` counts seconds."""

    def __init__(self, cipher: Cipher, clock: Callable[[], float]) -> None:
        self._cipher = cipher
        self._clock = clock
        self._open: dict[_Opened, tuple[float, Secret]] = {}

    def open(self, credential: Credential, provider: Provider) -> Secret:
        """The key, for the address the request goes to and no other. Raises `ValueError`."""
        name = (credential.id, credential.version, provider.base_url)
        now = self._clock()
        kept = self._open.get(name)
        if kept is not None and now - kept[0] < KEPT:
            return kept[1]
        self._forget(now)
        place = credential_place(
            credential.id, credential.version, destination(provider.type, provider.base_url)
        )
        sealed = Sealed(credential.ciphertext, credential.master_key_id)
        secret = self._cipher.open(sealed, place)
        self._open[name] = (now, secret)
        return secret

    def _forget(self, now: float) -> None:
        """What has grown old, and everything when there is too much of it."""
        old = [name for name, (at, _) in self._open.items() if now - at >= KEPT]
        for name in old:
            del self._open[name]
        if len(self._open) >= MOST:
            self._open.clear()
