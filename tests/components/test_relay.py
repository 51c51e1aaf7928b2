"""The relay: newest wins, nothing is sent twice, notes come all and in order, whatever the pace of a screen."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.relay import NOTES_KEPT, Board, Look, Screen, topic_of
from tests.components.desk import NAME, OTHER, ladder, note, status, surface


def frame(screen: Screen, board: Board, now: float = 0.0) -> dict[str, Any]:
    said: dict[str, Any] = json.loads(screen.frame(board, now))
    return said


def topics(said: dict[str, Any]) -> list[str]:
    return [view["type"] for view in said["views"]]


def looking(name: str = NAME) -> Screen:
    screen = Screen()
    screen.hear(Look(look=name))
    return screen


def test_a_frame_holds_only_what_is_newer_than_the_last() -> None:
    board, screen = Board(), looking()
    board.put(status(1))
    board.put(ladder(t=1.0))
    assert topics(frame(screen, board)) == ["status", "ladder"]
    assert topics(frame(screen, board)) == []
    board.put(ladder(t=2.0))
    board.put(ladder(t=3.0))
    assert [view["t_ms"] for view in frame(screen, board)["views"]] == [3.0]


def test_a_screen_gets_the_ladder_of_its_own_instrument() -> None:
    board, screen = Board(), looking(NAME)
    board.put(ladder(NAME))
    board.put(ladder(OTHER))
    assert [view["instrument"] for view in frame(screen, board)["views"]] == [NAME]
    screen.hear(Look(look=OTHER))
    assert [view["instrument"] for view in frame(screen, board)["views"]] == [OTHER]
    screen.hear(Look(look=NAME))
    assert [view["instrument"] for view in frame(screen, board)["views"]] == [NAME]


def test_the_surface_comes_at_most_twice_a_second() -> None:
    board, screen = Board(), looking()
    sent = 0
    for tick in range(41):  # two seconds at 20 Hz
        board.put(surface(float(tick)))
        sent += len(topics(frame(screen, board, tick * 0.05)))
    assert sent == 5


def test_a_hidden_page_gets_status_and_notes_only() -> None:
    board, screen = Board(), looking()
    screen.hear(Look(hidden=True))
    for view in (status(), ladder(), surface(), note(1)):
        board.put(view)
    assert topics(frame(screen, board)) == ["status", "note"]
    screen.hear(Look(hidden=False))
    assert topics(frame(screen, board)) == ["surface", "ladder"]


def test_a_book_that_nobody_looks_at_is_forgotten() -> None:
    board, screen = Board(), looking(OTHER)
    board.put(ladder(OTHER))
    board.forget({NAME})
    assert topics(frame(screen, board)) == []


def test_a_recall_tells_everything_again_and_notes_from_there_on() -> None:
    board, screen = Board(), looking()
    board.put(status())
    for n in (1, 4, 9):
        board.put(note(n))
    frame(screen, board)
    screen.recall(board, 4)
    said = frame(screen, board)
    assert topics(said) == ["status", "note"]
    assert said["views"][-1]["n"] == 9


def test_notes_told_again_by_an_engine_are_not_told_again_to_the_page() -> None:
    board, screen = Board(), looking()
    for n in (1, 2, 1, 2, 3):
        board.put(note(n))
    assert [view["n"] for view in frame(screen, board)["views"]] == [1, 2, 3]


def test_a_new_journal_begins_the_notes_anew() -> None:
    board, screen = Board(), looking()
    for n in (1, 2):
        board.put(note(n))
    frame(screen, board)
    board.put(note(1, "another journal"))
    said = frame(screen, board)
    assert said["noted"][0] == 0
    assert [view["text"] for view in said["views"]] == ["another journal"]


def test_only_the_last_notes_are_kept() -> None:
    board, screen = Board(), looking()
    for n in range(1, NOTES_KEPT + 11):
        board.put(note(n))
    numbers = [view["n"] for view in frame(screen, board)["views"]]
    assert numbers == list(range(11, NOTES_KEPT + 11))


EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("view"), st.sampled_from([NAME, OTHER, "status", "surface"])),
        st.tuples(st.just("note"), st.just("")),
        st.tuples(st.just("frame"), st.sampled_from(["a", "b"])),
        st.tuples(st.just("hide"), st.booleans().map(str)),
    ),
    max_size=60,
)


@given(EVENTS)
def test_whatever_the_pace_a_screen_ends_with_the_newest_and_with_every_note_once(
    events: list[tuple[str, str]],
) -> None:
    board, screens = Board(), {"a": looking(), "b": looking(OTHER)}
    newest: dict[str, float] = {}
    notes = 0
    seen: dict[str, dict[str, float]] = {"a": {}, "b": {}}
    noted: dict[str, list[int]] = {"a": [], "b": []}

    def show(name: str, now: float) -> None:
        said = frame(screens[name], board, now)
        assert said["noted"] == [len(noted[name]) and said["noted"][0], said["noted"][1]]
        for view in said["views"]:
            if view["type"] == "note":
                noted[name].append(view["n"])
            else:
                topic = f"ladder:{view['instrument']}" if view["type"] == "ladder" else view["type"]
                assert seen[name].get(topic) != view.get("t_ms", view.get("n"))
                seen[name][topic] = view.get("t_ms", view.get("n"))

    for i, (what, which) in enumerate(events):
        if what == "view":
            view = status(i) if which == "status" else surface(i) if which == "surface" else ladder(which, float(i))
            board.put(view)
            newest[topic_of(view)] = float(i)
        elif what == "note":
            notes += 1
            board.put(note(notes))
        elif what == "hide":
            screens["a"].hear(Look(hidden=which == "True"))
        else:
            show(which, float(i))
    screens["a"].hear(Look(hidden=False))
    for name, own, other in (("a", NAME, OTHER), ("b", OTHER, NAME)):
        show(name, 1e6)
        assert noted[name] == list(range(1, notes + 1))
        assert seen[name] == {topic: n for topic, n in newest.items() if topic != f"ladder:{other}"}, own


@pytest.mark.parametrize(
    ("view", "topic"), [(status(), "status"), (surface(), "surface"), (ladder(NAME), f"ladder:{NAME}")]
)
def test_topics(view: Any, topic: str) -> None:
    assert topic_of(view) == topic
