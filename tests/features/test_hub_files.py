"""Where a hub model's files come from, and what is said where they cannot be had."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from hub_server import HubServer, use_hub
from safetensors.torch import load_file, save_file
from tiny_hub import COMMIT, as_cached, save_clap, save_clip, save_timm

from avloc.errors import DependencyError, UsageError, WeightsError
from avloc.features.hub import names
from avloc.features.hub.model_card import is_non_commercial, licence_of
from avloc.features.hub.names import HubName, at_revision, parse_hub_name
from avloc.features.sources import find_source
from avloc.features.weights import WeightsPolicy

ANYWHERE, OFFLINE = WeightsPolicy(), WeightsPolicy(offline=True)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    """A hub's models: a folder ORG with a folder for each."""
    root = tmp_path_factory.mktemp("models")
    save_clip(root / "tiny" / "clip")
    save_clap(root / "tiny" / "clap", licence="cc-by-nc-4.0")
    return root


@pytest.fixture
def hub(tiny, tmp_path, monkeypatch):
    with HubServer(tiny).running() as server:
        use_hub(server.url, tmp_path / "cache", monkeypatch)
        yield server


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_model_is_downloaded_once_and_then_found_offline(hub, tiny, caplog):
    source = find_source("visual", "hf:tiny/clip", ANYWHERE)
    assert (source.name, source.revision, source.licence) == ("hf:tiny/clip", COMMIT, "mit")
    assert source.weights_sha256 == sha256_of(tiny / "tiny" / "clip" / "model.safetensors")
    assert "model.safetensors" in hub.downloads()
    assert caplog.messages == ["downloading hf:tiny/clip, licence: mit"]
    hub.requests.clear()
    assert find_source("visual", "hf:tiny/clip", OFFLINE).key == source.key
    assert find_source("visual", f"hf:tiny/clip@{COMMIT}", ANYWHERE).key == source.key
    assert hub.requests == []  # a commit that is here needs no network


def test_a_licence_that_forbids_trade_is_reported_before_the_weights_are_fetched(hub, caplog):
    find_source("audio", "hf:tiny/clap", ANYWHERE)
    first, second = caplog.messages
    assert first == "hf:tiny/clap: its licence, cc-by-nc-4.0, does not allow commercial use"
    assert second == "downloading hf:tiny/clap, licence: cc-by-nc-4.0"


def test_no_weights_are_fetched_of_a_model_that_cannot_be_used(hub, tiny):
    folder = tiny / "tiny" / "bert"
    folder.mkdir()
    (folder / "config.json").write_text('{"model_type": "bert"}')
    (folder / "model.safetensors").write_bytes(b"large")
    with pytest.raises(UsageError, match="'bert'") as caught:
        find_source("visual", "hf:tiny/bert", ANYWHERE)
    assert "clip" in caught.value.hint
    with pytest.raises(UsageError, match="not a model of the sound"):
        find_source("audio", "hf:tiny/clip", ANYWHERE)
    assert not {"model.safetensors"} & set(hub.downloads())


def test_what_the_hub_refuses_is_one_line(hub):
    with pytest.raises(WeightsError, match="no model tiny/none, or it is private"):
        find_source("visual", "hf:tiny/none", ANYWHERE)
    with pytest.raises(WeightsError, match="no revision 'v9'"):
        find_source("visual", "hf:tiny/clip@v9", ANYWHERE)
    hub.gated.add("tiny/clip")
    with pytest.raises(WeightsError, match="gated") as caught:
        find_source("visual", "hf:tiny/clip", ANYWHERE)
    assert "hf auth login" in caught.value.hint


def test_without_a_network_the_message_says_what_works(tmp_path, monkeypatch):
    use_hub("http://127.0.0.1:9", tmp_path, monkeypatch)
    for policy, word in ((ANYWHERE, "cannot be reached"), (OFFLINE, "offline was asked for")):
        with pytest.raises(WeightsError, match=word) as caught:
            find_source("visual", "hf:tiny/clip", policy)
        assert "\n" not in str(caught.value)
        assert "folder named tiny/clip" in caught.value.hint
        assert "--weights DIR" in caught.value.hint
        assert "efficientnet-lite0" in caught.value.hint


