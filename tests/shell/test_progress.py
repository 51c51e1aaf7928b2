"""A bar on a terminal, lines elsewhere, and silence for what is quick."""

from __future__ import annotations

import io

from engine.shell.progress import Bar


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def drawn(out: io.StringIO, seconds: list[float]) -> str:
    """What a bar writes that hears the share seconds/20 at each of these seconds."""
    times = iter([0.0, *seconds])
    bar = Bar("work", out, lambda: next(times))
    for second in seconds:
        bar(second / 20)
    bar.end()
    return out.getvalue()


def test_what_ends_in_two_seconds_says_nothing() -> None:
    assert drawn(io.StringIO(), [0.5, 1.0, 1.9]) == ""
    assert drawn(Screen(), [0.5, 1.0, 1.9]) == ""


def test_lines_come_now_and_then() -> None:
    assert drawn(io.StringIO(), [1.0, 2.0, 3.0, 6.9, 7.0, 8.0, 20.0]) == "work: 10%\nwork: 35%\nwork: 100%\n"


def test_a_terminal_has_a_bar_that_is_cleared_away() -> None:
    text = drawn(Screen(), [2.0, 2.05, 10.0, 20.0])
    assert text.split("\r") == [
        "", "work [###...........................]  10%", "work [###############...............]  50%",
        "work [##############################] 100%", "\x1b[K",
    ]  # fmt: skip
