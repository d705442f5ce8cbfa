"""Signing in with an OpenID provider: what the operator sets, and the way to the provider."""

from urllib.parse import urlsplit

import httpx2
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from auth.jwks import ProviderKeys
from auth.openid import OpenIdRules, TokenVerifier
from domain.errors import Unavailable
from gateway.egress.client import HttpClient
from gateway.egress.errors import ForbiddenAddress
from gateway.egress.guard import AddressGuard
from gateway.egress.transport import GuardedTransport

_DAY = 24 * 3600.0
_WELL_KNOWN = "/.well-known/openid-configuration"
_PORTS = {"http": 80, "https": 443}


class OpenIdSettings(BaseSettings):
    """Without an issuer there is none, and people sign in with keys alone."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    openid_issuer: str | None = Field(
        default=None,
        alias="FAIRLEAD_OPENID_ISSUER",
        description="The provider's issuer, exactly as its tokens name it.",
    )
    openid_discovery_url: str | None = Field(
        default=None,
        alias="FAIRLEAD_OPENID_DISCOVERY_URL",
        description="Where this server reads the provider's configuration; by default below the"
        " issuer.",
    )
    openid_client_id: str = Field(
        default="fairlead",
        alias="FAIRLEAD_OPENID_CLIENT_ID",
        description="The web app's public client.",
    )
    openid_audience: str | None = Field(
        default=None,
        alias="FAIRLEAD_OPENID_AUDIENCE",
        description="What access tokens for us name as audience; by default the client's id.",
    )
    openid_scopes: str = Field(
        default="openid profile email",
        alias="FAIRLEAD_OPENID_SCOPES",
        description="What the web app asks for.",
    )
    openid_roles: str = Field(
        default="realm",
        alias="FAIRLEAD_OPENID_ROLES",
        description="Where roles are: `realm` or `client` as Keycloak has them, else a claim.",
    )
    openid_admin_role: str = Field(
        default="fairlead-admin",
        alias="FAIRLEAD_OPENID_ADMIN_ROLE",
        description="The role that makes an administrator.",
    )
    openid_user_role: str | None = Field(
        default=None,
        alias="FAIRLEAD_OPENID_USER_ROLE",
        description="The role that everybody else needs; by default none.",
    )
    openid_groups: str = Field(
        default="groups", alias="FAIRLEAD_OPENID_GROUPS", description="The claim with groups."
    )
    openid_organization_prefix: str | None = Field(
        default=None,
        alias="FAIRLEAD_OPENID_ORGANIZATION_PREFIX",
        description="Groups that begin so are organisations; by default none is.",
    )
    openid_organization_admins: str = Field(
        default="/admins",
        alias="FAIRLEAD_OPENID_ORGANIZATION_ADMINS",
        description="The subgroup whose members govern the organisation.",
    )
    openid_suspend_days: int = Field(
        default=90,
        ge=0,
        alias="FAIRLEAD_OPENID_SUSPEND_DAYS",
        description="API keys of people who have not signed in for so long are suspended; 0: none.",
    )

    @field_validator("openid_issuer", "openid_discovery_url")
    @classmethod
    def _is_address(cls, value: str | None) -> str | None:
        parts = urlsplit(value or "https://x")
        if parts.scheme not in _PORTS or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("write a full address such as https://id.example.com/realms/fairlead")
        return value

    @property
    def openid_rules(self) -> OpenIdRules | None:
        """What verifies tokens; None without a provider."""
        if self.openid_issuer is None:
            return None
        return OpenIdRules(
            issuer=self.openid_issuer,
            audience=self.openid_audience or self.openid_client_id,
            client_id=self.openid_client_id,
            roles=self.openid_roles,
            admin_role=self.openid_admin_role,
            user_role=self.openid_user_role,
            groups=self.openid_groups,
            organization_prefix=self.openid_organization_prefix,
            organization_admins=self.openid_organization_admins,
        )

    @property
    def openid_suspend_after(self) -> float | None:
        """Seconds; None: never."""
        if self.openid_issuer is None or not self.openid_suspend_days:
            return None
        return self.openid_suspend_days * _DAY


class OpenIdProvider:
    """The provider as this process reaches it; closed at the end."""

    def __init__(self, settings: OpenIdSettings, rules: OpenIdRules) -> None:
        discovery = settings.openid_discovery_url or rules.issuer.rstrip("/") + _WELL_KNOWN
        # What the operator named may be private; where its configuration leads may not.
        own = {_host_and_port(rules.issuer), _host_and_port(discovery)}
        self._http = HttpClient(AddressGuard(own))
        self._client = httpx2.AsyncClient(
            transport=GuardedTransport(self._http, private_allowed=True),
            trust_env=False,
            timeout=5,
        )
        self.verifier = TokenVerifier(rules, ProviderKeys(rules.issuer, discovery, self._fetch))

    async def _fetch(self, url: str) -> bytes:
        try:
            answer = await self._client.get(url, headers={"accept": "application/json"})
        except (httpx2.HTTPError, ForbiddenAddress, httpx2.InvalidURL) as error:
            raise Unavailable(f"`{url}` cannot be had: {error}") from error
        if answer.status_code != 200:
            raise Unavailable(f"`{url}` answers {answer.status_code}.")
        return answer.content

    async def close(self) -> None:
        await self._client.aclose()
        await self._http.close()


def openid_provider(settings: OpenIdSettings) -> OpenIdProvider | None:
    """The provider that the operator set, if one is."""
    rules = settings.openid_rules
    return None if rules is None else OpenIdProvider(settings, rules)


def _host_and_port(url: str) -> str:
    parts = urlsplit(url)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
    return f"{host}:{parts.port or _PORTS[parts.scheme]}"
