"""Dots with whiskers, a row each, on one axis: what is compared reads down, and its name stands beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Literal, NamedTuple

from engine.research.picture import GRID, HEAD, OURS, RIGHT, SOFT, TEXT, THEIRS, Scale, frame, text_at

Band = tuple[float, float]
Mark = Literal["ours", "theirs", "told"]

COLOURS: dict[Mark, str] = {"ours": OURS, "theirs": THEIRS, "told": TEXT}
BOTTOM, INDENT = 26, 12  # under the rows for the axis; before a name
REACH = 1.0  # a whisker widens the axis by at most so many times the range of the dots


class Row(NamedTuple):
    """`said` is written at its right."""

    name: str
    value: float
    band: Band | None
    mark: Mark
    said: str = ""


class Group(NamedTuple):
    """Rows under a heading of their own, if any; `line` is where the dashed line through them stands, and whose it
    is. The model's name stands out where others are among them."""

    head: str
    rows: Sequence[Row]
    line: float | None = None
    whose: Mark = "ours"

    @property
    def mixed(self) -> bool:
        return len({row.mark for row in self.rows}) > 1


class Strip(NamedTuple):
    """`names` and `figures` are the room for words at the left and the right, `step` the height of a row."""

    title: str
    unit: str
    groups: Sequence[Group]
    low: float
    high: float
    names: float
    figures: float
    step: float
    percent: bool = False


class Box(NamedTuple):
    """A panel that can be drawn at least this high."""

    width: float
    height: float
    draw: Callable[[float], Iterator[str]]


def placed(lines: Sequence[Sequence[Box | None]], top: float, gap: float) -> tuple[list[str], float]:
    """Lines of panels under each other, those of a line as high as its highest; and where they end."""
    out: list[str] = []
    for boxes in ([box for box in line if box is not None] for line in lines):
        left, height = gap, max((box.height for box in boxes), default=-gap)
        for box in boxes:
            out += [f'<g transform="translate({left:g},{top:g})">', *box.draw(height), "</g>"]
            left += box.width + gap
        top += height + gap
    return out, top


def extent(groups: Sequence[Group], keep: Sequence[float] = ()) -> tuple[float, float]:
    """An axis that holds every dot, what is to be kept on it, and whiskers as far as they are not out of all range."""
    dots = [row.value for group in groups for row in group.rows] + list(keep)
    ends = [end for group in groups for row in group.rows for end in row.band or ()]
    low, high = min(dots), max(dots)
    room = REACH * (high - low)
    low, high = max(min([low, *ends]), low - room), min(max([high, *ends]), high + room)
    edge = 0.04 * (high - low) or 0.01
    return low - edge, high + edge


def boxed(strip: Strip, width: float) -> Box:
    rows = sum(len(group.rows) + bool(group.head) for group in strip.groups)
    return Box(width, HEAD + strip.step * rows + BOTTOM, lambda height: _drawn(strip, width, height))


def _drawn(strip: Strip, width: float, height: float) -> Iterator[str]:
    x = Scale(strip.low, strip.high, strip.names, width - RIGHT - strip.figures, False)
    bottom = height - BOTTOM
    yield from frame(strip.title, strip.unit, width, height)
    for tick in x.ticks():
        said = f"{100 * tick:.0f} %" if strip.percent else f"{tick:.3g}"
        yield f'<line x1="{x(tick):.1f}" x2="{x(tick):.1f}" y1="{HEAD}" y2="{bottom:.1f}" stroke="{GRID}"/>'
        yield text_at(x(tick), bottom + 15, said, SOFT, 10.5, "middle")
    count = sum(len(group.rows) + bool(group.head) for group in strip.groups)
    step, at = (bottom - HEAD) / count, float(HEAD)
    for group in strip.groups:
        if group.head:
            yield text_at(INDENT, at + step / 2 + 4, group.head, SOFT, 11)
            at += step
        end = at + step * len(group.rows)
        if group.line is not None:
            yield (f'<line x1="{x(group.line):.1f}" x2="{x(group.line):.1f}" y1="{at + 2:.1f}" y2="{end - 2:.1f}" '
                   f'stroke="{COLOURS[group.whose]}" stroke-dasharray="3 3" stroke-opacity="0.8"/>')  # fmt: skip
        for row in group.rows:
            yield from _row(strip, row, x, at + step / 2, width, row.mark == "ours" and group.mixed)
            at += step


def _row(strip: Strip, row: Row, x: Scale, y: float, width: float, bold: bool) -> Iterator[str]:
    colour = COLOURS[row.mark]
    yield text_at(INDENT, y + 4, row.name, colour if bold else TEXT, 11.5, weight=600 if bold else 400)
    if row.said:
        yield text_at(width - RIGHT, y + 4, row.said, TEXT, 11, "end")
    if row.value > strip.high:
        yield text_at(x(strip.high), y + 4, f"{row.value:.2f} →", colour, 10.5, "end")
        return
    if row.band is not None:
        low, high = (min(max(end, strip.low), strip.high) for end in row.band)
        yield whisker((x(low), y), (x(high), y), colour)
    yield marked(x(row.value), y, row.mark)


def whisker(begin: tuple[float, float], end: tuple[float, float], colour: str) -> str:
    return (f'<line x1="{begin[0]:.1f}" y1="{begin[1]:.1f}" x2="{end[0]:.1f}" y2="{end[1]:.1f}" stroke="{colour}" '
            f'stroke-width="1.6" stroke-opacity="0.75"/>')  # fmt: skip


def marked(x: float, y: float, mark: Mark) -> str:
    """Told apart by shape as well as by colour."""
    colour = COLOURS[mark]
    if mark == "ours":
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.6" fill="{colour}"/>'
    if mark == "theirs":
        return f'<rect x="{x - 3.4:.1f}" y="{y - 3.4:.1f}" width="6.8" height="6.8" fill="{colour}"/>'
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in ((0, -5), (5, 0), (0, 5), (-5, 0)))
    return f'<polygon points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
