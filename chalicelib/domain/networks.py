"""Where webhooks may go: https on port 443, to public addresses (partner API, Webhooks).

A name is resolved by the caller; here every address that came back is judged.  The same judgement
is asked again for each delivery, because a name may lead elsewhere by then.

What counts as public is written out below from the IANA registries of special-purpose addresses.
The standard library's ``is_global`` is no substitute: it takes multicast, NAT64, 6to4 and a cloud's
metadata service for public.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import (
    AddressValueError,
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
)
from urllib.parse import urlsplit

from chalicelib.domain.errors import Flaw, Invalid

HTTPS_PORT = 443
MAX_URL = 2000

FORBIDDEN_4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # shared by carriers; a cloud's metadata too
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # a cloud's own services
            "169.254.0.0/16",  # link-local, metadata services
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments; a cloud's metadata
            "192.0.2.0/24",  # documentation
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # automatic multicast tunnels
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)

GLOBAL_6 = IPv6Network("2000::/3")
"""All that IANA gives out as global unicast.  Outside of it are loopback, mapped and compatible
IPv4 addresses, NAT64, unique local, link-local, multicast and segment routing.
"""

FORBIDDEN_6 = tuple(
    map(
        IPv6Network,
        (
            "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which holds an IPv4 address
            "2620:4f:8000::/48",  # AS112
            "3fff::/20",  # documentation
        ),
    )
)

LOOPBACK_4, LOOPBACK_6 = IPv4Network("127.0.0.0/8"), IPv6Address("::1")

_CONTROL_OR_BLANK = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True)
class Target:
    """Where a URL leads: ``host`` is a name in lower case, or an address."""

    scheme: str
    host: str
    port: int


def is_public(address: str) -> bool:
    """Whether a resolved address is one of the public internet; False for what is no address."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv4Address):
        return not any(ip in network for network in FORBIDDEN_4)
    if ip.scope_id is not None or ip not in GLOBAL_6:
        return False
    return not any(ip in network for network in FORBIDDEN_6)


def is_loopback(address: str) -> bool:
    """Whether an address is this machine's own: 127.0.0.0/8 or ::1, nothing that maps to them."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    return ip in LOOPBACK_4 if isinstance(ip, IPv4Address) else ip == LOOPBACK_6


def target(url: str, field: str = "url") -> Target:
    """Where a URL of http or https leads.  Raises :class:`Invalid`; no message repeats the URL."""
    if len(url) > MAX_URL:
        raise _flawed(field, "too_long", f"At most {MAX_URL} characters.")
    if not url.isascii() or _CONTROL_OR_BLANK.search(url):
        raise _flawed(field, "wrong_form", "Must be ASCII, without blanks and backslashes.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, (parts.hostname or "").rstrip(".")
    except ValueError:
        raise _flawed(field, "wrong_form", "Must be a URL.") from None
    if parts.scheme not in ("http", "https") or not host:
        raise _flawed(field, "wrong_form", "Must be an absolute URL of https.")
    if "@" in parts.netloc:
        raise _flawed(field, "credentials", "Must not hold a user or a password.")
    if parts.fragment or url.endswith("#"):
        raise _flawed(field, "fragment", "Must not have a fragment.")
    if parts.netloc.startswith("[") != (":" in host) or not _is_host(host):
        raise _flawed(field, "wrong_form", "Its host must be a name or a plain address.")
    default = HTTPS_PORT if parts.scheme == "https" else 80
    return Target(parts.scheme, host, default if port is None else port)


def check(where: Target, addresses: Sequence[str], *, loopback: bool, field: str = "url") -> None:
    """Refuse a target unless every address of its host may be spoken to.

    ``loopback`` (the sandbox) also allows this machine itself, by http too and on any port.
    Raises :class:`Invalid`; what the addresses are is not said.
    """
    if not addresses:
        raise _flawed(field, "unresolvable", "Its host has no address.")
    if loopback and all(map(is_loopback, addresses)):
        return
    if where.scheme != "https" or where.port != HTTPS_PORT:
        raise _flawed(field, "not_https", "Must be https on port 443.")
    if not all(map(is_public, addresses)):
        raise _flawed(field, "not_public", "Its host must have public addresses only.")


def _is_host(host: str) -> bool:
    """A name of labels, a dotted IPv4 address or an IPv6 address without a zone.

    ``2130706433``, ``0x7f.1`` and ``0177.0.0.1`` are addresses to some resolvers and names to
    others: a last label that is a number makes it an address, which must be plain then.
    """
    if ":" in host:
        return "%" not in host and _is_address(IPv6Address, host)
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _is_address(IPv4Address, host)
    return len(host) <= 253 and all(_LABEL.fullmatch(label) for label in labels)


def _is_address(kind: type[IPv4Address] | type[IPv6Address], host: str) -> bool:
    try:
        kind(host)
    except AddressValueError:
        return False
    return True


def _flawed(field: str, code: str, message: str) -> Invalid:
    return Invalid(Flaw(field, code, message))
