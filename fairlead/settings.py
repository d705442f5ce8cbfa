"""What the operator sets, all of it: environment variables, read once (docs/settings.md)."""

import os
import re
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from fairlead.openid import OpenIdSettings
from fairlead.secretfiles import SecretFiles

_DATABASE = re.compile(r"postgres(ql)?://[^/]*/[^/?]+(\?.*)?$")
_HOST_AND_PORT = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9._-]+):\d{1,5}")


class Settings(OpenIdSettings):
    """Every setting has a working default."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    database_url: SecretStr | None = Field(
        default=None,
        alias="DATABASE_URL",
        description="A PostgreSQL 15 or newer; unset: the embedded one.",
    )
    encryption_key: SecretStr | None = Field(
        default=None,
        alias="ENCRYPTION_KEY",
        description="Master keys, separated by commas; first seals.",
    )
    data_dir: Path = Field(
        default_factory=lambda: default_data_dir(),
        alias="FAIRLEAD_DATA_DIR",
        description="Embedded database, usage spool, snapshot copy: must be on a disk that stays.",
    )
    pg_bin: Path | None = Field(
        default=None, alias="FAIRLEAD_PG_BIN", description="Folder of PostgreSQL programs to embed."
    )
    allow_private_hosts: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(),
        alias="FAIRLEAD_ALLOW_PRIVATE_HOSTS",
        description="host:port entries, separated by commas, that administrators' providers may"
        " reach although they are private or without https.",
    )
    allowed_origins: Annotated[frozenset[str], NoDecode] = Field(
        default=frozenset(),
        alias="FAIRLEAD_ALLOWED_ORIGINS",
        description="Origins of web pages, separated by commas, besides our own address.",
    )
    spool_sync: Literal["interval", "commit"] = Field(
        default="interval",
        alias="FAIRLEAD_SPOOL_SYNC",
        description="When usage is forced to disk: within 50 ms, or before the first byte.",
    )
    probe_seconds: float = Field(
        default=300.0,
        alias="FAIRLEAD_PROBE_SECONDS",
        ge=0,
        description="How long a provider may go without traffic before it is asked for its models,"
        " to see whether it is well; 0: never.",
    )
    shutdown_delay: float = Field(
        default=0.0,
        alias="FAIRLEAD_SHUTDOWN_DELAY",
        ge=0,
        le=300,
        description="Seconds after SIGTERM for which requests are still taken, while /readyz says"
        " no: as long as a load balancer needs to notice.",
    )
    shutdown_grace: float = Field(
        default=30.0,
        alias="FAIRLEAD_SHUTDOWN_GRACE",
        ge=0,
        le=3600,
        description="Seconds that running requests then have before they are cut off.",
    )
    host: str = Field(default="127.0.0.1", alias="HOST", description="Address to listen on.")
    port: int = Field(default=8000, alias="PORT", ge=0, le=65535, description="Port to listen on.")
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", alias="LOG_LEVEL", description="Least severe level that is logged."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, SecretFiles(settings_cls), env_settings

    @field_validator("database_url")
    @classmethod
    def _is_postgresql(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and not _DATABASE.match(value.get_secret_value()):
            raise ValueError("write postgresql://user:password@host:port/database")
        return value

    @field_validator("allow_private_hosts", "allowed_origins", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(part.strip().lower() for part in value.split(",") if part.strip())
        return value

    @field_validator("allow_private_hosts")
    @classmethod
    def _hosts_with_ports(cls, value: frozenset[str]) -> frozenset[str]:
        wrong = sorted(each for each in value if not _HOST_AND_PORT.fullmatch(each))
        if wrong:
            raise ValueError(f"{', '.join(wrong)}: write host:port")
        return value

    @cached_property
    def key_file(self) -> Path:
        """Where a generated master key is kept."""
        return self.data_dir / "encryption.key"

    @cached_property
    def spool_dir(self) -> Path:
        return self.data_dir / "spool"

    @cached_property
    def snapshot_file(self) -> Path:
        return self.data_dir / "snapshot.sealed"

    @cached_property
    def callers_file(self) -> Path:
        return self.data_dir / "callers.sealed"


def default_data_dir() -> Path:
    """/var/lib/fairlead for root, else the user's data folder."""
    if os.geteuid() == 0:
        return Path("/var/lib/fairlead")
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "fairlead"
