"""What the forwards stand on, and the surface in a few numbers: now, since earlier moments, and in a minute."""

from __future__ import annotations

from collections.abc import Callable

from engine import messages as m
from engine.core import Core
from engine.domain import MINUTE_NS
from engine.surface.history import Verdict

AGO_MIN = (1, 5, 15)
SCALE = {"index": 1.0}  # the others are fractions: per cent on a screen

UNKNOWN = Verdict("unknown yet")

Code = Callable[[str, int], str]


def forwards(core: Core, code: Code) -> tuple[m.ForwardRow, ...]:
    """By coin and expiry, each source with how far it is from what was agreed on."""
    found = core.market.smiles.forwards
    return tuple(
        m.ForwardRow(
            code=code(coin, expiry), value=forward.value, apart_bp=forward.apart_bp,
            sources=tuple(
                (one.name, one.forward, off) for one, off in zip(forward.sources, forward.off_bp, strict=True)
            ),
        )
        for coin in core.market.venue.coins()
        for expiry, forward in sorted(found.get(coin, {}).items())
        if expiry > core.market.now
    )  # fmt: skip


def rows(core: Core, code: Code) -> tuple[m.FactorRow, ...]:
    """Every factor of every coin, the index first."""
    return tuple(row for coin in core.market.venue.coins() for row in _of(core, coin, code))


def _of(core: Core, coin: str, code: Code) -> list[m.FactorRow]:
    smiles = core.market.smiles
    values, history, outlook = smiles.factors.get(coin), smiles.history.get(coin), smiles.outlook.get(coin)
    if values is None or history is None or outlook is None:
        return []
    changes = [(ago, history.changes(core.market.now - ago * MINUTE_NS)) for ago in AGO_MIN]
    verdicts = outlook.verdicts()
    out = []
    for full, value in values.items():
        name, _, expiry = full.partition(":")
        scale, skill, ahead = SCALE.get(name, 100.0), verdicts.get(full, UNKNOWN), outlook.ahead.get(full)
        gain, lo, hi = (None if one is None else scale * one for one in (skill.gain, skill.lo, skill.hi))
        out.append(
            m.FactorRow(
                name=name, coin=coin, code=code(coin, int(expiry)) if expiry else "", value=scale * value,
                ahead=None if ahead is None else scale * ahead,
                verdict=skill.verdict, gain=gain, lo=lo, hi=hi, n=skill.n,
                changes=tuple((ago, scale * moved[full]) for ago, moved in changes if full in moved),
            )
        )  # fmt: skip
    return out
