"""Recipes as sentences."""

from antiphon.model.recipe import Recipe, TrainingConfig
from antiphon.plurals import counted
from antiphon.presentation.numbers import whole

_LOSSES = {
    "info_nce": "InfoNCE, both directions",
    "decoupled": "decoupled contrastive loss, both directions",
    "sigmoid": "pairwise sigmoid loss",
}


def recipe_sentences(recipe: Recipe, epochs_done: int | None = None) -> list[str]:
    """Describe a recipe: heads, loss, training.

    Parameters
    ----------
    recipe : Recipe
        The recipe.
    epochs_done : int, optional
        Number of epochs of a training with it, which shows whether it could have been stopped early.

    Returns
    -------
    list of str
        Sentences.
    """
    own = [_heads(recipe), *_beside(recipe), *_start(recipe), _loss(recipe), _optimiser(recipe)]
    return [*own, _stopping(recipe, epochs_done)]


def _heads(recipe: Recipe) -> str:
    head = recipe.head
    activation = {"relu": "ReLU", "gelu": "GELU"}[head.activation]
    between = {"none": activation, "layer": f"layer normalisation, {activation}", "batch": f"batch norm, {activation}"}
    layers = " and ".join(whole(width) for width in head.hidden)
    several = f"hidden layers of {layers} values" if len(head.hidden) > 1 else f"a hidden layer of {layers} values"
    frozen = ", scale and shift not trained" if head.frozen_affine else ""
    inner = f"{several} ({between[head.normalisation]}{frozen}, dropout {head.dropout:g})"
    path = ", a parallel linear path" if head.skip else ""
    hidden = f"{inner}{path} and an" if head.hidden else "a linear"
    output = "a sigmoid on the output" if head.output == "sigmoid" else "no activation on the output"
    ways = {"together": "scaled by one deviation", "chosen": "standardised or scaled by one deviation, as chosen"}
    inputs = ways.get(str(head.standardise), "standardised" if head.standardise else "unchanged")
    if head.input_dropout:
        inputs += f", with dropout {head.input_dropout:g}"
    if recipe.heads == "video":
        own = "One head, for video; audio has none"
        return f"{own}: features {inputs}; {hidden} embedding of the audio feature's size; {output}."
    return f"Two heads: features {inputs}; {hidden} embedding of {head.embedding_dim} dimensions; {output}."


def _beside(recipe: Recipe) -> list[str]:
    """Describe the parts of the embeddings besides the heads' output."""
    beside: list[str] = []
    if recipe.track is not None:
        course = f", and by {recipe.track.num_curves} curves over its time" if recipe.track.num_curves else ""
        beside.append(
            f"A track is embedded by statistics of its segments, along {recipe.track.num_axes} principal axes of each "
            f"side and with heads of their own{course}."
        )
    if recipe.closed_form is not None:
        beside.append(
            "In addition, linear and kernel canonical correlations in closed form, up to "
            f"{recipe.closed_form.num_components} dimensions each; scores are averaged. Epochs and their ranks are "
            "of the heads alone."
        )
    if recipe.hubness is not None and recipe.hubness.num_references:
        beside.append(
            "Scores of sound with pictures are corrected by how near each lies to everything on the other side, as up "
            f"to {whole(recipe.hubness.num_references)} training pairs tell."
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
        words.append("Videos of one artist are not negatives of each other.")
    if loss.label_weight:
        words.append(f"Positives by shared labels have weight {loss.label_weight:g}.")
    return " ".join(words)


def _optimiser(recipe: Recipe) -> str:
    training = recipe.training
    name = "AdamW" if training.optimizer == "adamw" else "Adam"
    decay = f", weight decay {training.weight_decay:g}" if training.weight_decay else ""
    rows = " Only the first segment of each video is used." if training.first_segment_only else ""
    return (
        f"Training: {name}, learning rate {training.learning_rate:g}{_schedule(training)}{decay}, batches of at most "
        f"{whole(training.batch_size)} pairs, no two of one video.{rows}"
    )


def _schedule(training: TrainingConfig) -> str:
    if training.schedule_not_stepped:
        return " throughout"
    if training.schedule == "cosine":
        return " falling to 0 along a cosine"
    return (
        f" times {training.learning_rate_decay:g} after each epoch"
        if training.learning_rate_decay < 1
        else " throughout"
    )


def _stopping(recipe: Recipe, epochs_done: int | None) -> str:
    training = recipe.training
    watched = "validation loss" if training.stop_on == "loss" else "typical validation rank"
    longest = f"{whole(training.epochs)} epochs"
    if training.max_visits is not None:
        longest += f", fewer where that puts a video in more than {whole(training.max_visits)} batches"
    if training.min_steps:
        longest += f", or as many as {whole(training.min_steps)} batches take if that is more"
    lengthened = training.min_steps and (epochs_done is None or epochs_done > training.patience)
    if training.patience < training.epochs or lengthened:
        early = f"stops earlier after {counted(training.patience, 'epoch')} without better {watched}"
        early += f" and at least {whole(training.min_steps)} batches" if training.min_steps else ""
        return f"At most {longest}; {early}. The epoch with the best {watched} is kept."
    return f"Trained for {longest}. The epoch with the best {watched} is kept."
