"""The one source of settings: `wangxun.toml` (or the file named by WANGXUN_CONFIG), overridden by `WANGXUN_*` variables.

Every key carries its unit in its description; docs/reference/settings.md is this table, and a test compares the two.
"""

from __future__ import annotations

import os
import sys
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from contracts.errors import UsageError
from contracts.site import Render


def _split(value: object) -> object:
    return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value


CommaList = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]


class Settings(BaseSettings):
    """All keys. Names in wangxun.toml are these; in the environment they are upper case with WANGXUN_ before."""

    model_config = SettingsConfigDict(env_prefix="WANGXUN_", extra="forbid", frozen=True)

    data_dir: Path = Field(Path("wangxun-data"), description="folder of database, evidence, keys and exports")
    database_url: SecretStr | None = Field(
        None,
        description="SQLAlchemy URL; empty: SQLite file wangxun.db in data_dir; postgresql+psycopg://… for PostgreSQL",
    )
    language: Literal["zh", "en"] = Field("zh", description="language of command line and console: zh or en")
    delay: Annotated[Decimal, Field(ge=0, le=3600)] = Field(
        Decimal(1), description="seconds between two page requests to one host; jitter only lengthens it"
    )
    allow_private: CommaList = Field(
        (),
        description="comma list of IP, CIDR or host names inside private ranges that may be reached; checked at connect",
    )
    agency: str = Field("", description="name of the bureau, shown in the user agent and on forms")
    contact: str = Field(
        "", description="e-mail or URL that a site owner can write to, shown in the user agent and From header"
    )
    max_pages: Annotated[int, Field(ge=1, le=1_000_000)] = Field(
        500, description="pages fetched of one site in one patrol"
    )
    max_bytes: Annotated[int, Field(ge=10_000)] = Field(
        32 * 1024 * 1024, description="bytes of one response body, decoded"
    )
    timeout: Annotated[int, Field(ge=1, le=600)] = Field(30, description="seconds for one request, connection included")
    render: Render = Field(Render.AUTO, description="when a browser is used: auto, always, never")
    browser: Path | None = Field(None, description="Chromium program; empty: found on the system or Playwright's own")
    picture: Literal["png", "jpeg"] = Field(
        "png", description="format of the full-page picture: png (exact) or jpeg (smaller)"
    )
    tsa_url: CommaList = Field((), description="comma list of RFC 3161 time-stamp services, tried in order")
    tsa_ca: Path | None = Field(None, description="PEM file with the root certificates of those services")
    store_url: str = Field(
        "", description="S3-compatible store for originals, s3://BUCKET/PREFIX, credentials from AWS_*; empty: data_dir"
    )
    sm2: bool = Field(False, description="sign manifests with SM2 as well as Ed25519 (needs the extra gm)")
    ntp: CommaList = Field(
        (), description="comma list of NTP servers asked for the clock offset before and after a capture"
    )
    host: str = Field("127.0.0.1", description="address the console listens on")
    port: Annotated[int, Field(ge=0, le=65535)] = Field(
        8600, description="port the console listens on; 0: any free one"
    )

    @classmethod
    def settings_customise_sources(  # type: ignore[override]  # pydantic passes the four sources by keyword
        cls, _cls: type[BaseSettings], **sources: Any
    ) -> tuple[Any, ...]:
        """The environment wins over the file; there is no third place."""
        return (sources["env_settings"], sources["init_settings"])

    @property
    def database(self) -> str:
        """SQLAlchemy URL in force."""
        if self.database_url:
            return self.database_url.get_secret_value()
        return f"sqlite:///{(self.data_dir / 'wangxun.db').resolve()}"

    @property
    def evidence_dir(self) -> Path:
        return self.data_dir / "evidence"

    @property
    def keys_dir(self) -> Path:
        return self.data_dir / "keys"

    @property
    def frontier(self) -> Path:
        return self.data_dir / "frontier.db"


def config_file() -> Path:
    return Path(os.environ.get("WANGXUN_CONFIG", "wangxun.toml"))


def read_file(path: Path) -> Mapping[str, Any]:
    """Keys of a wangxun.toml; a missing file has none. Raises UsageError naming file and place."""
    if not path.exists():
        if "WANGXUN_CONFIG" in os.environ:
            raise UsageError("WANGXUN_CONFIG 指向的设置文件 {path} 不存在", path=path)
        return {}
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UsageError("设置文件 {path} 读不懂: {why}", path=path, why=error) from error
    except OSError as error:
        raise UsageError("设置文件 {path} 打不开: {why}", path=path, why=error.strerror) from error


def warn_of_unknown(known: frozenset[str]) -> None:
    """A mistyped WANGXUN_ variable would silently do nothing: say so once, and go on."""
    for name in sorted(os.environ.keys() - known):
        if name.startswith("WANGXUN_"):
            near = get_close_matches(name, known, n=1)
            print(f"wangxun: 环境变量 {name} 不是设置项" + (f",是否想写 {near[0]}?" if near else ""), file=sys.stderr)


@cache
def settings() -> Settings:
    """The settings in force, read once. Raises UsageError: one line with the key, where it stands, and why."""
    path = config_file()
    known = frozenset({f"WANGXUN_{key.upper()}" for key in Settings.model_fields} | {"WANGXUN_CONFIG"})
    warn_of_unknown(known)
    from_file = read_file(path)
    try:
        return Settings(**from_file)
    except ValidationError as error:
        fault = error.errors()[0]
        key = str(fault["loc"][0])
        variable = f"WANGXUN_{key.upper()}"
        place = variable if variable in os.environ else path
        raise UsageError(
            "设置项 {key}({place})不能用: {why}",
            hint="各项的含义和单位见 docs/reference/settings.md",
            key=key,
            place=place,
            why=fault["msg"],
        ) from error
