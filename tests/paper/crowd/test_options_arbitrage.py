"""No static arbitrage on the middles of the paper chain. A middle lies on a grid of half ticks, so each counts as any
price within half its tick; looked at when the reference has stood for as long as the slowest maker takes to follow."""

from __future__ import annotations

from collections import defaultdict
from itertools import pairwise

import numpy as np
import pytest

from engine import black
from engine.domain import NS, Instrument
from tests.paper.crowd.options_market import START, Options

SETTLED_NS = 2 * NS
Quoted = tuple[Instrument, float, float]


def found(market: Options) -> list[str]:
    chains: dict[tuple[int, bool], list[Quoted]] = defaultdict(list)
    for quoted in market.middles():
        chains[quoted[0].expiry, quoted[0].call].append(quoted)
    out = []
    for (expiry, call), chain in chains.items():
        out += _slopes(chain if call else chain[::-1], _forward(market, expiry))
        out += _bends(chain)
    return out + _parities(market, chains) + _calendars(market, chains)


def _forward(market: Options, expiry: int) -> float:
    consensus = market.consensus
    return consensus.now.forwards[consensus.chain.expiries.index(expiry)]


def _slopes(chain: list[Quoted], forward: float) -> list[str]:
    """From dear to cheap: each costs no less than the next, and no more than by the distance of their strikes."""
    out = []
    for (one, dear, a), (two, cheap, b) in pairwise(chain):
        most = abs(one.strike - two.strike) / forward / one.tick
        if not -a - b <= dear - cheap <= most + a + b:
            out.append(f"vertical {one.name} {two.name}: {dear} {cheap}")
    return out


def _bends(chain: list[Quoted]) -> list[str]:
    out = []
    for (low, left, a), (mid, middle, b), (high, right, c) in zip(chain, chain[1:], chain[2:], strict=False):
        w = (high.strike - mid.strike) / (high.strike - low.strike)
        if middle - (w * left + (1 - w) * right) > w * a + (1 - w) * c + b:
            out.append(f"butterfly {mid.name}: {left} {middle} {right}")
    return out


def _parities(market: Options, chains: dict[tuple[int, bool], list[Quoted]]) -> list[str]:
    """Call less put is one less strike over forward, with the forward that the expiry's own pairs agree on."""
    out = []
    for expiry in {expiry for expiry, _ in chains}:
        puts = {i.strike: (middle, half) for i, middle, half in chains[expiry, False]}
        pairs = [(i, middle, half, *puts[i.strike]) for i, middle, half in chains[expiry, True] if i.strike in puts]
        forward = float(np.median([i.strike / (1.0 - (c - p) * i.tick) for i, c, _, p, _ in pairs]))
        for i, c, a, p, b in pairs:
            if abs(c - p - (1.0 - i.strike / forward) / i.tick) > a + b:
                out.append(f"parity {i.name}: {c} {p} at {forward}")
    return out


def _calendars(market: Options, chains: dict[tuple[int, bool], list[Quoted]]) -> list[str]:
    """Total variance at one log-moneyness grows, by the out-of-the-money options' middles."""
    curves = []
    for expiry in sorted({expiry for expiry, _ in chains}):
        forward, t = _forward(market, expiry), market.crowd.t
        both = [q for call in (False, True) for q in chains[expiry, call]]
        out_of = sorted((i.strike, i.call, m, h, i) for i, m, h in both if i.call == (i.strike >= forward))
        k = np.log(np.array([row[0] for row in out_of]) / forward)
        rows = [[black.implied_vol((row[2] + sign * row[3]) * row[4].tick, forward, row[0], row[4].years(t), row[1])
                 or 0.0 for row in out_of] for sign in (-1, 1)]  # fmt: skip
        curves.append((k, np.array(rows) ** 2 * out_of[0][4].years(t)))
    bad = []
    for (k, (least, _)), (far, (_, most)) in pairwise(curves):
        inside = (far >= k[0]) & (far <= k[-1])
        bad += [f"calendar at {x:.3f}" for x in far[inside][np.interp(far[inside], k, least) > most[inside]]]
    return bad


@pytest.mark.parametrize("seed", [1, 2])
def test_middles_hold_no_static_arbitrage(seed: int) -> None:
    market, looked = Options(seed), 0
    market.advance(20.0)
    for _ in range(30):
        market.advance(3.3)
        if market.crowd.t - market.consensus.now.t >= SETTLED_NS:
            looked += 1
            assert found(market) == []
    assert looked >= 10
    assert len(list(market.middles())) > 0.8 * len(market.numbers)


def test_no_trade_at_the_best_prices_makes_money_for_sure() -> None:
    """At bid and ask, not at the middles: buy low, sell high, hold to expiry."""
    market = Options(5)
    market.advance(20.0)
    for _ in range(20):
        market.advance(3.3)
        if market.crowd.t - market.consensus.now.t < SETTLED_NS:
            continue
        for (expiry, call), rows in _touches(market).items():
            ordered = rows if call else rows[::-1]
            for at, (_, _, ask) in enumerate(ordered):
                assert all(bid is None or ask is None or bid <= ask for _, bid, _ in ordered[at + 1 :])
            for (low, _, left), (mid, bid, _), (high, _, right) in zip(rows, rows[1:], rows[2:], strict=False):
                if left is not None and bid is not None and right is not None:
                    w = (high - mid) / (high - low)
                    assert bid <= w * left + (1 - w) * right, (expiry - START, mid)


def _touches(market: Options) -> dict[tuple[int, bool], list[tuple[float, int | None, int | None]]]:
    rows: dict[tuple[int, bool], list[tuple[float, int | None, int | None]]] = defaultdict(list)
    for n in market.numbers:
        i = market.exchange.instruments[n]
        rows[i.expiry, i.call].append((i.strike, *market.touch(n)))
    return rows
