"""Lines come out of any file, plain or compressed, whole or broken."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.research.imports.found import Bad
from engine.research.imports.lines import LONGEST, PIECE, head, lines, whole


def read(path: Path) -> tuple[list[tuple[int, bytes]], Bad]:
    bad = Bad(path.name)
    return list(lines(path, bad)), bad


def write(folder: Path, content: bytes) -> Path:
    path = folder / "some"
    path.write_bytes(content)
    return path


@given(texts=st.lists(st.binary(max_size=40).map(lambda text: text.replace(b"\n", b" ")), max_size=30))
def test_compressed_or_not_they_are_the_same(texts: list[bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("lines")
    content = b"\n".join(texts)
    expected = [(n, line) for n, line in enumerate(content.split(b"\n"), 1)]
    if not expected[-1][1]:
        expected.pop()  # what ends with a line's end has no line after it
    if content[:2] != b"\x1f\x8b":
        assert read(write(folder, content))[0] == expected
    assert read(write(folder, gzip.compress(content)))[0] == expected


def test_lines_longer_than_a_piece_are_whole(tmp_path: Path) -> None:
    long = b"x" * (3 * PIECE + 7)
    found, bad = read(write(tmp_path, b"a\n" + long + b"\nb"))
    assert found == [(1, b"a"), (2, long), (3, b"b")]
    assert bad.count == 0


def test_a_line_longer_than_any_recordings_is_left_out_and_said(tmp_path: Path) -> None:
    content = b"a\n" + b"x" * (LONGEST + 2 * PIECE) + b"\nb\n"
    found, bad = read(write(tmp_path, gzip.compress(content, 1)))
    assert found == [(1, b"a"), (3, b"b")]
    assert [(line.number, line.why) for line in bad.listed] == [(2, "it is longer than 16 MiB")]


def test_members_follow_each_other_and_zeros_at_the_end_are_nothing(tmp_path: Path) -> None:
    content = gzip.compress(b"a\nb") + gzip.compress(b"c\nd\n") + bytes(100)
    assert read(write(tmp_path, content))[0] == [(1, b"a"), (2, b"bc"), (3, b"d")]


def test_what_came_before_a_break_is_kept_and_the_break_is_said(tmp_path: Path) -> None:
    content = b"".join(b"%d %d\n" % (n, n * n) for n in range(50_000))
    packed = gzip.compress(content)
    found, bad = read(write(tmp_path, packed[: len(packed) // 2]))
    assert len(found) > 10_000
    assert content.startswith(b"\n".join(line for _, line in found) + b"\n")
    assert bad.listed[0].why == "the file breaks off here: the compressed data is not complete"
    found, bad = read(write(tmp_path, packed + b"other things"))
    assert len(found) == 50_000
    assert (bad.count, bad.listed[0].number) == (1, 50_001)


def test_damage_inside_is_said(tmp_path: Path) -> None:
    packed = bytearray(gzip.compress(b"some text\n" * 1000))
    packed[-6] ^= 1  # the checksum
    _, bad = read(write(tmp_path, bytes(packed)))
    assert bad.count == 1
    assert bad.listed[0].why.startswith("the file breaks off here: ")


def test_progress_never_falls_and_ends_at_the_whole(tmp_path: Path) -> None:
    for content in (b"line\n" * 200_000, gzip.compress(bytes(range(256)) * 20_000)):
        heard: list[float] = []
        for _ in lines(write(tmp_path, content), Bad(), heard.append):
            pass
        assert heard == sorted(heard)
        assert heard[-1] == 1.0


def test_the_head_and_the_whole_of_what_is_inside(tmp_path: Path) -> None:
    path = write(tmp_path, gzip.compress(b"abc" * 1000))
    assert head(path, 4) == b"abca"
    assert whole(path, 1 << 20) == b"abc" * 1000
    with pytest.raises(ValueError, match="is larger than 0 MiB"):
        whole(path, 100)
    with pytest.raises(ValueError, match="is damaged: "):
        whole(write(tmp_path, gzip.compress(b"abc" * 1000)[:-9]), 1 << 20)


def test_of_very_many_bad_lines_a_thousand_are_kept() -> None:
    bad = Bad("a")
    for number in range(5000):
        bad.add(number, "why")
    assert (bad.count, len(bad.listed)) == (5000, 1000)
