"""The forecasts' evaluation as one still picture, drawn from its table alone.

Direction beside its rivals, all together and regime by regime; whether probabilities come true; the other heads beside
their baselines; how much of what an oracle knows is known. What the table does not have is left out, and said below.

A whisker at a rival is the interval of its distance to the model: clear of the model's dashed line, the difference is
one that can be told. The oracle is asked at few moments, so it stands beside the others as they do at those moments.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from engine.research.picture import FONT, GAP, GROUND, SOFT, TEXT, text_at
from engine.research.picture_calibration import calibration, curves
from engine.research.picture_strips import Band, Box, Group, Mark, Row, Strip, boxed, extent, marked, placed

Table = dict[str, Any]
Values = Mapping[str, float | None]

WIDTH, WIDE, COLUMNS, LETTERS = 900, 536, 4, 122  # of the page, of its left panels; letters of a line of words
NARROW, SMALL = WIDTH - 3 * GAP - WIDE, (WIDTH - (COLUMNS + 1) * GAP) / COLUMNS
NAMED = {
    "base": "base rate", "base_here": "this market's base rate", "past_only": "past only", "single": "one input",
    "single_here": "one input, this market", "logistic": "logistic", "boosting": "boosting", "deeplob": "DeepLOB",
    "transformer": "transformer", "lstm": "LSTM", "hidden_state": "told what is hidden", "oracle": "oracle",
}  # fmt: skip
ALWAYS = ("base", "past_only", "logistic", "boosting", "deeplob", "transformer")  # rivals that are missed
TOLD = ("hidden_state", "oracle")  # who knows what no trader sees
HEADS = (
    ("direction_10", "log_loss", "base", "direction, 10 s", "base rate"),
    ("direction_60", "log_loss", "base", "direction, 60 s", "base rate"),
    ("slippage", "pinball", "book", "slippage", "book as it stands"),
    ("volatility", "pinball", "persistence", "volatility, 60 s", "persistence"),
    ("fill", "log_loss", "base", "fill, 5 s", "base rate"),
    ("impact", "huber", "base", "impact, 5 s", "what is usual"),
    ("spread", "squared_log", "persistence", "spread, 10 s", "persistence"),
)  # fmt: skip
ROUNDING = 1e-6  # of a loss: a head that is not trusted says what its baseline says, but for this
MOST = 1.5  # times the base rate's loss: what is worse is written at the edge


def picture(table: Table) -> str:
    """The whole page."""
    heading = textwrap.wrap(_said(table), LETTERS)
    lines = [
        [_direction(table), calibration(table["direction"], NARROW)],
        *_regimes(table),
        [_heads(table), _closed(table)],
    ]
    body, bottom = placed(lines, 44.0 + 17.0 * len(heading), GAP)
    notes = [line for note in _notes(table) for line in textwrap.wrap(note, LETTERS)]
    height = bottom + 16.0 * len(notes) + (GAP if notes else 0)
    return "\n".join([
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" width="{WIDTH}" height="{height:g}" '
        f'font-family="{FONT}" font-size="11">',
        f'<rect width="{WIDTH}" height="{height:g}" fill="{GROUND}"/>',
        text_at(GAP + 2, 28, "Forecasts beside their rivals", TEXT, 18, weight=600), *_legend(),
        *(text_at(GAP + 2, 49 + 17 * n, line, SOFT, 12) for n, line in enumerate(heading)), *body,
        *(text_at(GAP + 2, bottom + 10 + 16 * n, line, SOFT, 11.5) for n, line in enumerate(notes)), "</svg>\n",
    ])  # fmt: skip


def _said(table: Table) -> str:
    stand_in = "Recordings, a stand-in: " if table.get("stand_in") else ""
    weights = table["weights"] if isinstance(table["weights"], str) else ", ".join(table["weights"].values())
    return (
        f"{stand_in}{table['data']}; {table['n']:,} moments; {weights}. Losses: lower is better. Whiskers are "
        f"{_level(table)} % intervals; a rival's is of its distance to the model, which is the dashed line."
    )


def _notes(table: Table) -> list[str]:
    """Of recordings only that they are a stand-in: the rest of theirs says the table once more."""
    notes = table.get("notes") or []
    return [_missing(table), *(notes[:1] if table.get("stand_in") else notes)]


def _legend() -> Iterator[str]:
    names: tuple[tuple[Mark, str, int], ...] = (
        ("ours", "model", 0), ("theirs", "rivals", 68), ("told", "knows what no trader sees", 132),
    )  # fmt: skip
    for mark, name, along in names:
        yield marked(WIDTH - 326 + along, 24, mark)
        yield text_at(WIDTH - 316 + along, 28, name, TEXT, 12)


def _level(table: Table) -> int:
    return 95 if table.get("stand_in") else 90  # recordings are judged by drawing blocks, at 95 %


def _missing(table: Table) -> str:
    """What is not drawn because the table does not have it; empty where all is there."""
    losses, oracle = table["direction"]["log_loss"], (table["direction"].get("oracle") or {}).get("log_loss", {})
    found = [NAMED[name] for name in ALWAYS if _known(losses.get(name)) is None]
    found += [NAMED[name] for name in TOLD if _known(oracle.get(name)) is None]
    found += ["calibration"] * (not curves(table["direction"])) + ["regimes"] * (not _parts(table))
    found += [words for head, measure, _, words, _ in HEADS if _share(table, head, measure) is None]
    return f"Not in this table, so not drawn: {', '.join(found)}." if found else ""


def _known(value: Any) -> float | None:
    return float(value) if value is not None and math.isfinite(value) else None


def _band(table: Table, name: str) -> Band | None:
    found = table["intervals"].get(name)
    return (float(found[0]), float(found[1])) if found and all(math.isfinite(end) for end in found) else None


# ------------------------------------------------------------ direction after 1 s


def _direction(table: Table) -> Box | None:
    direction = table["direction"]
    ours = _known(direction["log_loss"]["lstm"])
    if ours is None:
        return None
    losses = {name: loss for name, loss in direction["log_loss"].items() if name != "oracle"}
    groups = [Group("at all moments", _rows(table, losses, 1.0), ours), *_asked(direction)]
    title, unit = "Direction after 1 s", "log-loss"
    unit += "; where the oracle was asked: expected over all that could come" if len(groups) > 1 else ""
    return boxed(Strip(title, unit, groups, *extent(groups), names=150, figures=52, step=19), WIDE)


def _rows(table: Table, losses: Values, unit: float, figures: bool = True) -> list[Row]:
    """In units of `unit`, the model last."""
    ours = _known(losses["lstm"]) or 0.0
    out = []
    for name in [*(name for name in NAMED if name in losses), *(name for name in losses if name not in NAMED)]:
        loss, band = _known(losses[name]), _band(table, f"direction_vs_{name}")
        if loss is not None:
            reach = ((ours - band[1]) / unit, (ours - band[0]) / unit) if band else None
            said = f"{loss / unit:.4f}" if figures else ""
            out.append(Row(NAMED.get(name, name), loss / unit, reach, _mark(name), said))
    return out


def _mark(name: str) -> Mark:
    return "ours" if name == "lstm" else "told" if name in TOLD else "theirs"


def _asked(direction: Table) -> Iterator[Group]:
    """The moments of the oracle."""
    asked = direction.get("oracle")
    if asked:
        bare: Table = {"intervals": {}}
        losses = asked["expected_log_loss"]
        yield Group(f"at the oracle's {asked['n']:,} moments", _rows(bare, losses, 1.0), _known(losses["lstm"]))


def _parts(table: Table) -> dict[str, Table]:
    """What can be drawn of each regime."""
    every = (table.get("by_regime") or {}).items()
    return {name: one for name, one in every if all(_known(one["log_loss"][who]) for who in ("base", "lstm"))}


def _regimes(table: Table) -> list[list[Box | None]]:
    """A small panel each, all on the same axis: shares of the base rate's loss there. All together come last."""
    parts = _parts(table)
    if len(parts) < 2:
        return []
    parts["all"] = {"log_loss": table["direction"]["log_loss"], "intervals": table["intervals"]}
    groups = {name: _regime(one) for name, one in parts.items()}
    low, high = extent(list(groups.values()), keep=[1.0])
    boxes = [boxed(_small(name, parts[name], group, low, min(high, MOST)), SMALL) for name, group in groups.items()]
    return [list(boxes[k : k + COLUMNS]) for k in range(0, len(boxes), COLUMNS)]


