"""A cluster that is not there, or cannot be worked on: one line, soon, and nothing is written."""

import socket
import threading
from contextlib import contextmanager
from importlib.metadata import version
from importlib.util import find_spec

import pytest
from commands import Shell
from tiny_encoders import Film, tiny_encoders

from avloc.artifacts import FeatureStore, as_location
from avloc.engine import ray_cluster
from avloc.engine.cluster_options import ClusterOptions
from avloc.engine.ray_workers import check_version
from avloc.engine.working_folder import enter
from avloc.errors import ClusterError, UsageError
from avloc.features.cluster_extraction import ExtractionPlan, ExtractionWork
from avloc.features.worker import WorkSettings

needs_ray = pytest.mark.skipif(find_spec("ray") is None, reason="the extra ray is not installed")


@pytest.fixture
def clip(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    return Film(1.0, rate=4).write(tmp_path / "clip.mp4")


@contextmanager
def answering(text: bytes):
    """Yield the port of a server that greets with this text."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.sendall(text)
                connection.recv(1)

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]


def refusal(avloc: Shell, clip, *options: str, command: str = "extract") -> str:
    encoders = ("--visual", "colours", "--audio", "logmel", "--fps", "4")
    given = encoders if command == "extract" else ()
    ended = avloc(command, str(clip), *given, "--artifacts", "made", *options)
    assert ended.code in (1, 2)
    assert ended.out == ""
    (line,) = ended.err.strip().splitlines()
    assert line.startswith("error: ")
    return line


@needs_ray
def test_no_cluster_at_an_address(avloc: Shell, clip, monkeypatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = f"127.0.0.1:{server.getsockname()[1]}"
    line = refusal(avloc, clip, "--engine", "ray", "--cluster", free)
    assert f"no Ray cluster at {free}: Connection refused" in line
    assert "ray start --head" in line
    monkeypatch.setenv("RAY_ADDRESS", free)
    assert f"no Ray cluster at {free}" in refusal(avloc, clip, "--engine", "ray")
    with answering(b"HTTP/1.1 400 Bad Request\r\n\r\n") as port:
        line = refusal(avloc, clip, "--engine", "ray", "--cluster", f"127.0.0.1:{port}")
    assert "something else answers there" in line
    assert not (clip.parent / "made" / "features").exists()


@needs_ray
@pytest.mark.parametrize("address", ["head", "ray://head:10001", ":6379", "head:http"])
def test_what_is_not_an_address(avloc: Shell, clip, address: str) -> None:
    line = refusal(avloc, clip, "--engine", "ray", "--cluster", address)
    assert f"{address!r} is not the address of a Ray cluster. Give HOST:PORT" in line


def test_options_of_a_cluster_need_the_engine(avloc: Shell, clip) -> None:
    assert refusal(avloc, clip, "--cluster", "auto").endswith("Add --engine ray.")
    assert refusal(avloc, clip, "--cluster", "auto", command="localize").endswith("engine ray.")
    assert refusal(avloc, clip, "--gpus", "0.5").endswith("Add --engine ray.")
    assert "cannot have 0 CPUs" in refusal(avloc, clip, "--engine", "ray", "--cpus", "0")


def test_ray_is_not_installed(avloc: Shell, clip, monkeypatch) -> None:
    monkeypatch.setattr(ray_cluster, "find_spec", lambda name: None)
    line = refusal(avloc, clip, "--engine", "ray")
    assert line.endswith("needs the package ray. Install it: pip install ray.")


def test_a_machine_without_avloc_or_with_another_one() -> None:
    here = version("avloc")
    check_version(here, "node7")
    with pytest.raises(ClusterError, match=f"node7 has no avloc, and this machine {here}"):
        check_version("", "node7")
    with pytest.raises(ClusterError, match=r"node7 has avloc 0\.0\.1, and") as caught:
        check_version("0.0.1", "node7")
    assert "every node" in caught.value.hint


def test_a_machine_that_does_not_see_the_store_or_the_folder(tmp_path) -> None:
    encoders = tiny_encoders()
    mine = FeatureStore.create(tmp_path / "mine", encoders.spec)
    other = FeatureStore.create(tmp_path / "other", encoders.spec, "another data set")
    for root in (tmp_path / "none", other.root):
        plan = ExtractionPlan(tiny_encoders, as_location(root), WorkSettings())
        with pytest.raises(ClusterError, match="does not see the store") as caught:
            ExtractionWork(plan).begin(mine.identity)
        assert "s3://" in caught.value.hint
    with pytest.raises(ClusterError, match="has no folder /nowhere"):
        enter("/nowhere")


def node(cpus: float, gpus: float = 0.0, *, is_alive: bool = True) -> dict:
    return {"Alive": is_alive, "Resources": {"CPU": cpus, "GPU": gpus} if gpus else {"CPU": cpus}}


def test_what_a_worker_takes_and_how_many_fit() -> None:
    nodes = [node(4), node(3), node(64, is_alive=False)]
    share = ClusterOptions().share(nodes)
    assert (share.cpus, share.gpus, share.n_fitting(nodes)) == (1, 0, 7)
    two = ClusterOptions(cpus=2).share(nodes)
    assert two.n_fitting(nodes) == 3
    nodes = [node(16), node(32, 4), node(8, 1)]
    share = ClusterOptions().share(nodes)
    assert (share.cpus, share.gpus, share.n_fitting(nodes)) == (8, 1, 5)
    half = ClusterOptions(gpus=0.5).share(nodes)
    assert (half.cpus, half.n_fitting(nodes)) == (4, 10)
    with pytest.raises(ClusterError, match="no node of the cluster has 40 CPUs for a worker"):
        ClusterOptions(cpus=40, gpus=0).share(nodes)
    assert ClusterOptions(n_workers=3, cpus=40, gpus=0).share(nodes).cpus == 40
    with pytest.raises(UsageError):
        ClusterOptions(n_workers=0)
