"""Proposals on the screen: each intent with the numbers it stands on."""

from __future__ import annotations

from engine import messages as m
from engine.core import Core
from engine.domain import MS
from engine.execution import propose, risk
from engine.execution.desk import Proposal
from engine.view.book import digits
from engine.view.grid import known


def row(core: Core, proposal: Proposal) -> m.ProposalRow:
    """One card of the proposals panel, with the block that would refuse it now."""
    born, stop = proposal.born, _stop(core, proposal)
    instrument = known(core, born.instrument)
    return m.ProposalRow(
        id=born.id,
        revision=proposal.revision,
        parent=born.parent,
        instrument=born.instrument,
        side=born.side,
        amount=instrument.amount(proposal.quantity),
        worst=instrument.price(proposal.worst),
        digits=digits(instrument),
        lot=instrument.lot,
        cross=proposal.cross,
        row=proposal.row,
        reason=proposal.reason,
        born_ms=born.t / MS,
        until_ms=born.until / MS,
        up=_said_up(core, proposal.forecast),
        cost_ticks=proposal.cost_ticks,
        wait_ticks=proposal.wait_ticks,
        schedule_ticks=proposal.schedule_ticks,
        viewed=proposal.viewed,
        blocked=stop.reason if stop else "",
        block=stop.movable if stop else "",
        mark="hedge" if born.hedge else "",
    )


def _stop(core: Core, proposal: Proposal) -> risk.Refusal | None:
    """The first hard block in its way as the book is now; none can be told of what is not listed any more."""
    if proposal.born.instrument not in core.market.venue.instruments:
        return None
    order = propose.order_now(core.desk, core.market, proposal, proposal.quantity, proposal.worst)
    return risk.stopped(core.desk, core.market, order)


def _said_up(core: Core, forecast: m.Forecast | None) -> float | None:
    """A probability without skill, or of inputs unlike the training, is not said beside an order."""
    skill = core.market.verdicts.get("direction")  # `up` is that of a second, whichever the policy reads
    if skill is None or skill.verdict != "edge" or forecast is None:
        return None
    return forecast.up if forecast.warm and forecast.familiar else None
