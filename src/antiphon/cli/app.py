"""The command `antiphon`: its verbs, global options, errors and exit codes."""

import json as json_format
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from antiphon.cli.console import degrade_gracefully
from antiphon.cli.session import Session
from antiphon.errors import AntiphonError

_HELP = """Learn, measure and search joint audio and video representations of music videos.

From a folder of music videos to a report:

```
antiphon catalogue add FOLDER    list the music videos and split them
antiphon extract                 decode them and run the pretrained backbones
antiphon train                   train the heads
antiphon evaluate                rank held-out music videos, with chance and intervals
antiphon report                  write one HTML file to look at
```

`antiphon demo` does all of it on synthetic music videos. Every verb takes `--json` and `--help`.
Exit codes: 0 done, 1 failed, 2 wrong usage, 130 interrupted.
"""

_FAILED, _WRONG_USAGE, _INTERRUPTED = 1, 2, 130

# Verbs are imported when they are called: none of them is loaded for the list of verbs.
_VERBS = {
    "demo": ("demo:demo", "Run everything on synthetic music videos, from rendering to a report and an index."),
    "catalogue": ("catalogue:app", "Add music videos to the workspace's catalogue, split it, and describe it."),
    "datasets": ("datasets:app", "List known data sets and import them into the catalogue."),
    "extract": ("extract:extract", "Decode the catalogue and compute features with pretrained backbones."),
    "features": ("features:app", "Import features computed elsewhere, and list those of the workspace."),
    "train": ("train:train", "Train two heads on the features of the training split."),
    "finetune": ("finetune:finetune", "Train the last blocks of a run's backbones together with its heads."),
    "published": ("published:published", "Import the heads published by Veldkamp et al. (2023) as a run."),
    "evaluate": ("evaluate:evaluate", "Rank held-out pairs both ways, with pool size, chance, intervals and null."),
    "audit": ("audit:audit", "Check whether the numbers of a run can be believed."),
    "probe": ("probe:probe", "Train classifiers of genre or tags on representations and test them."),
    "report": ("report:report", "Write one HTML file on a run: ranks, curves, examples to play, failures."),
    "gallery": ("gallery:gallery", "Show random music videos with their nearest neighbours."),
    "recommend": ("recommend:recommend", "Recommend new music videos from what somebody liked."),
    "judge": ("judge:app", "Ask people which music videos are more alike, and compare runs with them."),
    "reproduce": ("reproduce:reproduce", "Run the experiments of Veldkamp et al. (2023) on your data."),
    "study": ("study:study", "Compare recipes, one ingredient at a time, on several draws of one data set."),
    "embed": ("embed:embed", "Embed media files with a trained model and write them as Parquet."),
    "index": ("index:app", "Build the search index of the workspace and keep it up to date."),
    "search": ("search:search", "Find similar music videos, songs for pictures, or pictures for a song."),
    "serve": ("serve:serve", "Serve the search pages and the REST API."),
    "tag": ("tag:tag", "Print the tags of a song."),
    "backbones": ("backbones:app", "List the pretrained networks, fetch their weights, and check them."),
}

app = App(
    name="antiphon",
    help=_HELP,
    help_format="markdown",
    result_action="return_value",
    default_parameter=Parameter(negative_iterable=()),
)
app.meta.suppress_keyboard_interrupt = False
for _place, (_name, (_path, _help)) in enumerate(_VERBS.items()):
    app.command(f"antiphon.cli.{_path}", name=_name, help=_help, sort_key=_place)
app.register_install_completion_command(help="Install tab completion for your shell.", sort_key=len(_VERBS))


@app.meta.default
def _launch(
    *tokens: Annotated[str, Parameter(show=False, allow_leading_hyphen=True)],
    workspace: Annotated[Path | None, Parameter(name=["--workspace", "-w"], env_var="ANTIPHON_WORKSPACE")] = None,
    json: Annotated[bool, Parameter(negative="")] = False,
) -> Any:
    """Hand every verb its session.

    Parameters
    ----------
    workspace
        Folder for everything that is written. Default: ./antiphon-workspace.
    json
        Print the result as one JSON document on stdout; progress and warnings go to stderr.
    """
    command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
    session = Session(workspace, json)
    with session.plain_warnings():
        return command(*bound.args, **bound.kwargs, **dict.fromkeys(ignored, session))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its code."""
    degrade_gracefully(sys.stdout, sys.stderr)
    try:
        code = run(sys.argv[1:] if arguments is None else arguments)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever reads has read enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 0
    sys.exit(code)


def run(arguments: Sequence[str]) -> int:
    """Run the command line and return its exit code.

    Raises
    ------
    BrokenPipeError
        Standard output was closed by its reader.
    """
    as_json = "--json" in arguments
    if "--help" in arguments or "-h" in arguments:
        _describe_whole(arguments)
    try:
        result = app.meta(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        return _failed(error, f"{error}\nSee antiphon --help.", as_json, _WRONG_USAGE)
    except AntiphonError as error:
        return _failed(error, str(error), as_json)
    except BrokenPipeError:
        raise
    except OSError as error:
        return _failed(error, f"{error.filename or 'the file system'}: {error.strerror or error}.", as_json)
    except KeyboardInterrupt:
        sys.stderr.write(
            "\nStopped. What was finished is kept; extract, demo, reproduce and study resume from there.\n"
        )
        return _INTERRUPTED
    return result if isinstance(result, int) else 0


def _describe_whole(arguments: Sequence[str]) -> None:
    """Let the verb that is asked about show its docstring instead of its line in the list of verbs."""
    name = next((argument for argument in arguments if argument in _VERBS), None)
    if name is not None and app[name].default_command is not None:
        app[name].help = None


def _failed(error: Exception, message: str, as_json: bool, code: int = _FAILED) -> int:
    """Report an error: a line on stderr, or with --json a JSON document on stdout."""
    if as_json:
        said = {"error": {"type": type(error).__name__, "message": str(error) if code == _WRONG_USAGE else message}}
        sys.stdout.write(json_format.dumps(said, ensure_ascii=False, indent=2) + "\n")
    else:
        sys.stderr.write(f"antiphon: {message}\n")
    return code
