"""The model card of an exported model: Markdown with the fields that the Hugging Face Hub reads.

Source: the model card's metadata of the Hub's documentation (license, library_name, model-index).
"""

import json
from dataclasses import dataclass
from typing import Any

from antiphon.backbones import registry
from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import MODALITIES
from antiphon.errors import WeightsError
from antiphon.presentation.numbers import metric
from antiphon.presentation.result_tables import resampled

_WAYS = {"a2v": "audio → video", "v2a": "video → audio"}
_METRICS = ("median_rank", "recall@1", "recall@10", "mrr")
_UNKNOWN = "not stated"


@dataclass(frozen=True)
class CardFacts:
    """What only the author of a model can say.

    Attributes
    ----------
    licence : str
        SPDX name of the licence of the heads, such as "apache-2.0"; "other" where there is no such name.
    data : str
        What it was trained on, where that comes from, and on what terms.
    intended_use : str
        What it is meant for.
    """

    licence: str = "other"
    data: str = _UNKNOWN
    intended_use: str = "Search among music videos: songs for pictures, pictures for songs, and similar ones of either."


def model_card(
    model: DualEncoder, facts: CardFacts, metrics: dict[str, Any] | None, name: str, files: list[str]
) -> str:
    """Write the card.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    facts : CardFacts
        What its author says.
    metrics : dict or None
        Content of the run's metrics.json; None where it was not evaluated.
    name : str
        Name of the model.
    files : list of str
        Names of what the folder holds.

    Returns
    -------
    str
        Markdown, with YAML before it.
    """
    parts = (
        _front(model, facts, metrics, name),
        _introduction(model, name),
        f"## Intended use\n\n{facts.intended_use}",
        _limits(metrics),
        _data(model, facts),
        _measured(metrics),
        _licences(model, facts),
        _usage(files),
    )
    return "\n\n".join(parts) + "\n"


def _front(model: DualEncoder, facts: CardFacts, metrics: dict[str, Any] | None, name: str) -> str:
    # JSON is YAML, and quotes whatever an author may have written.
    about: dict[str, Any] = {
        "license": facts.licence,
        "library_name": "antiphon",
        "tags": ["music-video", "audio", "video", "cross-modal-retrieval", "feature-extraction", model.recipe.name],
    }
    if metrics is not None:
        results = [
            {
                "task": {"type": "feature-extraction", "name": f"Retrieval, {_WAYS[way]}"},
                "dataset": {"name": f"own music videos, {split} split, pool of {found['n']}", "type": "own"},
                "metrics": [{"type": key, "value": found["by_metric"][key]["value"]} for key in _METRICS],
            }
            for pool, split, found, way in _pools(metrics)
            if pool == _first_pool(metrics)
        ]
        about["model-index"] = [{"name": name, "results": results}]
    lines = [f"{key}: {json.dumps(value, ensure_ascii=False)}" for key, value in about.items()]
    return "---\n" + "\n".join(lines) + "\n---"


def _introduction(model: DualEncoder, name: str) -> str:
    sides = ", ".join(f"{side}: {_backbone(model, side)}" for side in MODALITIES)
    return (
        f"# {name}\n\nTwo heads that project features of the sound and of the pictures of music videos into one "
        f"space of {model.dim} dimensions, trained by Antiphon (recipe `{model.recipe.name}`). Features: {sides}. "
        f"Fingerprint of weights and recipe: `{model.fingerprint}`."
        + ("\n\nTuned canonical correlations embed in place of the heads." if model.falls_back else "")
        + (_correction(model.correction_dim) if model.correction_dim else "")
    )


def _correction(count: int) -> str:
    return (
        f"\n\nThe last {count} values of an embedding correct dot products of sound with pictures for hubness. To "
        "compare sound with sound, or pictures with pictures, leave them out and bring the rest to length 1."
    )


def _limits(metrics: dict[str, Any] | None) -> str:
    lines = [
        "- It ranks; a cosine says little by itself, and depends on the music videos that it was trained on.",
        "- The music videos that it was trained on are not listed here, so Antiphon cannot warn when it is evaluated "
        "on one of them.",
        "- Its weights hold features and embeddings of up to 3,000 music videos that it was trained on: who has such a "
        "video can tell that it was among them.",
        "- It is not meant to tell who owns, made or is seen in a music video.",
    ]
    if metrics is None:
        lines.insert(0, "- It has not been evaluated on held-out music videos.")
    elif metrics.get("seen"):
        lines.insert(0, f"- {metrics['seen']} of the videos were seen in training: the ranks below are not a test.")
    return "## Limits\n\n" + "\n".join(lines)


