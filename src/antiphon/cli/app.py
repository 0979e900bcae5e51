"""The command `antiphon`: its verbs, global options, errors and exit codes."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

from cyclopts import App, CycloptsError, Parameter

from antiphon.cli import (
    audit,
    backbones,
    catalogue,
    datasets,
    demo,
    embed,
    evaluate,
    extract,
    features,
    finetune,
    gallery,
    index,
    judge,
    probe,
    published,
    recommend,
    report,
    reproduce,
    search,
    serve,
    study,
    tag,
    train,
)
from antiphon.cli.session import Session
from antiphon.errors import AntiphonError

_HELP = """Learn, measure and search joint audio and video representations of music videos.

From a folder of music videos to a report:

```
antiphon catalogue add FOLDER    which videos there are, and their splits
antiphon extract                 decode them and run the pretrained backbones
antiphon train                   train the heads
antiphon evaluate                ranks of held-out videos, with chance and intervals
antiphon report                  one HTML file to look at
```

`antiphon demo` does all of it on synthetic music videos. Every verb takes `--json` and `--help`.
Exit codes: 0 done, 1 it could not be done, 2 the call is wrong, 130 interrupted.
"""

_FAILED, _WRONG_CALL, _INTERRUPTED = 1, 2, 130

app = App(
    name="antiphon",
    help=_HELP,
    help_format="markdown",
    result_action="return_value",
    default_parameter=Parameter(negative_iterable=()),
)
app.meta.suppress_keyboard_interrupt = False
_VERBS = (
    demo.demo,
    catalogue.app,
    datasets.app,
    extract.extract,
    features.app,
    train.train,
    finetune.finetune,
    published.published,
    evaluate.evaluate,
    audit.audit,
    probe.probe,
    report.report,
    gallery.gallery,
    recommend.recommend,
    judge.app,
    reproduce.reproduce,
    study.study,
    embed.embed,
    index.app,
    search.search,
    serve.serve,
    tag.tag,
    backbones.app,
)
for _place, _verb in enumerate(_VERBS):
    if isinstance(_verb, App):
        _verb.sort_key = _place
        app.command(_verb)
    else:
        app.command(_verb, sort_key=_place)


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
        Print the result as one JSON document on stdout; progress and warnings stay on stderr.
    """
    command, bound, ignored = app.parse_args(tokens, exit_on_error=False, print_error=False)
    session = Session(workspace, json)
    with session.plain_warnings():
        return command(*bound.args, **bound.kwargs, **dict.fromkeys(ignored, session))


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its exit code."""
    sys.exit(run(sys.argv[1:] if arguments is None else arguments))


def run(arguments: Sequence[str]) -> int:
    """Run the command line; the exit code."""
    try:
        result = app.meta(list(arguments), exit_on_error=False, print_error=False, result_action="return_value")
    except CycloptsError as error:
        sys.stderr.write(f"antiphon: {error}\nSee antiphon --help.\n")
        return _WRONG_CALL
    except AntiphonError as error:
        sys.stderr.write(f"antiphon: {error}\n")
        return _FAILED
    except OSError as error:
        sys.stderr.write(f"antiphon: {error.filename or 'the file system'}: {error.strerror or error}.\n")
        return _FAILED
    except KeyboardInterrupt:
        sys.stderr.write("\nStopped. What was finished is kept; extract, demo, reproduce and study go on from there.\n")
        return _INTERRUPTED
    return result if isinstance(result, int) else 0
