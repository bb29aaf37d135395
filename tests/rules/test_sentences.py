"""Every rule has its test, every test quotes a rule word for word."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

from tests.rules.rule import Quoted, listed

HERE = Path(__file__).parent
OTHERS = {"test_sentences", "test_states"}

#: Rules without a test so far, each with what it waits for.
NOT_YET: dict[str, str] = {}


def quotations() -> list[tuple[str, Quoted, tuple[str, ...]]]:
    """Module, quotation and names of the cases of every rule's test."""
    found = []
    for path in sorted(HERE.glob("test_*.py")):
        if path.stem in OTHERS:
            continue
        module = import_module(f"tests.rules.{path.stem}")
        for name, test in vars(module).items():
            if name.startswith("test_"):
                (table,) = [m for m in test.pytestmark if m.name == "parametrize"]
                cases = tuple(param.id for param in table.args[1])
                found.append((path.stem, test.quoted, cases))
    return found


QUOTATIONS = quotations()
SENTENCES = [(heading, one) for heading, rules in listed().items() for one in rules]
PLACES = [
    f"{heading}, {n}" for heading, rules in listed().items() for n in range(1, len(rules) + 1)
]


def test_every_quotation_stands_in_the_list() -> None:
    known = {one for _, one in SENTENCES}
    assert [q.sentence for _, q, _ in QUOTATIONS if q.sentence not in known] == []


def test_parts_are_words_of_their_sentence() -> None:
    assert [q.part for _, q, _ in QUOTATIONS if q.part and q.part not in q.sentence] == []


def test_no_two_cases_have_the_same_title() -> None:
    titles = [(module, q.title, case) for module, q, cases in QUOTATIONS for case in cases]
    assert len(titles) == len(set(titles))


def test_every_table_has_rows() -> None:
    assert [q.title for _, q, cases in QUOTATIONS if not cases] == []


@pytest.mark.parametrize(("heading", "sentence"), SENTENCES, ids=PLACES)
def test_every_rule_has_its_test(heading: str, sentence: str) -> None:
    tested = sentence in {q.sentence for _, q, _ in QUOTATIONS}
    if sentence in NOT_YET:
        assert not tested, "it has a test now: take it off the list"
        pytest.skip(NOT_YET[sentence])
    assert tested, heading


def test_the_list_of_untested_rules_holds_only_rules() -> None:
    assert set(NOT_YET) <= {one for _, one in SENTENCES}
