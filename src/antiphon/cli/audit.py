"""`antiphon audit`: checks whether a run's numbers can be trusted."""

import json
from typing import Any, Literal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from antiphon.cli.opening import model_features, run_folder
from antiphon.cli.session import BRIEFLY_S, Here, Session
from antiphon.runs import AUDIT_FILE
from antiphon.tables import write_text

_STYLES = {"fail": "bold red", "warn": "yellow", "n/a": "dim", "pass": "green"}
"""Style of each status, in the order of printing."""


def audit(
    *,
    run: str | None = None,
    metric: Literal["exact", "published"] = "exact",
    retrain: bool = True,
    seed: int = 0,
    session: Here,
) -> int:
    """Check a run's evaluation: its metric, model, pairs, splits and loss.

    Writes runs/RUN/audit.json, which the report shows, if the metric is "exact". Exit code 1 if a check fails.

    Parameters
    ----------
    run
        Name of the run. Default: the one trained last.
    metric
        exact: Antiphon's ranks. published: the formula published with Veldkamp et al. (2023), which fails the audit.
    retrain
        Also train the run's recipe on shuffled pairs, which should end near chance.
    seed
        Seed of permutations and samples.
    """
    found = run_audit(session, run, metric, retrain, seed)
    session.result(found, lambda out: show_audit(found, out))
    return 1 if found["counts"]["fail"] else 0


def run_audit(session: Session, run: str | None, metric: str, retrain: bool, seed: int) -> dict[str, Any]:
    """Audit a run and save the findings with it.

    Parameters
    ----------
    session : Session
        Session of the command line.
    run : str or None
        Name of the run; None: the one trained last.
    metric : {"exact", "published"}
        Metric to audit; only "exact" writes audit.json.
    retrain : bool
        Also train the recipe on shuffled pairs.
    seed : int
        Seed of permutations and samples.

    Returns
    -------
    dict
        "run", "metric", "features", "checks", "counts" and "verdict".
    """
    from antiphon.catalogue import Catalogue
    from antiphon.dual_encoder import DualEncoder
    from antiphon.evaluation import audit as audit_model
    from antiphon.evaluation.auditing import median_ranks, published, shared_variables, shuffled_control

    workspace = session.existing_workspace()
    folder = run_folder(workspace, run)
    model = DualEncoder.load(folder)
    features = model_features(workspace, model)
    with session.progress("Auditing") as progress:
        control = None
        if retrain and not model.published:
            progress(0, 3, "training on shuffled pairs")
            control = shuffled_control(model, features)
        progress(1, 3, "looking at the test files")
        shared = None
        if workspace.catalogue.exists():
            shared = shared_variables(Catalogue.load(workspace.catalogue), set(features["test"].groups.tolist()), seed)
        progress(2, 3, "checking")
        about = {"run": workspace.run_name(folder), "metric": metric, "features": features.fingerprint()}
        measure = published if metric == "published" else median_ranks
        found = about | audit_model(model, features, metric=measure, control=control, shared=shared, seed=seed)
        progress(3, 3, "")
    if metric == "exact":
        with workspace.lock(BRIEFLY_S):
            write_text(json.dumps(found, indent=2, allow_nan=False), folder / AUDIT_FILE)
    return found


def show_audit(found: dict[str, Any], out: Console) -> None:
    """Print the checks: failures first, then warnings, then the rest.

    Parameters
    ----------
    found : dict
        What `run_audit` returned.
    out : Console
        Where to print.
    """
    table = Table(title=f"Audit of run {found['run']}", title_justify="left", box=None, show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for status, style in _STYLES.items():
        for check in found["checks"]:
            if check["status"] == status:
                table.add_row(Text(status, style), Text.assemble((f"{check['name']}. ", "bold"), check["finding"]))
    out.print(table)
    out.print(Text(found["verdict"], "bold"), soft_wrap=True)
