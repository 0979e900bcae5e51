"""Tables 1 and 2 as CSV and Markdown."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from antiphon.metrics.classification_metrics import METRICS
from antiphon.presentation.csv_text import csv_text
from antiphon.presentation.numbers import brief, rank, score, whole
from antiphon.presentation.rank_sentences import DIRECTIONS
from antiphon.report.paper_probes import METRIC_NAMES, beyond_name, difference_verdict, is_of_paper, trainings_sentence

Row = dict[str, Any]

_TARGETS = {"experiment_2": "genre", "experiment_3": "tags"}


def table_1_csv(paper: Mapping[str, Any]) -> str:
    """Format experiment 1 as CSV: one line per configuration, deviation and control; empty if it was not run.

    Columns: "kind", "recipe", "name", "paper_a2v", "paper_v2a"; for each direction, and for the paper's pool ("pool")
    and all test pairs ("full"), the median rank with its interval, the medians by seed, the null and recall@10 (of the
    pool only), and the pool's size; "published" by seed; "gain" with its interval. Values by seed are separated by
    spaces.

    Parameters
    ----------
    paper : mapping
        Content of paper.json.

    Returns
    -------
    str
        CSV.
    """
    found = paper["experiment_1"]
    return _csv([] if "reason" in found else [_line_1(kind, row) for kind, row in _rows_1(found)])


def table_2_csv(paper: Mapping[str, Any]) -> str:
    """Format experiments 2 and 3 as CSV: one line per target, representation, classifier, level and metric.

    Columns: "target", "representation", "of", "dim", "kind", "level", "n", "groups", "metric", "paper", "value",
    "ci95_low", "ci95_high", "null95_low", "null95_high", "chance", "worst_label", "worst_value"; and for contrastive
    rows "baseline", "difference", "difference_low", "difference_high", "verdict".

    Parameters
    ----------
    paper : mapping
        Content of paper.json.

    Returns
    -------
    str
        CSV.
    """
    return _csv(
        _line_2(target, row, metric, paper["probe_paper"])
        for part, target in _TARGETS.items()
        for row in paper[part].get("table", ())
        for metric in METRICS
    )


def tables_markdown(paper: Mapping[str, Any]) -> str:
    """Format the verdict, both tables and the audit's verdict as Markdown; n/a with the reason if not measured.

    Parameters
    ----------
    paper : mapping
        Content of paper.json.

    Returns
    -------
    str
        Markdown.
    """
    data = paper["data"]
    synthetic = " All of it is synthetic." if data["synthetic"] else ""
    parts = [
        f"Data: {data['source']}; {whole(data['videos'])} videos, {whole(data['pairs'])} pairs, sound by "
        f"{data['audio']}, pictures by {data['video']}.{synthetic}",
        "\n".join(f"- {sentence}" for sentence in paper["verdict"].values()),
        "## Table 1",
        _markdown_1(paper["experiment_1"]),
        "## Table 2",
        *(_markdown_2(target, paper[part], paper["probe_paper"]) for part, target in _TARGETS.items()),
        "## Audit",
        paper["audit"].get("verdict") or f"n/a: {paper['audit']['reason']}",
    ]
    return "\n\n".join(parts) + "\n"


def _rows_1(found: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    return [
        *(("configuration", row) for row in found["rows"]),
        *(("deviation", row) for row in found["deviations"]),
        ("reference", found["reference"]),
        ("shuffled", found["shuffled"]),
        *((name, {"name": f"{name.capitalize()} embeddings"} | found[name]) for name in ("oracle", "random")),
    ]


def _line_1(kind: str, row: Mapping[str, Any]) -> Row:
    line: Row = {"kind": kind, "recipe": row.get("recipe", ""), "name": row["name"]}
    line |= {f"paper_{way}": row.get("paper", {}).get(way, "") for way in DIRECTIONS}
    for pool in ("pool", "full"):
        for way in DIRECTIONS:
            line |= _ranks(f"{pool}_{way}", row[pool][way] if pool in row else {})
    for way in DIRECTIONS:
        if "median_rank" in row:
            line[f"pool_{way}_median_rank"] = row["median_rank"][way]
    gain = row.get("gain", {})
    published = row["published"] if isinstance(row["published"], Sequence) else [row["published"]]
    return line | {"published": _several(published), "gain": gain.get("value", "")} | _edges("gain", gain.get("ci95"))


def _ranks(prefix: str, found: Mapping[str, Any]) -> Row:
    line: Row = {f"{prefix}_median_rank": found.get("median_rank", "")} | _edges(f"{prefix}_ci95", found.get("ci95"))
    line |= {f"{prefix}_by_seed": _several(found.get("by_seed", ())), f"{prefix}_n": found.get("n", "")}
    if prefix.startswith("pool"):
        line |= _edges(f"{prefix}_null95", found.get("null95")) | {f"{prefix}_recall@10": found.get("recall@10", "")}
    return line


def _line_2(target: str, row: Mapping[str, Any], metric: str, printed: Mapping[str, Any]) -> Row:
    found = row[metric]
    gap = found.get("difference")
    line: Row = {"target": target}
    line |= {key: row[key] for key in ("representation", "of", "dim", "kind", "level", "n", "groups")}
    line |= {"metric": metric, "paper": _printed(target, row, printed).get(metric, "")}
    line |= {"value": found["value"]} | _edges("ci95", found["ci95"]) | _edges("null95", found["null95"])
    line |= {"chance": found["chance"]}
    line |= {"worst_label": found["worst"]["label"], "worst_value": found["worst"]["value"]}
    line |= {"baseline": gap["baseline"] if gap else "", "difference": gap["value"] if gap else ""}
    line |= _edges("difference", gap["ci95"] if gap else None)
    return line | {"verdict": difference_verdict(gap) if gap else ""}


def _markdown_1(found: Mapping[str, Any]) -> str:
    if "reason" in found:
        return f"n/a: {found['reason']}"
    header = ("Configuration", "Paper a→v", "Paper v→a", "a→v", "v→a", "Null a→v", "Null v→a", "Formula", "Gain")
    rows = [_cells_1(row) for kind, row in _rows_1(found) if kind not in ("oracle", "random")]
    for name in ("oracle", "random"):
        one = found[name]
        ranks = [brief(one["median_rank"][way]) for way in DIRECTIONS]
        rows.append([f"{name.capitalize()} embeddings", "", "", *ranks, "", "", rank(one["published"]), ""])
    note = (
        f"Median ranks of {whole(found['pool'])}, mean of {found['seeds']} trainings [95% over test videos]; chance "
        f"{rank((found['pool'] + 1) / 2)}. Formula: what the published evaluation prints for the same embeddings, by "
        "seed. Gain: factor by which partners rank higher than with Base, and for deviations than with their first "
        "line. The intervals of ranks and gains resample test videos and do not cover differences between trainings; "
        "see the values by seed in table-1.csv."
    )
    return f"{_markdown(header, rows)}\n\n{note}"


def _cells_1(row: Mapping[str, Any]) -> list[str]:
    printed = row.get("paper", {})
    return [
        row["name"],
        *(str(printed.get(way, "")) for way in DIRECTIONS),
        *(f"{brief(one['median_rank'])} [{_range(one['ci95'])}]" for one in (row["pool"][way] for way in DIRECTIONS)),
        *(_range(row["pool"][way]["null95"]) for way in DIRECTIONS),
        ", ".join(map(rank, row["published"])),
        f"×{row['gain']['value']:.2f} [{row['gain']['ci95'][0]:.2f}–{row['gain']['ci95'][1]:.2f}]",
    ]


def _markdown_2(target: str, found: Mapping[str, Any], printed: Mapping[str, Any]) -> str:
    title = f"### {target.capitalize()}"
    if "reason" in found:
        return f"{title}\n\nn/a: {found['reason']}"
    levels = dict.fromkeys(row["level"] for row in found["table"])
    level = "tracks" if "tracks" in levels else next(iter(levels))
    rows = [row for row in found["table"] if row["level"] == level]
    theirs = [row for row in rows if is_of_paper(row)]
    beyond = [row for row in rows if not is_of_paper(row)]
    measured = (*METRIC_NAMES.values(), "ROC-AUC to backbones")
    header = ("Representation", "Classifier", "Paper ROC-AUC", "Paper F1", *measured)
    labels = len(rows[0]["labels"])
    note = (
        f"{labels} labels, {whole(rows[0]['n'])} {level}; [95% over test videos]. {trainings_sentence(found['seeds'])}"
    )
    text = f"{title}\n\n{_markdown(header, [_cells_2(target, row, printed) for row in theirs])}\n\n{note}"
    if beyond:
        cells = [[beyond_name(row), *_measured_2(row)] for row in beyond]
        text += f"\n\nBeyond the paper:\n\n{_markdown(('', *measured), cells)}"
    return text


def _cells_2(target: str, row: Mapping[str, Any], printed: Mapping[str, Any]) -> list[str]:
    theirs = _printed(target, row, printed)
    paper = (f"{theirs[metric]:.2f}" if metric in theirs else "" for metric in ("roc_auc", "f1"))
    return [row["representation"], row["kind"], *paper, *_measured_2(row)]


def _measured_2(row: Mapping[str, Any]) -> list[str]:
    gap = row["roc_auc"].get("difference")
    return [
        *(f"{score(one['value'])} [{_scores(one['ci95'], '–')}]" for one in (row[metric] for metric in METRICS)),
        f"{score(gap['value'])} [{_scores(gap['ci95'], ' to ')}], {difference_verdict(gap)}" if gap else "",
    ]


def _printed(target: str, row: Mapping[str, Any], printed: Mapping[str, Any]) -> Mapping[str, float]:
    """The paper's numbers, which are of a perceptron."""
    return printed.get(row["representation"], {}).get(target, {}) if row["kind"] == "perceptron" else {}


def _markdown(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def _csv(lines: Iterable[Row]) -> str:
    rows = [{key: _short(value) for key, value in row.items()} for row in lines]
    return csv_text(list(rows[0]), rows) if rows else ""


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value


def _edges(prefix: str, edges: Sequence[float] | None) -> Row:
    low, high = edges or ("", "")
    return {f"{prefix}_low": low, f"{prefix}_high": high}


def _several(values: Iterable[float]) -> str:
    return " ".join(f"{value:g}" for value in values)


def _range(edges: Sequence[float]) -> str:
    return f"{brief(edges[0])}–{brief(edges[1])}"


def _scores(edges: Sequence[float], between: str) -> str:
    return f"{score(edges[0])}{between}{score(edges[1])}"
