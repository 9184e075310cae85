"""HTTP to addresses that somebody typed in: nothing inside our own network is ever reached (SSRF).

The host is resolved here, every address it has must be public, and the connection goes to one of the addresses that were
checked. A redirect is an answer like any other and is never followed; an answer is cut at a size and at a time. No proxy of
the environment is used.
"""

import ipaddress
import queue
import re
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import httpcore
import idna

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], list[str]]

LONGEST_URL = 2000
HOST = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
NUMERIC = re.compile(r"(?:0x[0-9a-f]*|[0-9]+)")  # a last label that is a number: an IPv4 address in one of its odd spellings
NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))
NEVER = tuple(
    ipaddress.ip_network(one)
    for one in "0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.88.99.0/24 198.18.0.0/15 240.0.0.0/4 ::/96 ::ffff:0:0:0/96 fec0::/10".split()
)
PORTS = {"https": 443, "http": 80}


class ForbiddenAddress(Exception):
    """The address leads, or may lead, to something of our own network, or is no address of a web server."""


class NoAnswer(Exception):
    """Nobody answered, or not in time, or not in HTTP."""


@dataclass(frozen=True)
class Internal:
    """Hosts and networks of our own that the operator allows all the same."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, setting: str) -> "Internal":
        """From a comma-separated list of host names, addresses and networks."""
        hosts, networks = set(), []
        for part in filter(None, (part.strip().lower() for part in setting.split(","))):
            try:
                networks.append(ipaddress.ip_network(part.strip("[]"), strict=False))
            except ValueError:
                if not HOST.fullmatch(part):
                    raise ValueError(f"{part!r} is neither a host nor a network") from None
                hosts.add(part)
        return cls(frozenset(hosts), tuple(networks))

    def allows(self, host: str, address: Address | None = None) -> bool:
        """Whether a host, or one of its addresses, is on the list."""
        given = address or _literal(host)
        return host in self.hosts or (given is not None and any(given in network for network in self.networks))


@dataclass(frozen=True)
class Target:
    """Where a request goes; the same parts are checked and connected to."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True)
class Answer:
    """What came back: the status, its headers in small letters, and the beginning of the text."""

    status: int
    headers: Mapping[str, str]
    text: str


@dataclass(frozen=True)
class Limits:
    """How long an exchange may take from the name to the last byte, in seconds, and how many bytes of an answer are read."""

    seconds: float = 15.0
    answer_bytes: int = 65_536


def target_of(url: str, internal: Internal) -> Target:
    """The parts of an address, which must be https to a public host; listed hosts may use http and any port. Raise ForbiddenAddress."""
    if len(url) > LONGEST_URL or not url.isprintable() or re.search(r"[\s\\]", url):
        raise ForbiddenAddress("the address is too long or holds blanks, controls or backslashes")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ForbiddenAddress("this is no address") from None
    if parts.scheme not in PORTS or not parts.hostname:
        raise ForbiddenAddress("the address must begin with https://")
    if parts.username is not None or parts.password is not None or "@" in parts.netloc:
        raise ForbiddenAddress("the address must not hold a name or password")
    host = _host(parts.hostname)
    own = internal.allows(host)
    if not own and parts.scheme != "https":
        raise ForbiddenAddress("the address must begin with https://")
    if not own and port not in {None, 443}:
        raise ForbiddenAddress("the port must be 443")
    if (literal := _literal(host)) is not None:
        check(literal, host, internal)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    if not path.isascii():
        raise ForbiddenAddress("the path must be written in ASCII, other letters as %XX")
    return Target(parts.scheme, host, port or PORTS[parts.scheme], path)


def check(address: Address, host: str, internal: Internal) -> None:
    """Raise ForbiddenAddress unless the address, and any IPv4 address that it stands for, is public or on the list."""
    if internal.allows(host, address):
        return
    for one in _meant(address):
        wrong = not one.is_global or one.is_multicast or one.is_reserved or one.is_unspecified
        if wrong or any(one.version == network.version and one in network for network in NEVER):
            raise ForbiddenAddress("the host has an address that is not public")


