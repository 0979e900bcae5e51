"""What is said about a run, derived from its numbers and settings and from nothing else."""

import math
from collections.abc import Mapping
from typing import Any

from antiphon.model.recipe import Recipe
from antiphon.presentation.numbers import rank, whole

DIRECTIONS = ("a2v", "v2a")
PHRASES = {
    "better": "finds the partner better than chance",
    "worse": "finds the partner worse than chance",
    "none": "is not distinguishable from chance",
}
_LOSSES = {
    "info_nce": "InfoNCE, both ways",
    "decoupled": "decoupled contrastive loss, both ways",
    "sigmoid": "pairwise sigmoid loss",
}
_WAYS = {"a2v": "from sound to pictures", "v2a": "from pictures to sound"}


def verdict(ranks: Mapping[str, Any]) -> str:
    """What the interval of the median rank says against the null of the same model.

    Parameters
    ----------
    ranks : with "ci95" and "null95" of the median rank.

    Returns
    -------
    "better" where the interval lies entirely below the null's, "worse" where entirely above, else "none".
    """
    (low, high), (null_low, null_high) = ranks["ci95"], ranks["null95"]
    if high < null_low:
        return "better"
    return "worse" if low > null_high else "none"


def level_sentence(name: str, both: Mapping[str, Any]) -> str:
    """One sentence on one pool: both directions' verdicts.

    Examples
    --------
    >>> ranks = {"ci95": [2, 4], "null95": [6, 9]}
    >>> level_sentence("For tracks", {"a2v": ranks, "v2a": ranks})
    'For tracks, the model finds the partner better than chance, both ways.'
    """
    found = {way: PHRASES[verdict(both[way])] for way in DIRECTIONS}
    if found["a2v"] == found["v2a"]:
        return f"{name}, the model {found['a2v']}, both ways."
    parts = " and ".join(f"{found[way]} {_WAYS[way]}" for way in DIRECTIONS)
    return f"{name}, the model {parts}."


def headline(levels: Mapping[str, Mapping[str, Any]]) -> str:
    """The answer in a sentence or two.

    Parameters
    ----------
    levels : name of a pool ("tracks", "segments") → its "a2v" and "v2a".
    """
    verdicts = {verdict(both[way]) for both in levels.values() for way in DIRECTIONS}
    if len(verdicts) == 1:
        pools = " and for ".join(levels)
        return f"For {pools}, the model {PHRASES[verdicts.pop()]}, both ways."
    return " ".join(level_sentence(f"For {name}", both) for name, both in levels.items())


def plain_sentence(name: str, both: Mapping[str, Any]) -> str:
    """What the median ranks of one pool mean, to somebody who has never heard of a median rank.

    Examples
    --------
    >>> sound, pictures = {"median_rank": 6.0, "n": 64, "chance": 32.5}, {"median_rank": 7.5, "n": 64, "chance": 32.5}
    >>> print(plain_sentence("tracks", {"a2v": sound, "v2a": pictures}).replace(", and", ",\\nand"))
    Half of the 64 tracks find their own pictures among the first 6,
    and their own sound among the first 8; by chance it would take the first 33.
    """
    sound, pictures = both["a2v"], both["v2a"]
    first = {way: whole(math.ceil(both[way]["median_rank"])) for way in DIRECTIONS}
    own_sound = f"and their own sound among the first {first['v2a']}"
    half = f"Half of the {whole(sound['n'])} {name} find their own pictures among the first {first['a2v']}"
    return f"{half}, {own_sound}; by chance it would take the first {whole(math.ceil(pictures['chance']))}."


def rank_sentence(way: str, ranks: Mapping[str, Any]) -> str:
    """The median rank of one direction with everything that belongs to it."""
    low, high = ranks["ci95"]
    null_low, null_high = ranks["null95"]
    return (
        f"{_WAYS[way].capitalize()}: median rank {rank(ranks['median_rank'])} of {whole(ranks['n'])}, "
        f"95% interval {rank(low)}–{rank(high)}, null {rank(null_low)}–{rank(null_high)}, "
        f"chance {rank(ranks['chance'])}."
    )


