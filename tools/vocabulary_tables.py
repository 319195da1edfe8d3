"""Make the data files of avloc.vocabulary from the class lists and WordNet 3.0::

    apt-get install wordnet-base
    python tools/vocabulary_tables.py class_labels_indices.csv --wordnet /usr/share/wordnet

Writes ``audioset.txt``, ``imagenet.tsv`` and ``nouns.tsv.gz`` into the package's data folder.
``class_labels_indices.csv`` is AudioSet's own list of its 527 classes. ImageNet's synsets and
names come from timm.
"""

from __future__ import annotations

import argparse
import csv
import gzip
from pathlib import Path

from timm.data import ImageNetInfo

DATA = Path(__file__).parents[1] / "avloc" / "vocabulary" / "data"
KINDS = {
    "03": "top",
    "05": "animal",
    "06": "artifact",
    "08": "body",
    "13": "food",
    "17": "object",
    "18": "person",
    "19": "phenomenon",
    "20": "plant",
    "27": "substance",
}
"""WordNet's lexicographer files of things that a picture can show."""
N_SENSES = 4
"""A word's later senses are rare: they do more harm than good."""


def write_audioset(source: Path) -> None:
    """Write AudioSet's class names in order, one a line."""
    with source.open(newline="", encoding="utf-8") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: int(row["index"]))
    lines = [row["display_name"] for row in rows]
    (DATA / "audioset.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def imagenet_rows() -> list[tuple[int, str]]:
    """Return the WordNet offset and the names of each ImageNet class, in order."""
    info = ImageNetInfo()
    classes = range(info.num_classes())
    return [(int(info.index_to_label_name(i)[1:]), info.index_to_description(i)) for i in classes]


def sense_numbers(folder: Path) -> dict[tuple[str, int], int]:
    """Return the sense number of each word and synset: 1 is the most frequent sense."""
    numbers = {}
    for line in (folder / "index.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split()
        n_senses = int(fields[2])
        for number, offset in enumerate(fields[-n_senses:], 1):
            numbers[fields[0], int(offset)] = number
    return numbers


Row = tuple[int, str, list[int], list[str]]


def noun_rows(folder: Path, classes: set[int]) -> list[Row]:
    """Return offset, kind, parents and numbered words of each synset of things, with parents."""
    rows = all_rows(folder, classes)
    kept: set[int] = set()
    pending = [
        offset
        for offset, (_, kind, _, words) in rows.items()
        if offset in classes or (kind and words)
    ]
    while pending:
        offset = pending.pop()
        if offset not in kept:
            kept.add(offset)
            pending.extend(parent for parent in rows[offset][2] if parent in rows)
    return [rows[offset] for offset in sorted(kept)]


def all_rows(folder: Path, classes: set[int]) -> dict[int, Row]:
    """Return every noun synset; the kind is empty where no picture can show it."""
    numbers = sense_numbers(folder)
    rows = {}
    for line in (folder / "data.noun").read_text(encoding="utf-8").splitlines():
        if line.startswith(" "):
            continue
        fields = line.split(" | ")[0].split()
        offset = int(fields[0])
        n_words = int(fields[3], 16)
        written = fields[4 : 4 + 2 * n_words : 2]
        rest = fields[4 + 2 * n_words + 1 :]
        pointers = [rest[i : i + 4] for i in range(0, len(rest), 4)]
        if any(pointer[0] == "@i" for pointer in pointers):
            continue
        parents = [int(pointer[1]) for pointer in pointers if pointer[0] == "@"]
        words = []
        for word in written:
            number = numbers[word.lower(), offset]
            if number <= N_SENSES and (word.islower() or offset in classes):
                words.append(f"{word.lower()}#{number}")
        rows[offset] = (offset, KINDS.get(fields[1], ""), parents, words)
    return rows


def main() -> None:
    """Write the data files."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("audioset", type=Path, help="class_labels_indices.csv")
    parser.add_argument("--wordnet", type=Path, default=Path("/usr/share/wordnet"))
    arguments = parser.parse_args()
    DATA.mkdir(exist_ok=True)
    write_audioset(arguments.audioset)
    classes = imagenet_rows()
    lines = [f"n{offset:08d}\t{names}" for offset, names in classes]
    (DATA / "imagenet.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = noun_rows(arguments.wordnet, {offset for offset, _ in classes})
    text = "".join(
        f"{offset}\t{kind}\t{' '.join(map(str, parents))}\t{' '.join(words)}\n"
        for offset, kind, parents, words in rows
    )
    with gzip.GzipFile(DATA / "nouns.tsv.gz", "wb", mtime=0) as file:
        file.write(text.encode())
    print(f"{len(classes)} ImageNet classes, {len(rows)} synsets")


if __name__ == "__main__":
    main()
