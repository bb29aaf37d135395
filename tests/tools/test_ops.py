"""What operators do: each command on a partner's real book, in this process."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from chalicelib.models.journals import Staged
from chalicelib.models.keys import ACCOUNT, AUDIT, BATCH, END_USER, PARTNER, STAGED
from chalicelib.models.unit import Unit
from chalicelib.usecases import partners
from chalicelib.usecases.keyring import key_hash
from tests.scenarios.partner import Loan
from tests.tools.operating import Operated, operated
from tools.ops import backups, tables


@pytest.fixture(scope="module")
def ops() -> Iterator[Operated]:
    with operated() as one:
        one.partner.goes_to("2026-03-02")
        yield one


@pytest.fixture(scope="module")
def product(ops: Operated) -> str:
    return ops.partner.publishes()


@pytest.fixture(scope="module")
def lent(ops: Operated, product: str) -> Loan:
    """A loan with a fee, a repayment and nights."""
    loan = ops.partner.opens_loan(product, amount="1200.00").disburses("1200.00").confirmed()
    ops.partner.goes_to("2026-03-20")
    return loan.repays("100.00").confirmed()


def changed(ops: Operated, loan_id: str, **values: Any) -> None:
    """The stored account with other values, as a mistake would leave it."""
    stored = ops.world.store.get(ACCOUNT, ops.partner_id, loan_id)
    assert stored is not None
    unit = Unit(ops.world.wall)
    unit.update(ACCOUNT, ops.partner_id, stored, replace(stored.value, **values))
    ops.world.store.commit(unit)


# --- ledgers --------------------------------------------------------------------------------------


def test_a_sound_book_is_found_sound_and_left_alone(ops: Operated, lent: Loan) -> None:
    ops.partner.opens_loan(ops.partner.publishes())  # never disbursed
    before = ops.items()
    told = ops.says("ledger", "verify", "--all")
    assert "2 loan(s) looked at, 0 differ" in told.stderr
    parts = [ops.says("ledger", "verify", "--all", "--part", f"{n}/3").stderr for n in (1, 2, 3)]
    assert sum(int(part.split()[0]) for part in parts) == 2
    assert ops.items() == before


def test_an_account_that_is_not_its_journal_is_named(ops: Operated, lent: Loan) -> None:
    stored = ops.world.store.get(ACCOUNT, ops.partner_id, lent.id)
    assert stored is not None
    principal = stored.value.principal
    changed(ops, lent.id, principal=principal + 1)
    try:
        told = ops.says("ledger", "verify", "--all", code=1)
        assert told.stdout.startswith(lent.id) and "sum of the journal" in told.stdout
        assert str(principal + 1) not in told.output, "no amounts in what may become a log"
        ops.says("ledger", "verify", "--loan", lent.id, code=1)
        other = "00000000-0000-4000-8000-000000000000"
        assert "no loan" in ops.says("ledger", "verify", "--loan", other, code=1).output
    finally:
        changed(ops, lent.id, principal=principal)
    ops.says("ledger", "verify", "--loan", lent.id)


def test_a_telling_that_is_still_staged_is_read_in_its_place(ops: Operated, lent: Loan) -> None:
    store, pk = ops.world.store, ACCOUNT.key(ops.partner_id, lent.id)[0]
    head = list(store.load_group(pk, "J#").values())[-1]
    unit = Unit(ops.world.wall)
    unit.delete(BATCH, ops.partner_id, head)
    unit.create(STAGED, ops.partner_id, Staged(lent.id, "tok", head.value.seq, head.value))
    store.commit(unit)
    ops.says("ledger", "verify", "--loan", lent.id, code=1)
    changed(ops, lent.id, staged="tok")
    before = ops.items()
    ops.says("ledger", "verify", "--loan", lent.id)
    assert ops.items() == before, "a look puts nothing in place"
    lent.now  # noqa: B018  whoever loads it finishes
    assert STAGED.key(ops.partner_id, lent.id, token="tok", seq=head.value.seq) not in ops.items()
    ops.says("ledger", "verify", "--loan", lent.id)


# --- erasing --------------------------------------------------------------------------------------

PERSON = {"first_name": "Erin", "last_name": "Example", "address_line_1": "1 Test Street",
          "city": "Testford", "postal_code": "TE5 7ED", "email": "erin@example.com"}  # fmt: skip


def erase(ops: Operated, who: str, *more: str, code: int = 0) -> str:
    words = ("end-user", "erase", "--partner", ops.partner_id, "--ground", "request", *more, who)
    return ops.says(*words, code=code).output


def closed_loan(ops: Operated, product: str) -> tuple[str, Loan]:
    """A borrower whose loan is paid back."""
    who = ops.partner.borrower(**PERSON)
    body = {"product": product, "end_user": who, "custom_fields": {"employer": "Example Ltd"}}
    application = ops.partner.post("/application/", body)["id"]
    ops.partner.post(f"/application/{application}/complete/", status=200)
    loan = Loan(ops.partner, ops.partner.post("/loan/", {"application": application})["id"])
    loan.disburses("500.00").confirmed()
    assert "is active" in erase(ops, who, "--retention-years", "0", code=1)
    owed = loan.now
    loan.repays(str(owed["principal"] + owed["interest"] + owed["fee"])).confirmed()
    if loan.now["status"] != "closed":
        loan.does("close", {"reason": "repaid"}).ok(200)
    return who, loan


def test_a_borrower_is_forgotten_and_the_ledger_is_not(ops: Operated, product: str) -> None:
    who, loan = closed_loan(ops, product)
    assert "kept for 6 years" in erase(ops, who, code=1)
    history = loan.all_transactions()
    assert "3 item(s) redacted" in erase(ops, who, "--retention-years", "0")
    shown = ops.partner.get(f"/end_user/{who}/")
    assert {shown[name] for name in PERSON} == {""} and shown["birth_date"] is None
    assert (shown["id"], shown["type"], shown["country"]) == (who, "individual", "GB")
    assert loan.all_transactions() == history and loan.now["end_user"] == who
    kept = [one for key, one in ops.items().items() if key[0].startswith(f"{ops.partner_id}#")]
    text = json.dumps([one["doc"]["S"] for one in kept if one["t"]["S"] != "remembered"])
    assert not [value for value in (*PERSON.values(), "Example Ltd") if value in text]
    ops.says("ledger", "verify", "--loan", loan.id)


def test_once_is_enough_and_leaves_one_row(ops: Operated, product: str) -> None:
    who = ops.partner.borrower(**PERSON)
    assert "2 item(s)" in erase(ops, who)
    assert "nothing left" in erase(ops, who)
    rows = [one.value for one in ops.world.store.each(AUDIT, ops.partner_id)]
    [row] = [one for one in rows if one.subject == who]
    assert (row.action, row.actor) == ("end_user.erase", "someone")
    assert row.details == {"ground": "request", "retention_years": "6"}
    listed = ops.says("audit", "list", "--partner", ops.partner_id, "--action", "end_user.erase")
    assert who in listed.stdout


def test_an_open_application_is_in_the_way(ops: Operated, product: str) -> None:
    who = ops.partner.borrower(**PERSON)
    ops.partner.post("/application/", {"product": product, "end_user": who})
    assert "withdraw it first" in erase(ops, who, code=1)
    stored = ops.world.store.get(END_USER, ops.partner_id, who)
    assert stored is not None and stored.value.last_name == "Example"
    assert "no such end user" in erase(ops, "00000000-0000-4000-8000-000000000000", code=1)


# --- partners, keys, secrets ----------------------------------------------------------------------


def test_keys_are_made_shown_once_and_revoked(ops: Operated) -> None:
    store, of = ops.world.store, ("--partner", ops.partner_id)
    made = ops.says("keys", "create", *of).stdout.split()
    key_id, key = made[1], made[4]
    assert partners.identify(store, key_hash(key)) is not None
    assert key_id in ops.says("keys", "list", *of).stdout
    ops.says("keys", "revoke", *of, key_id)
    assert partners.identify(store, key_hash(key)) is None
    assert "no such" in ops.says("keys", "revoke", *of, key_id, code=1).output
    last = ops.says("keys", "list", *of).stdout.split()[0]
    assert "last valid API key" in ops.says("keys", "revoke", *of, last, code=1).output
    actions = [one.value.action for one in store.each(AUDIT, ops.partner_id)]
    assert actions.count("api_key.create") == actions.count("api_key.revoke") == 1
    assert not [one for one in ops.items().values() if key in json.dumps(one)]


def test_nothing_is_written_without_a_yes(ops: Operated) -> None:
    before = ops.items()
    for words in (
        ("partner", "create", "Somebody"),
        ("keys", "create", "--partner", ops.partner_id),
        ("day", "replay", "--partner", ops.partner_id, "--date", "2026-03-02"),
        ("end-user", "erase", "--partner", ops.partner_id, "--ground", "order", "x"),
        ("dead-letters", "redrive", "days"),
        ("backup", "drill"),
    ):
        assert "--yes says it" in ops.says(*words, code=1, yes=False).output
    assert ops.items() == before
    assert "no partner" in ops.says("keys", "list", "--partner", "nobody", code=1).output


def test_a_webhook_secret_is_rotated_and_shown_once(ops: Operated) -> None:
    body = {"url": "http://localhost:9/hook", "events": ["loan_closed"]}
    made = ops.partner.post("/webhook_endpoint/", body)
    words = ("secrets", "rotate", "--partner", ops.partner_id, "--endpoint", made["id"])
    new = ops.says(*words).stdout.split()[1]
    assert new.startswith("whsec_") and new != made["secret"]
    assert new not in ops.says("audit", "list", "--partner", ops.partner_id).stdout


def test_an_export_has_all_of_one_partner_and_no_secret(
    ops: Operated, lent: Loan, tmp_path: Path
) -> None:
    left_out = {"claim", "remembered", "message", "webhook_secrets", "signing_key"}
    of_another = ops.says("partner", "create", "Other").stdout.split()[1]
    out = tmp_path / "all.jsonl.gz"
    ops.says("partner", "export", "--partner", ops.partner_id, str(out))
    with gzip.open(out, "rt") as lines:
        head, *items, tail = [json.loads(line) for line in lines]
    assert head["partner"] == ops.partner_id and tail["items"] == len(items)
    assert out.stat().st_mode & 0o777 == 0o600 and not list(tmp_path.glob("*.part"))
    wanted = {
        (one["pk"]["S"], one["sk"]["S"])
        for one in ops.items().values()
        if ops.partner_id in one["pk"]["S"] and one["t"]["S"] not in left_out
    }
    export_row = {tuple(one["key"]) for one in items} ^ wanted
    assert len(export_row) == 1, "only the row of this very export, which was written after it"
    text = json.dumps(items)
    assert of_another not in text and "whsec_" not in text
    assert ops.world.store.get(PARTNER, of_another, of_another) is not None


# --- days, dead letters ---------------------------------------------------------------------------


def test_a_day_done_again_changes_nothing(ops: Operated, lent: Loan) -> None:
    before = ops.items()
    of = ("--partner", ops.partner_id, "--date")
    day = ops.partner.today()
    assert "1 shard(s)" in ops.says("day", "replay", *of, day.isoformat()).stdout
    assert [queue for queue, _ in ops.world.line.waiting] == ["days"]
    while ops.world.line.step():
        pass
    after = ops.items()
    new = {after[key]["t"]["S"] for key in after.keys() - before.keys()}
    assert new == {"audit"} and all(after[key] == before[key] for key in before)
    later = (day + timedelta(days=1)).isoformat()
    assert "business date is" in ops.says("day", "replay", *of, later, code=1).output


# --- backups --------------------------------------------------------------------------------------


def test_a_drill_restores_the_same_and_goes(ops: Operated, lent: Loan, tmp_path: Path) -> None:
    found = backups.drill(ops.where, tmp_path, "restored")
    assert not found.wrong and found.restored == found.items == len(ops.items())
    assert found.loans >= 2
    names = tables.of(ops.where.config).client.list_tables()["TableNames"]
    assert "restored" not in names


def test_a_restored_table_has_what_aws_leaves_out(ops: Operated, lent: Loan) -> None:
    own = tables.of(ops.where.config)
    own.client.update_continuous_backups(
        TableName=own.name,
        PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True},
    )
    assert "--at" in ops.says("backup", "restore", "--as", "x", "--at", "2026-03-02", code=2).output
    told = ops.says("backup", "restore", "--as", "again-1").stdout
    assert "--table again-1 ledger verify --all" in told
    again = tables.of(ops.where.config, "again-1")
    assert not list(tables.differing(again, ops.items().values()))
    expiry = again.client.describe_time_to_live(TableName=again.name)["TimeToLiveDescription"]
    assert (expiry["TimeToLiveStatus"], expiry["AttributeName"]) == ("ENABLED", "ttl")
    kept = again.client.describe_continuous_backups(TableName=again.name)
    recovery = kept["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
    assert recovery["PointInTimeRecoveryStatus"] == "ENABLED"


def test_a_drill_notices_what_is_lost_and_what_is_torn(
    ops: Operated, lent: Loan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill, state = tables.fill, ACCOUNT.key(ops.partner_id, lent.id)

    def lossy(table: tables.Table, items: Any) -> int:
        batches = [one for one in items if (one["pk"]["S"], one["sk"]["S"][:2]) != (state[0], "J#")]
        return fill(table, batches)

    monkeypatch.setattr(tables, "fill", lossy)
    found = backups.drill(ops.where, tmp_path, "torn")
    assert any("items were saved" in line for line in found.wrong)
    assert any(line.startswith(f"loan {lent.id}") for line in found.wrong)
    assert any(line.startswith(f"item {state[0]} J#") for line in found.wrong)
