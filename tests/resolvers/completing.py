"""The data plane's way to ask models, for schemas under test."""

from auth.secrets import SecretBox
from domain.health import Observatory
from domain.ports import Completer
from domain.tokens import TokenCounter
from gateway.app import DataPlane
from gateway.configuration import RunningConfiguration
from gateway.egress.client import HttpClient
from tests.gateway.ports import Callers, Records


def completer_of(
    configuration: RunningConfiguration,
    records: Records,
    cipher: SecretBox,
    http: HttpClient,
    observatory: Observatory,
) -> Completer:
    """Outcomes go to `records`."""
    return DataPlane(
        authenticator=Callers(),
        configuration=configuration,
        recorder=records,
        cipher=cipher,
        http=http,
        observatory=observatory,
        counter=TokenCounter(),
    ).completer
