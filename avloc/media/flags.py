"""All flags of a file: what was repaired, is absent, or changes when it is resized."""

from __future__ import annotations

FLAGS: dict[str, str] = {
    "no_video": "there is no moving picture (a cover picture is not one): no visual features",
    "no_audio": "there is no sound: no audio features",
    "no_frame": "there is a picture stream, but no frame of it decodes: as no_video",
    "no_sound": "there is a sound stream, but nothing of it decodes: as no_audio",
    "wrong_length": "the file states a length far beyond what it holds, or none: measured",
    "joined": "times start again on the way, as in joined files: each part follows the last",
    "pts_rebuilt": "frame times were missing or impossible: counted at the stream's rate",
    "late_video": "the picture begins after the sound: its first frame is held back to 0 s",
    "late_audio": "the sound begins after the picture: silence before it",
    "audio_gap": "the sound has a hole in time: silence in it",
    "audio_overlap": "a part of the sound begins before the last one ends: the overlap is cut",
    "audio_pts_rebuilt": "times of the sound are impossible: it continues without a gap",
    "audio_rate_changed": "the sound changes its sample rate: brought to the first one",
    "padded": "the picture ends more than half a segment before the grid: its last frame is held",
    "corrupt": "packets are damaged: what decodes is used, before and after them",
    "truncated": "the file breaks off before its stated end: what came before is used",
    "rotated": "frames are stored turned: made upright before resizing",
    "size_changed": "frames change their size on the way: each is resized from its own",
    "portrait": "the picture, made upright, is higher than wide: squashed like any other",
    "non_square_pixels": "pixels are not square: taken as they are stored",
    "low_resolution": "the picture's shorter side is under 48 pixels: enlarged many times over",
    "high_bit_depth": "more than 8 bits a colour: rounded to 8",
    "senses_unknown": "the model was trained without modality_dropout: it cannot say which sense "
    "knows an event",
    "hdr": "high dynamic range (PQ or HLG): taken as it is stored, without tone mapping",
}