def recipe_sentences(recipe: Recipe) -> list[str]:
    """A recipe in words: heads, loss, training."""
    return [_heads(recipe), *_beside(recipe), *_start(recipe), _loss(recipe), _optimiser(recipe), _stopping(recipe)]


def _heads(recipe: Recipe) -> str:
    head = recipe.head
    activation = {"relu": "ReLU", "gelu": "GELU"}[head.activation]
    between = {"none": activation, "layer": f"layer normalisation, {activation}", "batch": f"batch norm, {activation}"}
    layers = " and ".join(whole(width) for width in head.hidden)
    several = f"hidden layers of {layers} values" if len(head.hidden) > 1 else f"a hidden layer of {layers} values"
    frozen = ", its scale and shift never trained" if head.frozen_affine else ""
    inner = f"{several} ({between[head.normalisation]}{frozen}, dropout {head.dropout:g})"
    path = ", a linear path beside" if head.skip else ""
    hidden = f"{inner}{path} and an" if head.hidden else "a linear"
    output = "a sigmoid on the output" if head.output == "sigmoid" else "no activation on the output"
    ways = {"together": "scaled by one deviation", "chosen": "standardised or scaled by one deviation, as chosen"}
    inputs = ways.get(str(head.standardise), "standardised" if head.standardise else "as they are")
    if head.input_dropout:
        inputs += f", with dropout {head.input_dropout:g}"
    if recipe.heads == "video":
        own = "One head, on the pictures; the sound passes without one"
        return f"{own}: features {inputs}; {hidden} embedding of the audio feature's size; {output}."
    return f"Two heads: features {inputs}; {hidden} embedding of {head.dim} dimensions; {output}."


def _beside(recipe: Recipe) -> list[str]:
    """What embeddings hold beside what the heads make."""
    beside: list[str] = []
    if recipe.track is not None:
        names = {"mean": "their mean", "attention": "a weighted mean", "transformer": "a temporal transformer"}
        beside.append(
            f"Of a track's segments {names[recipe.track.aggregator]} makes one feature, trained with the heads."
        )
    if recipe.closed_form is not None:
        beside.append(
            f"Beside them linear and kernel canonical correlations in closed form, up to {recipe.closed_form.dim} "
            "dimensions each: scores are averaged. Epochs and their ranks are those of the heads alone."
        )
    return beside


def _start(recipe: Recipe) -> list[str]:
    if not recipe.autoencoder.epochs:
        return []
    return [f"The heads start as the encoders of autoencoders, trained for at most {recipe.autoencoder.epochs} epochs."]


def _loss(recipe: Recipe) -> str:
    loss = recipe.loss
    learned = "at the start and learned" if loss.learn_temperature else "throughout"
    words = [f"Loss: {_LOSSES[loss.name]}, temperature {loss.temperature:g} {learned}."]
    if loss.exclude_same_artist:
        words.append("Videos of one artist are no negatives of each other.")
    if loss.label_weight:
        words.append(f"Positives by shared labels have weight {loss.label_weight:g}.")
    return " ".join(words)


def _optimiser(recipe: Recipe) -> str:
    training = recipe.training
    name = "AdamW" if training.optimizer == "adamw" else "Adam"
    decay = f", weight decay {training.weight_decay:g}" if training.weight_decay else ""
    schedule = f" times {training.learning_rate_decay:g} after each epoch"
    if training.schedule_not_stepped:
        schedule = " throughout"
    rows = " The first segment of each video alone is trained on." if training.first_segment_only else ""
    return (
        f"Training: {name}, learning rate {training.learning_rate:g}{schedule}{decay}, batches of at most "
        f"{whole(training.batch_size)} pairs, no two of one video.{rows}"
    )


def _stopping(recipe: Recipe) -> str:
    training = recipe.training
    watched = "validation loss" if training.stop_on == "loss" else "typical validation rank"
    longer = f", or as many as make {whole(training.least_steps)} batches" if training.least_steps else ""
    return (
        f"At most {training.epochs} epochs{longer}; stops after {training.patience} epochs without a better {watched}, "
        "and keeps the best epoch."
    )
