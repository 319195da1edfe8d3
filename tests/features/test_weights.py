import hashlib
import re
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import torch

from avloc.artifacts import sha256_of
from avloc.errors import WeightsError
from avloc.features.weights import (
    WeightsPolicy,
    WeightsRecord,
    cache_folder,
    fetch,
    load_state,
)

CONTENT = bytes(range(256)) * 1000
SHA256 = hashlib.sha256(CONTENT).hexdigest()


class Server(ThreadingHTTPServer):
    """Serves CONTENT in as many ways as a server can be good or bad."""

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.requests = []  # (path, Range header)


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        way = self.path.split("/")[1]
        first = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked else 0
        if way == "missing":
            self.send_error(404)
            return
        is_partial = bool(first) and way != "deaf"
        if first == len(CONTENT):
            self.send_error(416)
            return
        body = CONTENT[first:] if is_partial else CONTENT
        if way == "wrong":
            body = b"x" * len(body)
        n_sent = len(body)
        if way == "always-breaking":
            n_sent = min(len(body), 1000)
        elif way in ("breaking", "deaf") and len(self.server.requests) == 1:
            n_sent = 100_000
        self.send_response(206 if is_partial else 200)
        self.send_header("Content-Length", str(len(body) + (way == "boasting")))
        self.end_headers()
        self.wfile.write(body[:n_sent])
        self.close_connection = True

    def log_message(self, *_):
        pass


@pytest.fixture
def server():
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def own_caches(tmp_path, monkeypatch):
    monkeypatch.setenv("AVLOC_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)


def record(server, way, sha256=SHA256):
    port = server.server_address[1]
    return WeightsRecord(
        "made-up", "made-up.pth", f"http://127.0.0.1:{port}/{way}/f", sha256, "none"
    )


@pytest.mark.parametrize("sha256", [SHA256, SHA256[:8]])
def test_a_download_is_checked_and_kept(server, sha256):
    file = fetch(record(server, "good", sha256), WeightsPolicy())
    assert file.path == cache_folder() / "made-up.pth"
    assert file.path.read_bytes() == CONTENT
    assert file.sha256 == SHA256
    again = fetch(record(server, "good", sha256), WeightsPolicy())
    assert again == file
    assert len(server.requests) == 1


def test_a_connection_that_breaks_is_taken_up_where_it_broke(server):
    file = fetch(record(server, "breaking"), WeightsPolicy())
    assert file.path.read_bytes() == CONTENT
    first, second = (asked for _, asked in server.requests)
    assert first is None
    assert 90_000 < int(second.removeprefix("bytes=").removesuffix("-")) <= 100_000


def test_a_file_that_came_whole_before_the_connection_broke_is_kept(server):
    # the server promised a byte more than there is, and has nothing more to send
    file = fetch(record(server, "boasting"), WeightsPolicy())
    assert file.path.read_bytes() == CONTENT
    assert file.sha256 == SHA256


def test_a_server_that_cannot_take_up_sends_all_again(server):
    assert fetch(record(server, "deaf"), WeightsPolicy()).path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("way", "reason", "n_requests"),
    [
        ("wrong", hashlib.sha256(b"x" * len(CONTENT)).hexdigest(), 1),
        ("missing", "404", 1),
        ("always-breaking", "IncompleteRead", 4),
    ],
)
def test_a_download_that_fails_says_what_to_do_and_leaves_nothing(server, way, reason, n_requests):
    with pytest.raises(WeightsError, match=reason) as caught:
        fetch(record(server, way), WeightsPolicy())
    assert "made-up.pth" in str(caught.value)
    for needed in (record(server, way).url, SHA256, str(cache_folder()), "efficientnet-lite0"):
        assert needed in caught.value.hint
    assert len(server.requests) == n_requests
    assert list(cache_folder().iterdir()) == []


def test_a_server_that_is_not_there(server):
    unreachable = record(server, "good")
    server.shutdown()
    server.server_close()
    with pytest.raises(WeightsError, match=r"made-up\.pth"):
        fetch(unreachable, WeightsPolicy())


def test_offline_opens_no_socket(server, monkeypatch):
    def refuse(*_args, **_kwargs):
        raise AssertionError("a socket was opened")

    wanted = record(server, "good")
    monkeypatch.setattr(socket, "socket", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)
    with pytest.raises(WeightsError, match="offline"):
        fetch(wanted, WeightsPolicy(offline=True))
    cache_folder().mkdir(parents=True)
    (cache_folder() / "made-up.pth").write_bytes(CONTENT)
    assert fetch(wanted, WeightsPolicy(offline=True)).sha256 == SHA256


def test_the_named_folder_comes_first(server, tmp_path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "made-up.pth").write_bytes(CONTENT)
    file = fetch(record(server, "good"), WeightsPolicy(tmp_path / "mine"))
    assert file.path == tmp_path / "mine" / "made-up.pth"
    assert server.requests == []


def test_a_wrong_file_in_the_named_folder_is_not_passed_over(server, tmp_path):
    (tmp_path / "made-up.pth").write_bytes(b"something else")
    with pytest.raises(WeightsError, match="another file"):
        fetch(record(server, "good"), WeightsPolicy(tmp_path))


def test_a_named_folder_that_is_none(server, tmp_path):
    with pytest.raises(WeightsError, match="not a folder"):
        fetch(record(server, "good"), WeightsPolicy(tmp_path / "nowhere"))


def test_a_damaged_file_in_the_cache_is_fetched_anew(server):
    cache_folder().mkdir(parents=True)
    (cache_folder() / "made-up.pth").write_bytes(CONTENT[:-1])
    assert fetch(record(server, "good"), WeightsPolicy()).path.read_bytes() == CONTENT


def test_what_pytorch_already_fetched_is_used(server, tmp_path):
    folder = tmp_path / "torch" / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "made-up.pth").write_bytes(CONTENT)
    assert fetch(record(server, "good"), WeightsPolicy(offline=True)).path.parent == folder


class Malice:
    def __reduce__(self):
        return (print, ("this must never run",))


@pytest.mark.parametrize("content", [Malice(), [1, 2], {"a": 1}])
def test_only_state_dicts_are_read(server, tmp_path, content, capsys):
    torch.save(content, tmp_path / "made-up.pth")
    wanted = record(server, "good", sha256_of(tmp_path / "made-up.pth"))
    with pytest.raises(WeightsError, match=r"made-up\.pth"):
        load_state(wanted, fetch(wanted, WeightsPolicy(tmp_path)))
    assert capsys.readouterr().out == ""


def test_a_file_that_is_no_checkpoint(server, tmp_path):
    (tmp_path / "made-up.pth").write_bytes(CONTENT)
    with pytest.raises(WeightsError, match="cannot be read"):
        load_state(record(server, "good"), fetch(record(server, "good"), WeightsPolicy(tmp_path)))


def test_a_record_reads_the_hash_off_the_name():
    url = "https://example.org/a/net-0123abcd.pth"
    made = WeightsRecord.from_url("net", url, "none")
    assert (made.file, made.sha256) == ("net-0123abcd.pth", "0123abcd")
    with pytest.raises(ValueError, match="no hash"):
        WeightsRecord.from_url("net", "https://example.org/net.pth", "none")
