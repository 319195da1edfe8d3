"""Models of packages and of this process: how they become known, and what is refused."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import torch
from plugin_packages import AVERAGE, install

from avloc.artifacts import ModelFile
from avloc.errors import ArtifactError, DependencyError, UnknownNameError, UsageError
from avloc.labels import LabelSet
from avloc.models import (
    Model,
    ModelOutput,
    build,
    list_models,
    model_class,
    origin_of,
    register,
    restore,
    state_arrays,
)
from avloc.models import registry as module
from avloc.models.model import ModelOptions
from avloc.models.plugins import GROUP
from avloc.spec import FeatureSpec
from avloc.stages.doctor import examine

SIZES = {"visual_channels": 8, "audio_channels": 6, "n_classes": 3}
BUILT_IN = sorted(module.MODELS)


@pytest.fixture(autouse=True)
def _forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers, the next one does not know."""
    monkeypatch.setattr(module, "_registered", {})
    for name in [name for name in sys.modules if name.startswith("odd_models")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of Python's path, to install into."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return tmp_path


class Constant(Model):
    Config = ModelOptions

    def forward(self, visual, audio):
        return ModelOutput(logits=torch.zeros(*audio.shape[:2], self._options.n_classes))


def test_a_class_that_is_registered_is_built_by_its_name():
    assert register("constant")(Constant) is Constant
    assert list_models() == sorted([*BUILT_IN, "constant"])
    assert model_class("constant") is Constant
    output = build("constant", **SIZES)(torch.zeros(2, 4, 1, 1, 8), torch.zeros(2, 4, 6))
    assert output.logits.shape == (2, 4, 3)
    assert origin_of("constant") == {"model_module": Constant.__module__}
    assert [origin_of(name) for name in BUILT_IN] == [{}] * len(BUILT_IN)


def test_a_class_may_be_registered_again_as_a_notebook_does():
    def cell() -> type[Model]:
        class Again(Constant):
            pass

        return register("again")(Again)

    first, second = cell(), cell()
    assert first is not second
    assert model_class("again") is second


@pytest.mark.parametrize("name", BUILT_IN)
def test_avlocs_names_are_taken(name):
    with pytest.raises(UsageError, match=f"'{name}' is taken by avloc"):
        register(name)(Constant)
    assert model_class(name) is not Constant


def test_a_name_that_another_class_has_is_taken():
    register("constant")(Constant)
    with pytest.raises(UsageError, match=r"'constant' is taken by .*Constant"):
        register("constant")(type("Other", (Constant,), {"__module__": "elsewhere"}))


@pytest.mark.parametrize("name", ["", "-x", "a b", "a/b", "é", "a=b"])
def test_names_that_a_command_line_or_a_file_cannot_have_are_refused(name):
    with pytest.raises(UsageError, match="cannot be a model's name"):
        register(name)


@pytest.mark.parametrize(
    ("what", "says"),
    [
        (lambda visual, audio: None, "is not a model"),
        (torch.nn.Linear, "is not a model"),
        (Constant(ModelOptions(8, 6, 3)), "is not a model"),
        (type("Bare", (Model,), {}), "has no options"),
        (type("Odd", (Model,), {"Config": dict}), "has no options"),
    ],
)
def test_what_is_not_a_model_is_not_registered(what, says):
    with pytest.raises(UsageError, match=says) as caught:
        register("odd")(what)
    assert caught.value.hint
    assert "odd" not in list_models()


def test_an_installed_package_offers_a_model_which_is_imported_when_asked_for(packages):
    install(packages, "odd-models", {"average": "odd_models:Average"}, odd_models=AVERAGE)
    assert "average" in list_models()
    assert "odd_models" not in sys.modules
    output = build("average", **SIZES)(torch.randn(2, 4, 3, 3, 8), torch.randn(2, 4, 6))
    assert output.logits.shape == (2, 4, 3)
    assert origin_of("average") == {"model_package": "odd-models 1.0"}


def test_a_class_of_a_package_may_also_register_itself(packages):
    text = f"{AVERAGE}\n\nfrom avloc.models import register\n\nregister('average')(Average)\n"
    install(packages, "odd-models", {"average": "odd_models:Average"}, odd_models=text)
    assert model_class("average") is model_class("average")
    with pytest.raises(UsageError, match=r"'average' is taken by .*odd_models"):
        register("average")(Constant)


def test_a_name_that_a_package_offers_is_taken(packages):
    install(packages, "odd-models", {"average": "odd_models:Average"}, odd_models=AVERAGE)
    with pytest.raises(UsageError, match=r"'average' is taken by odd-models 1\.0"):
        register("average")(Constant)


FAULTS = {
    "missing module": ("odd_models_gone:Average", {}, "No module named 'odd_models_gone'"),
    "missing name": ("odd_models:Averag", {"odd_models": AVERAGE}, "has no attribute 'Averag'"),
    "missing need": ("odd_models:A", {"odd_models": "import no_such_need"}, "'no_such_need'"),
    "syntax": ("odd_models:A", {"odd_models": "def ("}, "SyntaxError"),
    "two lines": ("odd_models:A", {"odd_models": "raise OSError('one\\ntwo')"}, "one two"),
    "function": ("odd_models:A", {"odd_models": "def A(): pass"}, "is not a model"),
    "number": ("odd_models:A", {"odd_models": "A = 3"}, "is not a model"),
    "other class": ("odd_models:A", {"odd_models": "class A: pass"}, "is not a model"),
    "no options": (
        "odd_models:A",
        {"odd_models": "from avloc.models import Model\nclass A(Model): pass"},
        "has no options",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_package_with_a_fault_is_named_and_breaks_nothing_else(packages, fault):
    value, modules, says = FAULTS[fault]
    install(packages, "odd-models", {"average": value}, **modules)
    with pytest.raises(DependencyError) as caught:
        build("average", **SIZES)
    assert says in str(caught.value)
    assert "odd-models 1.0" in caught.value.message
    assert "\n" not in str(caught.value)
    assert caught.value.hint
    assert "average" in list_models()
    assert build("cam", **SIZES)
    with pytest.raises(UnknownNameError, match="averag"):
        model_class("averag")


def test_two_packages_that_offer_a_name_are_both_named(packages):
    install(packages, "odd-models", {"average": "odd_models:Average"}, odd_models=AVERAGE)
    install(packages, "even-models", {"average": "odd_models_2:Average"}, odd_models_2=AVERAGE)
    with pytest.raises(DependencyError, match=r"even-models 1\.0, odd-models 1\.0"):
        model_class("average")


def test_a_package_cannot_replace_a_model_of_avloc(packages):
    install(packages, "odd-models", {"cman": "odd_models:Average"}, odd_models=AVERAGE)
    assert model_class("cman").__module__ == "avloc.models.cman"
    assert list_models() == BUILT_IN


def test_doctor_lists_the_models_of_packages_and_their_faults(packages):
    models = {"average": "odd_models:Average", "broken": "odd_models:no", "cman": "odd_models:A"}
    install(packages, "odd-models", models, odd_models=AVERAGE)
    found = {f.what: f for f in examine() if f.what.startswith("model ")}
    assert list(found) == ["model average", "model broken", "model cman"]
    assert found["model average"].is_sound
    assert "odd-models 1.0" in found["model average"].state
    assert not found["model broken"].is_sound
    assert not found["model cman"].is_sound
    assert "'cman' is avloc's own model" in found["model cman"].state


def test_the_group_is_that_of_the_command_line():
    text = Path(module.__file__).parents[1].joinpath("cli", "train.py").read_text(encoding="utf-8")
    assert f'"plugins": "{GROUP}"' in text


def written(name: str) -> ModelFile:
    """A model file as training leaves it."""
    torch.manual_seed(0)
    network = build(name, **SIZES)
    return ModelFile(
        name=name,
        config=network.config,
        weights=state_arrays(network),
        labels=LabelSet(("bell", "bark")),
        spec=FeatureSpec("", "", "", ""),
        supervision="full",
        n_segments=10,
        segment_seconds=1.0,
        metrics={},
        seed=0,
        data=origin_of(name),
    )


def test_a_model_file_of_a_package_needs_the_package(packages, monkeypatch):
    install(packages, "odd-models", {"average": "odd_models:Average"}, odd_models=AVERAGE)
    file = written("average")
    visual, audio = torch.randn(2, 4, 3, 3, 8), torch.randn(2, 4, 6)
    before = restore(file)(visual, audio).logits
    assert torch.equal(restore(file)(visual, audio).logits, before)
    monkeypatch.undo()
    with pytest.raises(
        ArtifactError, match=r"'average' is of the package odd-models 1\.0"
    ) as caught:
        restore(file)
    assert caught.value.hint == "Install odd-models 1.0."


def test_a_model_file_of_a_module_says_what_to_import(monkeypatch):
    register("constant")(Constant)
    file = written("constant")
    assert restore(file).config == file.config
    monkeypatch.setattr(module, "_registered", {})
    with pytest.raises(ArtifactError, match="is not imported") as caught:
        restore(file)
    assert Constant.__module__ in caught.value.hint


def test_a_model_file_of_a_package_that_no_longer_loads_names_it(packages):
    install(packages, "odd-models", {"average": "odd_models:Average"}, odd_models=AVERAGE)
    file = written("average")
    (packages / "odd_models.py").write_text("import no_such_need")
    del sys.modules["odd_models"]
    with pytest.raises(DependencyError, match=r"odd-models 1\.0 cannot be imported"):
        restore(file)


def test_a_model_file_of_another_version_of_a_package_is_refused_by_its_weights(packages):
    install(packages, "odd-models", {"average": "odd_models:Average"}, odd_models=AVERAGE)
    file = written("average")
    (packages / "odd_models.py").write_text(AVERAGE.replace("self.head", "self.layer"))
    del sys.modules["odd_models"]
    with pytest.raises(ArtifactError, match=r"head\.bias is .* and should be missing") as caught:
        restore(file)
    assert "odd-models 1.0" in caught.value.hint
