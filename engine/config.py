"""Settings: frozen, parsed from text, checked, without touching a file.

A whole `Config` travels in the `Started` input, so a replayed session runs under the settings it had.
Secrets are not settings: they live in the environment and never enter this file's types.
"""

from __future__ import annotations

import tomllib
from typing import Annotated, Any, Literal, get_args

import msgspec

from engine.domain import NS

Mode = Literal["paper", "test", "live", "replay"]
Reading = Literal[
    "p_against", "p_for", "p_stable", "edge_over_cost_ticks", "slippage_10_ticks", "impact_ticks", "fill",
    "iv_move_against_pct", "iv_move_against_ticks", "spread_ticks", "spread_over_median_ticks", "iv_band_pct",
    "near_depth_contracts", "saving_ticks",
]  # fmt: skip
Unit = Literal["own", "vol_points", "premium_share"]
# Bounded, so that no `nan` or `inf` of a settings file can take a limit away.
Amount = Annotated[float, msgspec.Meta(ge=0.0, le=1e15)]
Share = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]
Count = Annotated[int, msgspec.Meta(ge=0)]

STEP_NS = NS // 10  # features and forecasts are taken on this grid
WARM_STEPS = 50  # 5 s of steps before a forecast is said


class Condition(msgspec.Struct, frozen=True):
    """`reading op value`. Readings and their units are listed in `execution/policy.py`.

    Where the reading is in ticks at that price, `unit` lets the value be vol points or a share of the premium.
    """

    reading: Reading
    op: Literal[">", ">=", "<", "<="]
    value: Annotated[float, msgspec.Meta(ge=-1e15, le=1e15)]
    unit: Unit = "own"


class Action(msgspec.Struct, frozen=True, kw_only=True):
    """What a row does when it fires. Protective rows cap; opportunistic rows choose.

    Protective: `halt_s` stops children for so long; `max_child` caps a child, in contracts; `passive` lets children
    only rest. Opportunistic: `times_base` sizes a child in base children; `times_rate` works faster than planned;
    `cross` takes the far side, `schedule` is the tactic of every schedule (passive first, across when late), `post`
    joins the own touch and `wait` rests a tick behind it, either crossing only when `patient_times` as late: no row
    rests without end. `weigh` holds the lag against what waiting may bring: it rests inside the spread, nearer to the
    far side the later it is; across it takes only what the far touch shows, and while that is dearer than usual or a
    fill likely it is patient for longer.
    """

    halt_s: Amount = 0.0
    max_child: Amount | None = None
    passive: bool = False
    times_base: Amount | None = None
    times_rate: Amount = 1.0
    style: Literal["cross", "post", "wait", "schedule", "weigh"] = "schedule"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Fires while all its conditions hold; a row without any always does."""

    name: str
    kind: Literal["protective", "opportunistic"]
    when: tuple[Condition, ...]
    action: Action


REST_TWO = Action(max_child=2.0, passive=True)  # what the volatility row may be set to, instead of a halt

DEFAULT_POLICY: tuple[Row, ...] = (
    Row(name="volatility", kind="protective",
        when=(Condition("iv_move_against_pct", ">=", 2.0), Condition("iv_move_against_ticks", ">", 2.0)),
        action=Action(halt_s=30.0)),
    Row(name="slippage", kind="protective",
        when=(Condition("slippage_10_ticks", ">", 5.0),), action=Action(max_child=2.0)),
    Row(name="up", kind="opportunistic",
        when=(Condition("p_against", ">", 0.75), Condition("edge_over_cost_ticks", ">", 0.0)),
        action=Action(times_base=2.0, style="cross")),
    Row(name="up, not worth the spread", kind="opportunistic",
        when=(Condition("p_against", ">", 0.75),), action=Action(times_base=1.0, style="post")),
    Row(name="down", kind="opportunistic",
        when=(Condition("p_for", ">", 0.75),), action=Action(times_base=1.0, style="wait")),
    Row(name="calm", kind="opportunistic",
        when=(Condition("iv_band_pct", "<=", 0.3), Condition("spread_over_median_ticks", "<=", 0.0)),
        action=Action(times_rate=1.5, style="weigh")),
    Row(name="quiet", kind="opportunistic",
        when=(Condition("p_stable", ">", 0.80), Condition("impact_ticks", "<=", 0.5),
              Condition("near_depth_contracts", ">=", 10.0)),
        action=Action(times_base=1.0, style="post")),
    Row(name="stable", kind="opportunistic", when=(Condition("p_stable", ">", 0.80),),
        action=Action(times_base=2.0, style="weigh")),
    Row(name="else", kind="opportunistic", when=(), action=Action(times_base=2.0, style="weigh")),
)  # fmt: skip


class Bounds(msgspec.Struct, frozen=True, kw_only=True):
    """What one instrument, parent or trader may do at most, beside what the desk may. None: only the desk's limit.

    Contracts are those of options; `order_value` is coin; a position counts what is on its way.
    """

    order_contracts: Amount | None = None
    order_value: Amount | None = None
    position_contracts: Amount | None = None
    open_orders: Count | None = None
    orders_per_10s: Count | None = None


class Named(Bounds, frozen=True, kw_only=True):
    """The bounds of one instrument or of one trader, by name."""

    name: str


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Hard blocks before every order. Sizes are contracts of an option; money is coin.

    What is set here is the desk's; `parent` bounds every parent, `instruments` and `traders` those they name. An order
    must be inside all of them.
    """

    order_contracts: Amount = 50.0
    order_value: Amount = 25.0  # coin
    parent_contracts: Amount = 1000.0
    parent: Bounds = Bounds()
    instruments: tuple[Named, ...] = ()
    traders: tuple[Named, ...] = ()
    position_delta: Amount = 500.0  # coin, of the whole book with everything on its way filled
    position_gamma: Amount = 0.5  # coin of delta a USD
    position_vega: Amount = 500_000.0  # USD a vol point
    short_per_expiry: Amount = 500.0  # contracts of calls, and of puts, sold beyond those bought
    margin_share: Share = 0.8  # of the equity that positions and working orders may bind
    expiry_minutes: Amount = 10.0  # nothing new in an instrument that expires sooner
    daily_loss: Amount = 25.0  # coin lost since midnight UTC, at the present marks
    repeats: Count = 60  # executions of one side of one instrument in `repeat_s`: a person must re-arm it
    repeat_s: Amount = 60.0
    lift_s: Amount = 60.0  # a lifted block waits so long for its order
    collar_ticks: Amount = 20.0  # beyond the mark, ticks at that price
    collar_share: Amount = 0.25  # or this share of the mark, whichever is wider
    collar_future_share: Amount = 0.02  # the same for futures and the perpetual
    open_orders: Count = 60
    orders_per_10s: Count = 40
    future_usd: Amount = 1_000_000.0
    cancels_kept: Count = 5  # requests of the matching engine that are left for cancels
    credits_kept: Share = 0.2  # of the venue's credits, for questions and cancels
    orders_per_contract: Amount = 200.0  # orders sent for each contract filled in a day, once past `orders_free`
    orders_free: Count = 5_000
    clock_s: Amount = 5.0  # the venue's stamps and our clock differ by more: `valid_until` would mean nothing
    silence_s: Amount = 5.0  # no frame at all from the venue for so long: every book is stale


