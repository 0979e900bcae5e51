"""Trains the last blocks of both backbones together with the heads, on windows of kept segments.

Every epoch sees another window of 3 s of each segment, augmented. Batches that are larger than what fits are computed
in two passes with cached gradients (Gao et al. 2021, https://arxiv.org/abs/2101.06983): features first without
gradients, then the loss and its gradient at the features, then each part once more to carry that gradient on. The
result is the same, because the backbones are deterministic: they stay in evaluation mode.
"""

import copy
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TypeVar

import numpy as np
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from antiphon.backbones.inference import exact_arithmetic
from antiphon.backbones.tuning import Tunable, TunableAudio, TunableVideo, tuned_tensors, unfreeze
from antiphon.backbones.weights import Tensors
from antiphon.errors import ConfigError, DivergedError, ModelError
from antiphon.features.features import Features
from antiphon.model.losses import LossConfig
from antiphon.model.recipe import Recipe
from antiphon.model.towers import Towers
from antiphon.seeding import derived_seed, generator
from antiphon.segments.kept import RATE_HZ
from antiphon.training.augmentation import AugmentationConfig
from antiphon.training.loop import Epoch, measure
from antiphon.training.objective import plain_loss
from antiphon.training.sampler import batches
from antiphon.training.windows import KeptRow, planned_window, random_window

_READERS = 4

Window = tuple[Tensor, Tensor]
Result = TypeVar("Result")


