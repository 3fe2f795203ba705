"""The examples in docstrings are promises to the reader: they run."""

import doctest
import importlib
import pkgutil

import pytest

import shared.codes
import shared.expressions
import shared.identifiers

MODULES = [
    module.name
    for package in (shared.codes, shared.identifiers, shared.expressions)
    for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
] + ["shared.expressions", "shared.identifiers"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_hold(name: str) -> None:
    assert doctest.testmod(importlib.import_module(name)).failed == 0
