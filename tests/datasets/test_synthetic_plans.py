"""What a made clip says of itself, against what is drawn and what sounds."""

from dataclasses import fields, replace

import numpy as np
import pytest

from avloc.datasets import SPLITS, SynthesisConfig
from avloc.datasets.synthetic.clip_plan import NEVER, ClipPlan
from avloc.datasets.synthetic.composition import compose
from avloc.datasets.synthetic.looks import LOOKS, draw
from avloc.datasets.synthetic.rendering import event_boxes, frames, soundtrack
from avloc.datasets.synthetic.sounds import SOUNDS
from avloc.errors import UsageError

SMALL = SynthesisConfig(width=128, height=96, fps=6)
QUIET = replace(SMALL, n_classes=10, picture_noise=0, sound_noise=0, silent=0, offscreen=0)
PLANS = [compose(SMALL, split, k) for split in SPLITS for k in range(300)]


def seconds_of(interval: tuple[int, int]) -> np.ndarray:
    return np.isin(np.arange(SMALL.seconds), np.arange(*interval))


def unseen(plan: ClipPlan) -> ClipPlan:
    """Return the clip without its source in the picture."""
    source = plan.sources[0]
    return replace(plan, sources=(replace(source, shown=replace(source.shown, seen=NEVER)),))


SEEN = np.array([seconds_of(plan.sources[0].shown.seen) for plan in PLANS])
HEARD = np.array([seconds_of(plan.sources[0].sound.heard) for plan in PLANS])
EVENT = np.array([seconds_of(plan.event) for plan in PLANS])


def test_every_setting_says_what_it_is_and_refuses_nonsense():
    assert all(setting.metadata["help"] for setting in fields(SynthesisConfig))
    for wrong in ({"n_classes": 1}, {"n_classes": 11}, {"width": 97}, {"silent": 1.1}, {"fps": 0}):
        with pytest.raises(UsageError):
            SynthesisConfig(**wrong)


def test_an_event_is_where_the_source_is_seen_and_heard():
    assert (EVENT == SEEN & HEARD).all()
    assert EVENT.sum(axis=1).min() == 2


def test_the_trivial_line_is_about_a_half():
    assert 0.45 <= EVENT.mean() <= 0.55


def test_neither_sense_alone_can_tell_when_the_event_is():
    for one, other in ((SEEN, HEARD), (HEARD, SEEN)):
        assert 0.6 <= EVENT[one].mean() <= 0.84
        is_apart = (one & ~other).any(axis=1)
        assert 0.35 <= is_apart.mean() <= 0.6
    is_consistent = (SEEN == HEARD).all(axis=1)
    assert 0.35 <= is_consistent.mean() <= 0.5


def test_neither_sense_alone_can_tell_which_class_the_event_is():
    for plan in PLANS:
        silent, offscreen = (
            {item.class_index for item in items} for items in (plan.silent, plan.offscreen)
        )
        assert len(silent) == len(plan.silent)
        assert not {plan.sources[0].class_index} & (silent | offscreen)
        assert not silent & offscreen
    assert 0.5 <= np.mean([bool(plan.silent) for plan in PLANS]) <= 0.75
    assert 0.5 <= np.mean([bool(plan.offscreen) for plan in PLANS]) <= 0.7
    # Others last as long as the source does, so their length does not give them away.
    lengths = [np.diff(one.seen)[0] for plan in PLANS for one in plan.silent]
    assert abs(np.mean(lengths) - SEEN.sum(axis=1).mean()) < 0.5
    lengths = [np.diff(one.heard)[0] for plan in PLANS for one in plan.offscreen]
    assert abs(np.mean(lengths) - HEARD.sum(axis=1).mean()) < 0.5


def test_a_clip_depends_on_its_number_only():
    assert compose(replace(SMALL, n_train=1, n_val=7), "val", 3) == compose(SMALL, "val", 3)
    assert compose(replace(SMALL, seed=1), "val", 3) != compose(SMALL, "val", 3)
    assert len({plan.seed for plan in PLANS}) == len(PLANS)


def test_the_centre_is_in_the_source_in_less_than_a_quarter_of_event_segments():
    boxes = [
        box for plan in PLANS[::3] for of_second in event_boxes(plan, SMALL) for box in of_second
    ]
    is_hit = [x0 <= 0.5 < x1 and y0 <= 0.5 < y1 for x0, y0, x1, y1 in boxes]
    assert 0 < np.mean(is_hit) < 0.25