def _regime(part: Table) -> Group:
    losses = {name: loss for name, loss in part["log_loss"].items() if name != "oracle"}
    base = losses["base"]
    return Group("", _rows(part, losses, base, figures=False), losses["lstm"] / base)


def _small(name: str, part: Table, group: Group, low: float, high: float) -> Strip:
    unit = f"100 % is the base rate's, {part['log_loss']['base']:.3f}"
    return Strip(f"Direction, {name}", unit, [group], low, high, names=84, figures=0, step=15, percent=True)


# ------------------------------------------------------------ the other heads; the oracle's gap


def _share(table: Table, head: str, measure: str) -> tuple[float, float] | None:
    """The model's loss and its baseline's."""
    baseline = next(each[2] for each in HEADS if each[0] == head)
    losses = (table.get(head) or {}).get(measure) or {}
    ours, theirs = _known(losses.get("lstm")), _known(losses.get(baseline))
    return (ours, theirs) if ours is not None and theirs else None


def _heads(table: Table) -> Box | None:
    rows = []
    for head, measure, baseline, words, beside in HEADS:
        both, band = _share(table, head, measure), _band(table, f"{head}_vs_{baseline}")
        if both is None:
            continue
        ours, theirs = both
        reach = (1.0 + band[0] / theirs, 1.0 + band[1] / theirs) if band else None
        said = f"{ours:#.3g} of {theirs:#.3g}{_verdict(reach)}"
        rows.append(Row(f"{words} · {beside}", ours / theirs, reach, "ours", said))
    if not rows:
        return None
    group = Group("", rows, 1.0, "theirs")
    low, high = extent([group], keep=[1.0])
    title, unit = "The other heads", "the model's loss as a share of its baseline's, which is 100 %"
    return boxed(Strip(title, unit, [group], low, high, names=176, figures=172, step=24, percent=True), WIDE)


