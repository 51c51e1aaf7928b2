"""The tape gives back what was appended, and says where it cannot."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.messages import Forecasts, Frame, Input
from engine.shell.store import blocks, keyframes
from engine.shell.store.folders import BadSession, Meta, checked, folder_of, meta_of
from engine.shell.store.tape import Gap, Tape, headers, number_at, read, running, segments
from tests.shell.items import T0, forecasts, frame, tapes

META = Meta(name="one", mode="paper", started=T0, code="abc", instruments=3)


def record(
    data: Path, items: Sequence[Input | Forecasts], *, block: int = 200, segment: int = 600, close: bool = True
) -> Path:
    folder = folder_of(data, "one")
    tape = Tape.create(folder, META, block=block, segment=segment)
    for item in items:
        tape.append(item)
    tape.sync()
    if close:
        tape.close()
    return folder


def frames(count: int) -> list[Frame]:
    """Each fills a block of its own, so that a block is a number."""
    return [frame(n, os.urandom(150)) for n in range(1, count + 1)]


def block_at(folder: Path, n: int) -> tuple[Path, int, int]:
    """File, offset and size of the block that begins with number n."""
    for path in segments(folder):
        at = 0
        for header in blocks.scan(path):
            assert isinstance(header, blocks.Header)
            if header.first == n:
                return path, at, blocks.HEADER + header.stored
            at += blocks.HEADER + header.stored
    raise AssertionError(f"no block begins with {n}")


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 0x10
    path.write_bytes(data)


def numbers(found: Sequence[Input | Forecasts | Gap]) -> list[int | Gap]:
    return [item if isinstance(item, Gap) else item.n for item in found]


class TestWhole:
    @settings(max_examples=60, deadline=None)
    @given(items=tapes(), block=st.integers(1, 3000), segment=st.integers(1, 6000), flushes=st.sets(st.integers(0, 60)))
    def test_reading_gives_exactly_what_was_appended(
        self, items: list[Input | Forecasts], block: int, segment: int, flushes: set[int]
    ) -> None:
        with tempfile.TemporaryDirectory() as data:
            folder = folder_of(Path(data), "one")
            tape = Tape.create(folder, META, block=block, segment=segment)
            for index, item in enumerate(items):
                tape.append(item)
                if index in flushes:
                    tape.flush()
            tape.close()
            assert list(read(folder)) == items
            for after in {0, len(items) // 2, tape.last}:
                assert list(read(folder, after)) == [item for item in items if item.n > after]

    def test_spans_many_segments_of_bounded_size(self, tmp_path: Path) -> None:
        folder = record(tmp_path, frames(30), segment=800)
        sizes = [path.stat().st_size for path in segments(folder)]
        assert len(sizes) > 5
        assert max(sizes) <= 800
        assert [path.name for path in segments(folder)][:2] == ["tape-000001.seg", "tape-000002.seg"]

    def test_an_item_larger_than_a_block_or_a_segment_is_kept(self, tmp_path: Path) -> None:
        items = [frame(1), frame(2, os.urandom(5000)), frame(3)]
        assert list(read(record(tmp_path, items))) == items

    def test_nothing_is_on_disk_before_a_flush_and_all_of_it_after(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "one")
        tape = Tape.create(folder, META)
        tape.append(frame(1))
        assert list(read(folder)) == []
        tape.flush()
        assert list(read(folder)) == [frame(1)]
        tape.close()

    def test_a_tape_that_nobody_drives_holds_a_bounded_amount(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "one")
        tape = Tape.create(folder, META)
        for n in range(1, 7):
            tape.append(frame(n, bytes(1 << 20)))
        assert len(list(read(folder))) >= 4
        tape.close()

    @pytest.mark.parametrize(
        ("items", "wrong"),
        [
            ([frame(1)], frame(1)),
            ([frame(1), frame(2)], frame(1)),
            ([], frame(0)),
            ([frame(1)], forecasts(2)),
            ([frame(1), frame(2)], forecasts(1)),
        ],
    )
    def test_what_is_out_of_order_is_refused(
        self, tmp_path: Path, items: list[Input], wrong: Input | Forecasts
    ) -> None:
        tape = Tape.create(folder_of(tmp_path, "one"), META)
        for item in items:
            tape.append(item)
        with pytest.raises(ValueError, match="cannot follow"):
            tape.append(wrong)
        tape.close()
        assert list(read(tape.folder)) == items

    def test_may_begin_at_another_number(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "one")
        tape = Tape.create(folder, msgspec.structs.replace(META, first=100))
        tape.append(frame(100))
        tape.close()
        assert list(read(folder)) == [frame(100)]


class TestDamage:
    @pytest.mark.parametrize("where", [*range(0, blocks.HEADER, 3), blocks.HEADER + 5, -1])
    @pytest.mark.parametrize("n", [1, 4, 9])
    def test_a_flipped_byte_loses_its_block_and_no_other(self, tmp_path: Path, n: int, where: int) -> None:
        items = frames(9)
        folder = record(tmp_path, items)
        path, at, size = block_at(folder, n)
        flip(path, at + where % size)
        found = list(read(folder))
        gap = [item for item in found if isinstance(item, Gap)]
        assert [item for item in found if not isinstance(item, Gap)] == [item for item in items if item.n != n]
        assert [(one.after, one.before) for one in gap] == [(n - 1, 0 if n == 9 else n + 1)]
        assert path.name in gap[0].reason

    @given(data=st.data())
    @settings(max_examples=60, deadline=None)
    def test_any_damage_anywhere_is_marked_and_what_is_read_was_written(self, data: st.DataObject) -> None:
        with tempfile.TemporaryDirectory() as place:
            items = [frame(n, bytes([n]) * (n * 37 % 300)) for n in range(1, 40)]
            folder = record(Path(place), items, block=300, segment=700)
            path = data.draw(st.sampled_from(segments(folder)))
            content = bytearray(path.read_bytes())
            at = data.draw(st.integers(0, len(content) - 1))
            size = data.draw(st.integers(1, 64))
            how = data.draw(st.sampled_from(["overwrite", "cut out", "insert", "truncate"]))
            if how == "overwrite":
                content[at : at + size] = bytes(byte ^ 0xFF for byte in content[at : at + size])
            elif how == "cut out":
                del content[at : at + size]
            elif how == "insert":
                content[at:at] = b"TGB1" * size
            else:
                del content[at:]
            path.write_bytes(content)
            found = list(read(folder))
            kept = [item for item in found if not isinstance(item, Gap)]
            missing = {item.n for item in items} - {item.n for item in kept}
            marked = {
                n for gap in found if isinstance(gap, Gap) for n in range(gap.after + 1, gap.before or len(items) + 1)
            }
            assert kept == [item for item in items if item.n not in missing]
            assert missing == marked

    def test_a_truncated_tail_is_recovered_and_marked(self, tmp_path: Path) -> None:
        items = frames(3)
        folder = record(tmp_path, items, segment=10_000, close=False)
        path, at, size = block_at(folder, 3)
        for keep in (size - 1, blocks.HEADER, blocks.HEADER - 1, 1):
            os.truncate(path, at + keep)
            assert list(read(folder)) == [*items[:2], Gap(2, 0, "tape-000001.seg ends in the middle of a block")]

    def test_a_cut_between_blocks_is_no_damage_until_the_session_was_closed(self, tmp_path: Path) -> None:
        items = frames(3)
        folder = record(tmp_path, items, segment=10_000)
        path, at, _ = block_at(folder, 3)
        os.truncate(path, at)
        assert list(read(folder))[2:] == [Gap(2, 0, "the tape ends before input 3, the session's last")]
        (folder / "session.json").write_bytes(msgspec.json.encode(META))
        assert list(read(folder)) == items[:2]

    def test_a_missing_segment_is_marked(self, tmp_path: Path) -> None:
        folder = record(tmp_path, frames(6), segment=450)
        first, second = segments(folder)[:2]
        lost = [header.first for header in blocks.scan(second) if isinstance(header, blocks.Header)]
        second.unlink()
        gap = [item for item in read(folder) if isinstance(item, Gap)]
        assert gap == [Gap(lost[0] - 1, lost[-1] + 1, "a segment is missing")]
        first.unlink()
        assert next(read(folder)) == Gap(0, lost[-1] + 1, "a segment is missing")

    def test_forecasts_of_a_lost_input_are_lost_with_it(self, tmp_path: Path) -> None:
        folder = folder_of(tmp_path, "one")
        tape = Tape.create(folder, META, block=1)
        for item in (frame(1), frame(2), forecasts(2), frame(3)):
            tape.append(item)
            tape.flush()
        tape.close()
        path, at, _ = block_at(folder, 2)
        flip(path, at)
        assert numbers(list(read(folder))) == [1, Gap(1, 3, "a block's header in tape-000001.seg is broken"), 3]

    def test_damage_before_the_start_is_of_no_concern(self, tmp_path: Path) -> None:
        items = frames(6)
        folder = record(tmp_path, items, segment=100_000)
        path, at, _ = block_at(folder, 2)
        flip(path, at)
        assert list(read(folder, 4)) == items[4:]

    def test_numbers_that_were_never_written_are_marked(self, tmp_path: Path) -> None:
        folder = record(tmp_path, [frame(1), frame(5)])
        assert numbers(list(read(folder))) == [1, Gap(1, 5, "numbers are missing"), 5]

    def test_a_file_of_noise_is_one_gap(self, tmp_path: Path) -> None:
        folder = record(tmp_path, frames(2), segment=10_000)
        segments(folder)[0].write_bytes(b"TGB1" * 50_000)
        assert [item.after for item in read(folder) if isinstance(item, Gap)] == [0]


class TestIndex:
    def test_headers_tell_numbers_and_times_without_items(self, tmp_path: Path) -> None:
        items = frames(9)
        folder = record(tmp_path, items)
        found = list(headers(folder))
        assert [header.first for header in found] == [item.n for item in items]
        assert [header.t_last for header in found] == [item.t for item in items]

    def test_number_at_a_moment(self, tmp_path: Path) -> None:
        items = frames(30)
        folder = record(tmp_path, items, block=500, segment=1500)
        assert number_at(folder, items[0].t - 1) == 0
        for item in items:
            assert number_at(folder, item.t) == item.n
            assert number_at(folder, item.t + 1) == item.n
        assert number_at(folder, items[-1].t + 10**12) == 30


class TestSession:
    def test_files_are_their_owners_alone(self, tmp_path: Path) -> None:
        folder = record(tmp_path / "data", frames(3))
        keyframes.put(folder, 1, b"dump")
        modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "data").rglob("*")}
        assert {modes[path] for path in modes if path.is_file()} == {0o600}
        assert {modes[path] for path in modes if path.is_dir()} == {0o700}
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700

    @pytest.mark.parametrize(
        "name",
        [
            "",
            ".",
            "..",
            "../x",
            "a/b",
            "/etc",
            "a\\b",
            "a\0b",
            "a..b",
            ".hidden",
            "-x",
            "a b",
            "a\n",
            "é",
            "x" * 101,
            "a/../b",
        ],
    )
    def test_a_name_that_could_lead_elsewhere_is_refused(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(BadSession, match="cannot be a session's name"):
            folder_of(tmp_path, name)
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("name", ["a", "2026-03-27T08.00.00Z-paper", "x" * 100, "deribit_2021-07-22.ws"])
    def test_a_plain_name_is_fine(self, name: str) -> None:
        assert checked(name) == name

    def test_session_json_states_plain_facts(self, tmp_path: Path) -> None:
        folder = record(tmp_path, frames(3), close=False)
        assert meta_of(folder) == META
        (folder / "session.json").unlink()
        folder = record(tmp_path / "other", frames(3))
        assert meta_of(folder) == msgspec.structs.replace(META, closed=True, last=3, ended=frame(3).t)

    def test_a_session_is_never_overwritten(self, tmp_path: Path) -> None:
        folder = record(tmp_path, frames(3))
        with pytest.raises(BadSession, match="already"):
            Tape.create(folder, META)
        with pytest.raises(BadSession, match="does not belong"):
            Tape.create(tmp_path / "two", META)
        assert len(list(read(folder))) == 3

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            (b'{"format": 99}', "is of format 99; this engine reads format 1"),
            (b'{"name": "one"}', "is of format None; this engine reads format 1"),
            (b'{"format": 1}', "cannot be understood"),
            (b"[]", "cannot be understood"),
            (b"\xff\xfe", "cannot be understood"),
            (b"", "cannot be understood"),
        ],
    )
    def test_another_format_is_refused_in_a_sentence(self, tmp_path: Path, text: bytes, said: str) -> None:
        folder = record(tmp_path, frames(3))
        (folder / "session.json").write_bytes(text)
        with pytest.raises(BadSession, match=said):
            list(read(folder))

    def test_no_session_there_is_said(self, tmp_path: Path) -> None:
        with pytest.raises(BadSession, match="there is no session 'none'"):
            list(read(folder_of(tmp_path, "none")))

    def test_it_runs_while_it_is_written(self, tmp_path: Path) -> None:
        tape = Tape.create(folder_of(tmp_path, "one"), META)
        assert running(tape.folder)
        tape.close()
        tape.close()
        assert not running(tape.folder)
        assert not running(tmp_path)


class TestBroken:
    def test_a_failed_write_is_told_once_and_stops_nothing_else(self, tmp_path: Path) -> None:
        tape = Tape.create(folder_of(tmp_path, "one"), META)
        tape.append(frame(1))
        tape.sync()
        tape.driven = True
        tape.append(frame(2))
        (tape.folder / "tape-000002.seg").touch()  # the place of the next segment is taken
        tape.append(frame(3, os.urandom(17 << 20)))
        with pytest.raises(OSError, match="exists"):
            tape.flush()
        assert tape.broken
        tape.append(frame(4))
        tape.flush()
        tape.close()
        assert not meta_of(tape.folder).closed

    def test_a_driven_tape_never_writes_by_itself_and_gives_up_when_far_behind(self, tmp_path: Path) -> None:
        tape = Tape.create(folder_of(tmp_path, "one"), META)
        tape.driven = True
        for n in range(1, 6):
            tape.append(frame(n, bytes(16 << 20)))
        assert tape.broken == "the disk does not keep up with the inputs"
        assert segments(tape.folder) == []
        tape.close()


class TestKeyframes:
    def test_nearest_at_or_before(self, tmp_path: Path) -> None:
        folder = record(tmp_path, frames(3))
        assert keyframes.nearest(folder, 100) is None
        for n in (10, 20, 30):
            keyframes.put(folder, n, b"state %d" % n * 1000)
        assert keyframes.numbers(folder) == [10, 20, 30]
        assert keyframes.nearest(folder, 9) is None
        assert keyframes.nearest(folder, 10) == (10, b"state 10" * 1000)
        assert keyframes.nearest(folder, 29) == (20, b"state 20" * 1000)
        assert keyframes.nearest(folder, 99) == (30, b"state 30" * 1000)

    def test_a_broken_one_is_passed_over(self, tmp_path: Path) -> None:
        folder = record(tmp_path, frames(3))
        for n in (10, 20):
            keyframes.put(folder, n, b"state" * 100)
        path = folder / "keyframes" / "000000000020.key"
        whole = path.read_bytes()
        for at in range(len(whole)):
            flip(path, at)
            found = keyframes.nearest(folder, 25)
            assert found is not None
            assert found[1] == b"state" * 100
            path.write_bytes(whole)
        path.write_bytes(whole[:5])
        assert keyframes.nearest(folder, 25) == (10, b"state" * 100)
