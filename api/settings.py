"""Every setting of Firstline in one tree; the only reader of the environment.

A setting `answer_words` is read from FIRSTLINE_ANSWER_WORDS. Each folder declares its own in its
settings.py; here they are put together, so a misspelt name or a wrong value stops the start with a sentence.
"""

import difflib
import ipaddress
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from api.messages.guarded import Internal
from api.messages.mailing import address_of
from assistant.settings import AssistantSettings
from escalation import sla
from escalation.settings import EscalationSettings
from guardrails.settings import GuardSettings
from knowledge.settings import KnowledgeSettings

PREFIX = "FIRSTLINE_"
ORIGIN = re.compile(r"https?://(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*(?::\d{1,5})?")


class SettingsError(Exception):
    """The environment holds a setting that cannot be used."""


class ApiSettings(BaseModel):
    """Where Firstline stores, listens and how much it takes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    data: Path = Field(Path("data"), description="folder for the database, the index and prepared models")
    database_url: str = Field(
        "",
        description="SQLAlchemy address of the database, such as postgresql+psycopg://user:password@host/name; "
        "empty: SQLite in the data folder",
    )
    chroma_url: str = Field(
        "", description="address of a Chroma server, such as http://127.0.0.1:8001; empty: Chroma inside this process, in the data folder"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")
    public_url: str = Field(
        "", description="address under which visitors reach this server, for links to articles; empty: links without host"
    )
    trusted_proxies: str = Field("", description="comma-separated addresses or networks whose X-Forwarded-For is believed")
    message_characters: int = Field(4000, ge=100, le=4000, description="longest message a visitor may send")
    body_bytes: int = Field(1_048_576, ge=16_384, le=20_971_520, description="largest request body, refused before it is parsed")
    messages_per_minute: int = Field(60, ge=1, le=10_000, description="messages one conversation may send in a minute")
    conversations_per_hour: int = Field(60, ge=1, le=100_000, description="conversations one address may start in an hour")
    requests_per_minute: int = Field(600, ge=1, le=100_000, description="requests one address may make in a minute")
    session_hours: int = Field(168, ge=1, le=720, description="hours after which staff must sign in again, however busy they are")
    session_idle_hours: int = Field(12, ge=1, le=168, description="hours without a request after which staff must sign in again")
    invitation_hours: int = Field(72, ge=1, le=72, description="hours for which an invitation or a link for a new password works")
    logins_per_account: int = Field(10, ge=1, le=1000, description="times in 15 minutes that a password may be tried for one account")
    logins_per_address: int = Field(30, ge=1, le=10_000, description="times in 15 minutes that one address may try a password or a link")
    jobs_in_server: bool = Field(
        True, description="whether `firstline serve` also runs what runs by itself; when off, run `firstline work` beside it"
    )
    smtp_host: str = Field("", max_length=253, description="mail server; empty: no mail is sent to anybody")
    smtp_port: int = Field(587, ge=1, le=65535, description="port of the mail server; 587 goes with `starttls`, 465 with `tls`")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        "starttls", description="how the connection is encrypted: `starttls`, `tls` or `none` (for a server on the same machine)"
    )
    smtp_user: str = Field("", max_length=300, description="name for the mail server; empty: without signing in")
    smtp_password: str = Field("", max_length=500, repr=False, description="password for the mail server")
    smtp_seconds: float = Field(10, ge=1, le=60, description="seconds after which each step with the mail server is given up")
    smtp_from: str = Field(
        "", max_length=300, validate_default=True, description="sender of every mail, such as Acme Support <support@acme.example>"
    )
    webhook_internal: str = Field(
        "",
        max_length=2000,
        description="comma-separated hosts, addresses or networks of your own that webhooks may reach all the same; others must be public",
    )
    assistant_on: bool = Field(True, description="whether the assistant answers; when off, visitors only get search and the forms")
    widget_origins: str = Field(
        "",
        description="comma-separated origins of the pages that may show the chat widget, such as https://www.example.com"
        " or https://*.example.com; `*`: any page; empty: only pages of this server",
    )
    widget_color: str = Field("#1f5fbf", pattern="^#[0-9a-fA-F]{6}$", description="main colour of widget and help centre")
    widget_side: Literal["right", "left"] = Field("right", description="side of the page on which the widget stands: `right` or `left`")
    widget_offset: int = Field(20, ge=0, le=64, description="pixels between the widget's button and the edges of the window")
    widget_theme: Literal["auto", "light", "dark"] = Field("auto", description="`auto` (as the visitor's system), `light` or `dark`")
    widget_launcher: bool = Field(True, description="whether the widget shows its round button; without it the page opens the panel")
    privacy_url: str = Field(
        "", max_length=500, pattern=r"^(https?://[^\s\"'<>]+)?$", description="address of your privacy notice, linked in the widget"
    )
    help_indexed: bool = Field(True, description="whether search engines may list the help centre")
    log_level: str = Field("info", pattern="^(debug|info|warning|error)$", description="least severe log lines written")

    @field_validator("trusted_proxies")
    @classmethod
    def _networks(cls, value: str) -> str:
        for part in filter(None, (p.strip() for p in value.split(","))):
            ipaddress.ip_network(part, strict=False)
        return value

    @field_validator("smtp_from")
    @classmethod
    def _sender(cls, value: str, info: ValidationInfo) -> str:
        if value:
            address_of(value)
        if info.data.get("smtp_host") and not value:
            raise ValueError("FIRSTLINE_SMTP_HOST is set, so this must be, too")
        if info.data.get("smtp_host") and not info.data.get("public_url"):
            raise ValueError("with FIRSTLINE_SMTP_HOST, set FIRSTLINE_PUBLIC_URL, too: mails hold links")
        return value

    @field_validator("webhook_internal")
    @classmethod
    def _internal(cls, value: str) -> str:
        Internal.of(value)
        return value

    @field_validator("widget_origins")
    @classmethod
    def _origins(cls, value: str) -> str:
        for part in filter(None, (p.strip() for p in value.split(","))):
            if part != "*" and not ORIGIN.fullmatch(part):
                raise ValueError(f"{part!r} is no origin; write it like https://www.example.com")
        return value

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of `widget_origins`."""
        return tuple(p.strip().lower() for p in self.widget_origins.split(",") if p.strip())

    @property
    def proxies(self) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
        """The networks of `trusted_proxies`."""
        return tuple(ipaddress.ip_network(p.strip(), strict=False) for p in self.trusted_proxies.split(",") if p.strip())

    @property
    def sql(self) -> str:
        """The address of the database that is really used."""
        return self.database_url or f"sqlite:///{(self.data / 'firstline.db').resolve()}"


