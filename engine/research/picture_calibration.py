"""Whether probabilities come true: the curve of each direction, and the thresholds at which the policy asks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from engine.research.picture import GRID, HEAD, LEFT, RIGHT, SOFT, TEXT, Scale, frame, text_at
from engine.research.picture_strips import Box, whisker

Table = dict[str, Any]
Curves = dict[str, list[tuple[float, float, int]]]

CLASSES = {"up": "#3fcf9f", "down": "#e3a1d2", "stable": "#dde5ee"}
FEWEST = 50  # moments of a tenth that is drawn
ABOVE, UNDER, LINE = 26, 60, 16  # the square: for the classes' names, for the axis, for each threshold's words


def curves(direction: Table) -> Curves:
    """By class, the tenths with moments enough: (said, came true, how many)."""
    found = direction.get("reliability") or {}
    kept = {name: [tenth for tenth in found.get(name, ()) if tenth[2] >= FEWEST] for name in CLASSES}
    return {name: bins for name, bins in kept.items() if bins}


def calibration(direction: Table, width: float) -> Box | None:
    """None where the table knows no curve."""
    found, thresholds = curves(direction), direction["at_threshold"]
    side = width - LEFT - RIGHT - 10.0
    height = HEAD + ABOVE + side + UNDER + LINE * len(thresholds)
    return Box(width, height, lambda high: _square(found, thresholds, side, width, high)) if found else None


def _square(found: Curves, thresholds: Sequence[Table], side: float, width: float, height: float) -> Iterator[str]:
    bottom = HEAD + ABOVE + side
    x, y = Scale(0.0, 1.0, LEFT, LEFT + side, False), Scale(0.0, 1.0, bottom, bottom - side, False)
    yield from frame("Does it come true?", "share that came true, by the probability that was said", width, height)
    yield from _paper(x, y)
    yield from _asking(thresholds, x, y)
    for name, bins in found.items():
        points = " ".join(f"{x(p):.1f},{y(came):.1f}" for p, came, _ in bins)
        yield f'<polyline points="{points}" fill="none" stroke="{CLASSES[name]}" stroke-opacity="0.5"/>'
        for p, came, _ in bins:
            yield _shape(name, x(p), y(came))
    for n, name in enumerate(CLASSES):
        yield _shape(name, LEFT + 8 + 84 * n, HEAD + 8)
        yield text_at(LEFT + 18 + 84 * n, HEAD + 12, name, TEXT, 11.5)
    yield text_at(12, bottom + 42, "where the policy asks: said → came true [interval]", SOFT, 10.5)
    for n, row in enumerate(thresholds):
        yield from _threshold(row, x, y, bottom + 60 + LINE * n)


def _paper(x: Scale, y: Scale) -> Iterator[str]:
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        yield f'<line x1="{x(0):.1f}" x2="{x(1):.1f}" y1="{y(tick):.1f}" y2="{y(tick):.1f}" stroke="{GRID}"/>'
        yield text_at(LEFT - 6, y(tick) + 4, f"{100 * tick:.0f} %", SOFT, 10.5, "end")
        yield text_at(x(tick), y(0) + 15, f"{100 * tick:.0f} %", SOFT, 10.5, "middle")
    yield (f'<line x1="{x(0):.1f}" x2="{x(1):.1f}" y1="{y(0):.1f}" y2="{y(1):.1f}" stroke="{SOFT}" '
           f'stroke-dasharray="6 4"/>')  # fmt: skip


def _asking(thresholds: Sequence[Table], x: Scale, y: Scale) -> Iterator[str]:
    """What the policy asks for, as upright lines with the classes that are asked about."""
    levels = list(dict.fromkeys(row["threshold"] for row in thresholds))
    for level in levels:
        names = ", ".join(row["head"] for row in thresholds if row["threshold"] == level)
        yield (f'<line x1="{x(level):.1f}" x2="{x(level):.1f}" y1="{y(0):.1f}" y2="{y(1):.1f}" '
               f'stroke="{TEXT}" stroke-dasharray="2 4" stroke-opacity="0.7"/>')  # fmt: skip
        first = level == min(levels)
        yield text_at(x(level) + (-5 if first else 5), y(0) - 7, names, SOFT, 10.5, "end" if first else "start")


def _threshold(row: Table, x: Scale, y: Scale, at: float) -> Iterator[str]:
    """A line of words; and the interval, where there is one."""
    said, came, name = row["mean_forecast"], row["realised"], row["head"]
    begin = f"{name} ≥ {100 * row['threshold']:.0f} %: "
    if said is None or came is None:
        yield text_at(12, at, f"{begin}never said", TEXT, 11)
        return
    words = f"{begin}{100 * said:.1f} → {100 * came:.1f} %"
    if row["lo"] is not None:
        yield whisker((x(said), y(row["lo"])), (x(said), y(row["hi"])), CLASSES[name])
        words += f" [{100 * row['lo']:.1f}, {100 * row['hi']:.1f}]"
    yield text_at(12, at, f"{words}, n {row['n']:,}", TEXT, 11)


def _shape(name: str, x: float, y: float) -> str:
    """Told apart by shape as well as by colour."""
    colour, way = CLASSES[name], {"up": -1, "down": 1}.get(name)
    if way is None:
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.6" fill="{colour}"/>'
    points = " ".join(f"{x + dx:.1f},{y + way * dy:.1f}" for dx, dy in ((-4.6, -3.4), (4.6, -3.4), (0, 4.8)))
    return f'<polygon points="{points}" fill="{colour}"/>'
