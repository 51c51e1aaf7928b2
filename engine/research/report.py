"""`python -m engine report`: what parents cost, told from the journal alone, of a desk that has ended or still runs."""

from __future__ import annotations

import argparse
import datetime as dt
import json
from collections.abc import Sequence
from pathlib import Path

import msgspec

from engine import messages as m
from engine.execution.cost_story import Ledger
from engine.shell.store.journal import JournalReader
from engine.view.costs import child, detail
from engine.view.costs import told as overview_of

FORMATS = ("html", "csv", "parquet")


class NoParent(ValueError):
    """No such parent in the journal. Its text is fit for a person."""


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a report says. `marks` are none: what is left of a running parent counts as last seen."""

    overview: m.CostsView
    details: tuple[m.CostDetail, ...]
    by_hand: tuple[m.ChildCost, ...]
    about: str


def options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("parents", nargs="*", metavar="PARENT", help="their numbers, as P12; all without any")
    parser.add_argument("--venue", choices=("paper", "test", "live"), default="paper")
    parser.add_argument("--data", type=Path, default=Path("~/.tidegate"), metavar="DIR", help="journal and sessions")
    parser.add_argument("--session", default="", help="only parents taken up in this session")
    parser.add_argument("--to", type=Path, default=Path(), metavar="DIR", help="where the files go (here)")
    parser.add_argument("--format", choices=FORMATS, action="append", default=[],
                        help="may be given again; HTML unless said")  # fmt: skip


def run(chosen: argparse.Namespace) -> int:
    """Write the files, say which; with `--json` the figures instead of the words."""
    path = chosen.data.expanduser() / chosen.venue / "journal.sqlite"
    found = made(path, chosen.parents, chosen.session)
    chosen.to.mkdir(parents=True, exist_ok=True)
    files = [file for form in chosen.format or ["html"] for file in written(found, chosen.to, form)]
    if chosen.json:
        said = {"files": [str(file) for file in files], **msgspec.to_builtins(found)}
        print(json.dumps(said, default=str))
    else:
        print("\n".join([*(line(one.parent) for one in found.details), *(f"written: {file}" for file in files)]))
    return 0


def made(path: Path, parents: Sequence[str] = (), session: str = "") -> Report:
    """Raises BadJournal, NoParent."""
    reader = JournalReader(path)
    try:
        facts = list(reader.facts())
        wanted = _wanted(reader, session) if session else None
    finally:
        reader.close()
    return told(facts, parents, f"{path.parent.name} desk", wanted, session)


def told(
    facts: Sequence[m.Fact], parents: Sequence[str] = (), desk: str = "", of: set[str] | None = None, session: str = ""
) -> Report:
    """The report of a plain list of facts. Raises NoParent."""
    ledger = Ledger.of(facts)
    if missing := [parent for parent in parents if parent not in ledger.parents]:
        raise NoParent(f"there is no parent {', '.join(missing)} in the journal")
    names = [name for name in ledger.parents if (name in parents or not parents) and (of is None or name in of)]
    last = facts[-1].t if facts else 0
    return Report(
        overview=overview_of(ledger, {}, last),
        details=tuple(detail(ledger, name, {}, last) for name in names),
        by_hand=() if parents or of is not None else tuple(child(work) for work in ledger.by_hand()),
        about=_about(desk, session, len(names), last),
    )


def written(found: Report, folder: Path, form: str) -> list[Path]:
    """The files of one format."""
    if form == "html":
        from engine.research.report_page import page

        only = f"-{found.details[0].parent.id}" if len(found.details) == 1 else ""
        path = folder / f"costs{only}.html"
        path.write_text(page(found.overview, found.details, found.by_hand, found.about), encoding="utf-8")
        return [path]
    from engine.research.report_tables import tables, write_csv, write_parquet

    write = write_csv if form == "csv" else write_parquet
    return write(folder, tables(found.details, found.by_hand))


def line(row: m.CostRow) -> str:
    """One parent in a line: `P8 buy 9.5 of 10 BTC-27MAR26-80000-C, done: +1.20 ticks a contract (spread +0.80, …)`."""
    what = f"{row.id} {row.side} {row.filled:g} of {row.amount:g} {row.instrument}, {row.state}"
    if row.ticks is None:
        return f"{what}: nothing is known of its prices"
    terms = ", ".join(f"{name} {value:+.2f}" for name, value in row.ticks.items() if name != "total")
    return f"{what}: {row.ticks['total']:+.2f} ticks a contract ({terms})"


def _wanted(reader: JournalReader, session: str) -> set[str]:
    return {fact.id for fact in reader.facts(session=session) if isinstance(fact, m.ParentAccepted)}


def _about(desk: str, session: str, count: int, t: int) -> str:
    until = dt.datetime.fromtimestamp(t / 1e9, dt.UTC).strftime("%Y-%m-%d %H:%M:%S") if t else "its beginning"
    what = f"{count} parent{'' if count == 1 else 's'}"
    return ", ".join(filter(None, (what, desk, f"session {session}" if session else "", f"journal until {until} UTC")))
