"""The engine's link on a real loopback socket: who gets in, what they are told, and who is let go."""

from __future__ import annotations

import msgspec
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from engine.client import LinkLost, attach
from engine.messages import (
    ChainView,
    Goodbye,
    Hello,
    Look,
    NoteView,
    Recall,
    View,
    Views,
    pack,
)
from engine.shell.serve import PortTaken, Serve
from tests.shell.links import WAIT, WELCOME, Script, big, closing, gather, ladder, note, run, said, served, until


class TestGettingIn:
    def test_the_printed_address_is_enough(self) -> None:
        async def test() -> None:
            async with served() as (serve, _, address), attach(address) as client:
                assert client.welcome == WELCOME
                assert serve.clients == 1
                assert address.startswith(f"ws://127.0.0.1:{serve.port}/?token=")
                assert len(address.partition("token=")[2]) >= 32

        run(test())

    def test_a_token_in_the_first_frame_is_as_good(self) -> None:
        async def test() -> None:
            async with served(token="right") as (serve, _, _), connect(f"ws://127.0.0.1:{serve.port}/") as raw:
                await raw.send(pack(Hello(token="right")))
                assert await said(raw) == WELCOME

        run(test())

    @pytest.mark.parametrize(
        "query", ["?token=wrong", "?token=righ", "?token=right%00", "?token=%ff%fe", "?token=ri%C3%A9ght"]
    )
    def test_a_wrong_token_in_the_address(self, query: str) -> None:
        async def test() -> None:
            async with served(token="right") as (serve, _, _):
                with pytest.raises(LinkLost, match=r"^the engine refused: the token is wrong$"):
                    async with attach(f"ws://127.0.0.1:{serve.port}/{query}"):
                        pass
                assert serve.clients == 0

        run(test())

    @pytest.mark.parametrize(
        "first",
        [
            pack(Hello(token="wrong")),
            pack(Hello(token="")),
            pack(Look(instruments=())),
            b"",
            b"\xc1",
            "text",
            b"\xdf" * 99,
        ],
    )
    def test_a_wrong_first_frame(self, first: str | bytes) -> None:
        async def test() -> None:
            async with served(token="right") as (serve, _, _), connect(f"ws://127.0.0.1:{serve.port}/") as raw:
                await raw.send(first)
                assert await said(raw) == Goodbye(reason="the token is wrong")
                assert await closing(raw) == (1008, "the token is wrong")

        run(test())

    def test_a_browser_is_refused_even_with_the_token(self) -> None:
        async def test() -> None:
            async with served() as (_, _, address):
                with pytest.raises(InvalidStatus) as refused:
                    await connect(address, origin="http://127.0.0.1:8050")  # type: ignore[arg-type]
                assert refused.value.response.status_code == 403
                assert refused.value.response.body is not None
                assert b"a browser has no business here" in refused.value.response.body

        run(test())

    def test_the_port_is_on_this_machine_only_and_taken_once(self) -> None:
        async def test() -> None:
            async with served() as (serve, _, _):
                assert serve._server is not None
                assert [one.getsockname()[0] for one in serve._server.sockets] == ["127.0.0.1"]
                with pytest.raises(PortTaken, match=f"^port {serve.port} on 127.0.0.1 is in use already$"):
                    await Serve(WELCOME).start(Script(), serve.port)
                with pytest.raises(PortTaken, match=r"^port 70000 on 127\.0\.0\.1 cannot be used"):
                    await Serve(WELCOME).start(Script(), 70_000)

        run(test())