def _data(model: DualEncoder, facts: CardFacts) -> str:
    counts = model.training_counts
    told = ", ".join(f"{counts[key]:,} {words}" for key, words in _COUNTS.items() if key in counts)
    return f"## Training data\n\n{facts.data}" + (f"\n\n{told}." if told else "")


_COUNTS = {
    "videos": "music videos",
    "pairs": "pairs of sound and pictures",
    "validation_pairs": "pairs held out for early stopping",
    "pretraining_videos": "other videos to pretrain on",
}


def _measured(metrics: dict[str, Any] | None) -> str:
    if metrics is None:
        return "## Results\n\nNone: the run was exported before `antiphon evaluate`."
    lines = ["| | pool | metric | value | 95% interval | null, 95% | chance |", "|---|--:|---|--:|--:|--:|--:|"]
    for pool, _, found, way in _pools(metrics):
        for key in _METRICS:
            number = found["by_metric"][key]
            interval, null = ("–".join(metric(key, value) for value in number[of]) for of in ("ci95", "null95"))
            cells = (f"{pool}, {_WAYS[way]}", found["n"], key, metric(key, number["value"]), interval, null)
            lines.append("| " + " | ".join(map(str, (*cells, metric(key, number["chance"])))) + " |")
    note = (
        f"Intervals: bootstrap over {resampled(metrics['a2v'])}, the pool kept fixed. Null: the same model's number "
        f"when the partners of the {_split(metrics)} videos are permuted at random. Ties count half."
    )
    return "## Results\n\n" + "\n".join(lines) + f"\n\n{note}"


def _licences(model: DualEncoder, facts: CardFacts) -> str:
    lines = ["| part | licence |", "|---|---|", f"| heads (in this folder) | {_cell(facts.licence)} |"]
    for side in MODALITIES:
        name = model.audio_name if side == "audio" else model.video_name
        lines.append(f"| {side} backbone {_cell(name) or 'unnamed'} (not in this folder) | {_cell(_licence(name))} |")
    lines += ["| Antiphon, which runs it | Apache-2.0 |"]
    return "## Licences\n\n" + "\n".join(lines)


def _usage(files: list[str]) -> str:
    code = 'import antiphon as ap\n\nmodel = ap.DualEncoder.load("antiphon")\nsong = model.encode_audio("song.wav")\n'
    lines = ["## Use\n", "```python", code + "```"]
    if any(name.endswith(".onnx") for name in files):
        lines += ["\n`onnx/` has the heads alone, from features to embeddings, for any ONNX runtime (opset 17)."]
    lines += [
        "\nsentence-transformers 6 loads the folder where the package antiphon is installed; the folder has no code:\n",
        "```python",
        "from antiphon.interchange.sentence_folder import load",
        "",
        'model = load(".")  # or SentenceTransformer(".", trust_remote_code=True)',
        'model.similarity(model.encode("song.mp3"), model.encode("video.mp4"))',
        "```",
    ]
    return "\n".join(lines)


def _pools(metrics: dict[str, Any]) -> list[tuple[str, str, dict[str, Any], str]]:
    pools = {"tracks": metrics.get("tracks"), "segments" if metrics.get("tracks") else "tracks": metrics}
    return [(pool, _split(metrics), part[way], way) for pool, part in pools.items() if part for way in _WAYS]


def _first_pool(metrics: dict[str, Any]) -> str:
    return _pools(metrics)[0][0]


def _split(metrics: dict[str, Any]) -> str:
    return str(metrics.get("split") or "test")


def _backbone(model: DualEncoder, side: str) -> str:
    name = model.audio_name if side == "audio" else model.video_name
    return f"`{name}`" if name else "vectors computed elsewhere"


def _licence(name: str) -> str:
    try:
        return registry.info(name).licence or _UNKNOWN
    except WeightsError:
        return _UNKNOWN


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
