"""Costs as one HTML file that needs nothing else: a picture and tables for each parent, the scorecard over all.

There is no script in it and none can come in: whatever a person wrote is escaped, and its policy allows styles alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from html import escape

from engine import messages as m
from engine.execution.cost import OF_A_FILL, TERMS
from engine.research.picture import FONT
from engine.research.report_drawing import course, signed, waterfall

STYLE = f"""
:root {{ color-scheme: dark; font: 13px/1.45 {FONT}; font-variant-numeric: tabular-nums; }}
body {{ background: #090c10; color: #dde5ee; margin: 0 auto; padding: 22px 24px 60px; max-width: 1180px; }}
h1 {{ font-size: 19px; margin: 0 0 2px; }} h2 {{ font-size: 15px; margin: 34px 0 4px; }} h2 b {{ color: #7fd4ff; }}
h3 {{ font-size: 11px; letter-spacing: .06em; text-transform: uppercase; color: #93a1b1; margin: 16px 0 4px; }}
p {{ color: #93a1b1; margin: 0 0 8px; max-width: 112ch; }}
table {{ border-collapse: collapse; font-size: 12px; margin: 0 0 6px; }}
th, td {{ padding: 2px 9px; text-align: right; white-space: nowrap; border-bottom: 1px solid #1a222b; }}
th {{ color: #93a1b1; font-weight: 500; }} .t {{ text-align: left; }} .wide {{ white-space: normal; }}
td.none {{ color: #76879a; }} tr.whole td {{ font-weight: 600; border-top: 1px solid #33404d; }}
.pair {{ display: flex; gap: 6px 10px; flex-wrap: wrap; }} .scroll {{ overflow-x: auto; }} svg {{ display: block; }}
@media print {{ h2 {{ break-before: page; }} }}
"""
POLICY = "default-src 'none'; style-src 'unsafe-inline'"
HEADS = {"ticks": "ticks a contract", "vol": "vol points a contract", "coin": "coin", "usd": "USD"}
RULE = (
    "An estimate, not a record: what a suggestion would have come to was never seen. One that crosses is taken at what "
    "walking the book came to at the decision; one that rests is taken at its own touch with the probability that was "
    "forecast for a fill within 5 s, else at the other touch as it stood. Against that stands what was paid for the "
    "same quantity afterwards: the parent's next fills, and for what was missing the price at its end. A press is held "
    "against what the parent paid afterwards. Fees are left out. Above zero the person's decision was the better one; "
    "intervals are 90 %, by parent."
)


def page(overview: m.CostsView, details: Sequence[m.CostDetail], by_hand: Sequence[m.ChildCost], about: str) -> str:
    """The whole file."""
    parts = ["<!doctype html>", '<html lang="en"><head><meta charset="utf-8">',
             f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">',
             "<title>Tidegate: what it cost</title>", f"<style>{STYLE}</style></head><body>",
             "<h1>What it cost</h1>", f"<p>{escape(about)}</p>"]  # fmt: skip
    parts += _summary(details)
    for found in details:
        parts += _parent(found)
    parts += _hand(by_hand)
    parts += _together(overview)
    return "\n".join([*parts, "</body></html>\n"])


def _summary(details: Sequence[m.CostDetail]) -> Iterator[str]:
    yield "<p>Shortfall against the micro-price at the decision, split into terms that sum to it exactly. A cost is "
    yield "positive. Ticks are the venue's tick at that price, for each contract of the whole order, done or not.</p>"
    rows = [
        [_cell(row.id, "t"), _cell(row.instrument, "t"), _cell(row.side, "t"), _cell(row.algorithm, "t"),
         _cell(row.state, "t"), _cell(f"{row.filled:g} of {row.amount:g}"), _price(row.decision, row.digits),
         _price(row.average, row.digits), _figure(_of(row.ticks)), _figure(_of(row.coin), 5), _figure(_of(row.usd), 0)]
        for row in (found.parent for found in details)
    ]  # fmt: skip
    heads = ["parent", "instrument", "side", "algorithm", "state", "filled", "decision", "average",
             "shortfall, ticks", "coin", "USD"]  # fmt: skip
    yield from _table(heads, rows, left=5)


def _parent(found: m.CostDetail) -> Iterator[str]:
    row = found.parent
    began, ended = _time(row.start_ms), _time(row.end_ms)
    yield (f"<h2><b>{escape(row.id)}</b> {escape(row.side)} {row.amount:g} {escape(row.instrument)}, "
           f"{escape(row.algorithm)}</h2>")  # fmt: skip
    edited = f", edited {row.edits} times" if row.edits else ""
    yield (f"<p>{escape(row.user)}, {began} to {ended} UTC, {escape(row.state)}, {row.filled:g} of {row.amount:g} "
           f"filled{edited}. {escape(not_known(row))}</p>")  # fmt: skip
    yield f'<div class="pair">{waterfall(row)}{course(found)}</div>'
    yield '<div class="pair"><div><h3>Terms</h3>'
    yield from _terms(row)
    yield "</div><div><h3>Benchmarks, without fees</h3>"
    yield from _table(
        ["against", "price", "fills were dearer by, ticks", ""],
        [[_cell(one.name, "t"), _price(one.price, row.digits), _figure(one.ticks), _cell(one.note, "t")]
         for one in row.benchmarks], left=1,
    )  # fmt: skip
    yield "</div></div>"
    yield from _fills(found)
    yield from _children(found.children, "Children, of what was filled, against the price when proposed")
    yield from _calls(found)


def not_known(row: m.CostRow) -> str:
    """What of the terms is not known, in a sentence; empty where all is."""
    if not row.unknown:
        return ""
    shares = ", ".join(f"{term} ({share:.0%} of the lots)" for term, share in row.unknown.items())
    return f"Not known, since the market was not seen or not kept then: {shares}; what it may hold is in timing."


def _terms(row: m.CostRow) -> Iterator[str]:
    rows = []
    for term in (*TERMS, "total"):
        figures = [_figure(_of(getattr(row, unit), term), 5 if unit == "coin" else 2) for unit in HEADS]
        rows.append([_cell("shortfall" if term == "total" else term, "t"), *figures])
    yield from _table(["term", *HEADS.values()], rows, left=1, last="whole")


def _fills(found: m.CostDetail) -> Iterator[str]:
    if not found.fills:
        return
    yield "<h3>Fills: ticks a contract; markouts, above zero the market went our way</h3>"
    seconds = list(found.fills[0].markouts)
    rows = [
        [_cell(_time(fill.t_ms, True), "t"), _cell(f"{fill.amount:g}"), _price(fill.price, found.parent.digits),
         _cell("rested" if fill.maker else "took", "t"),
         *(_cell("unknown", "none") if term in fill.unknown else _figure(fill.ticks[term]) for term in OF_A_FILL),
         *(_figure(fill.markouts[s]) for s in seconds)]
        for fill in found.fills
    ]  # fmt: skip
    heads = ["time", "amount", "price", "", *OF_A_FILL, *(f"{s} s" for s in seconds)]
    yield from _table(heads, rows, left=1)


def _children(children: Iterable[m.ChildCost], title: str) -> Iterator[str]:
    filled = [child for child in children if child.filled]
    if not filled:
        return
    yield f"<h3>{escape(title)}</h3>"
    rows = [
        [_cell(child.id, "t"), _cell(child.by, "t"), _cell(child.row or "by hand", "t"),
         _cell(f"{child.filled:g} of {child.amount:g}"), _cell("took" if child.crossed else "rested", "t"),
         *(_figure(_of(child.ticks, term)) for term in (*TERMS, "total") if term != "opportunity"),
         _figure(child.predicted), _figure(child.realised)]
        for child in filled
    ]  # fmt: skip
    terms = [term for term in TERMS if term != "opportunity"]
    heads = ["child", "by", "row", "filled", "", *terms, "total", "slippage predicted", "realised"]
    yield from _table(heads, rows, left=3)


def _calls(found: m.CostDetail) -> Iterator[str]:
    said = [row for row in found.calls if row.kind not in ("automatic", "withdrawn")]
    if not said:
        return
    yield "<h3>Decisions (an estimate; the rule stands below)</h3>"
    rows = [
        [_cell(_time(row.t_ms, True), "t"), _cell(row.kind, "t"), _cell(row.by, "t"), _cell(f"{row.amount:g}"),
         _price(row.suggested, found.parent.digits + 1), _price(row.paid, found.parent.digits + 1),
         _figure(row.earned_ticks), _cell("; ".join(filter(None, (row.reason, row.why))), "t wide")]
        for row in said
    ]  # fmt: skip
    yield from _table(["time", "decision", "by", "amount", "suggested", "paid", "earned, ticks", "why"], rows, left=3)


def _hand(by_hand: Sequence[m.ChildCost]) -> Iterator[str]:
    if by_hand:
        yield "<h2>Orders by hand</h2>"
        yield from _children(by_hand, "Against the price when they were sent")


def _together(overview: m.CostsView) -> Iterator[str]:
    yield "<h2>All together</h2><h3>Overrides, an estimate</h3>"
    yield from _table(
        ["decision", "how many", "scored", "earned, ticks a contract", "90 % interval", "coin altogether", ""],
        [[_cell(row.kind, "t"), _cell(str(row.n)), _cell(str(row.earned.n) if row.earned.n else ""),
          _figure(row.earned.mean), _interval(row.earned), _figure(row.coin if row.earned.n else None, 5),
          _cell(row.said, "t")] for row in overview.tally], left=1,
    )  # fmt: skip
    yield f"<p>{escape(RULE)}</p>"
    if overview.reasons:
        said = "; ".join(f"{reason} ({count})" for reason, count in overview.reasons)
        yield f"<p>Why proposals were rejected: {escape(said)}.</p>"
    yield "<h3>Markouts: ticks a contract, above zero the market went our way</h3>"
    yield from _table(
        ["", "after", "fills", "mean", "90 % interval", "not seen"],
        [[_cell("maker" if row.maker else "taker", "t"), _cell(f"{row.seconds} s"), _cell(str(row.ticks.n)),
          _figure(row.ticks.mean), _interval(row.ticks), _cell(str(row.missing))] for row in overview.markouts], left=1,
    )  # fmt: skip
    yield "<h3>Slippage beyond the touch, foretold and as it came, ticks</h3>"
    yield from _table(
        ["forecast by", "orders", "foretold", "realised", "error", "90 % interval", "inside 80 % band"],
        [[_cell(row.model, "t"), _cell(str(row.realised.n)), _figure(row.predicted.mean), _figure(row.realised.mean),
          _figure(row.error.mean), _interval(row.error), _cell(f"{row.inside:.0%}")] for row in overview.predicted],
        left=1,
    )  # fmt: skip


# ------------------------------------------------------------ cells


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], left: int = 0, last: str = "") -> Iterator[str]:
    if not rows:
        yield "<p>None.</p>"
        return
    yield '<div class="scroll"><table><thead><tr>'
    yield from (f'<th class="{"t" if k < left else ""}">{escape(head)}</th>' for k, head in enumerate(heads))
    yield "</tr></thead><tbody>"
    for k, row in enumerate(rows):
        kind = f' class="{last}"' if last and k == len(rows) - 1 else ""
        yield f"<tr{kind}>{''.join(row)}</tr>"
    yield "</tbody></table></div>"


def _cell(text: str, kind: str = "") -> str:
    return f'<td class="{kind}">{escape(text)}</td>' if kind else f"<td>{escape(text)}</td>"


def _figure(value: float | None, digits: int = 2) -> str:
    return _cell("–", "none") if value is None else _cell(signed(value, digits))


def _price(value: float | None, digits: int) -> str:
    return _cell("–", "none") if value is None else _cell(f"{value:.{digits + 1}f}")


def _interval(row: m.MeanRow) -> str:
    return _cell("–", "none") if row.lo is None or row.hi is None else _cell(f"{row.lo:+.2f} to {row.hi:+.2f}")


def _of(terms: dict[str, float] | None, name: str = "total") -> float | None:
    return None if terms is None else terms.get(name)


def _time(ms: float, short: bool = False) -> str:
    at = dt.datetime.fromtimestamp(ms / 1000, dt.UTC)
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03d}" if short else f"{at:%Y-%m-%d %H:%M:%S}"
