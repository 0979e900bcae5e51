"""`antiphon up`: a folder that is watched, and its pages."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated

from cyclopts import Parameter
from cyclopts.validators import Number

from antiphon.app.upkeep import Upkeep
from antiphon.app.verbs import Step
from antiphon.catalogue import Catalogue
from antiphon.catalogue.listing import list_media
from antiphon.cli.opening import run_folder
from antiphon.cli.serving import USUAL_SERVICE, ServeOptions, listening, run_service
from antiphon.cli.session import Here
from antiphon.cli.splitting import MIN_VIDEOS, splitting_verb, usable_counts, workable_split
from antiphon.errors import ConfigError, ModelError, SearchError
from antiphon.plurals import counted
from antiphon.runs import METRICS_FILE, REPORT_FILE
from antiphon.search import Index
from antiphon.workspace import Workspace


def up(
    folder: Path,
    *,
    metadata: Path | None = None,
    recipe: str = "antiphon-base",
    every: Annotated[float, Parameter(validator=Number(gte=1))] = 10.0,
    options: ServeOptions = USUAL_SERVICE,
    session: Here,
) -> None:
    """Watch a folder of music videos, and serve the search pages of what is in it.

    The files are added to the catalogue, their features extracted, a model trained and evaluated, and the index
    built; until then the page says how far it is. Files that are added later are in the index soon after, by the same
    model; to train another one, call antiphon train and antiphon index build. Each step runs in a process of its own,
    can be stopped at any time, and goes on when the command is called again. Stop with Ctrl-C.

    Links to files outside the folder are left out, since others may put them there meanwhile; to have those that you
    know, call antiphon catalogue add on the folder yourself.

    Parameters
    ----------
    folder
        Folder of music videos, searched recursively.
    metadata
        Table with more about its files, as for antiphon catalogue add.
    recipe
        Recipe of the first model.
    every
        Seconds between two looks at the folder, and for which nothing in it must have changed.
    """
    from antiphon.app.application import create_app

    if not folder.is_dir():
        raise ConfigError(f"{folder}: no such folder. Name the folder of your music videos.")
    if metadata is not None and not metadata.is_file():
        raise ConfigError(f"{metadata}: no such file. Name a table (.csv, .tsv or .parquet).")
    if outward := list_media(folder, follow=False).outward:
        links = counted(len(outward), "link that leads", "links that lead")
        session.warn(f"{links} out of the folder will be left out; antiphon catalogue add follows them: {outward[0]}")
    access = options.access(folder)
    workspace = session.workspace
    workspace.folder.mkdir(parents=True, exist_ok=True)
    beside = [] if metadata is None else [metadata.absolute()]
    upkeep = Upkeep(
        workspace, folder.absolute(), lambda: steps(workspace, folder.absolute(), beside, recipe), beside, every
    )
    with listening(options.host, options.port) as line:
        try:
            index = Index.open(workspace.index) if workspace.catalogue.exists() else None
            run = workspace.run_name(run_folder(workspace, index.origin.run)) if index and index.origin.run else ""
        except (SearchError, ModelError):  # None yet, or one that the upkeep replaces.
            index, run = None, ""
        app = create_app(workspace, index, run, access=access, telemetry=options.telemetry(), upkeep=upkeep)
        run_service(session, app, options, access, line)


def steps(workspace: Workspace, folder: Path, metadata: Sequence[Path], recipe: str) -> Iterator[Step]:
    """Yield the verbs that bring a workspace up to date with a folder.

    A model is trained once, and before that the few videos of a small catalogue are split so that it can be.

    Parameters
    ----------
    workspace : Workspace
        The workspace.
    folder : Path
        Folder of music videos.
    metadata : sequence of Path
        At most one table with more about its files.
    recipe : str
        Recipe of the model.

    Yields
    ------
    Step
        What is to be done next.
    """
    about = [word for path in metadata for word in ("--metadata", str(path))]
    yield Step("Reading the files of the folder", ("catalogue", "add", str(folder), "--no-follow", *about))
    yield Step("Extracting features", ("extract",))
    if not workspace.trained() and not workspace.index.exists():
        catalogue = Catalogue.load(workspace.catalogue)
        usable, counts = usable_counts(catalogue)
        if min(counts.values()) < MIN_VIDEOS and (found := workable_split(catalogue, usable)):
            yield Step("Splitting", tuple(splitting_verb(*found)))
        yield Step("Training", ("train", "--recipe", recipe))
    if workspace.index.exists():
        yield Step("Adding to the index", ("index", "add"))
    else:
        yield Step("Building the index", ("index", "build"))
    run = Index.open(workspace.index).origin.run
    if run and workspace.run(run).exists():
        if not (workspace.run(run) / METRICS_FILE).exists():
            yield Step("Evaluating", ("evaluate", "--run", run))
        if not (workspace.run(run) / REPORT_FILE).exists():
            yield Step("Writing the report", ("report", "--run", run))
