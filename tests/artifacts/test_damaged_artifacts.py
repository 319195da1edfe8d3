"""Truncated, flipped and zeroed files, and structures that no writer of HDF5 makes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from struct import pack

import h5py
import numpy as np
import pytest
from faulty_files import faulty_file
from hostile import OLD_WRITERS, WRITERS, header_of, seal, sound
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_process import Answer, ReadingProcess
from test_roundtrip import KINDS, assert_same
from xxhash import xxh3_128_hexdigest

KIND = st.sampled_from([*(f"{kind}/1" for kind in OLD_WRITERS), *WRITERS])
OVERHEAD = 2**20
READERS = {kind: read for kind, (_, read, _) in KINDS.items()}


@pytest.fixture(scope="module")
def reader() -> Iterator[ReadingProcess]:
    process = ReadingProcess()
    yield process
    process.close()


@pytest.fixture(scope="module")
def contents(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    folder = tmp_path_factory.mktemp("sound")
    old = {f"{kind}/1": sound(kind, folder, is_old=True).read_bytes() for kind in OLD_WRITERS}
    return old | {kind: sound(kind, folder).read_bytes() for kind in WRITERS}


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
    used = [offset for offset, byte in enumerate(flipped) if byte]  # most of a small file is zeros
    for share, fresh in flips:
        at = used[int(share * len(used))]
        flipped[at : at + len(fresh)] = fresh[: len(flipped) - at]
    answer_to(reader, scratch, bytes(flipped))


@given(kind=KIND, page=st.integers(0, 23))
@settings(max_examples=40)
def test_zeroed_page_is_refused_or_was_numbers(reader, contents, scratch, kind, page) -> None:
    zeroed = bytearray(contents[kind])
    zeroed[512 * page : 512 * (page + 1)] = bytes(len(zeroed[512 * page : 512 * (page + 1)]))
    answer_to(reader, scratch, bytes(zeroed))


@pytest.mark.parametrize("kind", WRITERS)
def test_a_flipped_bit_is_refused_or_changes_nothing(reader, contents, scratch, kind) -> None:
    """Where a file is read for all that, its content is what was written."""
    rng, whole = np.random.default_rng(5), contents[kind]
    written = sound(kind, scratch.parent)
    n_read = 0
    for _ in range(150):
        flipped = bytearray(whole)
        for at in rng.integers(len(whole), size=rng.integers(1, 5)):
            flipped[at] ^= 1 << int(rng.integers(8))
        if answer_to(reader, scratch, bytes(flipped)).ended == "read":
            n_read += 1
            assert_same(READERS[kind](written), READERS[kind](scratch))
    assert n_read < 120  # or nothing was tried: about half of a small file is padding


@pytest.mark.parametrize("kind", WRITERS)
def test_each_bit_of_the_numbers_and_of_the_header_is_noticed(
    reader, contents, scratch, kind
) -> None:
    path, rng = sound(kind, scratch.parent), np.random.default_rng(6)
    with h5py.File(path) as file:
        names: list[str] = []
        file.visit(names.append)
        spans = [
            (file[name].id.get_offset(), file[name].nbytes)
            for name in names
            if isinstance(file[name], h5py.Dataset)
        ]
    assert len(spans) > 3
    for start, n_bytes in spans:
        for _ in range(4):
            flipped = bytearray(contents[kind])
            flipped[start + int(rng.integers(n_bytes))] ^= 1 << int(rng.integers(8))
            answer = answer_to(reader, scratch, bytes(flipped))
            assert answer.ended == "refused"
            assert "damaged or changed" in answer.message or "nor false" in answer.message


@pytest.mark.parametrize("size", [0, 8, 10**9, 2**62, 2**64 - 8])
@pytest.mark.parametrize("index", [0, 1])
def test_heap_that_libhdf5_would_walk_for_ever_is_read_or_refused(
    reader, contents, scratch, index: int, size: int
) -> None:
    content = bytearray(contents["model/1"])
    heap = content.index(b"GCOL")
    content[heap + 16 : heap + 18] = pack("<H", index)
    content[heap + 24 : heap + 32] = pack("<Q", size)
    assert answer_to(reader, scratch, bytes(content)).ended == "refused"


@pytest.mark.parametrize("length", [2**32 - 1, 2**31, 10**8, 17, 15, 1])
def test_text_that_claims_another_length_than_its_heap_has_takes_no_memory(
    reader, contents, scratch, length: int
) -> None:
    content = bytearray(contents["features/1"])
    heap = content.index(b"GCOL")
    for at in range(len(content) - 16):  # each reference to the heap's first entry
        if content[at + 4 : at + 16] == pack("<QI", heap, 1):
            content[at : at + 4] = pack("<I", length)
    answer = answer_to(reader, scratch, bytes(content))
    assert f"a text of {length} bytes, and its heap has 16" in answer.message


@pytest.mark.parametrize("name", ["localization_658_swap.h5", "vlen_ffffffff.avloc.h5"])
def test_found_files_that_took_gigabytes_are_refused_in_little_memory(reader, name: str) -> None:
    answer = reader.read(faulty_file(name))
    assert answer.ended == "refused", answer
    assert answer.peak_bytes < OVERHEAD


def test_found_model_with_a_weight_that_is_nan_is_refused_by_its_layer(reader) -> None:
    answer = reader.read(faulty_file("nan_weight_cman.h5"))
    assert answer.ended == "refused", answer
    assert "weights/audio.lstm.gate_input.0.weight holds NaN or infinity" in answer.message


def test_header_of_many_small_things_takes_bounded_memory(reader, scratch) -> None:
    path = sound("model", scratch.parent)
    with h5py.File(path, "r+") as file:
        seal(file, header_of(file) | {"config": [[]] * 2**19})
    answer = reader.read(path)
    assert "config is not a JSON object" in answer.message
    assert answer.peak_bytes < 40 * path.stat().st_size


def test_header_longer_than_any_is_refused_unread(reader, scratch) -> None:
    path = sound("model", scratch.parent)
    with h5py.File(path, "r+") as file:
        file["weights/large"] = np.zeros(2**24, np.uint8)  # so the file could hold the header
        seal(file, " " * (2**22 + 1))
    answer = reader.read(path)
    assert answer.ended == "refused"
    assert answer.peak_bytes < OVERHEAD


def test_one_array_under_many_names_is_read_no_oftener_than_the_file_is_long(
    reader, tmp_path: Path
) -> None:
    path = sound("model", tmp_path)
    with h5py.File(path, "r+") as file:
        file["weights/first"] = np.zeros(10**6, np.float32)
        for number in range(1000):
            file[f"weights/{number}"] = file["weights/first"]
        names = ("first", *range(1000))
        record = {
            "dtype": "<f4",
            "shape": [10**6],
            "xxh3_128": xxh3_128_hexdigest(bytes(4 * 10**6)),
        }
        header = header_of(file)
        header["arrays"] |= {f"weights/{name}": record for name in names}
        seal(file, header)
    answer = answer_to(reader, path, path.read_bytes())
    assert "more than the file can hold" in answer.message


def test_one_text_in_many_places_is_read_no_oftener_than_the_file_is_long(
    reader, tmp_path: Path
) -> None:
    path = sound("features", tmp_path, is_old=True)
    lengths = {"video_id": 300_007, "source": 40_001, "source_sha256": 40_003}
    with h5py.File(path, "r+") as file:
        file.attrs.update({name: "x" * length for name, length in lengths.items()})
    content = bytearray(path.read_bytes())
    # a heap's entry has a size of 8 bytes, of which four are zero; a reference has an address
    long, *others = (
        re.search(re.escape(pack("<I", length)) + b"(?!\0{4})", content).start()
        for length in lengths.values()
    )
    for other in others:
        content[other : other + 16] = content[long : long + 16]
    assert "more than the file can hold" in answer_to(reader, path, bytes(content)).message


def test_truth_values_of_other_bytes_are_refused(reader, tmp_path: Path) -> None:
    path = sound("features", tmp_path, is_old=True)
    with h5py.File(path) as file:
        offset = file["visual_valid"].id.get_offset()
    content = bytearray(path.read_bytes())
    content[offset] = 255
    assert "neither true nor false" in answer_to(reader, path, bytes(content)).message


@pytest.mark.parametrize("name", [b"\xff", b"a\x1b[31mred", b"line\nline", b"..."])
def test_tensor_of_a_name_that_cannot_be_shown_is_refused(reader, tmp_path, name: bytes) -> None:
    path = sound("model", tmp_path, is_old=True)
    with h5py.File(path, "r+") as file:
        file["weights"][name] = np.zeros(2)
    assert answer_to(reader, path, path.read_bytes()).ended == "refused"


def test_thousands_of_tensors_and_a_group_in_itself_are_refused(reader, tmp_path: Path) -> None:
    path = sound("model", tmp_path, is_old=True)
    with h5py.File(path, "r+") as file:
        for number in range(5000):
            file["weights"][f"t{number}"] = h5py.SoftLink("/")
    assert "more than 4096" in answer_to(reader, path, path.read_bytes()).message
    with h5py.File(path, "r+") as file:
        del file["weights"]
        file["weights"] = file["/"]
    assert "is not an array" in answer_to(reader, path, path.read_bytes()).message


def test_big_endian_numbers_are_read_as_this_machines(tmp_path: Path) -> None:
    from avloc.artifacts import read_model

    path = sound("model", tmp_path, is_old=True)
    with h5py.File(path, "r+") as file:
        file["weights/big"] = np.arange(3, dtype=">f4")
    big = read_model(path).weights["big"]
    assert big.dtype == np.dtype("=f4")
    assert big.tolist() == [0, 1, 2]
