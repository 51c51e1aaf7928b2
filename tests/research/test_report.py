"""The report: told from a journal, written as files that open, with nothing in them that could run."""

from __future__ import annotations

import html.parser
import json
from pathlib import Path

import msgspec
import pandas as pd
import pytest

from engine import messages as m
from engine.__main__ import main
from engine.execution.cost import TERMS
from engine.research.report import NoParent, Report, line, told, written
from engine.research.report_tables import harmless
from engine.shell.store.journal import Journal
from tests.execution.costs import ended, fill, mark, parent, proposed, request, seen
from tests.execution.still import CALL

EVIL = "<script>alert(1)</script>"
FORMULA = '=HYPERLINK("http://example.org";"x")'
LINES = (Path(__file__).parents[1] / "tapes" / "older.jsonl").read_bytes().splitlines()


def facts() -> list[m.Fact]:
    """A parent with a fill that was seen and one that was not, a rejection with a reason that means ill, an order by
    hand."""
    return [
        parent(user=EVIL), seen(2, 331.0, take=337.5, taken=43, due=0), proposed(3),
        m.Rejected(n=4, t=parent().t, proposal="R1", by="ann", reason=EVIL, mark=mark(take=336.0, taken=10)),
        request(5, proposal="R9"), fill(6, price=340, mark=mark(335.0, bid=330, ask=340)),
        m.MarkedOut(n=7, trade="t6", seconds=1, mark=mark(336.0)),
        seen(8, 336.0, after=60, lots=5, turnover=5 * 334, due=40),
        fill(9, price=341, mark=None), proposed(10, "R2"),
        m.Rejected(n=11, t=parent().t, proposal="R2", by="ann", reason=FORMULA), ended(12, 338.0),
        request(13, "hand", parent=""), fill(14, "hand"),
    ]  # fmt: skip


@pytest.fixture
def report() -> Report:
    return told(facts())


class Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.attributes: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(tag)
        self.attributes += [name for name, _ in attrs]
        if tag != "meta":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_nothing_else_and_runs_nothing(report: Report, tmp_path: Path) -> None:
    (path,) = written(report, tmp_path, "html")
    text = path.read_text()
    page = Tags()
    page.feed(text)
    assert not page.open
    assert page.found.count("svg") == 2
    assert not {"script", "link", "img", "iframe", "a"} & set(page.found)
    assert not [name for name in page.attributes if name.startswith("on") or name in ("src", "href")]
    assert EVIL not in text
    assert "&lt;script&gt;" in text
    assert "the book held 4.3 of 10" in text
    assert "spread (50% of the lots)" in text
    assert "too few to say" in text


def test_the_waterfall_says_every_term_and_the_whole(report: Report, tmp_path: Path) -> None:
    text = written(report, tmp_path, "html")[0].read_text()
    for term in (*TERMS, "shortfall"):
        assert f">{term}</text>" in text
    ticks = report.details[0].parent.ticks
    assert ticks
    assert f">{ticks['total']:+.2f}</text>".replace("-", "−") in text


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_the_files_open_and_agree(report: Report, tmp_path: Path, form: str) -> None:
    paths = {path.stem: path for path in written(report, tmp_path, form)}
    assert set(paths) == {"parents", "children", "fills", "markouts", "decisions"}
    read = pd.read_csv if form == "csv" else pd.read_parquet
    opened = {name: read(path) for name, path in paths.items()}
    assert {name: len(table) for name, table in opened.items()} == {
        "parents": 1, "children": 2, "fills": 2, "markouts": 8, "decisions": 2,
    }  # fmt: skip
    row = opened["parents"].iloc[0]
    for unit in ("ticks_per_contract", "vol_points_per_contract", "coin", "usd"):
        terms = [row[f"{term}_{unit}"] for term in TERMS]
        assert sum(terms) == pytest.approx(row[f"total_{unit}"])
    assert row["filled_coin_or_usd"] == 20 * CALL.lot
    assert opened["fills"]["not_known"].tolist()[1] == "impact, spread, underlying, volatility"
    seen = opened["markouts"].dropna(subset=["markout_ticks"])
    assert seen[["after_s", "trade"]].to_numpy().tolist() == [[1, "t6"]]


def test_a_reason_is_no_formula_in_a_spreadsheet(report: Report, tmp_path: Path) -> None:
    (path,) = (path for path in written(report, tmp_path, "csv") if path.stem == "decisions")
    reasons = pd.read_csv(path)["reason"].tolist()
    assert reasons == [EVIL, f"'{FORMULA}"]
    (kept,) = (path for path in written(report, tmp_path, "parquet") if path.stem == "decisions")
    assert pd.read_parquet(kept)["reason"].tolist() == [EVIL, FORMULA]


@pytest.mark.parametrize(
    ("value", "out"),
    [("=1+1", "'=1+1"), ("+1", "'+1"), ("-2", "'-2"), ("@x", "'@x"), ("\tx", "'\tx"), ("calm", "calm"), (-2.0, -2.0)],
)
def test_what_a_spreadsheet_would_compute_is_quoted(value: object, out: object) -> None:
    assert harmless(value) == out


def test_a_journal_without_marks_is_still_told() -> None:
    """What a desk kept before it kept marks: the fill's price against the arrival stands, the terms are unknown."""
    older = [fact_of(text) for text in LINES if text.startswith(b'{"fact"')]
    found = told(older)
    (one,) = [detail.parent for detail in found.details if detail.parent.filled]
    assert set(one.unknown) >= {"delay", "underlying", "volatility", "spread", "impact"}
    assert one.ticks
    assert line(one).startswith(f"{one.id} buy 5 of 20")


def fact_of(text: bytes) -> m.Fact:
    fact: m.Fact = msgspec.json.decode(text, type=m.Fact)
    return fact


def test_only_the_parents_asked_for() -> None:
    rows = [*facts(), parent(id="P2", n=20)]
    assert [one.parent.id for one in told(rows, ["P2"]).details] == ["P2"]
    assert [one.parent.id for one in told(rows, of={"P1"}).details] == ["P1"]
    assert not told(rows, ["P2"]).by_hand
    with pytest.raises(NoParent, match="there is no parent P7 in the journal"):
        told(rows, ["P7"])


def test_an_empty_journal_makes_an_empty_report(tmp_path: Path) -> None:
    found = told([])
    for form in ("html", "csv", "parquet"):
        assert all(path.stat().st_size for path in written(found, tmp_path, form))


def test_the_command_reads_a_journal_that_an_engine_holds(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "paper").mkdir()
    journal = Journal(tmp_path / "paper" / "journal.sqlite")
    numbered = [m.unpack_fact(m.pack(fact)) for fact in facts()]
    journal.append(numbered, "20260101-000000")
    out = tmp_path / "out"
    asked = ["report", "--data", str(tmp_path), "--to", str(out), "--format", "html", "--format", "csv", "--json"]
    assert main([*asked, "--session", "20260101-000000"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert [Path(name).name for name in said["files"]][:2] == ["costs-P1.html", "parents.csv"]
    assert said["details"][0]["parent"]["id"] == "P1"
    assert main(["report", "P9", "--data", str(tmp_path), "--to", str(out)]) == 1
    assert "there is no parent P9" in capsys.readouterr().err
    journal.close()
