"""The venue's evaluation as one still picture: small multiples, ours beside the recordings, SVG without a browser.

A panel is a function of the table alone. Lines run where the horizontal axis is a quantity; where it is a list of
names they only guide the eye. What is not known is left out.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from html import escape
from typing import Any, NamedTuple

Table = dict[str, Any]
Values = list[float | None]

WIDTH, COLUMNS = 1320, 4
PANEL_W, PANEL_H, GAP, TOP = 318, 232, 10, 86
LEFT, RIGHT, HEAD, FOOT = 50, 14, 44, 34  # inside a panel
GROUND, PANEL, LINE, GRID, TEXT, SOFT = "#090c10", "#10151b", "#222c37", "#1a222b", "#dde5ee", "#93a1b1"
OURS, THEIRS = "#7fd4ff", "#f0904a"
FONT = "Inter, 'IBM Plex Sans', 'Segoe UI', system-ui, sans-serif"
AGES, NEAR = ("2d", "10d", "45d", "far"), ("5-15", "15-35", "35-65")


class Panel(NamedTuple):
    """`x` are positions where they are quantities, else None and `names` are set apart evenly."""

    title: str
    unit: str
    names: Sequence[str]
    x: Sequence[float] | None
    ours: Values
    theirs: Values
    log: bool = False
    bands: tuple[list[tuple[float, float]], list[tuple[float, float]]] | None = None
    from_zero: bool = True


def picture(table: Table) -> str:
    """The whole page."""
    panels = [make(table) for make in PANELS]
    rows = math.ceil(len(panels) / COLUMNS)
    height = TOP + rows * (PANEL_H + GAP)
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" '
             f'height="{height}" font-family="{FONT}" font-size="11">',
             f'<rect width="{WIDTH}" height="{height}" fill="{GROUND}"/>', *_heading(table)]  # fmt: skip
    for k, panel in enumerate(panels):
        left, top = GAP + k % COLUMNS * (PANEL_W + GAP), TOP + k // COLUMNS * (PANEL_H + GAP)
        parts += [f'<g transform="translate({left},{top})">', *drawn(panel), "</g>"]
    return "\n".join([*parts, "</svg>\n"])


def _heading(table: Table) -> Iterator[str]:
    both = table["predictability"]
    said = f"One-input predictability {both['paper']['gain']:.3f} nats"
    if both["recorded"]:
        said += f" (recorded {both['recorded']['gain']:.3f})"
    small = table["speed"].get("small")
    if small:
        said += f" · small list {small['times']:g} times real time"
    sessions = f"{len(table['seeds'])} sessions of {table['minutes']:g} minutes, {table['regime']} settings"
    yield text_at(GAP + 2, 28, "The paper market beside real ones", TEXT, 18, weight=600)
    yield text_at(GAP + 2, 50, f"{sessions}, hash {table['hash'][:12]}", SOFT, 12)
    yield text_at(GAP + 2, 68, said, SOFT, 12)
    for k, (name, colour) in enumerate((("paper venue", OURS), ("recorded", THEIRS))):
        x = WIDTH - 260 + 130 * k
        yield f'<line x1="{x}" x2="{x + 22}" y1="24" y2="24" stroke="{colour}" stroke-width="2.5"/>'
        yield text_at(x + 28, 28, name, TEXT, 12)


# ------------------------------------------------------------ which panels


def _fact(name: str, keys: Sequence[str] | None = None) -> Callable[[Table], tuple[list[str], Values, Values]]:
    def of(table: Table) -> tuple[list[str], Values, Values]:
        pair = table["facts"][name]
        ours, theirs = pair["ours"], pair["recorded"] or {}
        names = [key for key in (keys or ours) if key in ours or key in theirs]
        return names, [ours.get(key) for key in names], [theirs.get(key) for key in names]

    return of


def _named(
    title: str, unit: str, name: str, keys: Sequence[str], log: bool = False, zero: bool = True
) -> Callable[[Table], Panel]:
    def of(table: Table) -> Panel:
        names, ours, theirs = _fact(name, keys)(table)
        labels = [f"{100 - int(key[1:])} % above" if key[0] == "q" and key[1:].isdigit() else key for key in names]
        return Panel(title, unit, [_quantile(label) for label in labels], None, ours, theirs, log, None, zero)

    return of


def _quantile(label: str) -> str:
    return {"90 % above": "10 %", "50 % above": "half", "10 % above": "90 %", "1 % above": "99 %"}.get(label, label)


def _curve(title: str, unit: str, name: str) -> Callable[[Table], Panel]:
    def of(table: Table) -> Panel:
        names, ours, theirs = _fact(name)(table)
        kept = [k for k, key in enumerate(names) if _number(key) is not None]
        x = [float(names[k]) for k in kept]
        return Panel(title, unit, [names[k] for k in kept], x, [ours[k] for k in kept], [theirs[k] for k in kept])

    return of


def _predictability(table: Table) -> Panel:
    ours, theirs = table["predictability"]["paper"], table["predictability"]["recorded"]
    shares = list(ours["by_moving"])
    bands = tuple([(who["by_moving"][s]["low"], who["by_moving"][s]["high"]) for s in shares] if who else []
                  for who in (ours, theirs))  # fmt: skip
    values: list[Values] = [
        [who["by_moving"][s]["gain"] for s in shares] if who else [None] * len(shares) for who in (ours, theirs)
    ]
    names = [f"{100 * float(s):.0f} %" for s in shares]
    return Panel("What one input foretells", "nats, by share of moments called moves", names, None, values[0],
                 values[1], bands=(bands[0], bands[1]))  # fmt: skip


def _buckets(title: str, unit: str, name: str, log: bool = True) -> Callable[[Table], Panel]:
    def of(table: Table) -> Panel:
        names, ours, theirs = _fact(name, [f"{age}/{delta}" for age in AGES for delta in NEAR])(table)
        return Panel(title, unit, names, None, ours, theirs, log)

    return of


QUANTILES = ("q10", "q50", "q90", "q99")
PANELS: tuple[Callable[[Table], Panel], ...] = (
    _predictability,
    _curve("Depth by level", "USD, perpetual", "depth_usd"),
    _named("Spread", "ticks, perpetual", "spread_ticks", ("mean", *QUANTILES)),
    _curve("Price variance by sampling", "of 10 s = 1; by seconds", "volatility_signature"),
    _named("Between two trades", "seconds", "trade_gap_s", ("mean", *QUANTILES), log=True),
    _named("Size of a trade", "USD", "trade_usd", ("mean", *QUANTILES), log=True),
    _curve("Trade signs remember", "autocorrelation, by orders", "sign_autocorrelation"),
    _curve("Flow explains price", "R² of order-flow imbalance, by seconds", "ofi_r2"),
    _curve("After a trade", "bp in its direction, by seconds", "response_bp"),
    _buckets("Option spread", "vol points, by delta from … % and days to expiry", "option_spread_vol_points"),
    _buckets("Option size at the touch", "contracts, by delta from … % and days to expiry", "option_size"),
    _named("Options that stand still", "share of 1 s windows, by option", "option_unchanged_share",
           ("least", "mean", "median", "most")),
)  # fmt: skip


# ------------------------------------------------------------ drawing


class Scale(NamedTuple):
    low: float
    high: float
    begin: float
    end: float
    log: bool

    def __call__(self, value: float) -> float:
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return self.begin + (self.end - self.begin) * (at - low) / (high - low or 1.0)

    def ticks(self) -> list[float]:
        if self.log:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            every = max(1, math.ceil((last - first) / 4))
            parts = (1.0, 2.0, 5.0) if math.log10(self.high / self.low) < 2.0 else (1.0,)
            found = [10.0**k * part for k in range(first, last + 1, every) for part in parts]
            return [value for value in found if self.low <= value * 1.0001 and value <= self.high * 1.0001]
        step = _round((self.high - self.low) / 4.0)
        first = math.ceil(self.low / step - 1e-9)
        return [step * k for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def drawn(panel: Panel) -> Iterator[str]:
    yield from frame(panel.title, panel.unit)
    known = [v for v in (*panel.ours, *panel.theirs) if v is not None and (v > 0 or not panel.log)]
    if not known:
        yield text_at(PANEL_W / 2, PANEL_H / 2, "not known", SOFT, 11, "middle")
        return
    y = _vertical(panel, known)
    x = _horizontal(panel)
    yield from _axes(panel, x, y)
    for values, colour, place in ((panel.theirs, THEIRS, 1), (panel.ours, OURS, 0)):
        yield from _series(panel, values, colour, place, x, y)


def _vertical(panel: Panel, known: list[float]) -> Scale:
    reach = [edge for band in panel.bands or () for pair in band for edge in pair]
    low, high = min([*known, *reach]), max([*known, *reach])
    if panel.log:
        low, high = low / 1.3, high * 1.3
    else:
        low = min(low, 0.0) if panel.from_zero else low
        high += 0.06 * (high - low) or 1.0
        low -= 0.06 * (high - low) if low < 0.0 else 0.0
    return Scale(low, high, PANEL_H - FOOT, HEAD, panel.log)


def _horizontal(panel: Panel) -> list[float]:
    begin, end = LEFT + 6.0, PANEL_W - RIGHT - 6.0
    if panel.x is None:
        step = (end - begin) / max(len(panel.names), 1)
        return [begin + step * (k + 0.5) for k in range(len(panel.names))]
    spread = Scale(min(panel.x), max(panel.x), begin, end, max(panel.x) / min(panel.x) >= 8.0)
    return [spread(value) for value in panel.x]


def _axes(panel: Panel, x: list[float], y: Scale) -> Iterator[str]:
    for tick in y.ticks():
        at = y(tick)
        yield f'<line x1="{LEFT}" x2="{PANEL_W - RIGHT}" y1="{at:.1f}" y2="{at:.1f}" stroke="{GRID}"/>'
        yield text_at(LEFT - 5, at + 3.5, _short(tick), SOFT, 10, "end")
    crowded = len(panel.names) > 6 and panel.x is None
    last = -math.inf
    for name, at in zip(panel.names, x, strict=True):
        if crowded:
            yield text_at(at, PANEL_H - 17, name.partition("/")[2].partition("-")[0] or name, SOFT, 9.5, "middle")
        elif at - last >= 22:
            yield text_at(at, PANEL_H - 17, name, SOFT, 10, "middle")
            last = at
    if crowded:
        for age in dict.fromkeys(name.partition("/")[0] for name in panel.names):
            places = [at for name, at in zip(panel.names, x, strict=True) if name.partition("/")[0] == age]
            yield text_at(sum(places) / len(places), PANEL_H - 5, age, SOFT, 9.5, "middle")


def _series(panel: Panel, values: Values, colour: str, place: int, x: list[float], y: Scale) -> Iterator[str]:
    aside = (place - 0.5) * (6.0 if panel.bands else 0.0)
    points = [(at + aside, y(v), k) for k, (at, v) in enumerate(zip(x, values, strict=True))
              if v is not None and (v > 0 or not panel.log)]  # fmt: skip
    groups: dict[str, list[str]] = {}
    for at, height, k in points:
        group = panel.names[k].partition("/")[0] if panel.x is None and "/" in panel.names[k] else ""
        groups.setdefault(group, []).append(f"{at:.1f},{height:.1f}")
    faint = "" if panel.x is not None else ' stroke-opacity="0.45"'
    for line in groups.values():
        yield f'<polyline points="{" ".join(line)}" fill="none" stroke="{colour}" stroke-width="1.6"{faint}/>'
    for at, height, k in points:
        if panel.bands and panel.bands[place]:
            low, high = panel.bands[place][k]
            yield (f'<line x1="{at:.1f}" x2="{at:.1f}" y1="{y(low):.1f}" y2="{y(high):.1f}" stroke="{colour}" '
                   f'stroke-width="1.4" stroke-opacity="0.7"/>')  # fmt: skip
        yield f'<circle cx="{at:.1f}" cy="{height:.1f}" r="2.8" fill="{colour}"/>'


def frame(title: str, unit: str, width: float = PANEL_W, height: float = PANEL_H) -> Iterator[str]:
    """A panel with nothing in it yet."""
    yield f'<rect width="{width:g}" height="{height:g}" rx="4" fill="{PANEL}" stroke="{LINE}"/>'
    yield text_at(12, 18, title, TEXT, 12.5, weight=600)
    yield text_at(12, 33, unit, SOFT, 10.5)


def text_at(x: float, y: float, said: str, colour: str, size: float, anchor: str = "start", weight: int = 400) -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" font-size="{size:g}" text-anchor="{anchor}" '
            f'font-weight="{weight}">{escape(said)}</text>')  # fmt: skip


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _round(wanted: float) -> float:
    power = 10.0 ** math.floor(math.log10(wanted))
    return next(power * m for m in (1.0, 2.0, 5.0, 10.0) if power * m >= wanted * 0.999)


def _short(value: float) -> str:
    for size, letter in ((1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g} {letter}"
    return f"{value:.3g}"
