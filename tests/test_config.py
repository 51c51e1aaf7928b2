"""Settings from text: what is not known, not of its type or not a number is refused by name."""

from __future__ import annotations

import re

import msgspec
import pytest

from engine.config import DEFAULT_POLICY, Action, BadSettings, Condition, Config, Execution, Limits, Row, parse


@pytest.mark.parametrize("text", ["", "\n\n", "# nothing set\n"])
def test_an_empty_text_is_the_default(text: str) -> None:
    assert parse(text) == Config()


def test_what_is_set_is_set_and_the_rest_stays() -> None:
    config = parse("""
        coin = "ETH"
        seed = 7
        resume_after_recovery = true
        [limits]
        order_contracts = 12
        [execution]
        base_child = 2.5
    """)
    assert config == Config(
        coin="ETH", seed=7, resume_after_recovery=True, limits=Limits(order_contracts=12.0),
        execution=Execution(base_child=2.5),
    )  # fmt: skip
    assert type(config.limits.order_contracts) is float


POLICY = """
[[policy]]
name = "volatility"
kind = "protective"
when = [{reading = "iv_move_against_pct", op = ">=", value = 3}]
action = {halt_s = 10, max_child = 2.0}

[[policy]]
name = "up"
kind = "opportunistic"
when = [{reading = "p_against", op = ">", value = 0.8}, {reading = "spread_ticks", op = "<", value = 4}]
action = {times_base = 2, style = "cross"}
"""


def test_policy_rows_are_read_in_their_order() -> None:
    assert parse(POLICY).policy == (
        Row(name="volatility", kind="protective", when=(Condition("iv_move_against_pct", ">=", 3.0),),
            action=Action(halt_s=10.0, max_child=2.0)),
        Row(name="up", kind="opportunistic",
            when=(Condition("p_against", ">", 0.8), Condition("spread_ticks", "<", 4.0)),
            action=Action(times_base=2.0, style="cross")),
    )  # fmt: skip


def test_no_rows_at_all_is_a_policy_too() -> None:
    assert parse("policy = []").policy == ()
    assert parse("").policy == DEFAULT_POLICY


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("colour = 1", "'colour' is not a setting"),
        ("[limits]\norder_contract = 5", "'limits.order_contract' is not a setting"),
        ("[execution]\nbase = 5", "'execution.base' is not a setting"),
        (POLICY.replace("max_child", "max_chld"), "'policy[0].action.max_chld' is not a setting"),
        (POLICY.replace('op = "<"', 'than = "<"'), "'policy[1].when[1].than' is not a setting"),
        (POLICY.replace("kind =", "sort ="), "'policy[0].sort' is not a setting"),
    ],
)
def test_a_setting_that_is_not_known_is_named_with_those_that_are(text: str, named: str) -> None:
    with pytest.raises(BadSettings, match=re.escape(f"settings: {named}; known here: ")):
        parse(text)


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ('seed = "one"', "$.seed"),
        ("seed = 1.5", "$.seed"),
        ('mode = "real"', "$.mode"),
        ("limits = 3", "$.limits"),
        ("[[limits]]\norder_contracts = 1", "$.limits"),
        ("[limits]\norder_contracts = true", "$.limits.order_contracts"),
        ('[execution]\nbase_child = "5"', "$.execution.base_child"),
        ("policy = 3", "$.policy"),
        (POLICY.replace("p_against", "p_up"), "$.policy[1].when[0].reading"),
        (POLICY.replace('">="', '"=="'), "$.policy[0].when[0].op"),
        (POLICY.replace('"cross"', '"hope"'), "$.policy[1].action.style"),
        (POLICY.replace('name = "up"\n', ""), "$.policy[1]"),
    ],
)
def test_a_wrong_type_is_refused_where_it_stands(text: str, where: str) -> None:
    with pytest.raises(BadSettings, match=re.escape(where)):
        parse(text)


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "-1.0"])
@pytest.mark.parametrize(
    "name", [field for field in Limits.__struct_fields__ if field not in ("open_orders", "orders_per_10s")]
)
def test_no_limit_can_be_set_to_what_is_no_limit(name: str, value: str) -> None:
    with pytest.raises(BadSettings, match=name):
        parse(f"[limits]\n{name} = {value}")


@pytest.mark.parametrize("name", ["open_orders", "orders_per_10s"])
def test_no_count_is_negative(name: str) -> None:
    with pytest.raises(BadSettings, match=name):
        parse(f"[limits]\n{name} = -1")


def test_a_threshold_is_a_number() -> None:
    with pytest.raises(BadSettings, match="value"):
        parse(POLICY.replace("value = 0.8", "value = nan"))


@pytest.mark.parametrize("text", ["seed = ", "[limits", "seed = 1\nseed = 2", "\x00"])
def test_what_is_not_toml_says_so(text: str) -> None:
    with pytest.raises(BadSettings, match="settings: "):
        parse(text)


def test_settings_travel_in_messages_unchanged() -> None:
    for config in (Config(), parse(POLICY)):
        assert msgspec.msgpack.decode(msgspec.msgpack.encode(config), type=Config) == config
