"""The public names of `avloc` and its errors."""

from __future__ import annotations

import re

import pytest

import avloc


def test_every_public_name_exists_and_is_documented() -> None:
    for name in avloc.__all__:
        assert getattr(avloc, name).__doc__, name
    assert set(avloc.__all__) <= set(dir(avloc))


def test_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="locallize"):
        _ = avloc.locallize  # type: ignore[attr-defined]


def test_errors_tree_is_as_its_docstring_draws_it() -> None:
    from avloc import errors

    assert errors.__doc__ is not None
    drawn = set(re.findall(r"\b(\w+Error)\b", errors.__doc__))
    defined = {
        name
        for name, value in vars(errors).items()
        if isinstance(value, type) and issubclass(value, errors.AvlocError)
    }
    assert defined == drawn


def test_errors_can_be_pickled() -> None:
    import pickle

    from avloc.errors import DatasetError, UnknownNameError

    for error in (
        DatasetError("is wrong", "a.csv", 3, "Mend it."),
        UnknownNameError("x", "y", "z"),
    ):
        copy = pickle.loads(pickle.dumps(error))
        assert (type(copy), str(copy), copy.hint) == (type(error), str(error), error.hint)
