"""Signed requests, as GoCardless wants them for money that goes out: ECDSA, P-521, SHA-512.

The signature covers the method, the host, the target, the body's digest, type and length.  Each has
a nonce that is taken once, so a request that is sent again is signed again.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

COMPONENTS = (
    "@method",
    "@authority",
    "@request-target",
    "content-digest",
    "content-type",
    "content-length",
)


class BadKey(ValueError):
    """The signing key is no private key on the curve P-521."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key (PEM) and the id under which GoCardless knows its public half."""

    id: str
    private_pem: str = field(repr=False)


class Signer:
    """Signs requests with one key.  ``wall`` gives Unix seconds, ``nonce`` a new random text."""

    def __init__(
        self, key: SigningKey, *, wall: Callable[[], float], nonce: Callable[[], str]
    ) -> None:
        self._key = key
        self._wall = wall
        self._nonce = nonce

    @cached_property
    def _private(self) -> EllipticCurvePrivateKey:
        from cryptography.hazmat.primitives.asymmetric import ec
        from cryptography.hazmat.primitives.serialization import load_pem_private_key

        try:
            key: Any = load_pem_private_key(self._key.private_pem.encode(), password=None)
        except (ValueError, TypeError):
            raise BadKey("the signing key cannot be read") from None
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp521r1":
            raise BadKey("the signing key is not on the curve P-521")
        return key

    def headers(self, method: str, url: str, content_type: str, body: bytes) -> dict[str, str]:
        """The headers of one try; every call signs anew."""
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import ec

        digest = f"sha256=:{_base64(hashlib.sha256(body).digest())}:"
        where = urlsplit(url)
        values = {
            "@method": method,
            "@authority": where.netloc,
            "@request-target": (where.path or "/") + (f"?{where.query}" if where.query else ""),
            "content-digest": digest,
            "content-type": content_type,
            "content-length": str(len(body)),
        }
        covered = " ".join(f'"{name}"' for name in COMPONENTS)
        parameters = (
            f'({covered});keyid="{self._key.id}"'
            f';created={int(self._wall())};nonce="{self._nonce()}"'
        )
        lines = [f'"{name}": {values[name]}' for name in COMPONENTS]
        base = "\n".join([*lines, f'"@signature-params": {parameters}'])
        value = self._private.sign(base.encode(), ec.ECDSA(hashes.SHA512()))
        return {
            "Content-Digest": digest,
            "Gc-Signature-Input": f"sig-1={parameters}",
            "Gc-Signature": f"sig-1=:{_base64(value)}:",
        }


def new_key(key_id: str) -> tuple[SigningKey, str]:
    """A new private key, and its public half (PEM) for the provider."""
    from cryptography.hazmat.primitives import serialization as pem
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP521R1())
    private = key.private_bytes(
        pem.Encoding.PEM, pem.PrivateFormat.PKCS8, pem.NoEncryption()
    ).decode()
    public = key.public_key().public_bytes(pem.Encoding.PEM, pem.PublicFormat.SubjectPublicKeyInfo)
    return SigningKey(key_id, private), public.decode()


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()