def resolve(host: str, port: int) -> list[str]:
    """Every address of a host, as the system knows it. Raise NoAnswer."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError) as error:
        raise NoAnswer(f"the name of the host cannot be resolved ({type(error).__name__})") from None
    return list(dict.fromkeys(str(row[4][0]).partition("%")[0] for row in found))


@dataclass(frozen=True)
class Poster:
    """Sends POST requests under guard."""

    internal: Internal = Internal()
    limits: Limits = Limits()
    resolve: Resolve = resolve

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """The answer, whatever its status. Raise ForbiddenAddress, NoAnswer."""
        target = target_of(url, self.internal)
        guard = _Guard(self, time.monotonic() + self.limits.seconds)
        address = httpcore.URL(scheme=target.scheme, host=target.host, port=target.port, target=target.path)
        waits = dict.fromkeys(("connect", "read", "write", "pool"), self.limits.seconds)
        try:
            with (
                httpcore.ConnectionPool(ssl_context=_tls(), network_backend=guard) as pool,
                pool.stream("POST", address, headers=list(headers.items()), content=body, extensions={"timeout": waits}) as answer,
            ):
                text = self._beginning(answer.iter_stream())
                told = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in answer.headers}
                return Answer(answer.status, told, text)
        except (httpcore.TimeoutException, TimeoutError):
            raise NoAnswer(f"no answer within {self.limits.seconds:g} seconds") from None
        except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {str(error)[:120]}") from None

    def reach(self, url: str) -> None:
        """Connect as for a request, and send nothing. Raise ForbiddenAddress, NoAnswer."""
        target = target_of(url, self.internal)
        guard = _Guard(self, time.monotonic() + self.limits.seconds)
        try:
            stream = guard.connect_tcp(target.host, target.port)
            stream = stream.start_tls(_tls(), target.host) if target.scheme == "https" else stream
            stream.close()
        except (httpcore.NetworkError, httpcore.TimeoutException, ssl.SSLError, OSError) as error:
            raise NoAnswer(f"{type(error).__name__}: {str(error)[:120]}") from None

    def _beginning(self, chunks: Iterable[bytes]) -> str:
        read = bytearray()
        for chunk in chunks:
            read += chunk
            if len(read) >= self.limits.answer_bytes:
                break
        return bytes(read[: self.limits.answer_bytes]).decode("utf-8", "replace")


class _Guard(httpcore.NetworkBackend):
    """Connects to checked addresses only, and until one moment only."""

    def __init__(self, poster: Poster, until: float) -> None:
        self.poster, self.until = poster, until
        self._real = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """A connection to the first address that answers, after every one was checked."""
        addresses = self._resolved(host, port, _left(self.until))
        if not addresses:
            raise NoAnswer("the host has no address")
        for address in addresses:
            check(ipaddress.ip_address(address), host, self.poster.internal)
        failure: Exception = NoAnswer("the host has no address")
        for address in addresses:
            try:
                stream = self._real.connect_tcp(
                    address, port, min(timeout or _left(self.until), _left(self.until)), local_address, socket_options
                )
            except (httpcore.NetworkError, httpcore.TimeoutException) as error:
                failure = error
            else:
                return _Timed(stream, self.until)
        raise failure

    def _resolved(self, host: str, port: int, seconds: float) -> list[str]:
        """Resolved in a thread, for a resolver may hang longer than we wait."""
        if (literal := _literal(host)) is not None:
            return [str(literal)]
        found: queue.Queue[list[str] | Exception] = queue.Queue()

        def look() -> None:
            try:
                found.put(self.poster.resolve(host, port))
            except Exception as error:  # noqa: BLE001 - handed to the one who waits
                found.put(error)

        threading.Thread(target=look, daemon=True).start()
        try:
            result = found.get(timeout=seconds)
        except queue.Empty:
            raise NoAnswer("the name of the host was not resolved in time") from None
        if isinstance(result, Exception):
            raise result
        return result


class _Timed(httpcore.NetworkStream):
    """A connection that ends at one moment, however slowly the other side drips."""

    def __init__(self, stream: httpcore.NetworkStream, until: float) -> None:
        self.stream, self.until = stream, until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002 - the moment decides
        """What comes, in time."""
        return self.stream.read(max_bytes, _left(self.until))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Send, in time."""
        self.stream.write(buffer, _left(self.until))

    def close(self) -> None:
        """End it."""
        self.stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """The same connection, encrypted; the certificate is that of the host's name."""
        return _Timed(self.stream.start_tls(ssl_context, server_hostname, _left(self.until)), self.until)

    def get_extra_info(self, info: str) -> Any:
        """What httpcore asks."""
        return self.stream.get_extra_info(info)


@cache
def _tls() -> ssl.SSLContext:
    """Certificates are checked against the system's; reading those takes a while, so it is done once."""
    return ssl.create_default_context()


def _left(until: float) -> float:
    left = until - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the time is over")
    return left


def _host(name: str) -> str:
    """A host's name in ASCII, small letters; an IPv6 address without brackets. Raise ForbiddenAddress."""
    if _literal(name) is not None:
        return name.lower()
    plain = name.rstrip(".")
    try:
        host = plain.lower() if plain.isascii() else idna.encode(plain, uts46=True).decode().lower()
    except (idna.IDNAError, UnicodeError):
        raise ForbiddenAddress("this is no name of a host") from None
    if not HOST.fullmatch(host) or NUMERIC.fullmatch(host.rpartition(".")[2]):
        raise ForbiddenAddress("this is no name of a host")
    return host


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def _meant(address: Address) -> list[Address]:
    """The address itself, or the IPv4 address that an IPv6 one stands for: mapped, 6to4, NAT64; Teredo is not global anyway."""
    if isinstance(address, ipaddress.IPv4Address):
        return [address]
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        return [address, address.sixtofour]
    if address in NAT64[0]:
        return [ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)]
    if address in NAT64[1]:
        return [ipaddress.IPv4Address("127.0.0.1")]  # a network's own translation: its addresses say nothing
    return [address]
