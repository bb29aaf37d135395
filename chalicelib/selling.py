"""The part of the composition root that sells loans: clients, tokens and simulator of Blackmoon."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from chalicelib.domain.partners import Partner
    from chalicelib.integrations.blackmoon.client import Blackmoon
    from chalicelib.integrations.blackmoon.results import NewTokens
    from chalicelib.runtime import Runtime
    from chalicelib.usecases.blackmoon_tokens import Keeper
    from chalicelib.usecases.blackmoon_vaults import Granted, Vault
    from chalicelib.usecases.context import Context
    from chalicelib.usecases.selling_simulator import SellingSimulator

T = TypeVar("T")


def simulator(edge: Runtime) -> SellingSimulator | None:
    """The sandbox's Blackmoon; ``None`` where it is the real one, or there is none."""
    from chalicelib.integrations.simulators import BlackmoonSimulator
    from chalicelib.usecases.blackmoon_vaults import TableVault
    from chalicelib.usecases.selling_simulator import SellingSimulator

    url = edge.config.blackmoon_url
    if not edge.config.blackmoon_simulated or url is None:
        return None
    there = BlackmoonSimulator(url, edge.transport)
    return SellingSimulator(TableVault(edge.store, edge.clock), there, url)


def keeper(edge: Runtime) -> Keeper:
    """Partners' tokens: in the table of a sandbox, in secrets on a stage."""
    from chalicelib.integrations import secrets
    from chalicelib.usecases.blackmoon_tokens import Keeper
    from chalicelib.usecases.blackmoon_vaults import SecretVault, TableVault

    config, name = edge.config, edge.config.blackmoon_secret
    vault: Vault = TableVault(edge.store, edge.clock)
    if name is not None:
        find, write = partial(secrets.find, config), partial(secrets.write, config)
        vault = SecretVault(name, find, write)

    def refresh(granted: Granted) -> NewTokens:
        return seller(edge, granted).refresh_tokens(granted.pair.refresh_token)

    return Keeper(vault, refresh, sleep=edge.sleep, monotonic=time.monotonic)


def seller(edge: Runtime, granted: Granted) -> Blackmoon:
    """A client with these tokens; :class:`LookupError` for a shape that is none."""
    from chalicelib.integrations.blackmoon.client import Blackmoon, Credentials
    from chalicelib.integrations.blackmoon.shape import Shape

    try:
        shape = Shape.of(granted.shape)
    except ValueError as flaw:
        raise LookupError(str(flaw)) from None
    who = Credentials(granted.organization_id, granted.pair.access_token)
    return Blackmoon(edge.config.blackmoon_url or "", who, edge.transport, shape)


def sells(edge: Runtime, partner: Partner) -> bool:
    """Whether the partner has an organisation at Blackmoon, or will when it is asked for."""
    if edge.config.blackmoon_url is None:
        return False
    made_if_asked = partner.sandbox and edge.config.blackmoon_simulated
    return made_if_asked or edge.tokens.knows(partner.id)


class Market:
    """Blackmoon as one partner's organisation sees it."""

    def __init__(self, edge: Runtime, ctx: Context) -> None:
        self._edge = edge
        self._ctx = ctx

    def __call__(self, work: Callable[[Blackmoon], T]) -> T:
        """What ``work`` gives, with tokens that are good.

        Raises :class:`LookupError` where there is no Blackmoon or no organisation of the partner.
        """
        edge, ctx = self._edge, self._ctx
        if edge.config.blackmoon_url is None:
            raise LookupError("there is no Blackmoon on this stage")
        there = edge.selling_simulator
        if there is not None and ctx.partner.sandbox and not edge.tokens.knows(ctx.partner.id):
            there.granted(ctx)
        return edge.tokens.using(ctx, lambda granted: work(seller(edge, granted)))