class TuningConfig(BaseModel):
    """How backbones are tuned.

    Attributes
    ----------
    blocks : how many of the last blocks of each backbone are trained.
    learning_rate : of blocks and heads, for Adam.
    epochs : at the most.
    patience : epochs without a better validation rank before training stops; the best epoch is kept.
    batch_size : segments in a batch at the most; no two of one video.
    at_once : segments that gradients are kept of at a time; larger batches take a second pass.
    augmentation : how windows are changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    blocks: int = Field(default=2, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    epochs: int = Field(default=10, ge=1)
    patience: int = Field(default=3, ge=1)
    batch_size: int = Field(default=32, ge=2)
    at_once: int = Field(default=32, ge=1)
    augmentation: AugmentationConfig = AugmentationConfig()


@dataclass(frozen=True)
class Step:
    """How far a tuning has come: the epoch under way, its batches done, and the last measured validation."""

    epoch: int
    epochs: int
    batch: int
    batches: int
    measured: Epoch


@dataclass(frozen=True)
class Tuned:
    """What a tuning leaves.

    Attributes
    ----------
    towers : the heads of the best epoch, in evaluation mode.
    audio, video : parameters of the last blocks of each backbone in that epoch, see `tuned_tensors`.
    before : the validation before anything was tuned; it has no training loss.
    history : the epochs.
    """

    towers: Towers
    audio: Tensors
    video: Tensors
    before: Epoch
    history: list[Epoch]


def fine_tune(
    recipe: Recipe,
    towers: Towers,
    audio: TunableAudio,
    video: TunableVideo,
    rows: Mapping[str, Sequence[KeptRow]],
    config: TuningConfig,
    *,
    seed: int,
    progress: Callable[[Step], None] | None = None,
) -> Tuned:
    """Tune two backbones and the heads on them; the backbones given are changed in place, the heads copied.

    Parameters
    ----------
    recipe : whose loss is used.
    towers : heads trained on the features of the backbones as they are.
    rows : kept segments, of the splits "train" and "validation".
    seed : of windows, augmentation, batches and dropout. The global generators are left as they were.
    progress : called after every batch.

    Raises
    ------
    ModelError
        There are fewer than two videos with kept segments to train on or to validate with.
    ConfigError
        A backbone has fewer blocks, or takes sound of another rate than is kept.
    DivergedError
        The loss is not finite.
    """
    for split in ("train", "validation"):
        if len({row.video_id for row in rows[split]}) < 2:
            raise ModelError(
                f"The {split} split has fewer than two videos with kept segments. Keep them with "
                "antiphon extract --keep-segments, or add videos."
            )
    if audio.rate_hz != RATE_HZ:
        raise ConfigError(f"{audio.name} takes sound at {audio.rate_hz} Hz; segments are kept at {RATE_HZ} Hz.")
    unfrozen = [*unfreeze(audio, config.blocks), *unfreeze(video, config.blocks)]
    device = video.device
    devices = [device] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices), exact_arithmetic(), ThreadPoolExecutor(_READERS) as pool:
        torch.manual_seed(derived_seed(seed, "fine-tuning"))
        tuning = _Tuning(recipe, copy.deepcopy(towers), audio, video, config, seed, pool)
        return tuning.run(rows["train"], rows["validation"], unfrozen, progress)


@dataclass(frozen=True)
class _Tuning:
    """One tuning: what is trained, and how."""

    recipe: Recipe
    towers: Towers
    audio: TunableAudio
    video: TunableVideo
    config: TuningConfig
    seed: int
    pool: ThreadPoolExecutor

    def run(
        self,
        train: Sequence[KeptRow],
        validation: Sequence[KeptRow],
        unfrozen: Sequence[nn.Parameter],
        progress: Callable[[Step], None] | None,
    ) -> Tuned:
        heads = [parameter for parameter in self.towers.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam([*unfrozen, *heads], lr=self.config.learning_rate)
        before = latest = self._measure(validation, 0, [len(validation)], [float("nan")])
        history: list[Epoch] = []
        best, best_score, waited = self._state(before, history), float("inf"), 0
        for number in range(1, self.config.epochs + 1):
            sizes, losses = [], []
            parts = batches(_videos(train), self.config.batch_size, generator(self.seed, "batches", number))
            for windows in self._windows(train, parts, number):
                losses.append(self._step(windows, optimizer))
                sizes.append(len(windows))
                if progress is not None:
                    progress(Step(number, self.config.epochs, len(sizes), len(parts), latest))
            latest = self._measure(validation, number, sizes, losses)
            better = latest.validation_log_rank < best_score
            history.append(replace(latest, best=better))
            waited = 0 if better else waited + 1
            if better:
                best, best_score = self._state(before, history), latest.validation_log_rank
            if waited >= self.config.patience:
                break
        return replace(best, history=history)

    def _state(self, before: Epoch, history: list[Epoch]) -> Tuned:
        towers = copy.deepcopy(self.towers).eval()
        return Tuned(towers, tuned_tensors(self.audio), tuned_tensors(self.video), before, history)

    def _windows(self, rows: Sequence[KeptRow], parts: Sequence[np.ndarray], epoch: int) -> Iterator[list[Window]]:
        def draw(row: KeptRow) -> Window:
            draws = generator(self.seed, "window", epoch, row.segment_id)
            return random_window(row, self.video.layout, self.config.augmentation, draws)

        return _one_batch_ahead(self.pool, draw, ([rows[place] for place in part] for part in parts))

    def _step(self, windows: Sequence[Window], optimizer: torch.optim.Optimizer) -> float:
        """One step of the optimiser on a batch; its loss before the step."""
        self.towers.train()
        pictures, sounds = (torch.stack(side) for side in zip(*windows, strict=True))
        optimizer.zero_grad(set_to_none=True)
        loss = contrast(
            self.recipe.loss, self.towers, (self.audio, sounds), (self.video, pictures), self.config.at_once
        )
        if not np.isfinite(loss):
            raise DivergedError("Fine-tuning diverged: the loss is not finite. Lower the learning rate.")
        optimizer.step()
        self.towers.clamp_temperature()
        return loss

    def _measure(self, rows: Sequence[KeptRow], number: int, sizes: list[int], losses: list[float]) -> Epoch:
        """The validation of the planned windows, as they are."""
        planned = _one_batch_ahead(self.pool, partial(planned_window, layout=self.video.layout), ([r] for r in rows))
        features = [(self.audio(sound), self.video(frames)) for ((frames, sound),) in planned]
        sounds, pictures = (np.concatenate(side) for side in zip(*features, strict=True))
        validation = Features.from_arrays(audio=sounds, video=pictures, groups=_videos(rows))
        return measure(self.recipe, self.towers, validation, number, self.config.learning_rate, sizes, losses)


def contrast(
    loss: LossConfig,
    towers: Towers,
    sound: tuple[TunableAudio, Tensor],
    pictures: tuple[TunableVideo, Tensor],
    at_once: int,
) -> float:
    """The contrastive loss of a batch, its gradient added to all parameters that are trained.

    Parameters
    ----------
    sound, pictures : a backbone and its (n, …) inputs, row i of both one pair.
    at_once : rows that go through a backbone together with gradients. For larger batches a second pass is made.
    """
    sides: tuple[tuple[Tunable, Tensor], ...] = (sound, pictures)
    whole = len(sound[1]) <= at_once
    with torch.set_grad_enabled(whole):
        features = [_forward(backbone, inputs, at_once) for backbone, inputs in sides]
    if not whole:
        features = [feature.requires_grad_() for feature in features]
    audio, video = towers(*features)
    value = plain_loss(loss, towers, audio, video)
    value.backward()
    if not whole:
        for (backbone, inputs), feature in zip(sides, features, strict=True):
            if feature.grad is not None:
                for part, gradient in zip(inputs.split(at_once), feature.grad.split(at_once), strict=True):
                    backbone.differentiable(part.to(backbone.device)).backward(gradient)
    return float(value.detach())


def _forward(backbone: Tunable, inputs: Tensor, at_once: int) -> Tensor:
    return torch.cat([backbone.differentiable(part.to(backbone.device)) for part in inputs.split(at_once)])


def _one_batch_ahead(
    pool: ThreadPoolExecutor, function: Callable[[KeptRow], Result], parts: Iterable[Sequence[KeptRow]]
) -> Iterator[list[Result]]:
    """`function` of all rows of each part, computed in the pool while the part before is in use."""
    under_way: deque[list[Future[Result]]] = deque()
    for part in parts:
        under_way.append([pool.submit(function, row) for row in part])
        if len(under_way) > 1:
            yield [future.result() for future in under_way.popleft()]
    while under_way:
        yield [future.result() for future in under_way.popleft()]


def _videos(rows: Sequence[KeptRow]) -> np.ndarray:
    return np.array([row.video_id for row in rows], dtype=np.str_)
