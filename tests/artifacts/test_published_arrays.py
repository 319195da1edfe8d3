"""Published arrays are read and written a row at a time, and nonsense is refused unread."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from published_layout import read_array, write_array

from avloc.artifacts.published_arrays import create_rows, open_rows, read_order, write_order
from avloc.errors import DatasetError, OutputError

STORED = {
    "contiguous": {},
    "gzip": {"compression": "gzip", "chunks": (1, 2, 3)},
    "pieces of many rows": {"compression": "gzip", "chunks": (4, 1, 3)},
}


@pytest.fixture
def array() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(11, 2, 3))


@pytest.mark.parametrize("stored", STORED.values(), ids=STORED.keys())
def test_rows_are_read_in_any_order(
    tmp_path: Path, array: np.ndarray, stored: dict[str, object]
) -> None:
    write_array(tmp_path / "a.h5", array, **stored)
    with open_rows(tmp_path / "a.h5", 3) as rows:
        assert (rows.n_rows, rows.row_shape) == (11, (2, 3))
        for row in (0, 1, 2, 10, 3, 9, 0):
            assert (rows.read(row) == array[row]).all()
        for row in (-1, 11):
            with pytest.raises(IndexError, match="of 11"):
                rows.read(row)


def test_each_piece_is_unpacked_once_when_rows_are_read_in_order(
    tmp_path: Path, array: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_array(tmp_path / "a.h5", array, **STORED["pieces of many rows"])
    read: list[object] = []
    plain = h5py.Dataset.__getitem__
    monkeypatch.setattr(
        h5py.Dataset, "__getitem__", lambda self, key: read.append(key) or plain(self, key)
    )
    with open_rows(tmp_path / "a.h5", 3) as rows:
        assert all((rows.read(row) == array[row]).all() for row in range(11))
    assert read == [slice(0, 4), slice(4, 8), slice(8, 12)]


def test_what_is_written_is_what_others_read(tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "new" / "a.h5"
    with create_rows(path, array.shape, attributes={"spec": "{}"}) as writer:
        for row in array.astype(np.float16):
            assert not path.exists()
            writer.append(row)
    written = read_array(path)
    assert written.dtype == np.float64
    assert (written == array.astype(np.float16)).all()
    with h5py.File(path) as file:
        assert (list(file), dict(file.attrs)) == (["avadataset"], {"spec": "{}"})
    write_order(tmp_path / "train_order.h5", [3, 1])
    order = read_array(tmp_path / "train_order.h5", "order")
    assert (order.dtype, order.tolist()) == (np.int64, [3, 1])


def test_array_that_lacks_rows_never_appears(tmp_path: Path, array: np.ndarray) -> None:
    def write(n_rows: int) -> None:
        with create_rows(tmp_path / "a.h5", array.shape) as writer:
            for row in array[:n_rows]:
                writer.append(row)

    with pytest.raises(ValueError, match="10 of 11 rows"):
        write(10)
    with (
        pytest.raises(ValueError, match=r"\(3,\) among rows of \(2, 3\)"),
        create_rows(tmp_path / "a.h5", array.shape) as writer,
    ):
        writer.append(array[0, 0])
    assert list(tmp_path.iterdir()) == []


def test_path_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(OutputError, match="cannot be written"),
        create_rows(tmp_path / "file" / "a.h5", (1, 2)),
    ):
        pass


def refuse(path: Path, words: str, rank: int = 3) -> None:
    with pytest.raises(DatasetError, match=words) as caught, open_rows(path, rank):
        pass
    assert str(path) in str(caught.value)


def test_what_is_not_such_an_array_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "a.h5"
    refuse(path, "no such file")
    path.write_bytes(b"not HDF5")
    refuse(path, "cannot be read as HDF5")
    write_array(path, array, "features")
    refuse(path, "no array 'avadataset' of its own; it has: features")
    write_array(path, array)
    refuse(path, r"3 dimensions \(11, 2, 3\), not 5", rank=5)
    write_array(path, np.zeros((4, 0, 3)))
    refuse(path, "is empty")
    for kind in (h5py.string_dtype(), np.int64, np.complex128, np.dtype([("x", np.float64)])):
        with h5py.File(path, "w") as file:
            file.create_dataset("avadataset", (2, 2, 2), dtype=kind)
        refuse(path, "not floating-point numbers")
    odd = h5py.h5t.IEEE_F64LE.copy()
    odd.set_ebias(10**9)  # a float that no numpy type can hold
    with h5py.File(path, "w") as file:
        space = h5py.h5s.create_simple((2, 2, 2))
        h5py.h5d.create(file.id, b"avadataset", odd, space)
    refuse(path, "cannot be read as HDF5: Insufficient precision")
    with h5py.File(path, "w") as file:
        file.create_group("avadataset")
    refuse(path, "is not an array")
    with h5py.File(path, "w") as file:
        file["avadataset"] = h5py.Empty("f8")
    refuse(path, "is not an array")


def test_truncated_file_is_refused(tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "a.h5"
    write_array(path, array)
    path.write_bytes(path.read_bytes()[:-100])
    refuse(path, "truncated")


def test_damaged_piece_is_refused_when_it_is_read(tmp_path: Path, array: np.ndarray) -> None:
    path = tmp_path / "a.h5"
    write_array(path, array, compression="gzip", chunks=(1, 2, 3))
    with h5py.File(path) as file:
        piece = file["avadataset"].id.get_chunk_info(5)
    raw = bytearray(path.read_bytes())
    raw[piece.byte_offset : piece.byte_offset + piece.size] = b"\xff" * piece.size
    path.write_bytes(raw)
    with open_rows(path, 3) as rows:
        assert (rows.read(4) == array[4]).all()
        with pytest.raises(DatasetError, match=r"a\.h5.*cannot be read"):
            rows.read(5)


def test_numbers_that_lie_in_other_files_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    """A published file must not make avloc read what its author pointed it at."""
    write_array(tmp_path / "other.h5", array)
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["avadataset"] = h5py.ExternalLink("other.h5", "avadataset")
    refuse(path, "no array 'avadataset' of its own")
    (tmp_path / "secret").write_bytes(array.tobytes())
    with h5py.File(path, "w") as file:
        outside = [(str(tmp_path / "secret"), 0, array.nbytes)]
        file.create_dataset("avadataset", array.shape, "f8", external=outside)
    refuse(path, "are in other files")
    with h5py.File(path, "w") as file:
        layout = h5py.VirtualLayout(array.shape, "f8")
        layout[:] = h5py.VirtualSource(tmp_path / "other.h5", "avadataset", array.shape)
        file.create_virtual_dataset("avadataset", layout)
    refuse(path, "are in other files")


def test_nonsense_sizes_are_refused_by_what_they_declare(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("avadataset", (4, 10**6, 10**6), "f8", chunks=(1, 1, 1000))
    refuse(path, "a row or a compressed piece of its")
    with h5py.File(path, "w") as file:
        file.create_dataset("avadataset", (10**6, 8, 8), "f8", chunks=(10**6, 8, 8))
    refuse(path, "a row or a compressed piece of its")
    with h5py.File(path, "w") as file:
        file.create_dataset("order", (10**15,), "i8", chunks=(1000,))
    with pytest.raises(DatasetError, match="lists 1000000000000000 rows, and there are 4143"):
        read_order(path, 4143)


IN_A_GIGABYTE = """
import resource, sys
from pathlib import Path
import h5py, numpy as np
from avloc.artifacts.published_arrays import open_rows
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
path = Path(sys.argv[1])
with open_rows(path, 5) as rows:
    print(rows.n_rows, [float(rows.read(row)[9, 6, 6, 511]) for row in (0, 1, 2000, 4142)])
