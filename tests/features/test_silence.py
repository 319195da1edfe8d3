import hashlib
import os
import shutil
import threading
import time

import av
import pytest
from test_extraction import store_at
from tiny_encoders import Film, tiny_encoders

from avloc.artifacts import sha256_of
from avloc.decoding.clip_decoding import DecodingTask, decode_clip
from avloc.decoding.silence import Silence
from avloc.errors import MediaError
from avloc.features import extract, extract_video
from avloc.progress import send_signs_to


@pytest.fixture(scope="module")
def encoders():
    return tiny_encoders()


@pytest.fixture(scope="module")
def clip(tmp_path_factory):
    return Film(3.0, rate=8).write(tmp_path_factory.mktemp("clip") / "a.mp4")


@pytest.fixture
def hanging(tmp_path):
    """A file whose opening waits, in C, for a writer that never comes."""
    path = tmp_path / "hangs.mp4"
    os.mkfifo(path)
    yield path
    os.close(os.open(path, os.O_RDWR | os.O_NONBLOCK))  # lets those go that wait


def test_a_clip_that_hangs_in_this_process_is_given_up(hanging, encoders):
    with pytest.raises(MediaError, match=r"hangs\.mp4: decoding hung \(2 s without a sign\)"):
        extract_video(hanging, encoders, silence_seconds=2.0)


def test_a_clip_that_hangs_in_this_process_costs_itself_alone(hanging, clip, tmp_path, encoders):
    store = store_at(tmp_path / "store", encoders)
    videos = [("hangs", hanging), ("a", clip)]
    report = extract(videos, store, encoders, silence_seconds=2.0)  # so few are decoded here
    assert report.n_done == 1
    assert "hung" in report.failures[0].reason
    assert store.video_ids() == ["a"]


SLOW_HASH = """
import hashlib, time
from pathlib import Path
class Slow:
    def __init__(self, *data):
        self._digest = REAL(*data)
    def update(self, block):
        if len(block) == 1 << 20:
            time.sleep(0.5)
            with open({slept!r}, "a") as file:
                file.write("x")
        self._digest.update(block)
    def hexdigest(self):
        return self._digest.hexdigest()
    def digest(self):
        return self._digest.digest()
REAL, hashlib.sha256 = hashlib.sha256, Slow
"""


@pytest.mark.slow
@pytest.mark.parametrize("workers", [0, 1])
def test_slow_work_that_goes_on_is_not_called_hung(clip, tmp_path, encoders, workers, monkeypatch):
    # one message, the last, takes longer than the limit: a large file on a slow disk
    large = tmp_path / "large.mp4"
    shutil.copy(clip, large)
    with large.open("ab") as file:
        file.truncate(16 << 20)
    expected = hashlib.sha256(large.read_bytes()).hexdigest()
    slept = tmp_path / "slept"
    program = SLOW_HASH.format(slept=str(slept))
    if workers:
        (tmp_path / "sitecustomize.py").write_text(program, encoding="utf-8")
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    else:
        monkeypatch.setattr(hashlib, "sha256", hashlib.sha256)  # puts it back afterwards
        exec(program, {})
    store = store_at(tmp_path / "store", encoders)
    report = extract([("large", large)], store, encoders, workers=workers, silence_seconds=4.0)
    assert len(slept.read_text()) >= 16  # 8 s in all
    assert report.failures == ()
    assert store.read("large").source_sha256 == expected


@pytest.fixture
def signs():
    """Counts this thread's signs."""
    seen = []
    send_signs_to(lambda: seen.append(1))
    yield seen
    send_signs_to(lambda: None)


def test_every_packet_is_a_sign(clip, encoders, signs):
    with av.open(str(clip)) as container:
        n_packets = sum(packet.size > 0 for packet in container.demux())
    for _ in decode_clip(DecodingTask("a", clip, encoders.spec)):
        pass
    assert len(signs) >= n_packets > 50


def test_every_block_hashed_is_a_sign(tmp_path, signs):
    content = os.urandom((5 << 20) + 7)
    (tmp_path / "large").write_bytes(content)
    assert sha256_of(tmp_path / "large") == hashlib.sha256(content).hexdigest()
    assert len(signs) == 6


def test_silence_is_what_lies_between_two_signs():
    silence = Silence(0.4)
    looks = []
    for n_signs in (1, 1, 2, 2, 3):
        looks.append(silence.is_over_limit(n_signs))
        time.sleep(0.25)
    assert not any(looks)  # a second in all, and never 0.4 s without a sign
    time.sleep(0.3)
    assert silence.is_over_limit(3)


def test_a_decoder_that_is_not_wanted_any_more_ends(clip, encoders):
    def interrupt(*_):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_video(clip, encoders, progress=interrupt)
    assert not [one for one in threading.enumerate() if one.name == "avloc-decoding"]
