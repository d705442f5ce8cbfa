"""A probe for tests."""

from domain.ports import ProviderProbe


def probe_on(allow_private_hosts: frozenset[str]) -> ProviderProbe:
    return None  # type: ignore[return-value]
