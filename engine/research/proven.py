"""Whether smiles are free of arbitrage, decided on the whole line and not on a grid; shares no code with the fits.

A smile's total variance is a sum of hinges, w(k) = a + Σ (p (k − m) + c √((k − m)² + s²)) with c ≥ 0: raw SVI is one
hinge with p = bρ, c = b. No butterfly: w > 0 and, with h = k w′/2w (Gatheral and Jacquier 2014),

    g(k) = (1 − h)² − (w′²/4)(1/w + ¼) + w″/2 ≥ 0   for every k, and no wing steeper than 2.

Theory of operation. The line is cut into pieces; on each, g is enclosed by interval arithmetic (`intervals`), directly
and by its slope from the middle; a piece that is not decided is halved (`search`). A single point at which g is
enclosed below 0 refutes. Beyond K a bound decides: with S = Σ (p + c), A = a − Σ (p + c) m, D = Σ c s²/2(K − m)²,

    w′ ∈ [S − D, S],  w ≥ W = A + S K,  h ≤ H = max(½, S K/2W),  g ≥ (1 − H)² − (M²/4)(1/W + ¼),  M = max(S, D),

and before −K its mirror image. The same search, in one more dimension, takes what lies between two expiries (`blends`:
(1 − λ) w₁ + λ w₂, λ from 0 to 1) and after the last (`lifts`: w + c for every c ≥ 0; with ν = w/(w + c), g is
(1 − νh)² − (w′²/4)(ν/w + ¼) + w″/2, ν from 0 to 1). H bounds νh too, and a blend's h, as k w′ ≤ 2H w is linear in w.

A calendar holds where the later smile is nowhere below the nearer one (`crossings`). A smile may be the highest of
several curves: the highest of convex prices is convex, so each curve is looked at alone. Before the first expiry, λw
with λ from 0 to 1, g is concave in λ, not below 0 at λ = 0 and the smile's own at λ = 1: nothing is to be searched.
The same says that a smile whose variance runs off evenly stays free of butterflies.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from engine.research.curves import Curve, Curves, Levels, Smile, Wing, rise_of
from engine.research.intervals import Floats, Interval
from engine.research.search import Bools, Ints, Look, Seen, Verdict, search

FAR, FARTHEST = 1e4, 1e13  # K, in sizes of the smile, and the farthest it is put
GROWS = 3.0  # the pieces at first: from each hinge outward, each so many times as far as the last
ALL = Interval(1.0)


def butterflies(curves: Sequence[Curve]) -> list[Verdict]:
    """Whether each curve is free of butterflies on the whole line."""
    if not curves:
        return []
    many = Curves(curves)

    def g_of(which: Ints, k: Interval, _: Interval) -> Slopes:
        g, by_k = _g(k, many.levels(which, k), ALL)
        return g, by_k, Interval(0.0)

    return _bent([many], g_of, deep=False)


def lifts(curves: Sequence[Curve]) -> list[Verdict]:
    """Whether each curve, with any constant added, is free of butterflies."""
    if not curves:
        return []
    many = Curves(curves)

    def g_of(which: Ints, k: Interval, share: Interval) -> Slopes:
        here = many.levels(which, k)
        h = _h(k, here)
        by_share = (1.0 - share * h) * h * -2.0 - here.slope.square() / here.w * 0.25
        return (*_g(k, here, share), by_share)

    return _bent([many], g_of, deep=True)


def blends(near: Sequence[Smile], far: Sequence[Smile]) -> list[Verdict]:
    """Whether, of each pair of smiles, every blend (1 − λ) w₁ + λ w₂ is free of butterflies. Every curve of the one is
    blended with every curve of the other: where those are several, a butterfly leaves the pair undecided, as it may lie
    where the two are not the highest."""
    pairs = [(n, one, two) for n, both in enumerate(zip(near, far, strict=True)) for one in both[0] for two in both[1]]
    if not pairs:
        return []
    first, second = Curves([one for _, one, _ in pairs]), Curves([two for *_, two in pairs])

    def g_of(which: Ints, k: Interval, share: Interval) -> Slopes:
        one, two = first.levels(which, k), second.levels(which, k)
        rise = rise_of(k, one, two)
        mixed = Levels(*(low + more * share for low, more in zip(one, rise, strict=True)))
        h = _h(k, mixed)
        h_by_share = (k * rise.slope - h * rise.w * 2.0) / mixed.w * 0.5
        by_share = (
            (1.0 - h) * h_by_share * -2.0
            - mixed.slope * rise.slope * (ALL / mixed.w + 0.25) * 0.5
            + mixed.slope.square() * rise.w / mixed.w.square() * 0.25
            + rise.bend * 0.5
        )
        return (*_g(k, mixed, ALL), by_share)

    answers: list[list[Verdict]] = [[] for _ in near]
    for (n, *_), verdict in zip(pairs, _bent([first, second], g_of, deep=True), strict=True):
        answers[n].append(verdict)
    return [_together(each) for each in answers]


def crossings(near: Sequence[Smile], far: Sequence[Smile]) -> list[Verdict]:
    """Whether each nearer smile lies nowhere above the later one; `at` is where it does."""
    pairs = [(n, one, later) for n, (smile, later) in enumerate(zip(near, far, strict=True)) for one in smile]
    if not pairs:
        return []
    most = max(len(later) for *_, later in pairs)
    first = Curves([one for _, one, _ in pairs])
    others = [Curves([later[min(n, len(later) - 1)] for *_, later in pairs]) for n in range(most)]
    same = np.array([one in later for _, one, later in pairs])

    def look(which: Ints, k: Interval, _: Interval) -> Seen:
        low, high = np.where(same[which], 0.0, -np.inf), np.where(same[which], 0.0, -np.inf)
        one = first.levels(which, k)
        for other in others:
            rise = rise_of(k, one, other.levels(which, k))
            low, high = np.fmax(low, rise.w.low), np.fmax(high, rise.middle.high)
        return Seen(low, high, np.zeros(len(which), dtype=np.bool_))

    far_k = _edges([first, *others])
    stays = [np.any([_stays(first, other, side, far_k) for other in others], axis=0) for side in (1, -1)]
    sure = stays[0] & stays[1]
    answers: list[list[Verdict]] = [[] for _ in near]
    found = search(look, _starts([first, *others], far_k), sure | same)
    for (n, *_), verdict in zip(pairs, found, strict=True):
        answers[n].append(verdict)
    return [min(each, key=_badness) for each in answers]


def _badness(verdict: Verdict) -> int:
    return ("refuted", "undecided", "proven").index(verdict.answer)


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    worst = min(verdicts, key=_badness)
    return Verdict("undecided") if worst.answer == "refuted" and len(verdicts) > 1 else worst


# ------------------------------------------------------------ g


Slopes = tuple[Interval, Interval, Interval]  # g and its slopes by k and by the share


def _h(k: Interval, at: Levels) -> Interval:
    return k * at.slope / at.w * 0.5


def _g(k: Interval, at: Levels, share: Interval) -> tuple[Interval, Interval]:
    """g, with 1/w and h that many times, and its slope by k."""
    w, slope, bend, turn, _ = at
    h = _h(k, at)
    by_w = share / w
    h_by_k = (slope * (1.0 - h * 2.0) + k * bend) / w * 0.5
    g = (1.0 - share * h).square() - slope.square() * (by_w + 0.25) * 0.25 + bend * 0.5
    none = w.high <= 0.0  # no variance at all is as bad as any butterfly
    g = Interval(np.where(none, -np.inf, g.low), np.where(none, -np.inf, g.high))
    by_k = (
        (1.0 - share * h) * share * h_by_k * -2.0
        - slope * bend * (by_w + 0.25) * 0.5
        + slope.square() * slope * by_w / w * 0.25
        + turn * 0.5
    )
    return g, by_k


# ------------------------------------------------------------ the whole line


def _bent(curves: Sequence[Curves], g_of: Callable[[Ints, Interval, Interval], Slopes], deep: bool) -> list[Verdict]:
    far = _edges(curves)
    return search(_look(g_of), _starts(curves, far), _tails(curves, far), deep)


def _look(g_of: Callable[[Ints, Interval, Interval], Slopes]) -> Look:
    def look(which: Ints, k: Interval, share: Interval) -> Seen:
        k_0, share_0 = Interval(k.middle()), Interval(share.middle())
        g, by_k, by_share = g_of(which, k, share)
        middle, *_ = g_of(which, k_0, share_0)
        along, across = by_k * (k - k_0), by_share * (share - share_0)
        low = np.fmax(g.low, (middle + along + across).low)
        return Seen(low, middle.high, across.high - across.low > along.high - along.low)

    return look


def _edges(curves: Sequence[Curves]) -> Floats:
    """K of each question: where every curve is near enough to its asymptotes, and they to where they lead."""
    size = np.max([np.max(np.abs(each.m) + each.s, axis=1) for each in curves], axis=0) + 1.0
    reach = size * FAR
    for side in (1, -1):
        wings = [each.wing(side, reach) for each in curves]
        slopes = [wing.slope.middle() for wing in wings]
        levels = [wing.level.middle() for wing in wings]
        for n, (slope, level) in enumerate(zip(slopes, levels, strict=True)):
            gap, drop = (slope, level) if n == 0 else (slope - slopes[0], level - levels[0])
            there = np.divide(np.abs(drop), gap, out=np.zeros_like(drop), where=gap > 0.0)
            reach = np.maximum(reach, there * FAR)
    return np.asarray(np.minimum(reach, FARTHEST))


def _starts(curves: Sequence[Curves], far: Floats) -> list[Floats]:
    m, s = (np.concatenate([getattr(each, name) for each in curves], axis=1) for name in ("m", "s"))
    out = []
    for reach, centres, widths in zip(far.tolist(), m, s, strict=True):
        steps = GROWS ** np.arange(-1.0, np.log(2.0 * reach / float(widths.min())) / np.log(GROWS))
        away = (widths[:, None] * np.concatenate([-steps, steps]) + centres[:, None]).ravel()
        points = np.concatenate([away, centres, [0.0]])
        out.append(np.unique(np.concatenate([points[np.abs(points) < reach], [-reach, reach]])))
    return out


def _tails(curves: Sequence[Curves], far: Floats) -> Bools:
    """Whether beyond ±K there is surely no butterfly."""
    sure = np.all([each.convex for each in curves], axis=0)
    k = Interval(far)
    with np.errstate(all="ignore"):
        for side in (1, -1):
            wings = [each.wing(side, far) for each in curves]
            w = np.min([(wing.level + wing.slope * k).low for wing in wings], axis=0)
            steep = np.max([np.maximum(wing.slope.high, wing.short.high) for wing in wings], axis=0)
            h = np.max([_steepest(wing, k) for wing in wings], axis=0)
            short = 1.0 - Interval(h)
            g = short.square() - Interval(steep).square() * 0.25 * (ALL / Interval(w) + 0.25)
            sure &= (w > 0.0) & (short.low > 0.0) & (g.low >= 0.0)
    return np.asarray(sure)


def _steepest(wing: Wing, k: Interval) -> Floats:
    """H, an upper bound."""
    falling = (wing.slope * k / (wing.level + wing.slope * k) * 0.5).high
    return np.asarray(np.where(wing.level.low >= 0.0, 0.5, np.maximum(falling, 0.5)))


def _stays(near: Curves, far: Curves, side: int, k: Floats) -> Bools:
    """Whether the later wing lies above the nearer one from K on."""
    one, two = near.wing(side, k), far.wing(side, k)
    steeper = two.slope - one.slope
    gap = two.level - one.level + steeper * Interval(k) - one.over
    wide = (steeper.low >= 0.0) | _parallel(near, far, side)
    return np.asarray(near.convex & far.convex & wide & (gap.low >= 0.0))


def _parallel(near: Curves, far: Curves, side: int) -> Bools:
    """Whether two wings are known to have one slope to the bit: of the same hinges, or of hinges that each have a level
    asymptote, for which p + c is no rounded number, and lead to the same slopes."""
    most = max(near.p.shape[1], far.p.shape[1])
    (p1, c1), (p2, c2) = (
        [np.pad(numbers, ((0, 0), (0, most - numbers.shape[1]))) for numbers in (each.p, each.c)]
        for each in (near, far)
    )
    exact = (np.abs(p1) == c1) & (np.abs(p2) == c2)
    alike = np.sort(side * p1 + c1, axis=1) == np.sort(side * p2 + c2, axis=1)
    return np.asarray(((p1 == p2) & (c1 == c2)).all(axis=1) | (exact & alike).all(axis=1))
