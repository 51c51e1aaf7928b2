"""The surface's evaluation as one still picture: a real sweep's smiles, and what they are measured beside.

Drawn as the venue's picture is; a panel is a function of the table, or of one fitted expiry, alone.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from engine.domain import NS
from engine.research.intervals import Floats
from engine.research.picture import (
    COLUMNS,
    FONT,
    FOOT,
    GAP,
    GRID,
    GROUND,
    HEAD,
    LEFT,
    OURS,
    PANEL_H,
    PANEL_W,
    RIGHT,
    SOFT,
    TEXT,
    THEIRS,
    TOP,
    WIDTH,
    Panel,
    Scale,
    drawn,
    frame,
    text_at,
)

Table = dict[str, Any]

MISS, POINTS, EDGE = "#e0566f", 81, 0.04
NAMES, FIRST = 142, 10  # room for names of contenders; a first position that keeps hours on an even scale
TALLEST = 3.0  # a whisker counts for the frame up to so many times the range of the mids


class Drawn(NamedTuple):
    """One expiry of a sweep: quotes by log-moneyness, and the fit between them."""

    title: str
    k: Floats
    bid: Floats
    ask: Floats
    at: Floats  # the fit at the quotes
    line_k: Floats
    line: Floats


def picture(table: Table, smiles: Sequence[Drawn], when: int) -> str:
    """The whole page; `when`: the sweep's time, ns."""
    panels = [*(_smile(each) for each in smiles), *(list(drawn(make(table))) for make in PANELS), list(_peers(table))]
    height = TOP + math.ceil(len(panels) / COLUMNS) * (PANEL_H + GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
             f'height="{height}" font-family="{FONT}" font-size="11">',
             f'<rect width="{WIDTH}" height="{height}" fill="{GROUND}"/>', *_heading(table, when)]  # fmt: skip
    for n, panel in enumerate(panels):
        left, top = GAP + n % COLUMNS * (PANEL_W + GAP), TOP + n // COLUMNS * (PANEL_H + GAP)
        parts += [f'<g transform="translate({left},{top})">', *panel, "</g>"]
    return "\n".join([*parts, "</svg>\n"])


def _heading(table: Table, when: int) -> Iterator[str]:
    moment = dt.datetime.fromtimestamp(when / NS, dt.UTC)
    proof = table["proof"]
    yield text_at(GAP + 2, 28, "The volatility surface on real chains", TEXT, 18, weight=600)
    said = f"{proof['smiles']['proven']} of {sum(proof['smiles'].values())} smiles proven free of butterflies"
    pairs = proof["neighbours"]
    said += f", {pairs['proven']} of {sum(pairs.values())} pairs of neighbours free of crossings"
    yield text_at(GAP + 2, 50, f"{table['snapshots']} sweeps of April 2023: {said}", SOFT, 12)
    said = "bid to ask as whiskers, red where the fit is outside; IV in per cent against ln(strike / forward)"
    yield text_at(GAP + 2, 68, f"The smiles are of {moment:%Y-%m-%d %H:%M} UTC: {said}", SOFT, 12)
    for n, (name, colour) in enumerate((("ours", OURS), ("beside it", THEIRS))):
        x = WIDTH - 220 + 100 * n
        yield f'<line x1="{x}" x2="{x + 22}" y1="24" y2="24" stroke="{colour}" stroke-width="2.5"/>'
        yield text_at(x + 28, 28, name, TEXT, 12)


# ------------------------------------------------------------ a smile


def _smile(smile: Drawn) -> list[str]:
    mid = (smile.bid + smile.ask) / 2.0
    low, high = float(min(mid.min(), smile.line.min())), float(max(mid.max(), smile.line.max()))
    room = TALLEST * max(high - low, 0.02)
    low, high = max(float(smile.bid.min()), low - room), min(float(smile.ask.max()), high + room)
    pad = EDGE * (high - low)
    y = Scale(100 * (low - pad), 100 * (high + pad), PANEL_H - FOOT, HEAD, False)
    wide = EDGE * float(smile.line_k[-1] - smile.line_k[0])
    x = Scale(float(smile.line_k[0]) - wide, float(smile.line_k[-1]) + wide, LEFT, PANEL_W - RIGHT, False)
    inside = (smile.at >= smile.bid - 1e-4) & (smile.at <= smile.ask + 1e-4)
    said = f"{int(inside.sum())} of {len(inside)} quotes hold the fit"
    return [*frame(smile.title, said), *_grid(x, y), *_whiskers(smile, inside, x, y), _curve(smile, x, y)]


def _grid(x: Scale, y: Scale) -> Iterator[str]:
    for tick in y.ticks():
        yield f'<line x1="{LEFT}" x2="{PANEL_W - RIGHT}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="{GRID}"/>'
        yield text_at(LEFT - 5, y(tick) + 3.5, f"{tick:.4g}", SOFT, 10, "end")
    for tick in x.ticks():
        yield text_at(x(tick), PANEL_H - 17, f"{tick:.3g}" if abs(tick) > 1e-9 else "0", SOFT, 10, "middle")


