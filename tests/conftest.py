"""What several test packages share: real and made media, a workspace, a small recipe, and a browser."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from filelock import FileLock
from hypothesis import settings

from antiphon.cli.app import run
from antiphon.evaluation.probes import classifiers
from antiphon.evaluation.probes.perceptron import PerceptronConfig
from antiphon.model import recipe
from antiphon.synthetic import SyntheticConfig, render_catalogue

# No test is timed: an example may take longer where other processes want the cores too.
settings.register_profile("antiphon", deadline=None)
settings.load_profile("antiphon")

LONG = {"test_instruction_sets.py", "test_ray_executor.py", "test_up.py", "test_demo.py", "test_site.py"}
"""Each has a test of more than a minute."""
MEDIA = Path(__file__).parents[2] / "shared" / "data" / "media"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that no process waits for another one at the end."""
    items.sort(key=lambda item: item.path.name not in LONG)


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], object]], Path]:
    """Makes a folder once for all processes that run the tests: the first that asks for it does, the others wait."""
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder, done = shared / name, shared / f"{name}.done"
        with FileLock(shared / f"{name}.lock"):
            if not done.exists():
                shutil.rmtree(folder, ignore_errors=True)
                folder.mkdir()
                make(folder)
                done.touch()
        return folder

    return made


@pytest.fixture(scope="session")
def synthetic_table(made_once: Callable[..., Path]) -> Path:
    """CSV of a small synthetic catalogue: twelve music videos of 12 s by six artists. Nothing is written there."""
    config = SyntheticConfig(videos=12, duration_s=12, duration_spread_s=1, songs_per_artist=2, coupling=1)
    made: list[Path] = []
    folder = made_once("synthetic", lambda folder: made.append(render_catalogue(folder, config)))
    return made[0] if made else next(folder.glob("*.csv"))


@pytest.fixture(scope="session")
def extracted(made_once: Callable[..., Path], synthetic_table: Path) -> Path:
    """A workspace of the synthetic catalogue with the default features of two sections. Copy it to change it."""

    def make(folder: Path) -> None:
        for call in (
            ["catalogue", "add", synthetic_table, "--by", "video", "--fractions", "0.5", "0.25", "0.25", "--seed", "3"],
            ["extract", "--sections", "2"],
        ):
            assert run(["--workspace", str(folder), *map(str, call)]) == 0

    return made_once("extracted", make)


@pytest.fixture(scope="module")
def quick_default(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """In a module that uses this the default recipe and the probes' perceptron are narrow and trained in a moment.

    That is enough where not their numbers matter but what is done with them; what they reach, other modules test.
    """
    changes = {
        "head": {"hidden": (64,), "embedding_dim": 32, "dropout": 0.0, "input_dropout": 0.0},
        "training": {"epochs": 5, "min_steps": 4},
    }
    shelf = tmp_path_factory.mktemp("recipes")
    for name in recipe.recipe_names():
        shutil.copy(str(recipe._shelf() / f"{name}.toml"), shelf)
    quick = recipe.changed_recipe(recipe.load_recipe("antiphon-base"), changes, "quick_default")
    (shelf / "antiphon-base.toml").write_text(tomli_w.dumps(quick.model_dump(exclude_none=True)), encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recipe, "_shelf", lambda: shelf)
        patch.setattr(classifiers, "PERCEPTRON", PerceptronConfig(hidden=(64, 32), epochs=20))
        yield


@pytest.fixture(scope="session")
def media_folder():
    """The sample of real files."""
    if not MEDIA.exists():
        pytest.skip("the sample media are not beside this checkout")
    return MEDIA


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium; one for all, since a process can have one Playwright at a time."""
    sync_api: Any = pytest.importorskip(
        "playwright.sync_api", reason="needs the Python package playwright: pip install playwright"
    )
    names = ("chromium", "chromium-browser", "google-chrome")
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("needs Chromium on the PATH: apt-get install chromium")
    with sync_api.sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--autoplay-policy=no-user-gesture-required"]
        opened = playwright.chromium.launch(executable_path=found, args=arguments)
        yield opened
        opened.close()
