"""With which key a partner's payments out are signed.

On a stage it stands in the secret beside the partner's tokens.  In the sandbox one is made when it
is first needed: registered at the simulator first and kept then, so that a kept key is a known one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.domain.organisations import Organisation, SandboxKey
from chalicelib.integrations.disbursements.signing import SigningKey, new_key
from chalicelib.models.keys import SIGNING_KEY
from chalicelib.models.store_errors import Conflict

if TYPE_CHECKING:
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.simulators import Simulators


def of(ctx: Context, organisation: Organisation, simulators: Simulators | None) -> SigningKey:
    """The partner's key.  Raises :class:`LookupError` where there is none."""
    if organisation.signing_key:
        return SigningKey(organisation.signing_key_id, organisation.signing_key)
    if simulators is None or not ctx.partner.sandbox:
        raise LookupError(f"partner {ctx.partner.id} has no key to sign payments with")
    return _kept(ctx) or _made(ctx, simulators)


def _kept(ctx: Context) -> SigningKey | None:
    found = ctx.store.get(SIGNING_KEY, ctx.partner.id, ctx.partner.id)
    return SigningKey(found.value.key_id, found.value.private_pem) if found else None


def _made(ctx: Context, simulators: Simulators) -> SigningKey:
    key, public_pem = new_key(ctx.new_id())
    simulators.gocardless.register_key(ctx.partner.id, key.id, public_pem)
    unit = ctx.unit()
    unit.create(SIGNING_KEY, ctx.partner.id, SandboxKey(ctx.partner.id, key.id, key.private_pem))
    try:
        ctx.store.commit(unit)
    except Conflict:  # another worker made one just now: that one is kept, and known as well
        return _kept(ctx) or key
    return key
