"""Minutes of automatic trading in a volatile market, the line cut in each of them: the hour of `tests/auto_hour.py`
in memory, and in small."""

from __future__ import annotations

import random

from engine import messages as m
from engine.config import Config, Execution
from engine.paper.crowd.settings import settings_of
from engine.paper.venue import VenueSettings
from tests import auto
from tests.forecast.weights import random_net, weights_of
from tests.link import SMALL, near_the_money
from tests.overseer import Watched, against_venue

VOLATILE = VenueSettings(listing=(SMALL,), crowd=settings_of("volatile"))
MINUTES, PAUSE_S, LASTING = 3, 5.0, (0.1, 0.7)
QUICK = Execution(order_ttl_s=1.0, ask_after_s=0.5)


def traded(seed: int) -> Watched:
    """A parent every few seconds; then all come to their end."""
    config = Config(execution=QUICK, cancel_on_disconnect=False)
    world = Watched(seed, config, weights_of(random_net()), settings=VOLATILE)
    world.connect()
    world.run(1)
    call = near_the_money(world)
    names = call, call.removesuffix("-C") + "-P", "BTC-PERPETUAL"
    world.look(*names)
    world.run(6)
    dice = random.Random(seed)
    for k in range(round(MINUTES * 60 / PAUSE_S)):
        name = dice.choice(names)
        grid = world.instrument(name)
        bid, ask = (round(price / grid.tick) for price in world.touch(name))
        world.do(auto.drawn(dice, grid, bid, ask, LASTING))
        if k % 12 == 5:
            world.disconnect(noticed=dice.random() < 0.5)
            world.run(dice.uniform(0.2, 3.0))
            world.connect()
        world.run(PAUSE_S)
    world.until(lambda: not world.desk.live_parents, 90)
    world.until(lambda: world.desk.reconciled, 20)
    return world


def test_every_parent_is_complete_or_says_what_held_it_back() -> None:
    world = traded(3)
    told = auto.told(world.facts)
    assert told["parents"] > 25
    assert told["complete"] == told["filled whole"] > 5
    assert told["complete"] + sum(told["rest explained"].values()) == told["parents"]
    assert told["unexplained"] == 0
    assert world.overseer.seen[m.Reconciled] > MINUTES
    assert world.positions() == world.venue_positions()
    against_venue(world)
