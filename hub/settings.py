"""The environment as one frozen object. Business behaviour is never a setting: it is a rule set."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from HUB_* variables; the defaults are the embedded hub in a local folder."""

    model_config = SettingsConfigDict(env_prefix="HUB_", frozen=True)

    dir: Path = Field(default=Path("concord-data"), description="Where the embedded store and the files live")
    database_url: str | None = Field(default=None, description="SQLite or PostgreSQL; default: SQLite in `dir`")
    host: str = Field(default="127.0.0.1", description="Address that the server listens on")
    port: int = Field(default=8080, ge=0, le=65535, description="Port that the server listens on")
    processes: int = Field(default=2, ge=1, description="Server processes")
    secret: SecretStr | None = Field(default=None, description="Signs console sessions; default: kept in `dir`")
    check_rules: bool = Field(default=False, description="Evaluate each rule condition a second time in plain Python")
    cors_origins: tuple[str, ...] = Field(
        default=(), description='Sites whose pages may call the API: ["https://app.example"]'
    )
    introspection: bool = Field(default=True, description="Tell the GraphQL schema to whoever may ask queries")
    trusted_only: bool = Field(default=False, description="Answer registered documents alone (`hub documents add`)")
    query_seconds: float = Field(default=30.0, gt=0, description="For how long a query may read before it is ended")
    read_audit_days: int | None = Field(
        default=None, ge=1, description="For how many days the audit log keeps who read what; default: for ever"
    )
    oidc_issuer: str | None = Field(default=None, description="Issuer whose bearer tokens are taken, as they name it")
    oidc_audience: str | None = Field(default=None, description="What tokens for the API name as their audience")
    oidc_algorithms: tuple[str, ...] = Field(default=("RS256", "ES256"), description="Signatures that are taken")
    oidc_name_claim: str = Field(default="sub", description="The claim by which the audit log names people")
    oidc_role_claim: str = Field(default="roles", description="The claim that lists roles; a dot leads into objects")
    oidc_roles: dict[str, str] = Field(default={}, description="What the claim says → role; default: our own words")
    oidc_scoped: bool = Field(
        default=False, description="Tokens see what scopes grant: concord:ENTITY, concord:personal"
    )
    oidc_client: str | None = Field(default=None, description="Our client id, for sign-in to the console")
    oidc_client_secret: SecretStr | None = Field(default=None, description="Its secret, if the issuer gave one")

    @property
    def url(self) -> str:
        """The database to use."""
        return self.database_url or f"sqlite:///{(self.dir / 'hub.db').absolute()}"
