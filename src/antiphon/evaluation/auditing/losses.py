"""Room of the loss between chance and its lower bound, and what validation made of it."""

import math

from antiphon.dual_encoder import DualEncoder
from antiphon.evaluation.auditing.check import Check
from antiphon.runs import Epoch

_NARROW = 2 / 3
"""Share of chance above which the lower bound leaves too little room to see learning."""
_LEARNED = 0.02
"""Share of the room between chance and lower bound that validation must have covered to count as learned."""
_NO_ROOM = 1e-9


def loss_checks(model: DualEncoder) -> list[Check]:
    """Check the range that temperature, batch size and output leave to the loss, and where validation is in it.

    A third check estimates the least information that audio and video share.
    """
    if not model.history:
        return _not_checked("The model has no training history, so its loss cannot be looked at.")
    best = [epoch for epoch in model.history if epoch.best][-1]
    if best.validation_chance - best.validation_lower_bound <= _NO_ROOM:
        return _not_checked("The validation batches have one pair each, whose loss is the same whatever is known.")
    return [_room(model, best), _validation(model, best), _information(model, best)]


def _not_checked(why: str) -> list[Check]:
    return [Check(f"Loss: {name}", "loss", "n/a", why) for name in ("room", "validation", "information")]


def _ways(model: DualEncoder) -> tuple[int, str, str]:
    """Return how many directions the history's losses are the sum of, and the words for one of them."""
    return (1, "the loss", "") if model.recipe.loss.name == "sigmoid" else (2, "one direction's loss", " a direction")


def _room(model: DualEncoder, best: Epoch) -> Check:
    ways, one, _ = _ways(model)
    chance, least = best.validation_chance / ways, best.validation_lower_bound / ways
    narrow = least > _NARROW * chance
    finding = (
        f"At temperature {best.temperature:.2g} and this batch size, {one} lies between {least:.2f} "
        f"(no embeddings at all can go lower) and {chance:.2f} (nothing known)."
    )
    if narrow:
        finding += (
            " That is little room: a loss that hardly falls does not mean that nothing is learned. Look at ranks."
        )
    numbers = {"chance": chance, "least": least, "temperature": best.temperature}
    return Check("Loss: room", "loss", "warn" if narrow else "pass", finding, numbers)


def _validation(model: DualEncoder, best: Epoch) -> Check:
    ways, _, each = _ways(model)
    chance, least, loss = (
        value / ways for value in (best.validation_chance, best.validation_lower_bound, best.validation_loss)
    )
    share = (chance - loss) / (chance - least)
    finding = f"In the epoch that was kept the validation loss is {loss:.2f}{each}, {_place(share, chance, least)}."
    numbers = {"loss": loss, "chance": chance, "least": least, "share": share}
    if share >= _LEARNED:
        return Check("Loss: validation", "loss", "pass", finding, numbers)
    above = " By its loss the model is sure of wrong pairs." if share <= -_LEARNED else ""
    finding += above or " By its loss the model knows nothing about held-out pairs."
    finding += " Look at ranks."
    return Check("Loss: validation", "loss", "warn", finding, numbers)


def _place(share: float, chance: float, least: float) -> str:
    """Say where a loss is between chance and the lower bound."""
    if abs(share) < _LEARNED:
        return f"about chance ({chance:.2f}; the least possible is {least:.2f})"
    if share < 0:
        return f"above chance ({chance:.2f}), so worse than knowing nothing; the least possible is {least:.2f}"
    return f"{share:.0%} of the way from chance ({chance:.2f}) to the least possible ({least:.2f})"


def _information(model: DualEncoder, best: Epoch) -> Check:
    name = "Loss: information"
    if model.recipe.loss.name != "info_nce":
        return Check(name, "loss", "n/a", "The bound log N − loss holds for info_nce; this model has another loss.")
    pairs = round(math.exp(best.validation_chance / 2))
    bound = (best.validation_chance - best.validation_loss) / 2
    estimate = (
        f"log {pairs} − loss, which estimates a lower bound (van den Oord et al. 2018), somewhat too high on the rows "
        f"that chose the epoch and at most log {pairs} = {math.log(pairs):.2f}"
    )
    if bound > 0:
        finding = f"Sound and pictures of held-out pairs share about {bound:.2f} nats or more, by {estimate}."
    else:
        finding = f"The loss shows no information that sound and pictures share: none is left by {estimate}."
    return Check(name, "loss", "pass" if bound > 0 else "warn", finding, {"nats": bound, "most": math.log(pairs)})