# Of options' volume by hour of the UTC day, as `execution.schedules.profile.learn` has it from 24 paper sessions of the
# small listing, seeds 0–23, three minutes in each hour from its tenth on: 1,205 plain prints, 2,120 contracts. So short
# a look, at a crowd that knows no hour, leaves it all but flat: a desk on a real venue sets one of its own sessions.
PROFILE = (
    1.0076, 1.0138, 0.9841, 0.9954, 1.0347, 0.9862, 0.9760, 0.9754, 0.9918, 1.0015, 1.0235, 1.0108,
    0.9920, 0.9897, 1.0108, 1.0014, 0.9847, 1.0064, 1.0125, 0.9973, 0.9783, 1.0126, 1.0168, 0.9964,
)  # fmt: skip


class Execution(msgspec.Struct, frozen=True, kw_only=True):
    base_child: Amount = 5.0  # contracts
    proposal_s: Amount = 20.0  # an intent lapses after this
    reject_rest_s: Amount = 10.0  # after a rejection, no new intent of that parent for so long
    refresh_ms: Amount = 500.0  # an intent is refreshed at most this often
    order_ttl_s: Amount = 3.0  # `valid_until` of a taker, from the request
    passive_ttl_s: Amount = 20.0  # a resting child is cancelled and thought over after this
    min_rest_s: Amount = 1.0  # a resting child keeps its place in the queue for at least so long
    follow_share: Amount = 0.1  # of its own size: what must stand better before it gives its place up for it
    amends: bool = False  # follow by one amend where the dial allows, and hold a good place; else pull and propose anew
    chase_ticks: Amount = 20.0  # a parent's resting price follows the market so far without a fill
    lag_cross_share: Amount = 0.10  # behind schedule by this share of the parent: cross
    finish_s: Amount = 5.0  # before its end, what a parent still lacks is taken rather than waited for
    catch_up: Amount = 3.0  # of the base child, and of the planned rate: no parent catches up faster
    opportunity_s: Amount = 1.0  # between two children that a row has cross: by then it is told again what set it off
    patient_times: Amount = 3.0  # as late as this many times its patience, while crossing is dear or a fill is likely
    fill_likely: Share = 0.25  # chance of a fill in 5 s from which on it is waited for
    settling_s: Amount = 10.0  # parents are suspended so long before the daily settlement at 08:00 UTC
    settled_s: Amount = 10.0  # and so long after it
    flatten_s: Amount = 10.0  # in which closing a position is tried again
    halts_before_asking: Count = 3  # then a parent pauses until the trader resumes it
    profile: tuple[Amount, ...] = PROFILE  # of volume over equal parts of the UTC day, for VWAP
    ask_after_s: Amount = 2.0  # past `valid_until`, before an unanswered order is asked for by label
    view_weight: Share = 0.5  # of the trader's own view against the model's, where it is not said with the view
    direction_s: Literal[1, 10, 60] = 1  # the horizon of the direction that the policy reads


