"""`antiphon backbones`: the pretrained networks and their weights."""

from dataclasses import asdict

from cyclopts import App
from rich.console import Console

from antiphon import backbones
from antiphon.cli.session import Here

app = App(name="backbones", help="List the pretrained networks, fetch their weights, and check them.")


@app.command(name="list")
def list_(*, session: Here) -> None:
    """List the available backbones."""
    found = [backbones.info(name) for name in backbones.names()]

    def show(out: Console) -> None:
        for item in found:
            weights = f"{item.size_bytes / 1e6:.0f} MB" + (" (cached)" if item.cached else "")
            out.print(f"[bold]{item.name}[/]  {item.modality}, {item.dim} values, {weights}, {item.licence}")
            out.print(f"  {item.description}", markup=False)

    session.result({"backbones": [asdict(item) for item in found]}, show)


@app.command
def fetch(*names: str, session: Here) -> None:
    """Download the weights of backbones into the cache.

    Parameters
    ----------
    names
        Names of backbones. Default: the two that the demo uses.
    """
    done: dict[str, str] = {}
    for name in names or ("musicnn-mtt", "efficientnet_lite0"):
        session.say(f"Fetching {name} …")
        done[name] = str(backbones.fetch(name))
    session.result({"fetched": done}, lambda out: out.print("\n".join(f"{k}: {v}" for k, v in done.items())))


@app.command
def check(*names: str, session: Here) -> int:
    """Check that weights are cached, load, and reproduce reference outputs. Exit code 1 if any check fails.

    Parameters
    ----------
    names
        Names of backbones. Default: all.
    """
    found = [backbones.check(name) for name in names or backbones.names()]

    def show(out: Console) -> None:
        for item in found:
            out.print(f"{'ok  ' if item.ok else 'FAIL'} {item.name}: {item.message}", markup=False, soft_wrap=True)

    session.result({"checks": [asdict(item) | {"ok": item.ok} for item in found]}, show)
    return 0 if all(item.ok for item in found) else 1