class Settings(BaseModel):
    """All settings, by the folder they belong to."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    api: ApiSettings = ApiSettings()
    assistant: AssistantSettings = AssistantSettings()
    knowledge: KnowledgeSettings = KnowledgeSettings()
    guardrails: GuardSettings = GuardSettings()
    escalation: EscalationSettings = EscalationSettings()

    def sla_files(self) -> sla.Files:
        """Where working hours, promises and chains stand: the operator's files, the shipped ones where there are none."""
        own, shipped = self.escalation, sla.Files()
        pairs = ((own.sla_calendars, shipped.calendars), (own.sla_profiles, shipped.profiles), (own.sla_chains, shipped.chains))
        return sla.Files(*(Path(named) if named else file for named, file in pairs))

    def sla_book(self) -> sla.Book:
        """What is promised. Raise BadData or NoSuchProfile."""
        return sla.book(self.escalation.sla_profile, self.sla_files())


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that the environment asks for. Raise SettingsError with one sentence per wrong setting."""
    given = {k[len(PREFIX) :].lower(): v for k, v in (os.environ if environment is None else environment).items() if k.startswith(PREFIX)}
    names = {name for _, name, _ in every_setting()}
    wrong = [_unknown(name, names) for name in sorted(given.keys() - names)]
    values: dict[str, Any] = {}
    for folder, model in _folders():
        own = {name: given[name] for name in model.model_fields if name in given}
        try:
            values[folder] = model(**own)
        except ValidationError as error:
            wrong += [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']} (got {e['input']!r})" for e in error.errors()]
    if wrong:
        raise SettingsError("\n".join(wrong))
    return Settings(**values)


def environment_has(name: str) -> bool:
    """Whether a variable that is not ours, such as a provider's key, is set; its value is nobody's business here."""
    return bool(os.environ.get(name))


def every_setting() -> Iterator[tuple[str, str, Any]]:
    """Folder, name and pydantic field of every setting; the README's table is compared with it."""
    for folder, model in _folders():
        for name, field in model.model_fields.items():
            yield folder, name, field


def _folders() -> Iterator[tuple[str, type[BaseModel]]]:
    for folder, field in Settings.model_fields.items():
        model = field.annotation
        assert isinstance(model, type)  # noqa: S101 - every field of Settings is a model
        assert issubclass(model, BaseModel)  # noqa: S101
        yield folder, model


def _unknown(name: str, names: set[str]) -> str:
    near = difflib.get_close_matches(name, names, n=1)
    hint = f"; did you mean {PREFIX}{near[0].upper()}?" if near else ""
    return f"{PREFIX}{name.upper()} is not a setting{hint}"
