"""The reference of TOML files, made from the models that read them, with every recipe as it ships."""

from pathlib import Path
from typing import Any

import pydantic
from griffe import Docstring, DocstringSectionAttributes
from pydantic_core import PydanticUndefined

from antiphon.experiments.study import DrawSettings, Study, StudyStep
from antiphon.model.closed_form import ClosedFormConfig
from antiphon.model.heads import HeadConfig
from antiphon.model.losses.config import LossConfig
from antiphon.model.recipe import AutoencoderConfig, Recipe, TrainingConfig, load_recipe, recipe_names
from antiphon.model.track_model import TrackConfig
from antiphon.segments.sampling import SamplingConfig
from antiphon.training.fine_tuning import TuningConfig

_HEAD = """# Recipes and studies

A recipe says how a model is trained: `antiphon train --recipe NAME` takes one that ships, or a TOML file. What a
file leaves out has the default below; a name that is not in these tables is an error. `run.toml`, beside every
trained model, holds the resolved recipe, the seed, versions and hashes, and can be given as a recipe in its turn.
"""
_RECIPE = {
    "Recipe": Recipe,
    "[head]": HeadConfig,
    "[loss]": LossConfig,
    "[training]": TrainingConfig,
    "[closed_form]": ClosedFormConfig,
    "[autoencoder]": AutoencoderConfig,
    "[track]": TrackConfig,
}
_STUDY = {"Study": Study, "[[step]]": StudyStep, "[draws]": DrawSettings}
_ARGUMENTS = {"SamplingConfig": SamplingConfig, "TuningConfig": TuningConfig}


def written(root: Path) -> str:
    """Return the page as Markdown."""
    parts = [_HEAD, "## Keys of a recipe"]
    parts += [_section(title, model) for title, model in _RECIPE.items()]
    parts += [
        "## Keys of a study",
        "`antiphon study FILE` compares the recipes of a file, on the same held-out videos.",
    ]
    parts += [_section(title, model) for title, model in _STUDY.items()]
    parts += ["## Settings of `ap.extract` and `DualEncoder.fine_tune`"]
    parts += [_section(title, model) for title, model in _ARGUMENTS.items()]
    parts += ["## Recipes that ship", *(_recipe(root, name) for name in recipe_names())]
    return "\n\n".join(parts) + "\n"


def _recipe(root: Path, name: str) -> str:
    text = (root / "src/antiphon/model/recipes" / f"{name}.toml").read_text(encoding="utf-8")
    return f"### {name}\n\n{load_recipe(name).description}\n\n```toml\n{text}```"


def _section(title: str, model: type[pydantic.BaseModel]) -> str:
    about = _attributes(model)
    missing = sorted(set(model.model_fields) - set(about))
    if missing:
        raise ValueError(f"the docstring of {model.__name__} does not describe {', '.join(missing)}")
    rows = ["| Key | Values | Default | |", "|---|---|---|---|"]
    for name, field in model.model_fields.items():
        kind, text = about[name]
        rows.append(f"| `{name}` | {_cell(kind)} | {_default(field)} | {_cell(text)} |")
    return f"### {title}\n\n{(model.__doc__ or '').strip().splitlines()[0]}\n\n" + "\n".join(rows)


def _attributes(model: type[pydantic.BaseModel]) -> dict[str, tuple[str, str]]:
    """Read types and descriptions from the numpydoc section; several names may share one."""
    sections = Docstring(model.__doc__ or "", lineno=1).parse("numpy", warnings=False)
    found: dict[str, tuple[str, str]] = {}
    for section in sections:
        if isinstance(section, DocstringSectionAttributes):
            for one in section.value:
                for name in one.name.split(","):
                    found[name.strip()] = (str(one.annotation or ""), one.description)
    return found


def _default(field: Any) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is PydanticUndefined or isinstance(value, pydantic.BaseModel) or value in ({}, None):
        return ""
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if isinstance(value, tuple):
        return f"`{list(value)}`"
    return f"`{value!r}`".replace("'", '"')


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
