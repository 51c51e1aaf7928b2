"""What the model in use has been worth of late, and how often the policy's rows fire."""

from __future__ import annotations

from engine import messages as m
from engine.core import Core
from engine.forecast.skill import HEADS, UNLIKE

SELDOM, ALWAYS = 0.01, 0.95  # shares of moments beyond which a policy row says nothing
UNKNOWN = m.Skill(verdict="unknown yet")


def skill(core: Core) -> m.SkillView:
    market = core.market
    return m.SkillView(
        model=market.forecaster.id,
        skill={head: market.verdicts.get(head, UNKNOWN) for head in HEADS},
        unlike=market.monitor.unlike,
        unlike_limit=UNLIKE,
        rows=tuple(
            m.RowFiring(name=row.name, kind=row.kind, share=share, flag=flag_of(share))
            for row in core.desk.config.policy
            for share in (market.fired.get(row.name, 0) / market.looks if market.looks else None,)
        ),
        looks=market.looks,
    )


def flag_of(share: float | None) -> str:
    """Why a row that fires in this share of moments says nothing; empty if it may."""
    if share is None or SELDOM <= share <= ALWAYS:
        return ""
    return "too seldom" if share < SELDOM else "nearly always"
