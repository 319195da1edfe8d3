"""The tables of ``scale.md``: time and cost of extraction, from rates that were measured once.

``quoted`` is the text in ``BENCHMARKS.md`` that a rate is from; a test compares them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from generated import table

FPS = 16  # frames sampled a second
CLIP_SECONDS = 10
SEGMENT_BYTES = 7 * 7 * 2048 * 2 + 128 * 4  # a map in half precision, and a vector of sound
HOUR = 3600


@dataclass(frozen=True)
class Rate:
    """A measured number, and where it is written."""

    value: float
    quoted: str


TWO_CORES = Rate(10.0, "ResNet-152, ONNX Runtime | 10.0 frames/s")  # frames/s, end to end
# seconds of a core, a clip of 10 s
DECODING = Rate(0.41, "**108.4 frames/s** | 183.8 | 0.59 | 0.8 | 0.41 s")
GPU_TRUNK = Rate(6616, "ResNet-152 alone in full batches, fp16 | 6616 frames/s")
EPOCH = Rate(29.3, "| one epoch | 29.3 |")  # seconds for AVE's 3339 rows, two cores
AVE_ROWS = 3339
RATES = (TWO_CORES, DECODING, GPU_TRUNK, EPOCH)

# assumptions: put your own
VIDEO_BIT_RATE = 1e6  # of a compressed video with sound, bit/s
GPU_SHARE = 0.8  # of the trunk's speed that is reached end to end; not measured
CORE_PRICE, GPU_PRICE = 0.04, 2.50  # an hour
PUT_PRICE, GET_PRICE = 5e-6, 4e-7  # a request
STORE_PRICE = 0.023  # a GB and month
PART_BYTES, PIECE_BYTES = 50e6, 8e6  # a request each, to send and to fetch
HEADER_SECONDS, N_AT_ONCE = 0.02, 16  # to ask an object store whether a video is done


@dataclass(frozen=True)
class Work:
    """Videos to extract."""

    name: str
    n_videos: int
    seconds: float  # of each

    @property
    def hours(self) -> float:
        """Hours of video."""
        return self.n_videos * self.seconds / HOUR

    @property
    def video_bytes(self) -> float:
        """Bytes of all videos."""
        return self.hours * HOUR * VIDEO_BIT_RATE / 8

    @property
    def feature_bytes(self) -> float:
        """Bytes of all features."""
        return self.hours * HOUR * SEGMENT_BYTES

    @property
    def n_puts(self) -> float:
        """Requests that send features."""
        return self.n_videos * max(1, round(self.seconds * SEGMENT_BYTES / PART_BYTES))

    @property
    def n_gets(self) -> float:
        """Requests that ask for features and fetch videos."""
        return self.n_videos * (4 + int(self.seconds * VIDEO_BIT_RATE / 8 / PIECE_BYTES))


WORKS = (
    Work("AVE, 4097 clips of 10 s", 4097, CLIP_SECONDS),
    Work("100 000 clips of 10 s", 100_000, CLIP_SECONDS),
    Work("1 000 000 videos of an hour", 1_000_000, HOUR),
)


@dataclass(frozen=True)
class Machine:
    """Hardware; ``n_gpus`` of H100 or H200."""

    name: str
    n_cores: int
    n_gpus: int = 0

    @property
    def speed(self) -> tuple[float, str]:
        """Seconds of video a second, and what limits it."""
        if not self.n_gpus:
            return self.n_cores / 2 * TWO_CORES.value / FPS, "the encoder, on the cores"
        decoding = self.n_cores * CLIP_SECONDS / DECODING.value
        network = self.n_gpus * GPU_SHARE * GPU_TRUNK.value / FPS
        limit = "decoding" if decoding < network else "the GPUs"
        return min(decoding, network), limit

    @property
    def price(self) -> float:
        """Of an hour."""
        return self.n_gpus * GPU_PRICE + self.n_cores * CORE_PRICE


MACHINES = (
    Machine("a laptop, 2 cores", 2),
    Machine("a server, 64 cores", 64),
    Machine("one H100, 16 cores", 16, 1),
    Machine("a cluster, 500 cores", 500),
    Machine("a cluster, 8 H100 and 500 cores", 500, 8),
)


def time_table(work: int) -> str:
    """Return time, cost and traffic of one of `WORKS` on each machine."""
    return table(
        ("hardware", "limit", "time", "machines cost", "traffic"),
        _time_rows(WORKS[work]),
    )


def _time_rows(work: Work) -> Iterator[tuple[str, ...]]:
    for machine in MACHINES:
        speed, limit = machine.speed
        hours = work.hours / speed
        cost = "-" if machine.n_cores <= 2 else f"${_rounded(hours * machine.price)}"
        bits = (work.video_bytes + work.feature_bytes) * 8 / (hours * HOUR)
        yield machine.name, limit, _duration(hours), cost, f"{_rounded(bits / 1e6)} Mbit/s"


def size_table() -> str:
    """Return bytes, requests and their prices."""
    header = ("what", "hours", "videos", "features", "to send", "to fetch and ask", "a month")
    rows = [
        (
            work.name,
            _rounded(work.hours),
            _bytes(work.video_bytes),
            _bytes(work.feature_bytes),
            f"{_rounded(work.n_puts)} requests, ${_rounded(work.n_puts * PUT_PRICE)}",
            f"{_rounded(work.n_gets)} requests, ${_rounded(work.n_gets * GET_PRICE)}",
            f"${_rounded(work.feature_bytes / 1e9 * STORE_PRICE)}",
        )
        for work in WORKS
    ]
    return table(header, rows)


def resume_table() -> str:
    """Return how long it takes to find what is done at an address."""
    rows = []
    for n_videos in (4097, 100_000, 1_000_000):
        hours = n_videos * 2 * HEADER_SECONDS / N_AT_ONCE / HOUR
        shard = _duration(hours / 500)
        rows.append((f"{n_videos:,}", f"{_rounded(n_videos / 1000)}", _duration(hours), shard))
    return table(("videos in the store", "listings", "headers of all", "of one of 500 parts"), rows)


def training_table() -> str:
    """Return bytes and time of an epoch of CMAN on two cores."""
    rows = []
    for n_rows in (AVE_ROWS, 100_000, 1_000_000):
        hours = EPOCH.value * n_rows / AVE_ROWS / HOUR
        n_bytes = n_rows * CLIP_SECONDS * SEGMENT_BYTES
        rows.append((f"{n_rows:,}", _bytes(n_bytes), _duration(hours), _duration(hours * 100)))
    return table(("clips of 10 s", "features", "an epoch, two cores", "100 epochs"), rows)


def _rounded(value: float) -> str:
    """Return two digits that count."""
    return f"{float(f'{value:.2g}'):,.10g}"


def _bytes(n_bytes: float) -> str:
    for unit, size in (("PB", 1e15), ("TB", 1e12), ("GB", 1e9)):
        if n_bytes >= size:
            return f"{_rounded(n_bytes / size)} {unit}"
    return f"{_rounded(n_bytes / 1e6)} MB"


def _duration(hours: float) -> str:
    for unit, size in (("years", 24 * 365), ("days", 24), ("h", 1), ("min", 1 / 60)):
        if hours >= 2 * size:
            return f"{_rounded(hours / size)} {unit}"
    return f"{_rounded(hours * HOUR)} s"