def _verdict(reach: Band | None) -> str:
    if reach is None:
        return ", no interval"
    return "" if reach[1] < 1.0 - ROUNDING else ", worse" if reach[0] > 1.0 + ROUNDING else ", no better"


def _closed(table: Table) -> Box | None:
    """Of the way from the base rate to the oracle."""
    groups = [group for group in _ways(table) if group.rows]
    if not groups:
        return None
    low, high = extent(groups, keep=[0.0, 1.0])
    title, unit = "Of what an oracle knows", "share of the way from the base rate to the oracle"
    return boxed(Strip(title, unit, groups, low, high, names=136, figures=44, step=17, percent=True), NARROW)


def _ways(table: Table) -> Iterator[Group]:
    shares = (table["direction"].get("oracle") or {}).get("gap_closed", {})
    names = [name for name in NAMED if name in shares]
    yield Group("direction, 1 s", [
        *(row for name in names for row in _way(NAMED[name], shares[name], _gap(table, name), _mark(name))),
    ])  # fmt: skip
    parts = _parts(table) if len(_parts(table)) > 1 else {}
    yield Group("the model's, by regime", [
        *(row for name, one in parts.items() for row in _way(name, one["gap_closed"], _gap(one, "lstm"))),
    ])  # fmt: skip
    heads = {head: (table.get(head) or {}).get("oracle") or {} for head in ("fill", "impact")}
    yield Group("the model's, other heads", [
        *(row for head, one in heads.items()
          for row in _way(f"{head}, 5 s", one.get("gap_closed"), _band(table, f"{head}_gap_closed"))),
    ])  # fmt: skip


def _gap(table: Table, name: str) -> Band | None:
    return _band(table, "gap_closed") if name == "lstm" else None


def _way(name: str, share: float | None, band: Band | None, mark: Mark = "ours") -> Iterator[Row]:
    value = _known(share)
    if value is not None:
        yield Row(name, value, band, mark, f"{100 * value:.0f} %")
