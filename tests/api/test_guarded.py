"""What is typed in as an address never reaches our own network: spellings, resolution, rebinding, redirects, size and time (S-20 to S-24)."""

import ipaddress
import socket
import threading
import time

import pytest

from api.messages.guarded import ForbiddenAddress, Internal, Limits, NoAnswer, Poster, check, target_of
from tests.api.sinks import hook

NOWHERE = Internal()

FORBIDDEN = """
http://example.com/ http://169.254.169.254/latest/meta-data https://169.254.169.254/ https://127.0.0.1/ https://127.1/ https://127.0.1/
https://0177.0.0.1/ https://0x7f.0.0.1/ https://0x7f000001/ https://2130706433/ https://017700000001/ https://0/ https://0.0.0.0/
https://10.0.0.1/ https://172.16.0.1/ https://192.168.1.1/ https://100.64.0.1/ https://192.0.0.8/ https://198.18.0.1/ https://224.0.0.1/
https://240.0.0.1/ https://255.255.255.255/ https://[::1]/ https://[::]/ https://[::ffff:127.0.0.1]/ https://[::ffff:7f00:1]/
https://[::127.0.0.1]/ https://[fd00::1]/ https://[fe80::1]/ https://[fec0::1]/ https://[ff02::1]/ https://[64:ff9b::7f00:1]/
https://[64:ff9b:1::1]/ https://[2002:7f00:1::]/ https://[2001:0:0:0:0:0:0:1]/ https://user@example.com/ https://user:pass@example.com/
https://example.com@127.0.0.1/ https://example.com:22/ https://example.com:8443/ ftp://example.com/ file:///etc/passwd gopher://example.com/
https:///path //example.com/ example.com https://example.com\\@127.0.0.1/ https://exa_mple.com/ https://-example.com/ https://[::1 https://a..b/
https://example.com:99999/ https://xn--/ https://１２７.0.0.1/ https://⑯⑨.254.169.254/
""".split()


@pytest.mark.parametrize(
    "url", [*FORBIDDEN, "https://exam ple.com/", "https://example.com/\tx", "https://example.com/\r\nHost: x", "https://a/" + "x" * 2000]
)
def test_an_address_that_is_not_plainly_public_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddress):
        target_of(url, NOWHERE)


@pytest.mark.parametrize(
    ("url", "host", "path"),
    [
        ("https://example.com", "example.com", "/"),
        ("https://Hooks.Example.COM./a/b?c=d#e", "hooks.example.com", "/a/b?c=d"),
        ("https://bücher.example/", "xn--bcher-kva.example", "/"),
        ("https://93.184.215.14:443/x", "93.184.215.14", "/x"),
        ("https://[2606:2800:21f:cb07:6820:80da:af6b:8b2c]/", "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "/"),
    ],
)
def test_a_public_address_is_taken_apart_once(url: str, host: str, path: str) -> None:
    target = target_of(url, NOWHERE)
    assert (target.host, target.path, target.port) == (host, path, 443)


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "169.254.169.254",
        "100.100.1.1",
        "::1",
        "::ffff:10.0.0.1",
        "fd00:ec2::254",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "fe80::1",
        "ff02::1",
        "0.0.0.0",
    ],
)
def test_a_host_that_resolves_to_something_inside_is_not_called(address: str) -> None:
    poster = Poster(resolve=lambda _host, _port: ["93.184.215.14", address])
    with pytest.raises(ForbiddenAddress, match="not public"):
        poster.post("https://rebound.example/", {}, b"{}")


def test_public_addresses_pass_behind_every_translation() -> None:
    for address in ("93.184.215.14", "2606:2800:21f::1", "64:ff9b::5db8:d70e", "::ffff:93.184.215.14"):
        check(ipaddress.ip_address(address), "example.com", NOWHERE)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name that answers something else the second time is asked only once."""
    asked: list[str] = []
    dialled: list[object] = []

    def rebinding(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["93.184.215.14"] if len(asked) == 1 else ["127.0.0.1"]

    def dial(address: object, *_: object, **__: object) -> socket.socket:
        dialled.append(address)
        raise OSError("nothing leaves this machine")

    monkeypatch.setattr(socket, "create_connection", dial)
    with pytest.raises(NoAnswer):
        Poster(resolve=rebinding).post("https://rebinding.example/", {}, b"{}")
    assert (asked, dialled) == (["rebinding.example"], [("93.184.215.14", 443)])


def test_what_the_operator_lists_may_be_inside_and_only_that() -> None:
    internal = Internal.of("127.0.0.1, hooks.internal, 10.2.0.0/16, [fd00::1]")
    assert target_of("http://127.0.0.1:9000/x", internal).port == 9000
    assert target_of("http://hooks.internal:8080/", internal).host == "hooks.internal"
    assert target_of("http://10.2.3.4/", internal).host == "10.2.3.4"
    for url in ("http://127.0.0.2/", "http://10.3.0.1/", "http://other.internal/", "https://hooks.internal.example:8080/"):
        with pytest.raises(ForbiddenAddress):
            target_of(url, internal)
    with pytest.raises(ValueError, match="neither a host nor a network"):
        Internal.of("10.0.0.0/99")


def test_a_redirect_is_not_followed() -> None:
    with hook(always=(302, {"Location": "http://127.0.0.1:1/inside"})) as sink:
        answer = Poster(Internal.of("127.0.0.1")).post(sink.url, {}, b"{}")
    assert (answer.status, len(sink.got)) == (302, 1)


def test_an_answer_is_cut_at_its_size() -> None:
    with hook(always=200) as sink:
        answer = Poster(Internal.of("127.0.0.1"), Limits(answer_bytes=1000)).post(sink.url, {"X-A": "b"}, b"{}")
    assert (answer.status, len(answer.text), sink.got[0].headers["x-a"]) == (200, 1000, "b")


@pytest.mark.parametrize("does", ["hang", "drip"])
def test_a_receiver_that_hangs_or_drips_is_left_in_time(does: str) -> None:
    with hook(always=does) as sink:
        begun = time.monotonic()
        with pytest.raises(NoAnswer, match=r"within 0\.5 seconds"):
            Poster(Internal.of("127.0.0.1"), Limits(seconds=0.5)).post(sink.url, {}, b"{}")
        assert time.monotonic() - begun < 3


def test_a_receiver_that_hangs_up_or_is_not_there_gives_no_answer() -> None:
    with hook(always="close") as sink:
        poster = Poster(Internal.of("127.0.0.1"), Limits(seconds=3))
        with pytest.raises(NoAnswer):
            poster.post(sink.url, {}, b"{}")
    with pytest.raises(NoAnswer):
        poster.post(sink.url, {}, b"{}")


def test_a_name_that_is_never_resolved_is_left_in_time() -> None:
    end = threading.Event()

    def hanging(_host: str, _port: int) -> list[str]:
        end.wait(30)
        return []

    with pytest.raises(NoAnswer, match="not resolved in time"):
        Poster(limits=Limits(seconds=0.2), resolve=hanging).post("https://slow.example/", {}, b"{}")
    end.set()


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with hook() as sink:
        assert Poster(Internal.of("127.0.0.1")).post(sink.url, {}, b"{}").status == 204
