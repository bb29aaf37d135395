"""The client against the real application in this process, by the examples of its README."""

from __future__ import annotations

import json
import re
import runpy
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import backbone_client
from app import app
from backbone_client import Client, Conflict, NotFound
from chalicelib import runtime
from tests.clients.in_process import URL, InProcess
from tests.http_support import Api
from tests.scenarios.world import World

README = Path(__file__).parents[2] / "clients" / "python" / "README.md"
KEY = "not-a-real-key-of-the-readme"


@pytest.fixture
def transport() -> Iterator[InProcess]:
    with runtime.use(World()):
        runtime.bootstrap(KEY)
        yield InProcess(Api(app, None))


def test_the_examples_run_as_written(
    transport: InProcess,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / ".local").mkdir()
    run = {"url": URL, "api_key": KEY}
    (tmp_path / ".local" / "run.json").write_text(json.dumps(run))
    blocks = re.findall(r"```python\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
    (tmp_path / "readme.py").write_text("\n".join(blocks))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(backbone_client, "Client", partial(Client, transport=transport))
    runpy.run_path(str(tmp_path / "readme.py"))
    lines = capsys.readouterr().out.splitlines()
    said = [line for line in lines if not line.startswith("{")]  # the application's log
    assert said[0].startswith("12.7 181.70 [datetime.date(2018, 3, 14), ")
    assert said[1] == "12000.00 12436.08"
    assert said[2].endswith(" 12000.00")
    assert said[3] == "1 1"
    assert said[4].startswith("id,loan,type,status,amount,")
    assert "loan_exists" in said
    assert "[('amount', 'too_small')]" in said


def test_people_addresses_and_what_was_read_sent_back(transport: InProcess) -> None:
    with Client(URL, KEY, transport=transport) as client:
        person = client.end_users.create(
            first_name="Kim", last_name="Example", birth_date="1980-01-01", city="York"
        )
        shown = repr(person)  # ids in it may hold any digits
        assert "1980-01-01" not in shown and "1980, 1, 1" not in shown
        company = client.end_users.create(type="limited_company", company_name="Example Ltd")
        people = client.end_users.people(company.id)
        assigned = people.create(end_user=person.id, role="director")
        assert people.update(assigned.id, role="owner").role == "owner"
        with pytest.raises(Conflict):
            people.create(end_user=person.id, role="director")
        people.delete(assigned.id)
        with pytest.raises(NotFound):
            people.read(assigned.id)
        moved = client.end_users.addresses(person.id).create(city="Leeds", is_current=True)
        assert moved.is_current
        addresses = client.end_users.addresses(person.id).iterate(page_size=1)
        assert {each.city for each in addresses} == {"York", "Leeds"}
        assert client.end_users.update(person.id, email="kim@example.test").city == "Leeds"
        assert [each.id for each in client.end_users.iterate(last_name="Example")] == [person.id]
        header = client.end_users.csv(type=["individual", "limited_company"]).splitlines()
        assert len(header) == 3


def test_the_same_key_gives_the_first_answer_again(transport: InProcess) -> None:
    with Client(URL, KEY, transport=transport) as client:
        first = client.api_keys.create(idempotency_key="once")
        again = client.api_keys.create(idempotency_key="once")
        assert first.key is not None
        assert (again.id, again.key) == (first.id, None)
        with Client(URL, first.key, transport=transport) as rotated:
            assert rotated.partner.read().id == client.partner.read().id
