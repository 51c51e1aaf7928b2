"""The regimes differ as their names say, held-out settings are others, and the usual ones are frozen."""

from __future__ import annotations

import msgspec
import numpy as np
import pytest

from engine.paper.crowd.hawkes import Hawkes
from engine.paper.crowd.settings import REGIMES, Settings, digest, held_out, settings_of
from engine.paper.orders.terms import Trades
from tests.paper.crowd.underlying import crowd, heard

FROZEN = "c2ddbaebc6b6f24e88db1a77fde2394bf6e12af3d9597abf409ac9b2eefe0150"


def test_the_usual_settings_are_frozen() -> None:
    """Every figure made on the paper market names this hash. Whoever changes it makes those figures anew."""
    assert digest(Settings()) == FROZEN


def test_every_regime_is_there_and_other() -> None:
    made = {regime: digest(settings_of(regime)) for regime in REGIMES}
    assert set(REGIMES) == {"calm", "normal", "trending", "volatile", "thin", "crisis"}
    assert len(set(made.values())) == len(REGIMES)
    assert settings_of("normal") == Settings()
    with pytest.raises(KeyError):
        settings_of("boom")


@pytest.mark.parametrize("regime", REGIMES)
def test_settings_survive_their_json(regime: str) -> None:
    settings = settings_of(regime)
    assert msgspec.json.decode(msgspec.json.encode(settings), type=Settings) == settings


def test_held_out_settings_are_repeatable_and_none_of_the_regimes() -> None:
    drawn = [held_out(seed) for seed in range(40)]
    assert drawn == [held_out(seed) for seed in range(40)]
    assert len({digest(each) for each in drawn}) == 40
    trained = [settings_of(regime) for regime in REGIMES]
    for each in drawn:
        assert each.weather.vol not in {known.weather.vol for known in trained}
        assert each.future_makers.tolerance_bp not in {known.future_makers.tolerance_bp for known in trained}
        assert each.flow.rates not in {known.flow.rates for known in trained}
        assert Hawkes(each.flow.rates, each.flow.decays, each.flow.children).branching < 1.0


def test_a_coin_has_its_share() -> None:
    usual = Settings()
    assert usual.of("BTC") == usual
    ether = usual.of("ETH")
    assert ether.weather.vol > usual.weather.vol
    assert ether.future_makers.touch < usual.future_makers.touch
    assert ether.of("BTC").future_makers.touch == ether.future_makers.touch


def measured(regime: str, seconds: int = 40) -> dict[str, float]:
    """Volatility (bp a root second), depth at the touch (lots), trades a second, spread (ticks), of two seeds."""
    found: dict[str, list[float]] = {"vol": [], "depth": [], "trades": [], "spread": []}
    for seed in (1, 2):
        who = crowd(seed, settings_of(regime))
        heard(who, 5)
        world, book = who.worlds["BTC"], who.exchanges["BTC"].books[0]
        prices = [world.log_price]
        for second in range(6, seconds):
            said = heard(who, second)
            prices.append(world.log_price)
            found["trades"].append(sum(isinstance(each, Trades) for each in said))
            if book.bids.best is not None and book.asks.best is not None:
                found["depth"].append(book.bids.total(book.bids.best))
                found["spread"].append(book.asks.best - book.bids.best)
        found["vol"].append(float(np.sqrt(np.mean(np.diff(prices) ** 2))) * 1e4)
    return {name: float(np.mean(values)) for name, values in found.items()}


@pytest.fixture(scope="module")
def regimes() -> dict[str, dict[str, float]]:
    return {regime: measured(regime) for regime in REGIMES}


def test_regimes_are_as_restless_as_they_say(regimes: dict[str, dict[str, float]]) -> None:
    vol = {regime: each["vol"] for regime, each in regimes.items()}
    assert vol["calm"] < vol["normal"] < vol["volatile"] < vol["crisis"]


def test_thin_is_thin_and_calm_is_not(regimes: dict[str, dict[str, float]]) -> None:
    depth = {regime: each["depth"] for regime, each in regimes.items()}
    assert depth["thin"] < 0.5 * depth["normal"]
    assert depth["crisis"] < depth["volatile"] < depth["calm"]
    assert regimes["thin"]["trades"] < regimes["normal"]["trades"] < regimes["volatile"]["trades"]


def test_crisis_is_wide_and_calm_is_tight(regimes: dict[str, dict[str, float]]) -> None:
    assert regimes["calm"]["spread"] < 1.5
    assert regimes["crisis"]["spread"] > regimes["normal"]["spread"]


def test_a_trend_goes_on() -> None:
    """The same dice with a trend's drift: over minutes it adds about as much as chance does, over a second nothing."""
    paths = {}
    for regime in ("normal", "trending"):
        world = crowd(4, settings_of(regime)).worlds["BTC"]
        steps = []
        for _ in range(40 * 2500):
            world.step()
            steps.append(world.log_price)
        paths[regime] = np.array(steps)[::40]
    drift = paths["trending"] - paths["normal"]
    for seconds, least, most in ((1, 0.0, 0.2), (300, 0.3, 4.0)):
        chance = np.std(paths["normal"][seconds:] - paths["normal"][:-seconds])
        assert least < np.std(drift[seconds:] - drift[:-seconds]) / chance < most
