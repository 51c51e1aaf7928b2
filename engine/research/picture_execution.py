"""The evaluation of execution as one still picture, drawn from its table alone.

What Adaptive costs beyond TWAP, regime by regime; the other algorithms beside it, pooled; where each one's cost sits,
in parts whose sum it is. A whisker is the interval by seed: clear of the dashed line, the difference is one that can
be told.
"""

from __future__ import annotations

import textwrap
from typing import Any

from engine.research.picture import FONT, GAP, GROUND, SOFT, TEXT, text_at
from engine.research.picture_strips import Box, Group, Mark, Row, Strip, boxed, extent, placed

Table = dict[str, Any]

WIDTH, LETTERS = 900, 122
HALF = (WIDTH - 3 * GAP) / 2
NAMES, FIGURES, STEP = 132.0, 62.0, 21.0
NAMED = {
    "adaptive": "Adaptive", "twap": "TWAP", "vwap": "VWAP", "pov": "POV", "almgren_chriss": "Almgren–Chriss",
    "cross_at_once": "cross at once", "adaptive_no_forecasts": "no forecasts",
}  # fmt: skip
OURS = "adaptive"
PARTS = (("edge", "paid over the micro-price"), ("timing", "its move since arrival"), ("unfilled", "what is unfilled"))


def picture(table: Table) -> str:
    """The whole page. Raises ValueError for a table without any run."""
    if not table["pooled"]:
        raise ValueError("there is nothing to draw: no parent was worked")
    heading = textwrap.wrap(_said(table), LETTERS)
    body, bottom = placed([[_regimes(table), _others(table)], [_parts(table)]], 44.0 + 17.0 * len(heading), GAP)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {bottom:g}" width="{WIDTH}" height="{bottom:g}" '
        f'font-family="{FONT}" font-size="11">',
        f'<rect width="{WIDTH}" height="{bottom:g}" fill="{GROUND}"/>',
        text_at(GAP + 2, 28, "What execution costs", TEXT, 18, weight=600),
        *(text_at(GAP + 2, 49 + 17 * n, line, SOFT, 12) for n, line in enumerate(heading)), *body, "</svg>\n",
    ])  # fmt: skip


def _said(table: Table) -> str:
    return (
        f"{table['data']}; {table['seeds']} of them; {table['model']}. Ticks a contract of the parent, unfilled ones "
        "at what taking them at the end costs: lower is better. Whiskers are 95 % intervals by seed."
    )


def _regimes(table: Table) -> Box | None:
    """Adaptive beyond TWAP."""
    every = [*table["regimes"].items(), ("pooled", table["pooled"])]
    rows = [_beyond(name, algorithms[OURS], "ours") for name, algorithms in every if OURS in algorithms]
    return _strip("Adaptive beyond TWAP", "ticks", [Group("", [row for row in rows if row], 0.0, "theirs")])


def _others(table: Table) -> Box | None:
    rows = [_beyond(NAMED[name], row, _mark(name)) for name, row in table["pooled"].items() if name != "twap"]
    return _strip("Each beyond TWAP, pooled", "ticks", [Group("", [row for row in rows if row], 0.0, "theirs")])


def _beyond(name: str, row: Table, mark: Mark) -> Row | None:
    beside = row["vs_twap"]
    if beside["mean"] is None:
        return None
    band = None if beside["lo"] is None else (beside["lo"], beside["hi"])
    share = "" if beside["share"] is None else f"{beside['share']:+.0%}"
    return Row(name, beside["mean"], band, mark, f"{share}  n {row['n']}")


def _parts(table: Table) -> Box | None:
    """Where the cost sits."""
    groups = []
    for name, row in table["pooled"].items():
        parts = [Row(said, row["cost"][part], None, _mark(name), f"{row['cost'][part]:+.2f}") for part, said in PARTS]
        groups.append(Group(f"{NAMED[name]}: {row['shortfall_ticks']:+.2f} ticks", parts, 0.0, "told"))
    return _strip("Where the cost sits, pooled", "ticks", groups, WIDTH - 2 * GAP)


def _strip(title: str, unit: str, groups: list[Group], width: float = HALF) -> Box | None:
    groups = [group for group in groups if group.rows]
    if not groups:
        return None
    low, high = extent(groups, (0.0,))
    names = NAMES if width == HALF else 2 * NAMES
    return boxed(Strip(title, unit, groups, low, high, names, FIGURES + 20.0, STEP), width)


def _mark(name: str) -> Mark:
    return "ours" if name.startswith(OURS) else "theirs"
