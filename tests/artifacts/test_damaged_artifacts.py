"""Truncated, flipped and zeroed files, and structures that no writer of HDF5 makes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from struct import pack

import h5py
import numpy as np
import pytest
from hostile import WRITERS, sound
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_process import Answer, ReadingProcess

KIND = st.sampled_from(sorted(WRITERS))
OVERHEAD = 2**20


@pytest.fixture(scope="module")
def reader() -> Iterator[ReadingProcess]:
    process = ReadingProcess()
    yield process
    process.close()


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    return {kind: sound(kind, folder).read_bytes() for kind in WRITERS}


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("damaged") / "damaged.h5"


def answer_to(reader: ReadingProcess, path: Path, content: bytes) -> Answer:
    path.write_bytes(content)
    answer = reader.read(path)
    assert answer.ended != "crashed", answer
    assert answer.peak_bytes < OVERHEAD + 4 * len(content), answer
    return answer


@given(kind=KIND, kept=st.floats(0, 1, exclude_max=True))
@settings(max_examples=60)
def test_truncated_file_is_refused(reader, contents, scratch, kind, kept) -> None:
    whole = contents[kind]
    answer = answer_to(reader, scratch, whole[: int(kept * len(whole))])
    assert answer.ended == "refused"
    assert answer.hint


FLIPS = st.lists(
    st.tuples(
        st.floats(0, 1, exclude_max=True),
        st.one_of(
            st.binary(min_size=1, max_size=2),
            st.sampled_from([bytes(8), b"\xff" * 8, pack("<Q", 2**62), pack("<Q", 10**12)]),
        ),
    ),
    min_size=1,
    max_size=5,
)


@given(kind=KIND, flips=FLIPS)
@settings(max_examples=300)
def test_flipped_bytes_are_refused_or_are_numbers(reader, contents, scratch, kind, flips) -> None:
    flipped = bytearray(contents[kind])
    used = [place for place, byte in enumerate(flipped) if byte]  # most of a small file is zeros
    for place, fresh in flips:
        at = used[int(place * len(used))]
        flipped[at : at + len(fresh)] = fresh[: len(flipped) - at]
    answer_to(reader, scratch, bytes(flipped))


@given(kind=KIND, page=st.integers(0, 23))
@settings(max_examples=40)
def test_zeroed_page_is_refused_or_was_numbers(reader, contents, scratch, kind, page) -> None:
    zeroed = bytearray(contents[kind])
    zeroed[512 * page : 512 * (page + 1)] = bytes(len(zeroed[512 * page : 512 * (page + 1)]))
    answer_to(reader, scratch, bytes(zeroed))


@pytest.mark.parametrize(
    ("index", "size"),
    [
        (0, 0),
        *((index, 2**64 - less) for index in (0, 1) for less in (8, 16, 24, 2**63)),
        *((index, size) for index in (0, 1) for size in (2**62, 10**9)),
    ],
)
def test_heap_that_would_be_walked_for_ever_is_refused(
    reader, contents, scratch, index: int, size: int
) -> None:
    content = bytearray(contents["model"])
    heap = content.index(b"GCOL")
    content[heap + 16 : heap + 18] = pack("<H", index)
    content[heap + 24 : heap + 32] = pack("<Q", size)
    answer = answer_to(reader, scratch, bytes(content))
    assert "heap of texts" in answer.message


@pytest.mark.parametrize("shift", [*range(-6, 3), 2**18 - 3])
def test_heap_is_found_wherever_it_lies(reader, contents, scratch, shift: int) -> None:
    """Heaps are searched for block by block: one may lie across the end of a block."""
    broken = b"GCOL\x01\0\0\0" + pack("<Q", 4096) + bytes(4080)
    before = 2**18 + shift - len(contents["model"])
    content = contents["model"] + bytes(before) + broken
    assert "heap of texts" in answer_to(reader, scratch, content).message


def test_numbers_that_look_like_a_heap_are_passed_over(reader, contents, scratch) -> None:
    for size in (2**63, 10**6):
        mark = b"GCOL\x01\0\0\0" + pack("<Q", size)
        assert answer_to(reader, scratch, contents["model"] + mark).ended == "read"
    assert answer_to(reader, scratch, contents["model"] + b"xGCOL\x01").ended == "read"


def test_heaps_that_lie_over_each_other_take_no_time(reader, contents, scratch) -> None:
    mark = b"GCOL\x01\0\0\0" + pack("<Q", 2**19) + pack("<HHIQ", 0, 0, 0, 2**19 - 16)
    answer = answer_to(reader, scratch, contents["model"] + mark * 2**15 + bytes(2**19))
    assert "over each other" in answer.message


def test_one_array_under_many_names_is_read_no_oftener_than_the_file_is_long(
    reader, tmp_path: Path
) -> None:
    path = sound("model", tmp_path)
    with h5py.File(path, "r+") as file:
        file["weights/first"] = np.zeros(10**6, np.float32)
        for number in range(1000):
            file[f"weights/{number}"] = file["weights/first"]
    answer = answer_to(reader, path, path.read_bytes())
    assert "more than the file can hold" in answer.message


def test_one_text_in_many_places_is_read_no_oftener_than_the_file_is_long(
    reader, tmp_path: Path
) -> None:
    path, n_rows = sound("predictions", tmp_path), 4000
    with h5py.File(path, "r+") as file:
        for name in ("scores", "targets", "rows", "gate_visual", "video_ids"):
            shape, dtype = (n_rows, *file[name].shape[1:]), file[name].dtype
            del file[name]
            file.create_dataset(name, shape, dtype)
            if name != "video_ids":
                file[name][...] = 0
        file["video_ids"][...] = "x"
        file["video_ids"][0] = "x" * 2**18
        place = file["video_ids"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[place : place + 16 * n_rows] = content[place : place + 16] * n_rows
    assert "more than the file can hold" in answer_to(reader, path, bytes(content)).message


def test_truth_values_of_other_bytes_are_refused(reader, tmp_path: Path) -> None:
    path = sound("features", tmp_path)
    with h5py.File(path) as file:
        place = file["visual_valid"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[place] = 255
    assert "neither true nor false" in answer_to(reader, path, bytes(content)).message


@pytest.mark.parametrize("name", [b"\xff", b"a\x1b[31mred", b"line\nline", b"..."])
def test_tensor_of_a_name_that_cannot_be_shown_is_refused(reader, tmp_path, name: bytes) -> None:
    path = sound("model", tmp_path)
    with h5py.File(path, "r+") as file:
        file["weights"][name] = np.zeros(2)
    assert answer_to(reader, path, path.read_bytes()).ended == "refused"


def test_thousands_of_tensors_and_a_group_in_itself_are_refused(reader, tmp_path: Path) -> None:
    path = sound("model", tmp_path)
    with h5py.File(path, "r+") as file:
        for number in range(5000):
            file["weights"][f"t{number}"] = h5py.SoftLink("/")
    assert "more than 4096" in answer_to(reader, path, path.read_bytes()).message
    with h5py.File(path, "r+") as file:
        del file["weights"]
        file["weights"] = file["/"]
    assert "is no array" in answer_to(reader, path, path.read_bytes()).message


def test_big_endian_numbers_are_read_as_this_machines(tmp_path: Path) -> None:
    from avloc.artifacts import read_model

    path = sound("model", tmp_path)
    with h5py.File(path, "r+") as file:
        file["weights/big"] = np.arange(3, dtype=">f4")
    big = read_model(path).weights["big"]
    assert big.dtype == np.dtype("=f4")
    assert big.tolist() == [0, 1, 2]
