"""What a screen or a script sees of the link: answers, ends, and sentences for what goes wrong."""

from __future__ import annotations

import asyncio
import os
import socket

import msgspec
import pytest
from websockets.asyncio.client import connect

from engine.client import LinkLost, attach
from engine.domain import Side
from engine.messages import (
    Answer,
    Approve,
    Ask,
    Goodbye,
    Kill,
    SubmitParent,
    Welcome,
    pack,
)
from engine.shell.serve import Serve
from tests.shell.links import WELCOME, Script, closing, gather, note, run, said, served, until

TICKET = SubmitParent(instrument="BTC-27MAR26-80000-C", side=Side.BUY, quantity=100.0, limit=0.05)


class TestNoEngine:
    @pytest.mark.parametrize(
        ("address", "said"),
        [
            ("nonsense", "'nonsense' is not an engine's address"),
            ("http://127.0.0.1:1/?token=secret", "'127.0.0.1:1' is not an engine's address"),
            ("ws://127.0.0.1:99999/?token=secret", "'127.0.0.1:99999' is not an engine's address"),
            ("?token=secret", "'' is not an engine's address"),
        ],
    )
    def test_an_address_that_is_none(self, address: str, said: str) -> None:
        async def test() -> None:
            with pytest.raises(LinkLost, match=f"^{said}") as lost:
                async with attach(address):
                    pass
            assert "secret" not in str(lost.value)

        run(test())

    def test_nobody_listens(self) -> None:
        async def test() -> None:
            with socket.socket() as held:
                held.bind(("127.0.0.1", 0))
                port = held.getsockname()[1]
                with pytest.raises(LinkLost, match=f"^no engine answers at 127.0.0.1:{port}$"):
                    async with attach(f"ws://127.0.0.1:{port}/?token=secret"):
                        pass

        run(test())

    def test_something_else_listens(self) -> None:
        async def rude(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            writer.close()
            await writer.wait_closed()

        async def test() -> None:
            async with await asyncio.start_server(rude, "127.0.0.1", 0) as other:
                port = other.sockets[0].getsockname()[1]
                with pytest.raises(LinkLost, match=f"^what answers at 127.0.0.1:{port} is not an engine$"):
                    async with attach(f"ws://127.0.0.1:{port}/"):
                        pass

        run(test())


class TestCommands:
    def test_a_command_is_answered(self) -> None:
        async def test() -> None:
            async with served() as (_, desk, address), attach(address) as client:
                answer = await client.ask(Kill(account=True), user="anna", role="trader")
                assert (answer.ok, answer.text) == (True, "done for anna")
                assert desk.asked == [Ask(id=answer.id, user="anna", role="trader", verb=Kill(account=True))]

        run(test())

    def test_ids_are_unique_between_clients_and_may_be_given(self) -> None:
        async def test() -> None:
            async with served() as (_, _, address), attach(address) as one, attach(address) as two:
                asks = [client.ask(Kill(), user="u", role="admin") for client in (one, two) for _ in range(20)]
                answers = await asyncio.gather(*asks)
                assert len({answer.id for answer in answers}) == 40
                assert (await one.ask(Kill(), user="u", role="admin", command="mine")).id == "mine"

        run(test())

    def test_one_id_waits_for_one_answer(self) -> None:
        async def test() -> None:
            async with served() as (_, desk, address), attach(address) as client:
                approve = Approve(proposal="p1", revision=1)
                first = asyncio.create_task(client.ask(approve, user="u", role="trader", command="mine"))
                await asyncio.sleep(0)
                with pytest.raises(ValueError, match="is waiting for its answer already"):
                    await client.ask(approve, user="u", role="trader", command="mine")
                while "p1" not in desk.held:
                    await asyncio.sleep(0)
                desk.held["p1"].set_result(Answer(id="mine", ok=True, text="sent"))
                assert (await first).text == "sent"

        run(test())

    def test_an_answer_that_takes_time_holds_no_other_up_and_order_of_asking_is_kept(self) -> None:
        async def test() -> None:
            async with served() as (_, desk, address), attach(address) as client:
                slow = asyncio.create_task(client.ask(Approve(proposal="p1", revision=1), user="a", role="trader"))
                await asyncio.sleep(0)
                kill = await client.ask(Kill(), user="b", role="trader")
                assert kill.ok
                assert not slow.done()
                assert [ask.user for ask in desk.asked if isinstance(ask, Ask)] == ["a", "b"]
                asked = desk.asked[0]
                desk.held["p1"].set_result(Answer(id=asked.id, ok=False, text="refused: too late"))
                assert await slow == Answer(id=asked.id, ok=False, text="refused: too late")

        run(test())

    def test_a_client_gone_before_its_answer_disturbs_nothing(self) -> None:
        async def test() -> None:
            async with served() as (serve, desk, address):
                async with attach(address) as client:
                    asking = asyncio.create_task(
                        client.ask(Approve(proposal="p1", revision=1), user="a", role="trader")
                    )
                    while "p1" not in desk.held:
                        await asyncio.sleep(0)
                with pytest.raises(LinkLost):
                    await asking
                await until(serve, 0)
                desk.held["p1"].set_result(Answer(id=desk.asked[0].id, ok=True, text="sent"))
                async with attach(address) as client:
                    assert (await client.ask(Kill(), user="b", role="trader")).ok

        run(test())

    def test_why_is_answered_in_words(self) -> None:
        async def test() -> None:
            async with served() as (_, _, address), attach(address) as client:
                assert (await client.why("A")).text == "because of A"
                assert not (await client.why("")).ok

        run(test())

    def test_a_replay_is_driven(self) -> None:
        async def test() -> None:
            async with served() as (_, _, address), attach(address) as client:
                assert (await client.drive("speed", 10)).text == "speed 10.0"
                assert not (await client.drive("seek", 1e12)).ok

        run(test())

    def test_a_failing_desk_is_told_and_the_link_lives(self, caplog: pytest.LogCaptureFixture) -> None:
        async def test() -> None:
            async with served() as (_, _, address), attach(address) as client:
                answer = await client.ask(Kill(), user="explode", role="trader")
                assert (answer.ok, answer.text) == (False, "the engine failed on this command; its log says more")
                assert (await client.ask(Kill(), user="anna", role="trader")).ok

        run(test())
        assert "a broken invariant" in caplog.text

    def test_too_many_commands_without_an_answer_are_refused(self) -> None:
        async def test() -> None:
            async with served(lag=5) as (_, desk, address), attach(address) as client:
                held = [
                    asyncio.create_task(client.ask(Approve(proposal=f"p{n}", revision=1), user="a", role="trader"))
                    for n in range(5)
                ]
                while len(desk.held) < 5:
                    await asyncio.sleep(0)
                refused = await client.ask(Kill(), user="a", role="trader")
                assert (refused.ok, refused.text) == (False, "too many commands are waiting for their answers")
                for ask in list(desk.asked):
                    assert isinstance(ask, Ask)
                    assert isinstance(ask.verb, Approve)
                    desk.held[ask.verb.proposal].set_result(Answer(id=ask.id, ok=True, text=""))
                await asyncio.gather(*held)
                assert (await client.ask(Kill(), user="a", role="trader")).ok

        run(test())

    @pytest.mark.parametrize(
        "wrong", [b"", b"\xc1", b"\x80", pack(Welcome(mode="live", session="", code="")), "text", b"\xff" * 500]
    )
    def test_what_cannot_be_understood_ends_the_link_with_a_sentence(self, wrong: str | bytes) -> None:
        async def test() -> None:
            async with served() as (serve, _, address), connect(address) as raw, attach(address) as other:
                assert await said(raw) == WELCOME
                await raw.send(wrong)
                assert await said(raw) == Goodbye(reason="that cannot be understood")
                assert await closing(raw) == (1008, "that cannot be understood")
                assert (await other.ask(Kill(), user="a", role="admin")).ok
                await until(serve, 1)

        run(test())

    def test_a_message_without_end_is_refused(self) -> None:
        async def test() -> None:
            async with served() as (serve, _, address), connect(address) as raw:
                await until(serve, 1)
                await raw.send(os.urandom((1 << 20) + 1))
                assert (await closing(raw))[0] == 1009

        run(test())


class TestTheEnd:
    def test_a_stop_is_said_to_all(self) -> None:
        async def test() -> None:
            desk = Script()
            serve = Serve(WELCOME)
            address = await serve.start(desk)
            async with attach(address) as one, attach(address) as two:
                await until(serve, 2)
                asking = asyncio.create_task(one.ask(Approve(proposal="p1", revision=1), user="a", role="trader"))
                while not desk.held:
                    await asyncio.sleep(0)
                await serve.stop("the engine is being replaced")
                for client in (one, two):
                    with pytest.raises(LinkLost, match="the engine is being replaced"):
                        await gather(client, 1)
                    with pytest.raises(LinkLost):
                        await client.ask(Kill(), user="a", role="trader")
                    with pytest.raises(LinkLost):
                        await client.look(["A"])
                with pytest.raises(LinkLost, match="the engine is being replaced"):
                    await asking
            with pytest.raises(LinkLost, match="no engine answers"):
                async with attach(address):
                    pass

        run(test())

    def test_what_came_before_the_end_is_still_read(self) -> None:
        async def test() -> None:
            desk = Script()
            serve = Serve(WELCOME)
            async with attach(await serve.start(desk)) as client:
                await until(serve, 1)
                serve.publish([note(1)])
                await client.ask(Kill(), user="a", role="trader")
                await serve.stop()
                assert await gather(client, 1) == [note(1)]
                with pytest.raises(LinkLost, match="the engine said goodbye: the engine stops"):
                    await gather(client, 1)

        run(test())

    def test_a_link_cut_without_a_word(self) -> None:
        async def test() -> None:
            async with served() as (serve, _, address), attach(address) as client:
                await until(serve, 1)
                for one in serve._clients.values():
                    one._socket.transport.abort()
                with pytest.raises(LinkLost, match=r"^the link to the engine is lost$"):
                    await gather(client, 1)

        run(test())


class TestEstimates:
    def test_a_ticket_is_answered_and_no_command_is_given(self) -> None:
        async def test() -> None:
            async with served() as (_, desk, address), attach(address) as client:
                said = await client.estimate(TICKET)
                assert said.reason == f"nothing is known of {TICKET.instrument}"
                assert desk.asked == []

        run(test())

    def test_an_engine_that_fails_on_it_says_so(self) -> None:
        async def test() -> None:
            async with served() as (_, _, address), attach(address) as client:
                said = await client.estimate(msgspec.structs.replace(TICKET, instrument="explode"))
                assert (said.ways, said.reason) == ((), "the engine failed on this command; its log says more")

        run(test())
