"""Signed requests for outbound payments (GoCardless's API reference): ECDSA, P-521, SHA-512.

The signature covers the method, the host, the target, the body's digest, its type and its length.
A nonce is taken once and a signature is good for five minutes of wall time.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from local.gocardless.errors import ApiError, usage

COMPONENTS = (
    "@method",
    "@authority",
    "@request-target",
    "content-digest",
    "content-type",
    "content-length",
)
LIFE_SECONDS = 300
_INPUT = re.compile(r"sig-1=(\((?P<components>[^)]*)\)(?P<rest>;.*))")
_SIGNATURE = re.compile(r"sig-1=:(?P<value>[A-Za-z0-9+/=]+):")


@dataclass(frozen=True, slots=True)
class Signed:
    """A request as it came; ``headers`` with lower-case names."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def public_key(pem: str) -> ec.EllipticCurvePublicKey:
    """The key in the PEM; ValueError unless it is one on the curve P-521."""
    key = load_pem_public_key(pem.encode("ascii", "strict"))
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP521R1):
        raise ValueError("a public key on the curve P-521 is needed")
    return key


def _refused(message: str) -> ApiError:
    return usage(401, "invalid_signature", message)


def verify(request: Signed, keys: Mapping[str, str], nonces: set[str], wall: float) -> None:
    """Raises a 401 that says what is wrong with the signature, if anything is."""
    given = _INPUT.fullmatch(request.headers.get("gc-signature-input", ""))
    value = _SIGNATURE.fullmatch(request.headers.get("gc-signature", ""))
    if given is None or value is None:
        raise _refused("The request is not signed")
    components = re.findall(r'"([^"]+)"', given["components"])
    if sorted(components) != sorted(COMPONENTS):
        raise _refused(f"The signature must cover {', '.join(COMPONENTS)}")
    parameters = dict(re.findall(r';([a-z]+)="?([^";]*)"?', given["rest"]))
    digest = base64.b64encode(hashlib.sha256(request.body).digest()).decode()
    if request.headers.get("content-digest") != f"sha256=:{digest}:":
        raise _refused("The content digest is not that of the body")
    created = parameters.get("created", "")
    if not created.isdigit() or abs(wall - int(created)) > LIFE_SECONDS:
        raise _refused("The signature is too old, or not yet valid")
    nonce = parameters.get("nonce", "")
    if not nonce or nonce in nonces:
        raise _refused("The nonce is missing or was used before")
    pem = keys.get(parameters.get("keyid", ""))
    if pem is None:
        raise _refused("The key is not registered")
    base = _base(request, components, given[1])
    try:
        signature = base64.b64decode(value["value"], validate=True)
        public_key(pem).verify(signature, base.encode(), ec.ECDSA(hashes.SHA512()))
    except (InvalidSignature, ValueError):
        raise _refused("The signature is not that of the request") from None
    nonces.add(nonce)


def _base(request: Signed, components: list[str], parameters: str) -> str:
    own = {
        "@method": request.method,
        "@authority": request.headers.get("host", ""),
        "@request-target": request.target,
    }
    lines = [
        f'"{name}": {own[name] if name in own else request.headers.get(name, "")}'
        for name in components
    ]
    return "\n".join([*lines, f'"@signature-params": {parameters}'])