def _whiskers(smile: Drawn, inside: np.ndarray, x: Scale, y: Scale) -> Iterator[str]:
    for k, bid, ask, held in zip(smile.k, smile.bid, smile.ask, inside, strict=True):
        top, bottom = (min(max(y(100 * v), HEAD), PANEL_H - FOOT) for v in (ask, bid))
        at = x(k)
        yield (f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{top:.1f}" y2="{max(bottom, top + 1):.1f}" '
               f'stroke="{THEIRS if held else MISS}" stroke-width="1.6"/>')  # fmt: skip


def _curve(smile: Drawn, x: Scale, y: Scale) -> str:
    points = " ".join(f"{x(k):.1f},{y(100 * iv):.1f}" for k, iv in zip(smile.line_k, smile.line, strict=True))
    return f'<polyline points="{points}" fill="none" stroke="{OURS}" stroke-width="1.4"/>'


# ------------------------------------------------------------ what it is measured beside


PLAIN = "orange: least squares"


def _widths(table: Table) -> Panel:
    rows = table["what_is_off"]["by_width"]
    names = [f"{row['up_to']:g}" for row in rows]
    ours, plain = ([row[f"{who}_vol_bp"] for row in rows] for who in ("ours", "scipy_lm"))
    said = f"vol bp; up to … vol points; {PLAIN}"
    return Panel("Off mid, by how wide the quotes are", said, names, None, ours, plain)


def _hours(table: Table) -> Panel:
    rows = table["what_is_off"]["by_hour"]
    ours, marks = ([row[f"{who}_vol_bp"] for row in rows] for who in ("ours", "marks"))
    names, x = [row["utc"][11:13] for row in rows], [float(n) for n in range(FIRST, FIRST + len(rows))]
    said = "vol bp; UTC; orange: the venue's own marks"
    return Panel("Off mid, hour by hour", said, names, x, ours, marks, log=True)


def _inside(table: Table) -> Panel:
    return _trade("Inside bid and ask", "%", table, "inside_bid_ask", 100.0)


def _off(table: Table) -> Panel:
    return _trade("… and off mid", "vol bp", table, "rmse_vol_bp", 1.0)


def _trade(title: str, unit: str, table: Table, name: str, times: float) -> Panel:
    rows = table["trade_off"]
    names = [f"{1 + row['missed']:g}" for row in rows]
    ours, plain = [times * row[name] for row in rows], [times * row["scipy_lm"][name] for row in rows]
    said = f"{unit}, a miss counting … times; {PLAIN}"
    return Panel(title, said, names, None, ours, plain, from_zero=False)


def _arbitrage(table: Table) -> Panel:
    ours, plain = table["proof"], table["peers"]["scipy_lm"]
    asked = ((ours["smiles"], plain["slices"]), (ours["neighbours"], plain["neighbours"]))
    shares = [[100 * each["refuted"] / max(sum(each.values()), 1) for each in pair] for pair in asked]
    names = ["smiles with butterflies", "pairs that cross"]
    return Panel("Arbitrage, decided on the whole line", f"% of all; {PLAIN}", names, None,
                 [share[0] for share in shares], [share[1] for share in shares])  # fmt: skip


PANELS = (_widths, _hours, _inside, _off, _arbitrage)


def _peers(table: Table) -> Iterator[str]:
    """The synthetic surface: a bar a contender, on a logarithm of the time."""
    row = table["synthetic"]
    ours = {"ours": row["ours"], **{f"ours, {name}": each for name, each in row["beside"].items()}}
    named = {**ours, **row["peers"]}
    times = [each["p50"] for each in named.values()]
    bar = Scale(min(times) / 2.0, max(times), 0.0, PANEL_W - NAMES - RIGHT, True)
    yield from frame("A known surface, 10 × 30 quotes", "ms · off the truth, vol bp · slices + pairs refuted")
    step = (PANEL_H - HEAD - 8) / len(named)
    for n, (name, each) in enumerate(named.items()):
        top, colour = HEAD + n * step, OURS if name in ours else THEIRS
        digits = 1 if each["p50"] < 100.0 else 0
        said = f"{each['p50']:.{digits}f} ms · {each['rmse_vol_bp']:.1f} · {each['butterfly']} + {each['calendar']}"
        yield (f'<rect x="{NAMES}" y="{top + 3:.1f}" width="{bar(each["p50"]):.1f}" height="{step - 6:.1f}" '
               f'fill="{colour}" fill-opacity="0.35"/>')  # fmt: skip
        yield text_at(NAMES - 6, top + step / 2 + 3, name, TEXT, 9.5, "end")
        yield text_at(NAMES + 5, top + step / 2 + 3, said, TEXT, 9.5)