@pytest.mark.parametrize("number", range(10))
def test_boxes_hold_what_the_source_covers(number):
    plan = compose(QUIET, "train", number)
    assert plan.sources[0].class_index == number
    without = unseen(plan)
    drawn = np.stack(list(frames(plan, QUIET))).astype(int)
    differs = (np.abs(drawn - np.stack(list(frames(without, QUIET)))) > 0).any(axis=3)
    for second, boxes in enumerate(event_boxes(plan, QUIET)):
        is_source = differs[second * QUIET.fps : (second + 1) * QUIET.fps].any(axis=0)
        assert is_source.any() == seconds_of(plan.sources[0].shown.seen)[second]
        assert len(boxes) == seconds_of(plan.event)[second]
        for box in boxes:
            rows, columns = np.nonzero(is_source)
            found = (columns.min(), rows.min(), columns.max() + 1, rows.max() + 1)
            expected = np.array(box) * ([QUIET.width, QUIET.height] * 2)
            # A soft edge covers less than half of a pixel's width beyond the box.
            assert np.abs(expected - found).max() <= 1.1


def test_silent_objects_stand_beside_the_source():
    config = replace(SMALL, silent=1, picture_noise=0)
    plans = [plan for k in range(12) if (plan := compose(config, "train", k)).silent]
    assert len(plans) > 8
    for plan in plans:
        bare = replace(plan, silent=())
        difference = np.stack(list(frames(plan, config))) != np.stack(list(frames(bare, config)))
        differs = difference.any(axis=3)
        start, _ = plan.silent[0].seen
        assert differs[start * config.fps].any()
        for second, boxes in enumerate(event_boxes(plan, config)):
            for box in boxes:
                x0, y0, x1, y1 = np.round(
                    np.array(box) * ([config.width, config.height] * 2)
                ).astype(int)
                part = differs[second * config.fps : (second + 1) * config.fps, y0:y1, x0:x1]
                assert not part.any()


def test_frames_are_shown_when_the_plan_says():
    shape = (SMALL.fps * SMALL.seconds, SMALL.height, SMALL.width, 3)
    assert np.stack(list(frames(PLANS[0], SMALL))).shape == shape


def test_sound_is_there_exactly_when_heard():
    for k in range(20):
        plan = compose(QUIET, "train", k)
        track = soundtrack(plan, QUIET)
        assert (track.dtype, track.shape) == (np.float32, (QUIET.sound_rate * QUIET.seconds,))
        level = np.sqrt((track.reshape(QUIET.seconds, -1) ** 2).mean(axis=1))
        is_heard = seconds_of(plan.sources[0].sound.heard)
        assert (level[~is_heard] == 0).all()
        assert level[is_heard].min() > 0.4 * plan.sources[0].sound.gain
        assert np.abs(track).max() <= 0.95 + 1e-6


def test_noise_and_offscreen_sounds_are_added():
    plan = next(plan for plan in PLANS if plan.offscreen and plan.offscreen[0].heard[0] > 0)
    clean = replace(SMALL, sound_noise=0)
    added = soundtrack(plan, SMALL) - soundtrack(replace(plan, noise=0.0), clean)
    ratio = added.std() / (plan.noise * plan.sources[0].sound.gain)
    assert 0.6 < ratio < 1.1
    alone = soundtrack(replace(plan, noise=0.0, offscreen=()), clean)
    extra = soundtrack(replace(plan, noise=0.0), clean) - alone
    start, end = (second * SMALL.sound_rate for second in plan.offscreen[0].heard)
    assert np.abs(extra[:start]).max() == 0
    assert np.sqrt((extra[start:end] ** 2).mean()) > 0.5 * plan.offscreen[0].gain


def test_every_look_fits_its_disc_and_differs_from_the_others():
    drawings = [draw(k, 0.0, 1.0, 32.0, 0.0, 1.0) for k in range(len(LOOKS))]
    for k, drawing in enumerate(drawings):
        assert drawing.shape == (66, 66, 4)
        rows, columns = np.indices((66, 66)) - 32.5
        assert drawing[np.hypot(rows, columns) > 33.5].max() == 0
        assert 0.2 < drawing[..., 3].mean() < 0.8
        for other in drawings[:k]:
            assert np.abs(drawing - other).mean() > 8


def test_every_sound_has_a_spectrum_of_its_own():
    clock = np.arange(16000) / 16000
    spectra = []
    for sound in SOUNDS:
        wave = sound.wave(np.random.default_rng(1), clock, 1.0)
        power = np.abs(np.fft.rfft(wave)) ** 2
        bands = np.add.reduceat(power, [0, 100, 200, 400, 800, 1200, 1600, 2400, 3200, 4800])
        spectra.append(np.sqrt(bands / bands.sum()))
    alike = np.array([[one @ other for other in spectra] for one in spectra])
    assert (alike[~np.eye(len(SOUNDS), dtype=bool)] < 0.97).all()
    assert len({sound.name for sound in SOUNDS}) == len({look.shape for look in LOOKS}) == 10
