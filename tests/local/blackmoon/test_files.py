"""The daily files: taken whole or not at all, with what is wrong in which line."""

from __future__ import annotations

import pytest

from local.blackmoon.forms import Upload, read
from local.blackmoon.organisation import Organisation
from tests.local.blackmoon.support import answered, done, file, organisation, refused

HEADER = "repaymentId,applicationId,datetime,amount\n"
GOOD = "r1,loan-1,2026-01-04T10:20:38+00:00,10.50\n"


def sends(org: Organisation, text: str) -> int:
    """The code of a refused file of repayments."""
    return refused(org, "data.sendRepayments", {"repayments": file(text)})


def test_files_that_are_right() -> None:
    org = organisation()
    loans = 'applicationId,loanAmount,name,endDate\nloan-1,1000.00,"A, ""B""\nC",\nloan-2,,,\n'
    assert done(org, "data.sendApplications", {"loans": file(loans)}) == []
    rows = (
        HEADER + GOOD + "r2,loan-1,2026-07-04T10:20:38+01:00,-10.50\r\nr3,2,2026-01-04T00:00Z,7\n"
    )
    assert done(org, "data.sendRepayments", {"repayments": file(rows)}) == []
    assert done(org, "data.sendRepayments", {"repayments": file(HEADER)}) == []
    took = [(one.doc["part"], one.doc["rows"], one.doc.get("amount")) for one in org.all("files")]
    assert took == [("loans", 2, None), ("repayments", 3, "7.00"), ("repayments", 0, "0")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no repaymentId, applicationId, datetime, amount"),
        ("repaymentId,applicationId,datetime\n", "no amount"),
        (HEADER.strip() + ",amount\n", "twice"),
        (HEADER.strip() + ",\n", "no name"),
        (HEADER + GOOD + "r2,loan-1\n", "line 3 has 2 cells, not 4"),
        (HEADER + GOOD + GOOD, "line 3: repaymentId r1 comes twice"),
        (HEADER + GOOD.replace("10.50", "ten"), "line 2: amount must be a number"),
        (HEADER + GOOD.replace("10.50", "1e3"), "line 2: amount"),
        (HEADER + GOOD.replace("+00:00", ""), "line 2: datetime"),
        (HEADER + GOOD.replace("2026-01-04T10:20:38+00:00", "04/01/2026"), "line 2: datetime"),
        (HEADER + GOOD.replace("loan-1", ""), "line 2: applicationId is empty"),
    ],
)
def test_files_that_are_wrong(text: str, words: str) -> None:
    org = organisation()
    assert sends(org, text) == 7
    answer = answered(org, "data.sendRepayments", {"repayments": file(text)})
    assert words in answer["error"]["errorMessage"]
    assert not org.records["files"]


def test_all_first_flaws_are_told_and_the_file_is_not_read_to_its_end() -> None:
    text = HEADER + "".join(f"r{n},loan,2026-01-04T00:00Z,x\n" for n in range(1000))
    answer = answered(organisation(), "data.sendRepayments", {"repayments": file(text)})
    assert answer["error"]["errorMessage"].count("line ") == 5


@pytest.mark.parametrize("text", [HEADER + 'r1,"loan', HEADER + 'r1,"loan"x,1,1\n', "a\0b\n"])
def test_files_that_cannot_be_read(text: str) -> None:
    assert sends(organisation(), text) == 8


def test_what_is_no_file() -> None:
    org = organisation()
    assert refused(org, "data.sendApplications", {"loans": Upload("", b"applicationId\n1\n")}) == 12
    assert refused(org, "data.sendApplications", loans="applicationId\n1\n") == 12


def test_values_of_loans_are_checked_by_their_names() -> None:
    org = organisation()
    for name, value in (("loanAmount", "-1"), ("endDate", "soon"), ("currency", "gbp"),
                        ("disbursements", "2026-01-05"), ("applicationId", " ")):  # fmt: skip
        columns = {"applicationId": "1", name: value}
        text = ",".join(columns) + "\n" + ",".join(columns.values()) + "\n"
        assert refused(org, "data.sendApplications", {"loans": file(text)}) == 7, name


def test_a_form_with_files_in_pieces() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="organizationId"\r\n\r\n14\r\n'
        b'--x\r\nContent-Disposition: form-data; name="loans"; filename="a.csv"\r\n'
        b"Content-Type: text/csv\r\n\r\na\r\n--xy\r\n1\r\n\r\n--x--\r\n"
    )
    form = read({"a": "b"}, 'multipart/form-data; charset=utf-8; boundary="x"', body)
    assert form.parameters == {"a": "b", "organizationId": "14"}
    assert form.files["loans"].name == "a.csv"
    for kind, raw in (
        ("multipart/form-data; boundary=x", b"\xff"),
        ("", b"%zz=%ff&&="),
        ("x", b""),
    ):
        assert read({}, kind, raw).files == {}
