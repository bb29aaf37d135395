"""The daily files' part of the worker between us and Blackmoon."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from chalicelib import selling
from chalicelib.runtime import Runtime
from chalicelib.usecases import daily_files
from chalicelib.usecases.context import Context
from chalicelib.usecases.file_sending import Desk


def begin(edge: Runtime, ctx: Context, body: Mapping[str, Any]) -> None:
    """A business date was closed: its files are begun, if the partner is known at Blackmoon."""
    if selling.sells(edge, ctx.partner):
        daily_files.begin(ctx, date.fromisoformat(body["day"]))


def go_on(edge: Runtime, ctx: Context, body: Mapping[str, Any]) -> None:
    """A file is taken as far as it comes."""
    desk = Desk(ctx, edge.blackmoon(ctx), edge.objects)
    daily_files.go_on(desk, body["file"], int(body["run"]))
