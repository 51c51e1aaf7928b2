"""A parent's cost as two pictures, SVG: where the shortfall went, and its prices and fills over time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence

from engine import messages as m
from engine.domain import Side
from engine.execution.cost import TERMS
from engine.research.picture import FONT, GRID, HEAD, LINE, OURS, SOFT, TEXT, THEIRS, Scale, frame, text_at

Draw = Iterator[str]
WIDE, HIGH = 560, 300
NAMES, FIGURES = 96, 62  # room for words at both sides of the waterfall
PAID, EARNED, WHOLE = THEIRS, OURS, "#dde5ee"
SMALLEST = 0.005  # what is shorter than this many ticks is drawn as a line


def signed(value: float, digits: int = 2) -> str:
    """`+1.20`, `−0.35`, and plain `0.00` for what rounds to it."""
    said = f"{value:+,.{digits}f}".replace("-", "−")
    return said if said.strip("+−0.,") else said[1:]


def svg(width: float, height: float, label: str, parts: Draw) -> str:
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" font-family="{FONT}" font-size="11" role="img" aria-label="{label}">',
        *parts, "</svg>",
    ])  # fmt: skip


def waterfall(row: m.CostRow) -> str:
    """Each term from where the one before ended, what costs to the right; the whole at the foot."""
    return svg(WIDE, HIGH, "shortfall by term", _waterfall(row))


def _waterfall(row: m.CostRow) -> Draw:
    yield from frame("Shortfall", "ticks for each contract of the order; a cost goes to the right", WIDE, HIGH)
    if row.ticks is None:
        yield text_at(WIDE / 2, HIGH / 2, "nothing is known of its prices", SOFT, 12, "middle")
        return
    ends, at = [0.0], 0.0
    for term in TERMS:
        at += row.ticks[term]
        ends.append(at)
    x = Scale(*_room([*ends, 0.0]), NAMES, WIDE - FIGURES, False)
    step = (HIGH - HEAD - 30) / (len(TERMS) + 1)
    yield from _uprights(x, HEAD, HIGH - 26, lambda value: f"{value:g}".replace("-", "−"))
    yield f'<line x1="{x(0):.1f}" x2="{x(0):.1f}" y1="{HEAD}" y2="{HIGH - 26}" stroke="{SOFT}" stroke-opacity="0.7"/>'
    for k, term in enumerate(TERMS):
        y, value = HEAD + step * k, row.ticks[term]
        yield from _bar(x, y, step, ends[k], ends[k + 1], PAID if value > 0 else EARNED)
        unknown = row.unknown.get(term, 0.0)
        said = signed(value) if unknown < 1.0 else "unknown"
        yield text_at(12, y + step / 2 + 4, term, TEXT if unknown < 1.0 else SOFT, 11.5)
        yield text_at(WIDE - 12, y + step / 2 + 4, said, SOFT if unknown else TEXT, 11.5, "end")
    y = HEAD + step * len(TERMS)
    yield f'<line x1="12" x2="{WIDE - 12}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LINE}"/>'
    yield from _bar(x, y, step, 0.0, row.ticks["total"], WHOLE)
    yield text_at(12, y + step / 2 + 4, "shortfall", TEXT, 11.5, weight=600)
    yield text_at(WIDE - 12, y + step / 2 + 4, signed(row.ticks["total"]), TEXT, 11.5, "end", weight=600)


def _bar(x: Scale, y: float, step: float, begin: float, end: float, colour: str) -> Draw:
    left, right = sorted((x(begin), x(end)))
    if abs(end - begin) < SMALLEST:
        yield f'<line x1="{left:.1f}" x2="{left:.1f}" y1="{y + 5:.1f}" y2="{y + step - 4:.1f}" stroke="{SOFT}"/>'
        return
    yield (f'<rect x="{left:.1f}" y="{y + 5:.1f}" width="{right - left:.1f}" height="{step - 9:.1f}" rx="1.5" '
           f'fill="{colour}" fill-opacity="0.85"/>')  # fmt: skip


def course(found: m.CostDetail) -> str:
    """The market's bid, ask and micro-price while the parent lived, its fills on them, what was done against the
    schedule under them."""
    return svg(WIDE, HIGH, "prices and fills over time", _course(found))


def _course(found: m.CostDetail) -> Draw:
    row, points = found.parent, found.points
    unit = "market (band: bid to ask, line: micro-price) · fills: circles took, squares rested"
    yield from frame("Prices and fills", unit, WIDE, HIGH)
    if len(points) < 2:
        yield text_at(WIDE / 2, HIGH / 2, "the market was not kept while it lived", SOFT, 12, "middle")
        return
    times = [*(p.t_ms for p in points), *(f.t_ms for f in found.fills)]
    prices = [*(p.bid for p in points), *(p.ask for p in points), *(f.price for f in found.fills)]
    x = Scale(min(times), max(times), 58, WIDE - 14, False)
    y = Scale(*_room(prices), HIGH - 96, HEAD + 4, False)
    yield from _levels(y, 58, WIDE - 14, row.digits)
    yield from _clock(x, HEAD, HIGH - 26)
    above = [(x(p.t_ms), y(p.ask)) for p in points]
    below = [(x(p.t_ms), y(p.bid)) for p in reversed(points)]
    yield f'<polygon points="{_path([*above, *below])}" fill="{SOFT}" fill-opacity="0.16"/>'
    yield _line([(x(p.t_ms), y(p.micro)) for p in points], TEXT, 1.3)
    if row.arrival is not None and y.low <= row.arrival <= y.high:
        yield (f'<line x1="58" x2="{WIDE - 14}" y1="{y(row.arrival):.1f}" y2="{y(row.arrival):.1f}" stroke="{SOFT}" '
               f'stroke-dasharray="3 3"/>')  # fmt: skip
    colour = "#56a8e6" if row.side is Side.BUY else "#f0904a"
    for fill in found.fills:
        yield _fill(x(fill.t_ms), y(fill.price), fill.maker, colour)
    yield from _done(found, x, colour)


def _fill(x: float, y: float, maker: bool, colour: str) -> str:
    if maker:
        return f'<rect x="{x - 3.2:.1f}" y="{y - 3.2:.1f}" width="6.4" height="6.4" fill="{colour}" stroke="#090c10"/>'
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.8" fill="{colour}" stroke="#090c10"/>'


def _done(found: m.CostDetail, x: Scale, colour: str) -> Draw:
    """Lots done, a staircase, and what the schedule had planned, dashed."""
    top, bottom, whole = HIGH - 84.0, HIGH - 30.0, found.parent.amount or 1.0
    y = Scale(0.0, whole, bottom, top, False)
    steps, done = [(x.begin, y(0.0))], 0.0
    for fill in sorted(found.fills, key=lambda one: one.t_ms):
        steps.append((x(fill.t_ms), y(done)))
        done += fill.amount
        steps.append((x(fill.t_ms), y(done)))
    steps.append((x.end, y(done)))
    yield text_at(12, top + 10, f"{whole:g}", SOFT, 10.5)
    yield text_at(12, bottom, "done", SOFT, 10.5)
    yield f'<line x1="{x.begin}" x2="{x.end}" y1="{bottom}" y2="{bottom}" stroke="{GRID}"/>'
    planned = [(x(p.t_ms), y(min(p.due, whole))) for p in found.points if p.due is not None]
    if len(planned) > 1:
        yield _line(planned, SOFT, 1.2, ' stroke-dasharray="3 3"')
    yield _line(steps, colour, 1.6)


def _room(values: Sequence[float]) -> tuple[float, float]:
    low, high = min(values), max(values)
    edge = 0.06 * (high - low) or abs(high) * 0.01 or 1.0
    return low - edge, high + edge


def _uprights(x: Scale, top: float, bottom: float, say: Callable[[float], str]) -> Draw:
    for tick in x.ticks():
        yield f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{top}" y2="{bottom}" stroke="{GRID}"/>'
        yield text_at(x(tick), bottom + 15, say(round(tick, 9)), SOFT, 10.5, "middle")


def _clock(x: Scale, top: float, bottom: float) -> Draw:
    for k in range(5):
        t = x.low + (x.high - x.low) * k / 4
        at = dt.datetime.fromtimestamp(t / 1000, dt.UTC)
        anchor = "start" if k == 0 else "end" if k == 4 else "middle"
        yield f'<line x1="{x(t):.1f}" x2="{x(t):.1f}" y1="{top}" y2="{bottom}" stroke="{GRID}"/>'
        yield text_at(x(t), bottom + 15, f"{at:%H:%M:%S}", SOFT, 10.5, anchor)


def _levels(y: Scale, left: float, right: float, digits: int) -> Draw:
    for tick in y.ticks():
        yield f'<line x1="{left}" x2="{right}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="{GRID}"/>'
        yield text_at(left - 6, y(tick) + 4, f"{tick:.{digits + 1}f}", SOFT, 10.5, "end")


def _path(points: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)


def _line(points: Sequence[tuple[float, float]], colour: str, width: float, more: str = "") -> str:
    return f'<polyline points="{_path(points)}" fill="none" stroke="{colour}" stroke-width="{width}"{more}/>'
