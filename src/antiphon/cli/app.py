"""The command `antiphon`: its verbs, global options, errors and exit codes."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from antiphon.cli.console import PipedConsole, degrade_gracefully, json_text
from antiphon.cli.extras import missing_package
from antiphon.cli.session import Session
from antiphon.cores import prepare_threads
from antiphon.errors import AntiphonError
from antiphon.places import place
from antiphon.workers.limits import JobError

_HELP = """Learn, measure and search joint audio and video representations of music videos.

From a folder of music videos to a report:

```
antiphon catalogue add FOLDER    register the music videos and split them
antiphon extract                 decode them and run the pretrained backbones
antiphon train                   train the heads
antiphon evaluate                rank held-out music videos, with chance and intervals
antiphon report                  write the results as one HTML file
```

`antiphon demo` runs all of these on synthetic music videos. Every verb takes `--json` and `--help`.
Exit codes: 0 success, 1 failure, 2 usage error, 130 interrupted.
"""

_FAILED, _WRONG_USAGE, _INTERRUPTED = 1, 2, 130

# Verbs are imported when they are called, so that listing them loads none.
_VERBS = {
    "demo": ("demo:demo", "Run the whole pipeline on synthetic music videos, from rendering to a report and an index."),
    "catalogue": ("catalogue:app", "Add music videos to the workspace's catalogue, split it, and describe it."),
    "datasets": ("datasets:app", "List known data sets and import them into the catalogue."),
    "extract": ("extract:extract", "Decode the catalogue and compute features with pretrained backbones."),
    "pull": ("pull:pull", "Bring the catalogue and the features of a workspace in a store to this machine."),
    "features": ("features:app", "Import features computed elsewhere, and list the workspace's features."),
    "train": ("train:train", "Train an audio and a video head on the features of the training split."),
    "finetune": ("finetune:finetune", "Train the last blocks of a run's backbones together with its heads."),
    "published": ("published:published", "Import the heads published by Veldkamp et al. (2023) as a run."),
    "evaluate": (
        "evaluate:evaluate",
        "Rank held-out pairs in both directions, with pool size, chance, intervals and null.",
    ),
    "audit": ("audit:audit", "Check whether a run's numbers can be trusted."),
    "probe": ("probe:probe", "Train and test genre or tag classifiers on the representations."),
    "report": ("report:report", "Write a run's report as one HTML file: ranks, curves, playable examples, failures."),
    "gallery": ("gallery:gallery", "Show random music videos with their nearest neighbours."),
    "recommend": ("recommend:recommend", "Recommend new music videos to a user, from what they liked."),
    "judge": ("judge:app", "Ask people which music videos are more alike, and compare runs with their answers."),
    "reproduce": ("reproduce:reproduce", "Reproduce the experiments of Veldkamp et al. (2023) on your data."),
    "study": ("study:study", "Compare recipes, one ingredient at a time, on several draws of one data set."),
    "compare": ("compare:compare", "Find out whether training is worth it, and on which backbones."),
    "embed": ("embed:embed", "Embed media files with a trained model and write them as Parquet."),
    "export": ("export:app", "Write a model, or the embeddings of the catalogue, for other tools."),
    "index": ("index:app", "Build the workspace's search index and keep it up to date."),
    "search": ("search:search", "Find similar music videos, songs for a video, or videos for a song."),
    "up": ("up:up", "Watch a folder: add, extract, train and index what is in it, and serve the search pages."),
    "serve": ("serve:serve", "Serve the search pages and the REST API."),
    "tag": ("tag:tag", "Print the tags of songs."),
    "backbones": ("backbones:app", "List the pretrained networks, fetch their weights, and check them."),
}

app = App(
    name="antiphon",
    help=_HELP,
    help_format="markdown",
    result_action="return_value",
    console=PipedConsole(),
    default_parameter=Parameter(negative_iterable=()),
)
app.meta.suppress_keyboard_interrupt = False
for _place, (_name, (_path, _help)) in enumerate(_VERBS.items()):
    app.command(f"antiphon.cli.{_path}", name=_name, help=_help, sort_key=_place)
app.register_install_completion_command(help="Install tab completion for your shell.", sort_key=len(_VERBS))


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    workspace: Annotated[str | None, Parameter(name=["--workspace", "-w"], env_var="ANTIPHON_WORKSPACE")] = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> Any:
    """Parse the global options and call the verb with a session.

    Parameters
    ----------
    workspace
        Folder that everything is written to. Default: ./antiphon-workspace. catalogue, extract and features also take
        an address in a store, such as s3://bucket/work; see `antiphon pull`.
    json
        Print the result as one JSON document on stdout; progress and warnings go to stderr.
    """
    command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
    session = Session(None if workspace is None else place(workspace), json)
    with session.plain_warnings():
        return command(*bound.args, **bound.kwargs, **dict.fromkeys(ignored, session))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    arguments : sequence of str, optional
        Command-line arguments. Default: those of the process.
    """
    degrade_gracefully(sys.stdout, sys.stderr)
    prepare_threads()
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # The reader of the output has gone.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str
        Command-line arguments, without the program's name.

    Returns
    -------
    int
        The exit code.

    Raises
    ------
    BrokenPipeError
        The reader of standard output has closed it.
    """
    as_json = "--json" in arguments
    if "--help" in arguments or "-h" in arguments:
        _show_full_help(arguments)
    try:
        result = app.meta(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _failed(error, f"{error}\nSee antiphon --help.", as_json, _WRONG_USAGE)
    except JobError as error:
        sys.stderr.write(f"{error.traceback}\n")
        return _failed(error, str(error), as_json)
    except (AntiphonError, ModuleNotFoundError) as error:
        message = missing_package(error) if isinstance(error, ModuleNotFoundError) else str(error)
        if message is None:
            raise
        return _failed(error, message, as_json)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _failed(error, f"{error.filename or 'the file system'}: {error.strerror or error}.", as_json)
    except KeyboardInterrupt:
        sys.stderr.write(
            "\nInterrupted. Finished work is kept; extract, demo, reproduce and study resume from there.\n"
        )
        return _INTERRUPTED
    return result if isinstance(result, int) else 0


def _show_full_help(arguments: Sequence[str]) -> None:
    """Let the requested verb's help show its docstring instead of its line in the list of verbs."""
    name = next((argument for argument in arguments if argument in _VERBS), None)
    if name is not None and app[name].default_command is not None:
        app[name].help = None


def _failed(error: Exception, message: str, as_json: bool, code: int = _FAILED) -> int:
    """Report an error: one line on stderr, or with --json a JSON document on stdout."""
    if as_json:
        document = {"error": {"type": type(error).__name__, "message": str(error) if code == _WRONG_USAGE else message}}
        sys.stdout.write(json_text(document, sys.stdout))
    else:
        sys.stderr.write(f"antiphon: {message}\n")
    return code