@pytest.mark.parametrize("layout", ["ORG/NAME", "NAME", "cache", "the folder itself"])
def test_a_folder_in_the_hubs_layout_needs_no_hub(layout, tiny, tmp_path, monkeypatch):
    use_hub("http://127.0.0.1:9", tmp_path / "nowhere", monkeypatch)
    model, name = tiny / "tiny" / "clip", "hf:tiny/clip"
    if layout == "cache":
        as_cached(model, tmp_path / "weights", "tiny/clip")
    elif layout == "the folder itself":
        name = f"hf:{model}"
    else:
        shutil.copytree(model, tmp_path / "weights" / ("tiny/clip" if "/" in layout else "clip"))
    policy = WeightsPolicy(tmp_path / "weights" if name == "hf:tiny/clip" else None, offline=True)
    source = find_source("visual", name, policy)
    assert source.name == name
    assert source.weights_sha256 == sha256_of(model / "model.safetensors")
    assert (source.revision == COMMIT) == (layout == "cache")
    # a model of a known commit accepts the plain copy, whose hash is compared all the same
    if layout != "the folder itself":
        assert find_source("visual", f"{name}@{COMMIT}", policy).revision == COMMIT


def test_other_settings_are_another_revision_of_a_folder(tmp_path):
    folder = save_clip(tmp_path / "clip")
    before = find_source("visual", f"hf:{folder}", OFFLINE).revision
    path = folder / "preprocessor_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"image_mean": [0.5, 0.5, 0.5]}))
    after = find_source("visual", f"hf:{folder}", OFFLINE).revision
    assert before.startswith("files-")
    assert before != after


def test_weights_in_parts_and_pickled_weights(tmp_path):
    whole = save_clip(tmp_path / "whole")
    state = load_file(whole / "model.safetensors")
    expected = find_source("visual", f"hf:{whole}", OFFLINE).build().state_dict()

    parts, half = shutil.copytree(whole, tmp_path / "parts"), len(state) // 2
    (parts / "model.safetensors").unlink()
    keys, weight_map = list(state), {}
    for number, some in enumerate((keys[:half], keys[half:])):
        file = f"model-{number}.safetensors"
        save_file({key: state[key] for key in some}, parts / file, {"format": "pt"})
        weight_map |= dict.fromkeys(some, file)
    index = {"metadata": {}, "weight_map": weight_map}
    (parts / "model.safetensors.index.json").write_text(json.dumps(index))
    pickled = shutil.copytree(whole, tmp_path / "pickled")
    (pickled / "model.safetensors").unlink()
    torch.save(state, pickled / "pytorch_model.bin")
    for folder in (parts, pickled):
        found = find_source("visual", f"hf:{folder}", OFFLINE).build().state_dict()
        assert found.keys() == expected.keys()
        assert all(torch.equal(found[key], expected[key]) for key in found)

    (parts / "model-1.safetensors").unlink()
    with pytest.raises(WeightsError, match="has no weights"):
        find_source("visual", f"hf:{parts}", OFFLINE)


def test_weights_that_lack_a_tensor_are_refused_and_not_drawn(tmp_path):
    folder = save_clip(tmp_path / "clip")
    state = load_file(folder / "model.safetensors")
    del state["visual_projection.weight"]
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    with pytest.raises(WeightsError, match=r"lack visual_projection\.weight"):
        find_source("visual", f"hf:{folder}", OFFLINE).build()


@pytest.mark.parametrize(
    ("file", "content", "word"),
    [
        ("config.json", "{", "cannot be read"),
        ("config.json", "[]", "not a JSON object"),
        ("preprocessor_config.json", "{", "image processor"),
        ("model.safetensors", "not tensors", "its weights"),
    ],
)
def test_damaged_files_are_named(file, content, word, tmp_path):
    folder = save_clip(tmp_path / "clip")
    (folder / file).write_text(content)
    with pytest.raises(WeightsError, match=word) as caught:
        find_source("visual", f"hf:{folder}", OFFLINE).build()
    assert "\n" not in str(caught.value)


