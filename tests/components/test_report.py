"""The Costs page's own answers: figures to draw, files to keep, a sentence where there are none."""

from __future__ import annotations

import json

import pytest

from components import report
from engine.messages import Costed


@pytest.mark.parametrize(
    ("name", "media", "kept"),
    [
        ("P8.json", "application/json", False),
        ("costs-P8.html", "text/html; charset=utf-8", True),
        ("costs-csv.zip", "application/zip", True),
        ("parents.parquet", "application/octet-stream", True),
    ],
)
def test_a_file_is_kept_and_figures_are_drawn(name: str, media: str, kept: bool) -> None:
    answer = report.answered(Costed(name=name, data=b"x"))
    assert (answer.body, answer.headers["content-type"]) == (b"x", media)
    assert ("content-disposition" in answer.headers) is kept


def test_where_there_is_none_a_sentence_says_why() -> None:
    answer = report.answered(Costed(reason="there is no parent P9"))
    assert (answer.status_code, json.loads(bytes(answer.body))) == (404, {"reason": "there is no parent P9"})


def test_the_page_has_a_place_for_all_that_its_scripts_fill() -> None:
    text = str(report.layout())
    for name in ("table", "foot", "note", "waterfall", "benchmarks", "files", "course", "fills", "all", "rule"):
        assert f"costs-{name}" in text
