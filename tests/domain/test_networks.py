"""Where webhooks may go: every trick that leads a URL elsewhere than it looks."""

from __future__ import annotations

from ipaddress import IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import networks
from chalicelib.domain.errors import Invalid

PUBLIC = ["1.1.1.1", "8.8.8.8", "93.184.216.34", "2606:4700::1111", "2a00:1450:4009::200e"]


def code_of(url: str, *addresses: str, loopback: bool = False) -> str | None:
    """The code of the refusal of a URL whose host has these addresses; None if it is allowed."""
    try:
        networks.check(networks.target(url), addresses, loopback=loopback)
    except Invalid as refusal:
        [flaw] = refusal.flaws
        assert flaw.field == "url"
        assert not any(said and said in flaw.message for said in (url, *addresses))
        return flaw.code
    return None


@pytest.mark.parametrize("address", PUBLIC)
def test_public_addresses(address: str) -> None:
    assert networks.is_public(address)
    assert code_of("https://partner.example/hooks?a=1", address) is None


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0",
        "10.1.2.3",
        "100.64.0.1",
        "100.100.100.200",  # a cloud's metadata
        "127.0.0.1",
        "127.255.255.254",
        "168.63.129.16",  # a cloud's own, public to is_global
        "169.254.169.254",  # metadata
        "169.254.170.2",  # credentials of containers
        "172.16.0.1",
        "172.31.255.255",
        "192.0.0.192",  # a cloud's metadata, public to is_global
        "192.0.2.1",
        "192.31.196.1",
        "192.52.193.1",
        "192.88.99.1",
        "192.168.0.1",
        "192.175.48.1",
        "198.18.0.1",
        "198.19.255.255",
        "198.51.100.1",
        "203.0.113.1",
        "224.0.0.1",
        "239.255.255.255",
        "240.0.0.1",
        "255.255.255.255",
        "::",
        "::1",
        "::127.0.0.1",  # compatible, public to is_global
        "::8.8.8.8",
        "::ffff:127.0.0.1",
        "::ffff:8.8.8.8",
        "64:ff9b::7f00:1",  # NAT64, public to is_global
        "64:ff9b::808:808",
        "64:ff9b:1::1",
        "100::1",
        "2001::1",  # Teredo
        "2001:10::1",
        "2001:20::1",
        "2001:1ff:ffff::1",
        "2001:db8::1",
        "2002:7f00:1::1",  # 6to4 of 127.0.0.1, public to is_global
        "2002:808:808::1",
        "2620:4f:8000::1",
        "3fff::1",
        "5f00::1",
        "fc00::1",
        "fd00:ec2::254",  # metadata
        "fe80::1",
        "fe80::1%eth0",
        "2606:4700::1111%eth0",
        "fec0::1",
        "ff02::1",
        "",
        "localhost",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0177.0.0.1",
    ],
)
def test_everything_else(address: str) -> None:
    assert not networks.is_public(address)
    assert code_of("https://partner.example/", address) == "not_public"
    assert code_of("https://partner.example/", "8.8.8.8", address) == "not_public"


@pytest.mark.parametrize("network", networks.FORBIDDEN_4, ids=str)
def test_the_edges_of_a_forbidden_network(network: networks.IPv4Network) -> None:
    first, last = int(network.network_address), int(network.broadcast_address)
    assert not networks.is_public(str(network.network_address))
    assert not networks.is_public(str(network.broadcast_address))
    for outside in (first - 1, last + 1):
        if 0 <= outside < 2**32:
            address = networks.IPv4Address(outside)
            neighbour = any(address in other for other in networks.FORBIDDEN_4)
            assert networks.is_public(str(address)) != neighbour


@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_is_not_global_unicast_is_not_public(address: IPv6Address) -> None:
    if address not in networks.GLOBAL_6 or not address.is_global:
        assert not networks.is_public(str(address))


@pytest.mark.parametrize(
    "url",
    [
        "https://partner.example",
        "https://partner.example/",
        "https://PARTNER.Example:443/hooks",
        "HTTPS://partner.example/a/b?c=d&e=%20",
        "https://xn--bcher-kva.example/",
        "https://a_b.partner.example./x",
        "https://8.8.8.8/",
        "https://[2606:4700::1111]/",
        "https://partner.example/a@b",
    ],
)
def test_urls_that_may_be(url: str) -> None:
    assert code_of(url, "8.8.8.8") is None


