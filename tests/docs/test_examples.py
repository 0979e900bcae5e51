"""Every code block of README and documentation runs, or says why it does not."""

import csv
import importlib.util
import re
import shutil
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import polars as pl
import pytest

from antiphon.backbones import registry
from antiphon.cli.app import app, run
from antiphon.synthetic import SyntheticConfig, render_catalogue

HERE = Path(__file__).parent


def _loaded(name: str) -> ModuleType:
    about = importlib.util.spec_from_file_location(name, HERE / f"{name}.py")
    assert about is not None and about.loader is not None
    module = importlib.util.module_from_spec(about)
    sys.modules[name] = module
    about.loader.exec_module(module)
    return module


code = _loaded("blocks")
PAGES = code.pages()
SPLITS = ("train",) * 6 + ("validation",) * 2 + ("test",) * 2


def _fill(folder: Path) -> None:
    """What the examples speak of: a folder of music videos with a table, a file never seen, and tables of vectors."""
    config = SyntheticConfig(videos=10, duration_s=6, duration_spread_s=0.5, songs_per_artist=1, coupling=1)
    table = render_catalogue(folder / "videos", config)
    with table.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    table.unlink()
    with (folder / "videos.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "split"])
        writer.writeheader()
        for number, (row, split) in enumerate(zip(rows, SPLITS, strict=True)):
            writer.writerow(row | {"split": split, "genre": ("folk", "rock")[number % 2]})
    shutil.copy(next(folder.glob("videos/*.mp4")), folder / "new.mp4")
    random = np.random.default_rng(0)
    common = random.normal(size=(240, 6))
    sides = {
        "audio": common @ random.normal(size=(6, 128)) + random.normal(size=(240, 128)),
        "video": common @ random.normal(size=(6, 96)) + random.normal(size=(240, 96)),
    }
    vectors = pl.DataFrame({"id": [f"v{number}" for number in range(240)], **{k: v.tolist() for k, v in sides.items()}})
    vectors.write_parquet(folder / "vectors.parquet")
    labels = pl.Series("labels", [[0]] * 240)
    vectors.rename({"audio": "mean_audio", "video": "mean_rgb"}).with_columns(labels).write_parquet(
        folder / "music.parquet"
    )


@pytest.fixture(scope="module")
def place(made_once: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory, quick_default: None) -> Path:
    """A folder in which the examples run, with a workspace that has a model and an index."""
    made = made_once("documented", _fill)
    folder = tmp_path_factory.mktemp("examples") / "here"
    shutil.copytree(made, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        add = ["catalogue", "add", "videos/", "--metadata", "videos.csv"]
        for call in (add, ["extract", "--sections", "1"], ["train"], ["index", "build"]):
            assert run(call) == 0
    return folder


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.relative_to(code.ROOT).as_posix())
def test_blocks_run(
    page: Path, place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    monkeypatch.syspath_prepend(place)
    monkeypatch.setattr(registry, "_registered", {})
    names: dict[str, object] = {"__name__": "example"}
    for block in code.blocks(page.read_text(encoding="utf-8")):
        if block.reason:
            continue
        if block.file:
            Path(block.file).write_text(block.text, encoding="utf-8")
        if block.language == "toml":
            tomllib.loads(block.text)
        elif block.language == "python" and ">>>" not in block.text:  # doctests are run by pytest itself
            exec(compile(block.text, str(page), "exec"), names)  # noqa: S102
        elif block.language == "sh":
            assert len(block.commands()) == len(block.lines), "a shell block that is run calls antiphon alone"
            for arguments in block.commands():
                assert run(arguments) == 0, f"{arguments}\n{capsys.readouterr().err}"


def test_every_block_has_a_language() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        found = code.blocks(text)
        assert {block.language for block in found} <= code.LANGUAGES, page
        assert text.count("\n```") == 2 * len(found), f"{page}: a block that is not read"


def _parsed(arguments: list[str]) -> None:
    if arguments[0] in {"--workspace", "-w"}:
        arguments = arguments[2:]
    app.parse_args([each for each in arguments if each != "--json"], exit_on_error=False, print_error=False)


def test_commands_that_are_not_run_are_still_commands() -> None:
    parsed = 0
    for page in PAGES:
        for block in code.blocks(page.read_text(encoding="utf-8")):
            for arguments in block.commands() if block.language == "sh" else ():
                _parsed(arguments)
                parsed += 1
    assert parsed > 30


def test_every_result_has_the_command_that_made_it() -> None:
    results = code.ROOT / "results"
    made = tomllib.loads((results / "commands.toml").read_text(encoding="utf-8"))["made"]
    listed = [name for one in made for name in one["files"]]
    there = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert sorted(listed) == sorted(there - {"commands.toml"})
    for one in made:
        block = code.Block("sh", one["command"], "")
        for arguments in block.commands():
            _parsed(arguments)
        for line in block.lines:
            words = [word for word in line.split() if "=" not in word]
            assert words[0] == "antiphon" or (words[0] == "python" and (code.ROOT / words[1]).exists()), line


def test_a_block_is_found_with_its_reason() -> None:
    text = (
        "<!-- not run: why -->\n```sh\nantiphon tag a.wav  # b\npip install x\n```\n\n```toml\n# x.toml\na = 1\n```\n"
    )
    first, second = code.blocks(text)
    assert (first.reason, first.commands(), len(first.lines)) == ("why", [["tag", "a.wav"]], 2)
    assert (second.reason, second.file, second.language) == ("", "x.toml", "toml")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"])
def test_links_between_files_lead_somewhere(name: str) -> None:
    text = (code.ROOT / name).read_text(encoding="utf-8")
    links = re.findall(r"\]\((?![a-z]+:|#)([^)#\s]+)", text)
    assert [link for link in links if not (code.ROOT / link).exists()] == []
    assert links


def test_the_picture_of_the_readme_moves_and_is_small() -> None:
    data = (code.ROOT / "docs" / "page.webp").read_bytes()
    assert data[8:12] == b"WEBP" and data.count(b"ANMF") > 10
    assert len(data) < 1.5e6