class TestViews:
    def test_a_newcomer_gets_what_is_kept_then_what_comes(self) -> None:
        async def test() -> None:
            desk = Script()
            desk.kept = [note(1), note(2), ladder("A", 1.0)]
            async with served(desk) as (serve, _, address), attach(address) as client:
                assert await gather(client, 3) == [note(1), note(2), ladder("A", 1.0)]
                serve.publish([note(3), ladder("A", 2.0)])
                assert await gather(client, 2) == [note(3), ladder("A", 2.0)]

        run(test())

    def test_two_clients_get_the_same_and_look_at_their_own(self) -> None:
        async def test() -> None:
            async with served() as (serve, desk, address), attach(address) as one, attach(address) as two:
                await one.look(["A", "B"])
                await desk.until_looking("A", "B")
                await two.look(["B"])
                await desk.until_looking("B")
                serve.publish([ladder("A"), ladder("B"), ladder("C"), note(1)])
                assert await gather(one, 3) == [note(1), ladder("A"), ladder("B")]
                assert await gather(two, 2) == [note(1), ladder("B")]
                assert sorted(desk.looks) == [1, 2]
            assert desk.looks == {1: (), 2: ()}

        run(test())

    def test_before_the_first_look_everything_comes(self) -> None:
        async def test() -> None:
            async with served() as (serve, _, address), attach(address) as client:
                serve.publish([ladder("A"), ladder("B")])
                assert await gather(client, 2) == [ladder("A"), ladder("B")]

        run(test())

    def test_publishing_to_nobody_is_nothing(self) -> None:
        async def test() -> None:
            async with served() as (serve, desk, address):
                serve.publish([note(1)])
                desk.kept = [note(1), note(2)]
                async with attach(address) as client:  # who comes later has missed nothing, and hears nothing twice
                    assert await gather(client, 2) == [note(1), note(2)]

        run(test())

    def test_recall_sends_again(self) -> None:
        async def test() -> None:
            async with served() as (_, desk, address), attach(address) as client:
                desk.kept = [note(1), note(2), ladder("A")]
                await client.recall(1)
                assert await gather(client, 2) == [note(2), ladder("A")]

        run(test())

    def test_views_composed_of_packed_ones_are_views(self) -> None:
        async def test() -> None:
            async with served() as (serve, _, address), connect(address) as raw:
                assert await said(raw) == WELCOME
                serve.publish([ladder("A"), note(1)])
                assert await said(raw) == Views(views=(note(1), ladder("A")))

        run(test())


class TestSlow:
    def test_the_newest_of_a_topic_wins_and_notes_all_come(self) -> None:
        async def test() -> None:
            async with served() as (serve, _, address), connect(address, max_queue=1, max_size=None) as slow:
                async with attach(address) as quick:
                    await until(serve, 2)
                    for version in range(1, 101):  # far more than buffers hold, and nobody reads at the other end
                        serve.publish([big(version), note(version)])
                        got = await gather(quick, 2)
                        assert got == [note(version), big(version)]  # a slow one holds nobody up
                assert await said(slow) == WELCOME
                views: list[View] = []
                while not views or views[-1] != big(100):
                    down = await said(slow)
                    assert isinstance(down, Views)
                    views += down.views
                assert [view for view in views if isinstance(view, NoteView)] == [note(n) for n in range(1, 101)]
                versions = [view.instruments[0][2] for view in views if isinstance(view, ChainView)]
                assert versions == sorted(versions)
                assert len(versions) < 50

        run(test())

    def test_one_that_lets_notes_wait_beyond_the_bound_is_closed_with_the_reason(self) -> None:
        async def test() -> None:
            async with (
                served(lag=20, patience_s=WAIT) as (serve, desk, address),
                connect(address, max_queue=1, max_size=None) as slow,
                attach(address) as quick,
            ):
                await until(serve, 2)
                for version in range(1, 101):
                    serve.publish([big(version), note(version)])
                    await gather(quick, 2)
                assert await closing(slow) == (
                    1008,
                    "this client reads too slowly: more than 20 notes and answers wait for it",
                )
                await until(serve, 1)
                assert desk.looks == {1: ()}
                serve.publish([note(101)])
                assert await gather(quick, 1) == [note(101)]

        run(test())

    def test_a_long_recall_is_no_lag(self) -> None:
        async def test() -> None:
            desk = Script()
            desk.kept = [note(n) for n in range(1, 1001)]
            async with served(desk, lag=20) as (serve, _, address), attach(address) as client:
                assert await gather(client, 1000) == desk.kept
                for n in range(1001, 1101):
                    serve.publish([note(n)])
                    assert await gather(client, 1) == [note(n)]

        run(test())


def test_a_link_message_is_msgpack_anyone_can_write() -> None:
    assert msgspec.msgpack.decode(pack(Recall(after=3))) == {"link": "recall", "after": 3}
    assert msgspec.msgpack.decode(pack(note(1)))["type"] == "note"
