"""What a killed worker had in hand is known to its successor."""

from pathlib import Path

from local import receipts
from local.receipts import Receipts


def test_what_was_not_given_back_is_an_orphan(tmp_path: Path) -> None:
    path = tmp_path / "receipts.log"
    first = Receipts(path)
    assert first.orphans == []
    first.take("q", ["a", "b", "c"])
    first.give("q", ["b"])
    assert first.held() == [("q", "a"), ("q", "c")]
    assert Receipts(path).orphans == [("q", "a"), ("q", "c")]


def test_a_successor_begins_with_nothing_in_hand(tmp_path: Path) -> None:
    path = tmp_path / "receipts.log"
    Receipts(path).take("q", ["a"])
    assert Receipts(path).held() == []
    assert Receipts(path).orphans == []


def test_a_torn_line_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "receipts.log"
    Receipts(path).take("q", ["a"])
    with path.open("a") as file:
        file.write('["+", "q", "b')
    assert Receipts(path).orphans == [("q", "a")]


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "receipts.log"
    held = Receipts(path)
    held.take("q", ["kept"])
    for number in range(receipts._COMPACT_AFTER_LINES):
        held.take("q", [str(number)])
        held.give("q", [str(number)])
    assert len(path.read_text().splitlines()) <= receipts._COMPACT_AFTER_LINES + 1
    assert Receipts(path).orphans == [("q", "kept")]