@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("http://partner.example/", "not_https"),
        ("https://partner.example:8443/", "not_https"),
        ("https://partner.example:80/", "not_https"),
        ("http://partner.example:443/", "not_https"),
        ("ftp://partner.example/", "wrong_form"),
        ("//partner.example/", "wrong_form"),
        ("partner.example", "wrong_form"),
        ("https:///path", "wrong_form"),
        ("https://", "wrong_form"),
        ("https:partner.example", "wrong_form"),
        ("", "wrong_form"),
        ("https://partner.example:port/", "wrong_form"),
        ("https://partner.example:99999/", "wrong_form"),
        ("https://user:word@partner.example/", "credentials"),
        ("https://partner.example@10.0.0.1/", "credentials"),
        ("https://@partner.example/", "credentials"),
        ("https://partner.example/#part", "fragment"),
        ("https://partner.example/#", "fragment"),
        ("https://partner.example\\@10.0.0.1/", "wrong_form"),
        ("https://partner.example/a b", "wrong_form"),
        (" https://partner.example/", "wrong_form"),
        ("https://partner.example/\n", "wrong_form"),
        ("https://part\tner.example/", "wrong_form"),
        ("https://pärtner.example/", "wrong_form"),
        ("https://①.example/", "wrong_form"),
        ("https://partner..example/", "wrong_form"),
        ("https://-partner.example/", "wrong_form"),
        ("https://part%6eer.example/", "wrong_form"),
        ("https://" + "a" * 64 + ".example/", "wrong_form"),
        ("https://" + "a." * 127 + "example/", "wrong_form"),
        ("https://2130706433/", "wrong_form"),
        ("https://0x7f000001/", "wrong_form"),
        ("https://127.1/", "wrong_form"),
        ("https://0177.0.0.1/", "wrong_form"),
        ("https://127.0.0.0x1/", "wrong_form"),
        ("https://1.2.3.4.5/", "wrong_form"),
        ("https://0x/", "wrong_form"),
        ("https://[::1%25eth0]/", "wrong_form"),
        ("https://[partner.example]/", "wrong_form"),
        ("https://[::1/", "wrong_form"),
        ("https://[v1.x]/", "wrong_form"),
        ("https://partner.example/" + "a" * 2000, "too_long"),
    ],
)
def test_urls_that_may_not(url: str, code: str) -> None:
    assert code_of(url, "8.8.8.8") == code


def test_a_name_without_addresses() -> None:
    assert code_of("https://partner.example/") == "unresolvable"
    assert code_of("http://localhost:9000/", loopback=True) == "unresolvable"


@pytest.mark.parametrize("url", ["http://localhost:9000/x", "http://127.0.0.1/", "http://[::1]:1/"])
def test_this_machine_in_the_sandbox_alone(url: str) -> None:
    assert code_of(url, "127.0.0.1", "::1", loopback=True) is None
    assert code_of(url, "127.0.0.1", "::1") == "not_https"
    assert code_of(url.replace("http:", "https:"), "::1", loopback=True) is None


def test_the_sandbox_opens_nothing_but_this_machine() -> None:
    for address in ("10.0.0.1", "169.254.169.254", "::ffff:127.0.0.1", "::127.0.0.1", "0.0.0.0"):
        assert code_of("https://partner.example/", address, loopback=True) == "not_public"
    assert code_of("http://partner.example/", "8.8.8.8", loopback=True) == "not_https"
    assert code_of("https://x.example/", "127.0.0.1", "8.8.8.8", loopback=True) == "not_public"


@given(st.text(max_size=60))
def test_no_text_is_more_than_refused(text: str) -> None:
    for url in (text, f"https://{text}", f"https://partner.example{text}"):
        try:
            found = networks.target(url)
        except Invalid:
            continue
        assert found.scheme in ("http", "https") and 0 <= found.port < 65536
        assert found.host and found.host == found.host.lower()