class Block(msgspec.Struct, frozen=True, kw_only=True):
    """What is assumed of a block with a dealer, for the advice beside an order: nobody has been asked."""

    contracts: Amount = 25.0  # the venue takes blocks of options from so many on: 25 BTC; 250 for ETH
    vol_points: Amount = 1.0  # between a dealer's bid and ask
    spread_share: Amount = 0.5  # of the book's own spread, where that is wider
    doubt: Amount = 0.5  # how far a dealer's spread is off the assumed, one standard deviation, as a share of it
    seconds: Amount = 60.0  # until a quote is there and taken; the venue lets a request stand for five minutes


class Hedging(msgspec.Struct, frozen=True, kw_only=True):
    """How the book's delta is kept near its target. Whether it is, the dial and the target can be set while running.

    The half-band is Whalley–Wilmott's: of the risk aversion, and of the friction of the hedge's own book (half spread,
    fee, and so much for each usual depth that the flow has pushed against it).
    """

    on: bool = True
    dial: Literal["manual", "semi", "auto"] = "manual"  # of what no parent's own hedge dial speaks for
    target: Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)] = 0.0  # coin of delta
    delta: Literal["coin", "black_scholes"] = "coin"  # coin: Black–Scholes less the mark
    instrument: Literal["perpetual", "future"] = "perpetual"  # future: of the expiry that has most to hedge
    back_to: Literal["edge", "target"] = "edge"  # how far a hedge goes
    risk_aversion: Annotated[float, msgspec.Meta(ge=1e-12, le=1e6)] = 1e-4  # γ, per USD
    beta: Amount = 0.0005  # of the price, for a usual depth pushed against the hedge
    band_cap: Amount = 5.0  # coin: the half-band is never wider
    band_least: Amount = 0.05  # coin: nor narrower, as where there is no gamma
    inside: Share = 0.2  # of the half-band: a hedge once begun ends, or goes, so far inside the edge
    cross_bands: Amount = 2.0  # as many half-bands away, and it crosses the spread instead of resting
    largest_usd: Amount = 250_000.0  # one hedge order
    auto_usd: Amount = 25_000.0  # semi-automatic: hedges up to this size go by themselves
    pause_s: Amount = 1.0  # between two hedge orders
    old_s: Amount = 60.0  # greeks of a quote that is older are not known
    while_killed: bool = False  # hedges that only reduce a position may go once a kill is confirmed
    gamma_within: Amount | None = None  # advice: options that would bring gamma inside, coin of delta a USD
    vega_within: Amount | None = None  # and vega, USD a vol point


class Config(msgspec.Struct, frozen=True, kw_only=True):
    mode: Mode = "paper"
    coin: str = "BTC"
    seed: int = 1
    limits: Limits = Limits()
    execution: Execution = Execution()
    policy: tuple[Row, ...] = DEFAULT_POLICY
    hedging: Hedging = Hedging()
    block: Block = Block()
    resume_after_recovery: bool = False
    cancel_on_disconnect: bool = True  # the venue cancels our orders when it loses us
    focus_limit: Count = 50
    model: str = ""  # id of the weights in use, empty when there are none


class BadSettings(ValueError):
    """Settings that cannot be used. Its text is fit for a person."""


def parse(text: str) -> Config:
    """TOML text → Config. Unknown names and wrong types are refused, by name."""
    try:
        table = tomllib.loads(text)
        config = msgspec.convert(_known(table, Config, ""), Config)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise BadSettings(f"settings: {error}") from None
    if reason := misfit(config.policy):
        raise BadSettings(f"settings: {reason}")
    return config


def misfit(rows: tuple[Row, ...]) -> str:
    """Why a table of rows means nothing, empty if it does: only what is in ticks can be set in another unit."""
    for row in rows:
        for condition in row.when:
            if condition.unit != "own" and not condition.reading.endswith("_ticks"):
                return f"the row '{row.name}' holds {condition.reading} against {condition.unit}: it is not in ticks"
    return ""


def _known(table: dict[str, Any], kind: type[msgspec.Struct], where: str) -> dict[str, Any]:
    names = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for name, value in table.items():
        if name not in names:
            raise BadSettings(f"settings: '{where}{name}' is not a setting; known here: {', '.join(sorted(names))}")
        inner = _struct_in(names[name])
        if inner is None:
            continue
        for place, row in enumerate(value) if isinstance(value, list) else [("", value)]:
            if isinstance(row, dict):
                _known(row, inner, f"{where}{name}." if place == "" else f"{where}{name}[{place}].")
    return table


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    """The structure that a setting of this type is, or is a list of."""
    for each in (kind, *get_args(kind)):
        if isinstance(each, type) and issubclass(each, msgspec.Struct):
            return each
    return None
