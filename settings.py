"""The only reader of the environment.

`load_settings()` gives one frozen `Settings`; composition roots hand its values down, nothing below imports
this file. Every setting is optional. A value that cannot be used raises `SettingsError`: one line that names the
variable, for a command to print and leave with exit code 2.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

if TYPE_CHECKING:
    from temporalio.envconfig import ClientConnectConfig

SECRET_KEY_FILE = "secret_key"
SHORTEST_SECRET_KEY = 16
"""Characters; anything shorter can be guessed, so it is refused."""

DATABASE_SCHEMES = ("postgres", "postgresql", "postgresql+psycopg")
TEMPORAL_FILE_VARIABLES = ("TEMPORAL_CONFIG_FILE", "TEMPORAL_PROFILE")
"""Temporal's file is read only if one of these is set: a default profile must not steer us unasked."""

Port = Annotated[int, Field(ge=1, le=65535)]
PortOrZero = Annotated[int, Field(ge=0, le=65535)]


class SettingsError(ValueError):
    """A setting that cannot be used; the text is one line for a person and names the variable."""


class Settings(BaseSettings):
    """Everything the environment may say, checked once."""

    model_config = SettingsConfigDict(
        frozen=True, env_ignore_empty=True, extra="ignore", populate_by_name=True, case_sensitive=True
    )

    data_dir: Path = Field(Path(".data"), validation_alias="SWITCHBOARD_DATA_DIR")
    host: str = Field("127.0.0.1", validation_alias="SWITCHBOARD_HOST")
    http_port: Port = Field(8080, validation_alias="SWITCHBOARD_HTTP_PORT")
    temporal_port: Port = Field(7233, validation_alias="SWITCHBOARD_TEMPORAL_PORT")
    temporal_ui_port: PortOrZero = Field(8233, validation_alias="SWITCHBOARD_TEMPORAL_UI_PORT")
    """0 = no web UI for the embedded Temporal."""
    temporal_ui_url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$")] | None = Field(
        None, validation_alias="SWITCHBOARD_TEMPORAL_UI_URL"
    )
    """Where people find Temporal's web UI, for links in histories. None = this machine's, at its port."""
    postgres_port: PortOrZero = Field(0, validation_alias="SWITCHBOARD_POSTGRES_PORT")
    """0 = a free port, chosen once and remembered in the data directory."""

    database_url: str | None = Field(None, validation_alias="DATABASE_URL", repr=False)
    """As SQLAlchemy wants it (`postgresql+psycopg://…`), with its password; None = the embedded one."""
    database_pool_size: Annotated[int, Field(ge=1, le=200)] = Field(
        10, validation_alias="SWITCHBOARD_DATABASE_POOL_SIZE"
    )
    """Connections of one process."""

    temporal_address: str | None = Field(None, validation_alias="TEMPORAL_ADDRESS")
    """`host:port`; None = the embedded Temporal."""
    temporal_namespace: str = Field("default", validation_alias="TEMPORAL_NAMESPACE")

    secret_key: SecretStr = Field(SecretStr(""), validation_alias="SWITCHBOARD_SECRET_KEY")
    """Signs sessions and CSRF tokens; every server of one installation needs the same."""
    secure_cookies: bool = Field(False, validation_alias="SWITCHBOARD_SECURE_COOKIES")
    """True behind HTTPS."""

    demo: bool = Field(False, validation_alias="SWITCHBOARD_DEMO")
    demo_password: SecretStr | None = Field(None, validation_alias="SWITCHBOARD_DEMO_PASSWORD")
    demo_token: SecretStr | None = Field(None, validation_alias="SWITCHBOARD_DEMO_TOKEN")

    log_format: Literal["json", "console", "auto"] = Field("auto", validation_alias="SWITCHBOARD_LOG_FORMAT")
    """auto = console on a terminal, json elsewhere."""
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", validation_alias="SWITCHBOARD_LOG_LEVEL")

    worker_queues: Annotated[tuple[str, ...], NoDecode] = Field(
        ("interactive", "mass"), validation_alias="SWITCHBOARD_WORKER_QUEUES"
    )
    """Which task queues a worker process serves; under `up` each of them gets a process of its own."""
    worker_build_id: Annotated[str, Field(max_length=128, pattern=r"^[\w.+-]+$")] | None = Field(
        None, validation_alias="SWITCHBOARD_WORKER_BUILD_ID"
    )
    """Turns worker versioning on: the build this worker runs. None = off, as on one machine."""
    max_cached_workflows: Annotated[int, Field(ge=0)] = Field(2000, validation_alias="SWITCHBOARD_MAX_CACHED_WORKFLOWS")
    """Per worker process; about 0.12 MiB each. Keep it above the number of live dialogs."""

    @field_validator("database_url")
    @classmethod
    def _as_sqlalchemy_wants_it(cls, url: str | None) -> str | None:
        if url is None:
            return None
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in DATABASE_SCHEMES or not urlsplit(url).hostname:
            raise ValueError("must look like postgresql://user:password@host:5432/database")
        return f"postgresql+psycopg://{rest}"

    @field_validator("temporal_address")
    @classmethod
    def _host_and_port(cls, address: str | None) -> str | None:
        if address is None:
            return None
        host, _, port = address.rpartition(":")
        if not host or "/" in host or not port.isdigit():
            raise ValueError("must look like host:7233, without a scheme")
        return address

    @field_validator("secret_key")
    @classmethod
    def _hard_to_guess(cls, key: SecretStr) -> SecretStr:
        if 0 < len(key.get_secret_value()) < SHORTEST_SECRET_KEY:
            raise ValueError(f"must have at least {SHORTEST_SECRET_KEY} characters")
        return key

    @field_validator("log_format", "log_level", mode="before")
    @classmethod
    def _in_lower_case(cls, value: Any) -> Any:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("worker_queues", mode="before")
    @classmethod
    def _names_between_commas(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        names = tuple(dict.fromkeys(name.strip() for name in value.split(",") if name.strip()))
        if not names or not all(name.replace("-", "").replace("_", "").isalnum() for name in names):
            raise ValueError("must be queue names between commas, such as interactive,mass")
        return names

    def database(self) -> str:
        """The database's URL; `SettingsError` where a command cannot do without one."""
        if self.database_url is None:
            raise SettingsError("DATABASE_URL is not set: name the PostgreSQL to use, or start all with `up`")
        return self.database_url

    def temporal(self) -> ClientConnectConfig:
        """Arguments of `Client.connect`: address, namespace, API key, TLS and metadata.

        TLS and API key come from the variables and the file of Temporal's own environment configuration
        (`TEMPORAL_API_KEY`, `TEMPORAL_TLS*`, `TEMPORAL_CONFIG_FILE`, `TEMPORAL_PROFILE`).
        """
        config = _temporal_profile()
        if self.temporal_address is not None:
            config["target_host"] = self.temporal_address
        if not config.get("target_host"):
            raise SettingsError("TEMPORAL_ADDRESS is not set: name the Temporal server, or start all with `up`")
        if os.environ.get("TEMPORAL_NAMESPACE") or not config.get("namespace"):
            config["namespace"] = self.temporal_namespace
        return config


def load_settings(*, keep_secret_key: bool = True) -> Settings:
    """Reads the environment; raises `SettingsError` with one readable line.

    Without SWITCHBOARD_SECRET_KEY a key is made once and kept in the data directory (mode 0600).
    `keep_secret_key=False` leaves the disk alone and the key empty: for commands that only look.
    """
    try:
        settings = Settings()
    except ValidationError as problem:
        raise SettingsError(_explain(problem)) from None
    if settings.temporal_address is None and _names_temporal_file():
        settings = settings.model_copy(update={"temporal_address": _temporal_profile().get("target_host")})
    if settings.secret_key.get_secret_value() or not keep_secret_key:
        return settings
    try:
        key = _kept_secret_key(settings.data_dir / SECRET_KEY_FILE)
    except OSError as problem:
        raise SettingsError(
            f"SWITCHBOARD_SECRET_KEY is not set and cannot be kept in {settings.data_dir}: {problem.strerror}"
        ) from problem
    return settings.model_copy(update={"secret_key": SecretStr(key)})


def _names_temporal_file() -> bool:
    return any(os.environ.get(name) for name in TEMPORAL_FILE_VARIABLES)


def _temporal_profile() -> ClientConnectConfig:
    from temporalio.envconfig import ClientConfigProfile

    # An empty variable counts as unset, here too: an empty API key would turn TLS on.
    said = {name: value for name, value in os.environ.items() if value}
    try:
        profile = ClientConfigProfile.load(disable_file=not _names_temporal_file(), override_env_vars=said)
        return profile.to_client_connect_config()
    except (RuntimeError, OSError, ValueError) as problem:
        raise SettingsError(f"TEMPORAL_*: {_one_line(str(problem))}") from problem


def _kept_secret_key(path: Path) -> str:
    """The key in the file; two processes that start together agree, because `link` never replaces a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    return path.read_text().strip()


def _explain(problem: ValidationError) -> str:
    """`NAME: what is wrong` of the first error; the value itself may be a secret and stays out."""
    first = problem.errors(include_url=False, include_input=False)[0]
    name = str(first["loc"][0]) if first["loc"] else "settings"
    return f"{name}: {_one_line(first['msg'].removeprefix('Value error, '))}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
