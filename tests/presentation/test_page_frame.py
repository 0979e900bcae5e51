"""Templates show values, never methods, whatever the keys of a mapping are called."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

import antiphon
from antiphon.presentation.page_frame import page_environment

METHODS = ("items", "keys", "values", "get", "copy", "pop", "update", "setdefault")


@pytest.mark.parametrize("name", METHODS)
def test_a_key_comes_before_a_method_of_that_name(name: str) -> None:
    template = page_environment("antiphon.report").from_string(f"{{{{ found.{name} }}}}")
    assert template.render(found={name: 39}) == "39"


def test_methods_of_mappings_without_such_a_key_can_be_called() -> None:
    template = page_environment("antiphon.report").from_string("{{ found.get('there', 0) }} {{ found.values()|sum }}")
    assert template.render(found={"a": 1, "b": 2}) == "0 3"


@pytest.mark.parametrize("value", [[3, 4], (3,), "text"])
def test_a_method_is_not_shown(value: object) -> None:
    with pytest.raises(TypeError, match="it is not called"):
        page_environment("antiphon.app").from_string("{{ found.count }}").render(found=value)


def test_unknown_names_are_errors() -> None:
    with pytest.raises(UndefinedError):
        page_environment("antiphon.app").from_string("{{ nothing }}").render()


def test_no_template_asks_a_mapping_of_names_for_its_items_as_a_method() -> None:
    """A genre or run may be called "items"; the filter does not look it up."""
    for path in Path(antiphon.__file__).parent.glob("*/templates/*.html"):
        assert not re.search(r"\.items\(\)", path.read_text(encoding="utf-8")), path.name
