"""Every message survives its journey: memory, tape, journal, wire, and a version that knows a field more or less."""

from __future__ import annotations

import enum
import types
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import messages as m

INPUTS = get_args(m.Input)
FACTS = get_args(m.Fact)
VIEWS = get_args(m.View)
VERBS = get_args(m.Verb)
UPS = get_args(m.Up)
DOWNS = get_args(m.Down)

PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    int: st.integers(-(2**63), 2**63 - 1),
    float: st.floats(allow_nan=False, allow_infinity=False),
    str: st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    bool: st.booleans(),
    bytes: st.binary(max_size=6),
    type(None): st.none(),
}


@cache
def of(kind: Any) -> st.SearchStrategy[Any]:
    """Values of a message's type, from its own annotations."""
    origin, args = get_origin(kind), get_args(kind)
    if kind in PLAIN:
        return PLAIN[kind]
    if origin is Literal:
        return st.sampled_from(args)
    if origin is Annotated:
        meta = next(each for each in args[1:] if isinstance(each, msgspec.Meta))
        if meta.pattern is not None:
            return st.from_regex(meta.pattern, fullmatch=True)
        low, high = meta.ge or 0, 2**31 if meta.le is None else meta.le
        return st.integers(int(low), int(high)) if args[0] is int else st.floats(low, high)
    if origin in (Union, types.UnionType):
        return st.one_of(*(of(arg) for arg in args))
    if origin is tuple and args[1:] == (Ellipsis,):
        return st.lists(of(args[0]), max_size=2).map(tuple)
    if origin is tuple:
        return st.tuples(*(of(arg) for arg in args))
    if origin is dict:
        return st.dictionaries(of(args[0]), of(args[1]), max_size=2)
    if issubclass(kind, enum.Enum):
        return st.sampled_from(kind)
    hints = get_type_hints(kind, include_extras=True)
    return st.builds(kind, **{name: of(hints[name]) for name in kind.__struct_fields__})


def tags(kinds: tuple[Any, ...]) -> list[str]:
    return [kind.__struct_config__.tag for kind in kinds]


@pytest.mark.parametrize("kinds", [INPUTS, FACTS, VIEWS, VERBS, UPS, DOWNS])
def test_every_kind_has_a_tag_of_its_own(kinds: tuple[Any, ...]) -> None:
    assert len(set(tags(kinds))) == len(kinds) > 3


@settings(max_examples=12)
@pytest.mark.parametrize("kind", [*INPUTS, m.Forecasts], ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_an_input_survives_the_tape(kind: Any, data: st.DataObject) -> None:
    item = data.draw(of(kind))
    again = m.unpack_taped(m.pack(item))
    assert again == item
    assert type(again) is kind
    assert m.pack(again) == m.pack(item)


@settings(max_examples=12)
@pytest.mark.parametrize("kind", FACTS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_fact_survives_the_journal(kind: Any, data: st.DataObject) -> None:
    fact = data.draw(of(kind))
    again = m.unpack_fact(m.pack(fact))
    assert again == fact
    assert type(again) is kind
    assert m.pack(again) == m.pack(fact)


@settings(max_examples=12)
@pytest.mark.parametrize("kind", VIEWS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_view_survives_the_way_to_the_browser(kind: Any, data: st.DataObject) -> None:
    view = data.draw(of(kind))
    assert msgspec.json.decode(m.json_bytes(view), type=m.View) == view


@settings(max_examples=25)
@pytest.mark.parametrize("kind", UPS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_a_screen_says_arrives(kind: Any, data: st.DataObject) -> None:
    said = data.draw(of(kind))
    assert m.unpack_up(m.pack(said)) == said


@settings(max_examples=12)
@pytest.mark.parametrize("kind", DOWNS, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_what_a_screen_is_told_arrives(kind: Any, data: st.DataObject) -> None:
    told = data.draw(of(kind))
    assert m.unpack_down(m.pack(told)) == told


@settings(max_examples=8)
@pytest.mark.parametrize("kind", [*INPUTS, *FACTS], ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_a_field_more_is_passed_over_and_a_field_less_is_its_default(kind: Any, data: st.DataObject) -> None:
    whole = data.draw(of(kind))
    decode: Any = m.unpack_taped if kind in INPUTS else m.unpack_fact
    plain = msgspec.to_builtins(whole, builtin_types=(bytes,))
    assert decode(m.pack(plain | {"from_a_later_version": [1, {"two": 3}]})) == whole
    optional = [field for field in msgspec.structs.fields(kind) if not field.required]
    older = decode(m.pack({name: value for name, value in plain.items() if name not in {f.name for f in optional}}))
    for field in optional:
        default = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
        assert getattr(older, field.name) == default


@pytest.mark.parametrize("kind", [*INPUTS, *FACTS], ids=lambda kind: kind.__name__)
def test_only_number_time_and_cause_may_be_left_to_the_loop(kind: Any) -> None:
    required = {field.name for field in msgspec.structs.fields(kind) if field.required}
    assert not required & {"n", "t", "cause"} or kind in INPUTS
    assert {"n", "t"} <= set(kind.__struct_fields__)


@pytest.mark.parametrize("data", [b"", b"\xff", m.pack({"fact": "unheard of"}), m.pack([1, 2]), m.pack({"n": 1})])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    for decode in (m.unpack_taped, m.unpack_fact, m.unpack_up, m.unpack_down):
        with pytest.raises(msgspec.DecodeError):
            decode(data)


def test_an_input_is_no_fact_and_a_fact_no_input() -> None:
    with pytest.raises(msgspec.ValidationError):
        m.unpack_fact(m.pack(m.Tick(n=1, t=1)))
    with pytest.raises(msgspec.ValidationError):
        m.unpack_taped(m.pack(m.OrderSent(child="a")))


def test_messages_cannot_be_changed() -> None:
    for kind in (*INPUTS, *FACTS, *VIEWS, *VERBS, *UPS, *DOWNS, m.Call, m.Hangup):
        assert kind.__struct_config__.frozen, kind


def test_only_what_is_of_one_instrument_says_so() -> None:
    """A view with an `instrument` reaches only the screens that look at that one."""
    named = {kind for kind in VIEWS if "instrument" in kind.__struct_fields__}
    assert named == {m.LadderView, m.GaugesView, m.NoteView}  # notes reach everybody
