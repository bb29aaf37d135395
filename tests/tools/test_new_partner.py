"""The first partner of a stage, and who may not be made."""

import pytest

from chalicelib.models.keys import AUDIT, PARTNER
from chalicelib.usecases import partners
from chalicelib.usecases.keyring import key_hash
from tests.support import memory_store
from tools.aws.stages import Trouble
from tools.ops.partners import make


def test_its_key_is_good_and_its_time_its_own() -> None:
    store = memory_store()
    partner, key = make(store, " Our lender ", sandbox=False, allowed=False, actor="someone")
    found = partners.identify(store, key_hash(key))
    assert found is not None and (found.id, found.name) == (partner, "Our lender")
    stored = store.get(PARTNER, partner, partner)
    assert stored is not None and not stored.value.sandbox
    [row] = store.each(AUDIT, partner)
    assert (row.value.action, row.value.actor) == ("partner.create", "someone")


@pytest.mark.parametrize(
    ("name", "sandbox", "why"), [("x", True, "no sandbox"), (" ", False, "NAME")]
)
def test_refused(name: str, sandbox: bool, why: str) -> None:
    with pytest.raises(Trouble, match=why):
        make(memory_store(), name, sandbox=sandbox, allowed=False, actor="someone")
