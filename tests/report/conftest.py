"""One small workspace for all tests, and copies to change."""

import shutil
from pathlib import Path

import pytest

from antiphon.catalogue import Catalogue
from antiphon.report import build_report
from antiphon.workspace import Workspace

from .page import Node, read_page
from .small_workspace import RUN, make_workspace


@pytest.fixture(scope="session")
def shared_workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """Not to be changed."""
    return make_workspace(tmp_path_factory.mktemp("report") / "work")


@pytest.fixture(scope="session")
def page(shared_workspace: Workspace) -> Node:
    """The report of the shared workspace."""
    return read_page(build_report(shared_workspace, RUN))


@pytest.fixture
def workspace(shared_workspace: Workspace, tmp_path: Path) -> Workspace:
    """A copy to change, whose catalogue names no media, so that reports are quick."""
    shutil.copytree(shared_workspace.root, tmp_path / "work", ignore=shutil.ignore_patterns("*.mp4", "report.html"))
    copy = Workspace(tmp_path / "work")
    Catalogue([row | {"path": None} for row in Catalogue.load(copy.catalogue).records()]).save(copy.catalogue)
    return copy
