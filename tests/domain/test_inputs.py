"""Input sources and data points: types, defaults, what is read only, what is known."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.domain import inputs
from chalicelib.domain.errors import Invalid, Refused
from chalicelib.domain.inputs import DataPoint, InputSource, coerce
from chalicelib.domain.statement import fits

D = Decimal
INCOME = InputSource("s1", "income", "float")
JOBS = InputSource("s2", "jobs", "integer", D(1))
POINT = DataPoint("p1", "s1", "a1", "1200.50")


@pytest.mark.parametrize(
    ("kind", "value", "wanted"),
    [
        ("boolean", True, True),
        ("boolean", False, False),
        ("integer", 5, D(5)),
        ("integer", "5", D(5)),
        ("integer", "-12", D(-12)),
        ("integer", D("5.0"), D(5)),
        ("float", 5, D(5)),
        ("float", D("0.1"), D("0.1")),
        ("float", "1000.00", D("1000.00")),
        ("float", "-1.5e3", D(-1500)),
        ("string", "", ""),
        ("string", "5", "5"),
        ("string", "a\tb\r\n", "a\tb\r\n"),
        ("string", "é" * 255, "é" * 255),
    ],
)
def test_a_value_of_the_sources_type_is_taken(kind: str, value: Any, wanted: Any) -> None:
    found = coerce(kind, value)
    assert found == wanted
    assert type(found) is type(wanted)


@pytest.mark.parametrize(
    ("kind", "value", "code"),
    [
        ("boolean", "true", "wrong_type"),
        ("boolean", 1, "wrong_type"),
        ("boolean", D(0), "wrong_type"),
        ("boolean", None, "wrong_type"),
        ("integer", True, "wrong_type"),
        ("integer", D("1.5"), "wrong_type"),
        ("integer", "1.5", "wrong_type"),
        ("integer", "", "wrong_type"),
        ("integer", "five", "wrong_type"),
        ("integer", None, "wrong_type"),
        ("integer", [5], "wrong_type"),
        ("float", False, "wrong_type"),
        ("float", 1.5, "wrong_type"),
        ("float", "NaN", "wrong_type"),
        ("float", "Infinity", "wrong_type"),
        ("float", "1_000", "wrong_type"),
        ("float", " 1", "wrong_type"),
        ("float", "1,5", "wrong_type"),
        ("float", "٣", "wrong_type"),
        ("float", "1" * 5000, "wrong_type"),
        ("float", "1e9999999999", "wrong_type"),
        ("float", {}, "wrong_type"),
        ("float", D("NaN"), "out_of_range"),
        ("float", D("Infinity"), "out_of_range"),
        ("float", D("1e40"), "out_of_range"),
        ("float", "1e999", "out_of_range"),
        ("float", "0." + "1" * 41, "out_of_range"),
        ("integer", 10**40, "out_of_range"),
        ("string", 5, "wrong_type"),
        ("string", True, "wrong_type"),
        ("string", None, "wrong_type"),
        ("string", "a" * 256, "too_long"),
        ("string", "a\0", "invalid"),
        ("string", "\x1b[0m", "invalid"),
        ("string", "\ud800", "invalid"),
    ],
)
def test_a_value_of_another_type_is_invalid(kind: str, value: Any, code: str) -> None:
    with pytest.raises(Invalid) as caught:
        coerce(kind, value, "default")
    [flaw] = caught.value.flaws
    assert (flaw.field, flaw.code) == ("default", code)


@given(
    st.sampled_from(inputs.TYPES),
    st.one_of(st.none(), st.booleans(), st.integers(), st.decimals(), st.text()),
)
def test_whatever_is_taken_is_within_the_bounds(kind: str, value: Any) -> None:
    try:
        found = coerce(kind, value)
    except Invalid:
        return
    assert not isinstance(found, Decimal) or fits(found)
    assert isinstance(found, {"boolean": bool, "string": str}.get(kind, Decimal))


def test_the_preconfigured_sources_have_names_types_and_stable_ids() -> None:
    table = {source.name: source.type for source in inputs.preconfigured("partner")}
    assert table == {
        "end_user_age": "integer",
        "end_user_type": "string",
        "end_user_country": "string",
        "end_user_regulated": "boolean",
        "end_user_open_loans": "integer",
        "end_user_outstanding": "float",
        "end_user_worst_days_past_due": "integer",
        "application_amount": "float",
        "application_installments": "integer",
        "application_rate": "float",
        "product_type": "string",
    }
    assert inputs.preconfigured("partner") == inputs.preconfigured("partner")
    ours = {source.id for source in inputs.preconfigured("partner")}
    theirs = {source.id for source in inputs.preconfigured("another")}
    assert len(ours | theirs) == 22
    assert all(source.preconfigured for source in inputs.preconfigured("partner"))


@given(st.text(st.characters(codec="utf-8")))
def test_the_ids_are_uuids_of_version_five(partner: str) -> None:
    namespace = uuid.UUID(bytes=inputs._NAMESPACE)
    for source in inputs.preconfigured(partner):
        assert source.id == str(uuid.uuid5(namespace, f"{partner}/{source.name}"))


# --- input sources -------------------------------------------------------------------------------


def test_a_sources_default_is_brought_to_its_type() -> None:
    assert inputs.create_source(InputSource("s", "x", "integer", "5")).default == 5
    assert inputs.create_source(InputSource("s", "x", "boolean", False)).default is False
    assert inputs.create_source(InputSource("s", "x", "boolean")).default is None


@pytest.mark.parametrize(
    ("source", "fields"),
    [
        (InputSource("s", "", "float"), ["name"]),
        (InputSource("s", "1a", "float"), ["name"]),
        (InputSource("s", "a b", "float"), ["name"]),
        (InputSource("s", "a\n", "float"), ["name"]),
        (InputSource("s", "größe", "float"), ["name"]),
        (InputSource("s", "a" * 101, "float"), ["name"]),
        (InputSource("s", "a", "decimal"), ["type"]),
        (InputSource("s", "a", "float", "x"), ["default"]),
        (InputSource("s", "-", "integer", D("1.5")), ["name", "default"]),
    ],
)
def test_a_source_that_cannot_be(source: InputSource, fields: list[str]) -> None:
    with pytest.raises(Invalid) as caught:
        inputs.create_source(source)
    assert [flaw.field for flaw in caught.value.flaws] == fields


def test_a_preconfigured_sources_name_is_taken() -> None:
    with pytest.raises(Refused) as caught:
        inputs.create_source(InputSource("s", "end_user_age", "integer"))
    assert caught.value.code == "conflict"


def test_a_partners_source_is_never_preconfigured() -> None:
    assert not inputs.create_source(
        InputSource("s", "x", "float", preconfigured=True)
    ).preconfigured


def test_a_preconfigured_source_is_read_only() -> None:
    age = inputs.preconfigured("partner")[0]
    with pytest.raises(Refused) as caught:
        inputs.update_source(age, InputSource(age.id, "x", "integer"), used=False)
    assert caught.value.code == "invalid_status"


def test_a_used_source_keeps_its_name_and_type() -> None:
    described = InputSource("other", "income", "float", D(5), "Monthly")
    assert inputs.update_source(INCOME, described, used=True) == InputSource(
        "s1", "income", "float", D(5), "Monthly"
    )
    for new in (InputSource("s1", "wage", "float"), InputSource("s1", "income", "integer")):
        with pytest.raises(Refused) as caught:
            inputs.update_source(INCOME, new, used=True)
        assert caught.value.code == "invalid_status"
        assert inputs.update_source(INCOME, new, used=False) == new


def test_a_source_is_found_by_id_or_by_name() -> None:
    named_like_an_id = InputSource("s3", "s1", "float")
    known = (named_like_an_id, INCOME, JOBS)
    assert inputs.find_source(known, "s1") is INCOME
    assert inputs.find_source(known, "jobs") is JOBS
    assert inputs.find_source(known, "x") is None


# --- data points ---------------------------------------------------------------------------------


def test_a_data_point_has_a_value_of_its_sources_type() -> None:
    point = inputs.create_point(POINT, INCOME, application_status="incomplete")
    assert point == DataPoint("p1", "s1", "a1", D("1200.50"))
    by_name = DataPoint("p1", "income", "a1", 5)  # type: ignore[arg-type]
    assert (
        inputs.create_point(by_name, INCOME, application_status="incomplete").input_source == "s1"
    )


@pytest.mark.parametrize(
    ("source", "value", "field"),
    [
        (None, D(1), "input_source"),
        (inputs.preconfigured("partner")[0], D(1), "input_source"),
        (INCOME, True, "value"),
        (JOBS, D("1.5"), "value"),
    ],
)
def test_a_data_point_that_cannot_be(source: InputSource | None, value: Any, field: str) -> None:
    with pytest.raises(Invalid) as caught:
        inputs.create_point(
            DataPoint("p", "s1", "a1", value), source, application_status="incomplete"
        )
    assert [flaw.field for flaw in caught.value.flaws] == [field]


@pytest.mark.parametrize("status", ["approved", "declined", "withdrawn"])
def test_data_points_only_while_the_application_is_incomplete(status: str) -> None:
    for work in (
        lambda: inputs.create_point(POINT, INCOME, application_status=status),
        lambda: inputs.update_point(POINT, POINT, INCOME, application_status=status),
    ):
        with pytest.raises(Refused) as caught:
            work()
        assert caught.value.code == "invalid_status"


def test_only_the_value_of_a_data_point_can_change() -> None:
    old = inputs.create_point(POINT, INCOME, application_status="incomplete")
    new = DataPoint("x", "s1", "a1", 7)  # type: ignore[arg-type]
    changed = inputs.update_point(old, new, INCOME, application_status="incomplete")
    assert changed == DataPoint("p1", "s1", "a1", D(7))
    with pytest.raises(Invalid) as caught:
        inputs.update_point(
            old, DataPoint("p1", "s2", "a2", D(7)), JOBS, application_status="incomplete"
        )
    assert [flaw.field for flaw in caught.value.flaws] == ["input_source", "application"]


def test_an_input_is_the_current_detail_else_the_data_point_else_the_default() -> None:
    sources = (INCOME, JOBS, InputSource("s3", "none", "string"), *inputs.preconfigured("partner"))
    points = [DataPoint("p1", "s1", "a1", D(5)), DataPoint("p9", "gone", "a1", D(5))]
    current = {"end_user_age": None, "end_user_open_loans": 2, "jobs": D(9), "unknown": D(1)}
    assert inputs.input_values(sources, points, current) == {  # type: ignore[arg-type]
        "income": D(5),
        "jobs": D(1),
        "end_user_age": None,
        "end_user_open_loans": D(2),
    }