with h5py.File(path) as file:
    try: file["avadataset"][:]
    except MemoryError: print("and as a whole it does not fit")
"""


def test_aves_8_gb_are_read_in_one(tmp_path: Path) -> None:
    """The declared size is AVE's; only two rows are stored, the others are HDF5's zeros."""
    path = tmp_path / "visual_feature.h5"
    with h5py.File(path, "w") as file:
        shape = (4143, 10, 7, 7, 512)
        data = file.create_dataset("avadataset", shape, "f8", chunks=(64, 1, 7, 7, 64))
        data[1, 9, 6, 6, 511], data[4142, 9, 6, 6, 511] = 1.5, 2.5
    run = subprocess.run(
        [sys.executable, "-c", IN_A_GIGABYTE, path], capture_output=True, text=True, check=False
    )
    assert run.stdout.splitlines() == [
        "4143 [0.0, 1.5, 0.0, 2.5]",
        "and as a whole it does not fit",
    ], run.stderr


def test_other_machines_numbers_are_read(tmp_path: Path, array: np.ndarray) -> None:
    for kind in (">f8", "<f4", ">f2"):
        write_array(tmp_path / "a.h5", array.astype(kind))
        with open_rows(tmp_path / "a.h5", 3) as rows:
            assert (rows.read(7) == array[7].astype(kind)).all()
    write_array(tmp_path / "o.h5", np.array([2, 1], dtype=">i4"), "order")
    assert read_order(tmp_path / "o.h5", 3).tolist() == [2, 1]


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        (np.array([0, 4]), "lists row 4, and rows are 0 to 3"),
        (np.array([-1, 0]), "lists row -1"),
        (np.array([2**63 + 1], dtype=np.uint64), "lists row 9223372036854775809"),
        (np.array([2, 0, 2]), "lists row 2 twice"),
        (np.array([0.0, 1.0]), "holds float64, not whole numbers"),
        (np.array([[0, 1]]), r"2 dimensions \(1, 2\), not 1"),
    ],
)
def test_orders_of_impossible_rows_are_refused(
    tmp_path: Path, numbers: np.ndarray, words: str
) -> None:
    write_array(tmp_path / "train_order.h5", numbers, "order")
    with pytest.raises(DatasetError, match=words):
        read_order(tmp_path / "train_order.h5", 4)


@pytest.mark.real
def test_real_arrays_and_orders_are_what_h5py_says(real_data: Path) -> None:
    folder = real_data / "ave_published"
    expected = read_array(folder / "audio_feature_noisy.h5")
    with open_rows(folder / "audio_feature_noisy.h5", 3) as rows:
        assert (rows.n_rows, rows.row_shape) == (178, (10, 128))
        assert all((rows.read(row) == expected[row]).all() for row in range(178))
    for name, size in (("train", 3339), ("val", 402), ("test", 402)):
        path = folder / f"{name}_order.h5"
        order = read_order(path, 4143)
        assert len(order) == size
        assert (order == read_array(path, "order")).all()