def test_code_in_a_repository_is_not_run(tmp_path):
    folder = save_clip(tmp_path / "clip")
    path = folder / "config.json"
    code = {"AutoConfig": "evil.Config", "AutoModel": "evil.Model"}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"auto_map": code}))
    (folder / "evil.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    assert find_source("visual", f"hf:{folder}", OFFLINE).build()
    path.write_text(json.dumps({"model_type": "evil", "auto_map": code}))
    with pytest.raises(UsageError, match="'evil'"):
        find_source("visual", f"hf:{folder}", OFFLINE)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("hf:openai/clip-vit-base-patch16", ("hf", "openai/clip-vit-base-patch16", "")),
        ("hf:a/b@v1.0", ("hf", "a/b", "v1.0")),
        ("hf:./models/x@y", ("hf", "./models/x@y", "")),
        ("timm:resnet50.a1_in1k@main", ("timm", "resnet50.a1_in1k", "main")),
    ],
)
def test_names(name, parts):
    parsed = parse_hub_name(name)
    assert (parsed.library, parsed.model, parsed.revision) == parts
    assert (parsed.folder is not None) == ("./" in name)


@pytest.mark.parametrize("name", ["hf:", "hf:clip", "hf:a/b/c", "hf:a/b@", "timm:", "timm:a/b"])
def test_names_that_name_no_model(name):
    with pytest.raises(UsageError, match="does not name a model") as caught:
        find_source("visual", name, OFFLINE)
    assert "for example" in caught.value.hint


def test_a_commit_is_part_of_a_name_and_a_folders_digest_is_not():
    assert at_revision("hf:a/b", COMMIT) == f"hf:a/b@{COMMIT}"
    assert at_revision("hf:a/b", "files-0123456789abcdef") == "hf:a/b"
    assert at_revision("hf:./a", COMMIT) == "hf:./a"
    assert at_revision("resnet152", "") == "resnet152"


def test_a_name_of_the_hub_without_its_prefix():
    with pytest.raises(UsageError) as caught:
        find_source("visual", "openai/clip-vit-base-patch16", OFFLINE)
    assert "hf:openai/clip-vit-base-patch16" in caught.value.hint


def test_timm_makes_pictures_only_and_names_the_nearest():
    with pytest.raises(UsageError, match="pictures only"):
        find_source("audio", "timm:resnet18", OFFLINE)
    with pytest.raises(UsageError, match="no pretrained resnet1888") as caught:
        find_source("visual", "timm:resnet1888", OFFLINE)
    assert "resnet18" in caught.value.hint


def test_timms_default_weights_get_their_tag(hub, tiny):
    save_timm(tiny / "timm" / "resnet10t.c3_in1k")
    source = find_source("visual", "timm:resnet10t", ANYWHERE)
    assert (source.name, source.revision) == ("timm:resnet10t.c3_in1k", COMMIT)


def test_a_missing_package_is_named_with_the_extra(monkeypatch):
    monkeypatch.setattr(names, "find_spec", lambda _: None)
    with pytest.raises(DependencyError, match="transformers") as caught:
        find_source("visual", "hf:tiny/clip", OFFLINE)
    assert ".[hub]" in caught.value.hint


@pytest.mark.parametrize(
    ("card", "licence"),
    [
        ("---\nlicense: Apache-2.0\n---\n", "apache-2.0"),
        ("---\nlicense: other\nlicense_name: apple-amlr\n---\n", "other (apple-amlr)"),
        ("---\nlicense:\n- mit\n- cc0-1.0\n---\n", "mit, cc0-1.0"),
        ("---\ntags: [a]\n---\nlicense: mit\n", "unknown"),
        ("---\n: : :\n---\n", "unknown"),
        ("# license: mit\n", "unknown"),
        (None, "unknown"),
    ],
)
def test_a_licence_is_read_from_the_cards_front_matter(card, licence, tmp_path):
    if card is not None:
        (tmp_path / "README.md").write_text(card)
    assert licence_of(tmp_path) == licence


@pytest.mark.parametrize(
    ("licence", "is_forbidden"),
    [
        ("cc-by-nc-4.0", True),
        ("cc-by-nc-sa-3.0", True),
        ("other (meta-noncommercial)", True),
        ("other (apple-amlr-research)", True),
        ("apache-2.0", False),
        ("ncsa", False),
        ("mit", False),
    ],
)
def test_licences_that_forbid_trade(licence, is_forbidden):
    assert is_non_commercial(licence) is is_forbidden


def test_a_name_prints_without_its_revision():
    assert str(HubName("hf", "a/b", "v1")) == "hf:a/b"
