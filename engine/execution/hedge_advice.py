"""Which options would bring gamma and vega inside what is wanted, most cheaply: advice, by a small linear program.

Theory of operation. Each option that is quoted on both sides can be bought at its ask or sold at its bid, no more than
is shown there; each such contract costs half the spread and the fee, and brings its delta, gamma and vega. The hedge's
instrument brings delta alone. What is cheapest in all, with gamma and vega inside their bounds and the delta at its
target, is a linear program (`scipy.optimize.linprog`). Where nothing shown reaches the bounds, it says what comes
nearest: what is left outside costs far more in it than any trade. Nothing is proposed of this.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import numpy as np
from scipy.optimize import linprog

SHORTFALL = 1e3  # coin that a bound missed by its own whole size counts as
LEAST = 1e-6  # of a size: what is less is rounding


class Offer(msgspec.Struct, frozen=True, kw_only=True):
    """One instrument as it is shown, each of its figures of one unit of amount. `buys` and `sells`: what may be bought
    and sold at most; `cost`: coin of half spread and fee."""

    name: str
    delta: float
    gamma: float
    vega: float
    buys: float
    sells: float
    cost: float


class Aim(msgspec.Struct, frozen=True, kw_only=True):
    """Where the book stands, and where it should: `delta` coin to be brought to `target`; |gamma| and |vega| to be no
    more than `gamma_within` and `vega_within`, None where any will do."""

    delta: float
    target: float
    gamma: float
    vega: float
    gamma_within: float | None
    vega_within: float | None


class Advised(msgspec.Struct, frozen=True, kw_only=True):
    """Signed sizes by name, the hedge's instrument among them; what they cost, coin; and gamma and vega after them."""

    sizes: dict[str, float]
    cost: float
    gamma: float
    vega: float
    reached: bool  # both are inside


def advise(aim: Aim, options: Sequence[Offer], hedge: Offer) -> Advised:
    """The cheapest trades. Pure; some milliseconds for a few dozen options.

    Columns are, for each option and the hedge, what is bought and what is sold, then by how much gamma and vega miss
    their bounds. Rows are in shares of the bounds, so that the solver sees figures of one size.
    """
    offers = [*options, hedge]
    bounds = [(greek, now, within) for greek, now, within in (
        ("gamma", aim.gamma, aim.gamma_within), ("vega", aim.vega, aim.vega_within)) if within is not None]  # fmt: skip
    signs = np.array([1.0] * len(offers) + [-1.0] * len(offers))
    each = {name: signs * np.array([getattr(one, name) for one in offers] * 2) for name in ("delta", "gamma", "vega")}
    missing = np.eye(len(bounds))
    rows, most = [], []
    for k, (greek, now, within) in enumerate(bounds):
        unit = max(within, LEAST * abs(now), 1e-12)
        for sign in (1.0, -1.0):
            rows.append(np.concatenate((sign * each[greek] / unit, -missing[k])))
            most.append((within - sign * now) / unit)
    cost = np.array([one.cost for one in offers] * 2 + [SHORTFALL] * len(bounds))
    shown = [(0.0, one.buys) for one in offers] + [(0.0, one.sells) for one in offers]
    found = linprog(
        cost, A_ub=np.array(rows) if rows else None, b_ub=np.array(most) if rows else None,
        A_eq=np.concatenate((each["delta"], np.zeros(len(bounds))))[None, :], b_eq=[aim.target - aim.delta],
        bounds=[*shown, *[(0.0, None)] * len(bounds)], method="highs",
    )  # fmt: skip
    if not found.success:
        return Advised(sizes={}, cost=0.0, gamma=aim.gamma, vega=aim.vega, reached=False)
    traded = found.x[: 2 * len(offers)]
    net = traded[: len(offers)] - traded[len(offers) :]
    return Advised(
        sizes={one.name: float(size) for one, size in zip(offers, net, strict=True) if abs(size) > LEAST},
        cost=float(cost[: 2 * len(offers)] @ traded), gamma=aim.gamma + float(each["gamma"] @ traded),
        vega=aim.vega + float(each["vega"] @ traded), reached=bool(np.all(found.x[2 * len(offers) :] < LEAST)),
    )  # fmt: skip
