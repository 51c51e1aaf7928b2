"""The trader's own view of the direction beside the model's.

The rule is a logarithmic opinion pool (Genest and Zidek, "Combining probability distributions", Statistical Science 1,
1986): p ∝ model^(1 − w) · trader^w over up, down and stable, made to sum to 1. In log-odds that is the weighted mean of
the two. It is externally Bayesian: it does not matter whether news is taken in before or after pooling. No outcome is
held for less likely than `LEAST` by either, so that neither can forbid one.

A view is weighed with a model that has an edge. Where the model has none, its rows do not fire, with or without a view.
"""

from __future__ import annotations

from engine.messages import Odds, TraderView

LEAST = 0.001


def pooled(odds: Odds, view: TraderView | None, now: int) -> Odds:
    """The model's odds with a view weighed in; as they are without one, or once it is over."""
    if view is None or now >= view.until or view.weight <= 0.0:
        return odds
    theirs = (odds.up, odds.down, odds.stable)
    own = (view.up, view.down, 1.0 - view.up - view.down)
    both = [
        max(a, LEAST) ** (1.0 - view.weight) * max(b, LEAST) ** view.weight for a, b in zip(theirs, own, strict=True)
    ]
    up, down, stable = (value / sum(both) for value in both)
    return Odds(seconds=odds.seconds, up=up, down=down, stable=stable)
