"""Dead letters: counted, looked at, sent to work again once the cause is mended."""

from __future__ import annotations

import click

from chalicelib.usecases import dead_letters
from chalicelib.usecases.dead_letters import Letter
from tools.ops.where import Where

MOST = 1000
most_option = click.option("--most", default=MOST, show_default=True, help="At most so many.")
HIDDEN = frozenset({"record", "rows", "events"})
"""Members that carry a partner's or a provider's data along."""


@click.group("dead-letters")
def letters() -> None:
    """Messages that were given up."""


@letters.command("list")
@click.pass_obj
def listing(where: Where) -> None:
    """How many each queue has."""
    found = dead_letters.counts(where.edge.queues)
    for queue, number in found.items():
        click.echo(f"{number:6} {queue}")
    if not found:
        click.echo("no dead letters")


@letters.command("show")
@click.argument("queue")
@most_option
@click.pass_obj
def show(where: Where, queue: str, most: int) -> None:
    """What the dead letters of QUEUE ask for; they stay."""
    for letter in dead_letters.show(where.edge.queues, queue, most):
        click.echo(told(letter))


@letters.command("redrive")
@click.argument("queue")
@most_option
@click.pass_obj
def redrive(where: Where, queue: str, most: int) -> None:
    """Send the dead letters of QUEUE to work again.  Mend the cause first."""
    where.agree(f"Send up to {most} dead letters of {queue} to work again")
    sent = dead_letters.redrive(where.edge.queues, queue, most)
    for letter in sent:
        click.echo(f"sent again: {letter.id} {letter.body.get('do', letter.queue)}")
    click.echo(f"{len(sent)} message(s) of {queue} sent again")


def told(letter: Letter) -> str:
    """One line of a message: its id and the plain values of its body."""
    body = {
        name: value
        for name, value in letter.body.items()
        if name not in HIDDEN and isinstance(value, str | int)
    }
    return " ".join([letter.id, *(f"{name}={value}" for name, value in body.items())])


COMMANDS = (letters,)
