"""Reports made beside an engine: the file that the command wrote, several as a zip, its last word where it failed."""

from __future__ import annotations

import asyncio
import io
import sys
import zipfile
from pathlib import Path

from engine import messages as m
from engine.shell.reports import Reports, packed

WRITES = """
import pathlib, sys
words = sys.argv[1:]
folder = pathlib.Path(words[words.index("--to") + 1])
if "P9" in words:
    sys.exit("report: there is no parent P9 in the journal")
(folder / ("costs." + words[words.index("--format") + 1])).write_text(" ".join(words[:2]))
"""


def made(asked: m.AskCost, data: Path) -> m.Costed:
    return asyncio.run(Reports(data, "paper", [sys.executable, "-c", WRITES]).make(asked))


def test_the_command_makes_the_file(tmp_path: Path) -> None:
    found = made(m.AskCost(id="a", form="html", parents=("P8",)), tmp_path)
    assert (found.id, found.name, found.data, found.reason) == ("a", "costs.html", b"report P8", "")


def test_its_last_word_is_told_where_it_failed(tmp_path: Path) -> None:
    found = made(m.AskCost(id="a", form="csv", parents=("P9",)), tmp_path)
    assert (found.data, found.reason) == (b"", "report: there is no parent P9 in the journal")


def test_several_files_come_as_one(tmp_path: Path) -> None:
    for name in ("fills.csv", "parents.csv"):
        (tmp_path / name).write_text(name)
    name, data = packed(tmp_path)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert (name, archive.namelist(), archive.read("fills.csv")) == (
            "costs-csv.zip", ["fills.csv", "parents.csv"], b"fills.csv",
        )  # fmt: skip
