"""Secrets that must be met nowhere, and what looks for them in whatever is handed to it."""

import base64
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

_WIDTH = 16
"""Bytes of a secret's middle that count as having met it; masks show less, of its ends."""
_RUN = re.compile(rb"[\w%+/=.-]{16,}")


def _middle(secret: str) -> bytes:
    """What no mask, fingerprint or public id shows: the part before the last four."""
    return secret.encode()[-28:-4]


def forms(secret: bytes) -> set[bytes]:
    """How it may be written, each from its beginning."""
    found = {secret, secret[::-1], secret.hex().encode(), quote(secret).encode()}
    for lead in range(3):
        whole = base64.b64encode(b"x" * lead + secret + b"x" * 2)
        # Only the characters that stand for the secret's own bits.
        found.add(whole[(lead * 8 + 5) // 6 : (lead + len(secret)) * 8 // 6])
    return {form for form in found if len(form) >= _WIDTH}


@dataclass
class Canaries:
    """`kinds` counts what was given out; `met` is (kind, place) of what should not be there."""

    kinds: Counter[str] = field(default_factory=Counter)
    met: list[tuple[str, str]] = field(default_factory=list)
    searched: Counter[str] = field(default_factory=Counter)
    _needles: dict[bytes, str] = field(default_factory=dict)

    def add(self, kind: str, secret: str) -> str:
        """Keep an eye on `secret`, at least 28 characters."""
        assert len(secret) >= 28, kind
        self.kinds[kind] += 1
        for form in forms(_middle(secret)):
            self._needles[form[:_WIDTH]] = kind
        return secret

    def look(self, place: str, content: bytes | str) -> None:
        """Search `content`; `place` is what a failure says."""
        data = content.encode() if isinstance(content, str) else content
        self.searched[place.partition(":")[0]] += len(data)
        for run in _RUN.finditer(data):
            text = run[0]
            for at in range(len(text) - _WIDTH + 1):
                kind = self._needles.get(text[at : at + _WIDTH])
                if kind is not None:
                    self.met.append((kind, place))

    def look_below(self, place: str, folder: Path, *but: str) -> None:
        """Every file there, but those of the names given."""
        for path in sorted(folder.rglob("*")):
            if path.is_file() and path.name not in but:
                self.look(f"{place}:{path.relative_to(folder)}", path.read_bytes())
