from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta, timezone
from enum import Enum
from pathlib import Path
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.models import codec, keys
from chalicelib.models.kinds import BadKey, Kind, instant, parse_instant
from tests.models.things import HEAD, NOW, ONE, PART, THING, Part, Thing
from tests.support import table_definition

MODELS = Path(__file__).parent.parent.parent / "chalicelib" / "models"
aware = st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(fold=0))


@given(aware, aware)
def test_instants_sort_as_text_and_come_back(one: datetime, other: datetime) -> None:
    assert (instant(one) < instant(other)) == (one < other)
    assert len(instant(one)) == 27
    assert parse_instant(instant(one)) == one


def test_an_instant_of_another_zone_is_written_in_utc() -> None:
    there = datetime(2024, 6, 1, 13, tzinfo=timezone(timedelta(hours=1)))
    assert instant(there) == "2024-06-01T12:00:00.000000Z"
    with pytest.raises(ValueError, match="zone"):
        instant(datetime(2024, 6, 1))  # noqa: DTZ001


def test_a_key_comes_from_an_id_or_from_a_value_alike() -> None:
    assert THING.key(ONE, "a") == THING.key_of(ONE, Thing("a")) == ("partner-1#THING#a", "-")
    assert PART.key(ONE, "abcd-1", seq=7) == ("partner-1#G#abcd", "J#00000007")
    assert PART.key_of(ONE, Part("abcd-1", 7)) == ("partner-1#G#abcd", "J#00000007")
    assert HEAD.key(ONE, "abcd-1")[0] == PART.key(ONE, "abcd-2", seq=1)[0]


def test_index_keys_are_sparse_and_sort_by_creation_then_id() -> None:
    place = "2024-01-31T09:00:00.000000Z#a"
    assert THING.index_keys(ONE, Thing("a"), NOW) == {
        "lp": "partner-1#THING",
        "ls": place,
        "gp": "partner-1#THING#new",
        "gs": place,
    }
    full = THING.index_keys(ONE, Thing("a", owner="o", due=date(2024, 2, 1)), NOW)
    assert (full["op"], full["os"]) == ("partner-1#THING#OWNER#o", place)
    assert (full["dp"], full["ds"]) == ("partner-1#DUE", "2024-02-01#a")


def test_a_template_may_be_a_function_and_a_name_an_enumeration() -> None:
    class Mood(Enum):
        GOOD = "good"

    @dataclass(frozen=True)
    class Mooded:
        id: str
        mood: Mood | None

    kind: Kind[Mooded] = Kind(
        "mooded",
        "nowhere:Mooded",
        pk="{partner}#M#{id}",
        status="{partner}#M#{mood}",
        due=lambda partner, value: f"{partner}#{len(value.id)}" if value.mood else None,
        due_at="{id}",
    )
    assert kind.index_keys(ONE, Mooded("ab", Mood.GOOD), NOW) == {
        "gp": "partner-1#M#good",
        "gs": f"{instant(NOW)}#ab",
        "dp": "partner-1#2",
        "ds": "ab#ab",
    }
    assert kind.index_keys(ONE, Mooded("ab", None), NOW) == {}


@pytest.mark.parametrize("bad", ["", "a#b", "x" * 201, "\ud800"])
def test_no_stored_thing_can_have_such_an_id(bad: str) -> None:
    with pytest.raises(BadKey):
        THING.key(ONE, bad)


def test_a_missing_name_or_partner_is_a_mistake_that_shows() -> None:
    with pytest.raises(LookupError, match="seq"):
        PART.key(ONE, "abcd")
    with pytest.raises(LookupError, match="partner"):
        THING.key(keys.ANYONE, "a")
    with pytest.raises(LookupError, match="due"):
        replace(THING, due=None).partition("due", ONE, {})


@given(st.text(), st.text())
def test_different_claims_have_different_keys(one: str, other: str) -> None:
    pairs = [(ONE, "scope", one), (ONE, "scope", other)]
    assert (keys.claim_key(*pairs[0]) == keys.claim_key(*pairs[1])) == (one == other)
    assert all(len(keys.claim_key(*pair)[0].encode()) < 1000 for pair in pairs)


def test_the_value_of_a_claim_cannot_reach_into_another_scope_or_partner() -> None:
    assert keys.claim_key("p", "a", "b#U#c")[0].startswith("p#U#a#")
    with pytest.raises(BadKey):
        keys.claim_key("p", "a#b", "c")
    with pytest.raises(BadKey):
        keys.claim_key("p#U#a", "b", "c")


def test_every_row_of_the_table_is_sound() -> None:
    places = [(kind.pk, kind.sk) for kind in keys.KINDS.values()]
    assert len(set(places)) == len(places)
    for name, kind in keys.KINDS.items():
        assert kind.name == name
        assert kind.pk.startswith(("{partner}#", "PARTNER#", "KEY#")), kind
        assert (kind.due is None) == (kind.due_at is None), kind


@pytest.mark.parametrize("name", sorted(keys.KINDS))
def test_every_kind_can_be_stored(name: str) -> None:
    """Its class is where the row says, each field has a way to be written, each name a source."""
    kind = keys.KINDS[name]
    cls = kind.load()
    codec.plan_of(cls)
    known = {field.name for field in fields(cls)} | set(dir(cls)) | {"partner"}
    known |= set(kind.parts("x" * 36)) if kind.parts else set()
    templates = (kind.pk, kind.sk, kind.list, kind.status, kind.owner, kind.due, kind.due_at)
    for template in templates:
        if isinstance(template, str):
            assert {part for _, part, _, _ in Formatter().parse(template) if part} <= known
    assert kind.id_of in known


def test_messages_spread_over_all_shards_and_stay_in_theirs() -> None:
    shards = [keys.outbox_shard(f"message-{n}") for n in range(2000)]
    assert set(shards) == set(range(keys.OUTBOX_SHARDS))
    assert shards == [keys.outbox_shard(f"message-{n}") for n in range(2000)]


def test_the_record_is_the_table_that_the_infrastructure_makes() -> None:
    from chalicelib.models.records import Record

    schema = Record._get_schema()
    table = table_definition()

    def keys_of(schema: list[dict[str, str]]) -> dict[str, str]:
        return {one["KeyType"]: one["AttributeName"] for one in schema}

    made = {one["IndexName"]: one for one in table["GlobalSecondaryIndexes"]}
    assert keys_of(schema["key_schema"]) == keys_of(table["KeySchema"])
    assert {one["index_name"] for one in schema["global_secondary_indexes"]} == set(made)
    for index in schema["global_secondary_indexes"]:
        assert keys_of(index["key_schema"]) == keys_of(made[index["index_name"]]["KeySchema"])
        assert made[index["index_name"]]["Projection"] == {"ProjectionType": "KEYS_ONLY"}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}


def test_units_keys_and_codec_load_without_dynamodb() -> None:
    code = (
        "import sys, chalicelib.models.unit, chalicelib.models.keys, chalicelib.models.codec;"
        "sys.exit(any(name in sys.modules for name in ('pynamodb', 'botocore', 'boto3')))"
    )
    root = MODELS.parent.parent
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0
