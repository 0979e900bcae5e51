"""`antiphon backbones`: the pretrained networks and their weights."""

from dataclasses import asdict

from cyclopts import App
from rich.console import Console

from antiphon import backbones
from antiphon.backbones.hub.entries import ENTRIES
from antiphon.cli.session import Here
from antiphon.words.sentences import SENTENCE_WEIGHTS

app = App(name="backbones", help="List the pretrained networks, fetch their weights, and check them.")


@app.command(name="list")
def list_(*, session: Here) -> None:
    """List the available backbones."""
    found = [backbones.info(name) for name in backbones.names()]

    def show(out: Console) -> None:
        for item in found:
            weights = (
                f"{item.size_bytes / 1e6:.{0 if item.size_bytes > 1e6 else 1}f} MB" if item.size_bytes else item.source
            )
            weights += " (cached)" if item.cached else ""
            out.print(
                f"[bold]{item.name}[/]  {item.modality}, {item.dim} values, {weights}, {item.licence}", soft_wrap=True
            )
            out.print(f"  {item.description}", markup=False, soft_wrap=True)
        out.print(
            "Any other model of these classes: hub:ORGANISATION/NAME or hub:/path/to/folder; see docs/backbones.md."
        )

    session.result({"backbones": [asdict(item) for item in found]}, show)


@app.command
def fetch(*names: str, session: Here) -> None:
    """Download the weights of backbones into the cache; of models of the hub, say licence and size first.

    Parameters
    ----------
    names
        Names of backbones, hub:ORGANISATION/NAME, or words: the sentence encoder (83 MB, Apache-2.0) by which antiphon
        search --text knows words that stand in no table. Default: the two backbones that the demo uses.
    """
    done: dict[str, str] = {}
    for name in names or ("musicnn-mtt", "efficientnet_lite0"):
        session.say(f"Fetching {name} …")
        done[name] = str(SENTENCE_WEIGHTS.fetch() if name == "words" else backbones.fetch(name, session.say))
    session.result({"fetched": done}, lambda out: out.print("\n".join(f"{k}: {v}" for k, v in done.items())))


@app.command
def check(*names: str, session: Here) -> int:
    """Check that weights are cached, load, and reproduce reference outputs. Exit code 1 if any check fails.

    Parameters
    ----------
    names
        Names of backbones. Default: all but models of the hub that were not fetched.
    """
    found = [backbones.check(name) for name in names or _here()]

    def show(out: Console) -> None:
        for item in found:
            out.print(f"{'ok  ' if item.ok else 'FAIL'} {item.name}: {item.message}", markup=False, soft_wrap=True)

    session.result({"checks": [asdict(item) | {"ok": item.ok} for item in found]}, show)
    return 0 if all(item.ok for item in found) else 1


def _here() -> list[str]:
    """Name the backbones, without models of the hub that nobody has fetched."""
    return [name for name in backbones.names() if name not in ENTRIES or backbones.info(name).cached]
