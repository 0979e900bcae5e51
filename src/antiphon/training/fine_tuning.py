"""Trains the last blocks of both backbones together with the heads, on windows of kept segments.

Every epoch sees another window of 3 s of each segment, augmented. Early stopping judges the heads alone; in the end the
recipe's closed form is fitted anew, so that whole models are compared before and after.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import numpy.typing as npt
import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn

from antiphon.backbones.inference import exact_arithmetic
from antiphon.backbones.tuning import TunableAudio, TunableVideo, put_tensors, tuned_tensors, unfreeze
from antiphon.backbones.weights import Tensors
from antiphon.errors import ConfigError, ModelError
from antiphon.features.features import Features
from antiphon.model.recipe import Recipe
from antiphon.model.towers import Towers
from antiphon.runs import Epoch
from antiphon.seeding import derived_seed, generator
from antiphon.segments.kept import RATE_HZ
from antiphon.training.augmentation import AugmentationConfig
from antiphon.training.closed_forms import refit_closed_form, whole_log_rank
from antiphon.training.contrast import contrast
from antiphon.training.loop import measure
from antiphon.training.objective import Objective
from antiphon.training.reading import WindowReader
from antiphon.training.sampler import batches
from antiphon.training.windows import KeptRow, RowDescriptions, planned_window, random_window

_NUM_READERS = 4

Window = tuple[Tensor, Tensor]


class TuningConfig(BaseModel):
    """How backbones are tuned.

    Attributes
    ----------
    num_blocks : how many of the last blocks of each backbone are trained.
    learning_rate : of blocks and heads, for Adam.
    epochs : at the most.
    patience : epochs without a better validation rank before training stops; the best epoch is kept.
    batch_size : segments in a batch at the most; no two of one video.
    micro_batch_size : segments that gradients are kept of at a time; larger batches take a second pass.
    augmentation : how windows are changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    num_blocks: int = Field(default=2, ge=1)
    learning_rate: float = Field(default=1e-4, gt=0)
    epochs: int = Field(default=10, ge=1)
    patience: int = Field(default=3, ge=1)
    batch_size: int = Field(default=32, ge=2)
    micro_batch_size: int = Field(default=32, ge=1)
    augmentation: AugmentationConfig = AugmentationConfig()


@dataclass(frozen=True)
class TuningProgress:
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
    towers : the heads of the best epoch, in evaluation mode, with a closed form of the tuned features.
    audio, video : parameters of the last blocks of each backbone in that epoch, see `tuned_tensors`.
    before : the heads' validation before anything was tuned; it has no training loss.
    history : the epochs, of the heads alone.
    log_rank_before, log_rank_after : mean log rank of the validation pairs both ways by whole embeddings, with the
        closed form, before anything was tuned and of what is left.
    damaged : of each kept segment whose file could not be read, and which was left out, why.
    """

    towers: Towers
    audio: Tensors
    video: Tensors
    before: Epoch
    history: list[Epoch]
    log_rank_before: float
    log_rank_after: float
    damaged: dict[str, str]


def fine_tune(
    recipe: Recipe,
    towers: Towers,
    audio: TunableAudio,
    video: TunableVideo,
    rows: Mapping[str, Sequence[KeptRow]],
    config: TuningConfig,
    *,
    seed: int,
    progress: Callable[[TuningProgress], None] | None = None,
) -> Tuned:
    """Tune two backbones and the heads on them, and fit the recipe's closed form anew on what they then give.

    The backbones given are changed in place, to their best epoch; the heads are copied. Kept files that cannot be read
    are left out.

    Parameters
    ----------
    recipe : whose loss is used, with what it says of labels and artists, and whose closed form.
    towers : heads trained by this recipe on the features of the backbones as they are.
    rows : kept segments, of the splits "train" and "validation".
    seed : of windows, augmentation, batches and dropout. The global generators are left as they were.
    progress : called after every batch.

    Raises
    ------
    ModelError
        There are fewer than two videos with kept segments to train on or to validate with; the recipe has a track
        model; or labels are to count and none of the rows has any.
    ConfigError
        A backbone has fewer blocks, or takes sound of another rate than is kept.
    DivergedError
        The loss is not finite.
    """
    if recipe.track is not None:
        raise ModelError(
            f"{recipe.name} has a track model, and tuning knows segments alone: it would read features that it was not "
            "trained on. Tune a run of a recipe without [track], then train this one on the tuned backbones' features."
        )
    for split in ("train", "validation"):
        _refuse_few(split, [row.video_id for row in rows[split]])
    if audio.rate_hz != RATE_HZ:
        raise ConfigError(f"{audio.name} takes sound at {audio.rate_hz} Hz; segments are kept at {RATE_HZ} Hz.")
    unfrozen = [*unfreeze(audio, config.num_blocks), *unfreeze(video, config.num_blocks)]
    device = video.device
    devices = [device] if device.type == "cuda" else []
    heads = copy.deepcopy(towers)
    heads.closed_form = None
    with torch.random.fork_rng(devices=devices), exact_arithmetic(), ThreadPoolExecutor(_NUM_READERS) as pool:
        torch.manual_seed(derived_seed(seed, "fine-tuning"))
        tuning = _Tuning(recipe, heads, audio, video, config, seed, WindowReader(pool))
        train, validation = rows["train"], rows["validation"]
        start = tuning.state(validation)
        before = tuning.measured(start, 0, [len(validation)], [float("nan")])
        best, history = tuning.run(train, validation, (start, before), unfrozen, progress)
        if recipe.closed_form is not None:
            refit_closed_form(recipe, best.towers, tuning.features("train", train), best.validation, seed)
        log_ranks = whole_log_rank(towers, start.validation), whole_log_rank(best.towers, best.validation)
    return Tuned(best.towers, best.audio, best.video, before, history, *log_ranks, damaged=tuning.reader.damaged)


@dataclass(frozen=True)
class _State:
    """What is trained, as it was after some epoch (see `Tuned`), and the features that validated it."""

    towers: Towers
    audio: Tensors
    video: Tensors
    validation: Features


@dataclass(frozen=True)
class _Tuning:
    """One tuning: what is trained, and how."""

    recipe: Recipe
    towers: Towers
    audio: TunableAudio
    video: TunableVideo
    config: TuningConfig
    seed: int
    reader: WindowReader

    def run(
        self,
        train: Sequence[KeptRow],
        validation: Sequence[KeptRow],
        start: tuple[_State, Epoch],
        unfrozen: Sequence[nn.Parameter],
        progress: Callable[[TuningProgress], None] | None,
    ) -> tuple[_State, list[Epoch]]:
        """The best epoch, in which the backbones are left, and all epochs."""
        heads = [parameter for parameter in self.towers.parameters() if parameter.requires_grad]
        optimizer = torch.optim.Adam([*unfrozen, *heads], lr=self.config.learning_rate)
        objective = Objective(self.recipe.loss, RowDescriptions.of(train))
        history: list[Epoch] = []
        (best, latest), best_score, waited = start, float("inf"), 0
        for number in range(1, self.config.epochs + 1):
            sizes, losses = [], []
            parts = batches(_videos(train), self.config.batch_size, generator(self.seed, "batches", number))
            for batch, (places, windows) in enumerate(self._windows(train, parts, number), start=1):
                losses.append(self._step(objective, places, windows, optimizer))
                sizes.append(len(windows))
                if progress is not None:
                    progress(TuningProgress(number, self.config.epochs, batch, len(parts), latest))
            if not losses:
                _refuse_few("train", [])
            state = self.state(validation)
            latest = self.measured(state, number, sizes, losses)
            better = latest.validation_log_rank < best_score
            history.append(replace(latest, best=better))
            waited = 0 if better else waited + 1
            if better:
                best, best_score = state, latest.validation_log_rank
            if waited >= self.config.patience:
                break
        put_tensors(self.audio, best.audio)
        put_tensors(self.video, best.video)
        return best, history

    def features(self, split: str, rows: Sequence[KeptRow]) -> Features:
        """Those of the planned windows, as they are, by the backbones as they are now."""
        alone = (np.array([place]) for place in range(len(rows)))
        planned = self.reader.read(rows, alone, partial(planned_window, layout=self.video.layout))
        found = [
            (rows[place], self.audio(waveform), self.video(frames))
            for part in planned
            for place, (frames, waveform) in part
        ]
        _refuse_few(split, [row.video_id for row, _, _ in found])
        read, audio, video = zip(*found, strict=True)
        return Features.from_arrays(
            audio=np.concatenate(audio),
            video=np.concatenate(video),
            ids=[row.segment_id for row in read],
            groups=_videos(read),
            artists=[row.artist for row in read],
            labels=[row.labels for row in read],
            starts_s=[row.start_s for row in read],
        )

    def state(self, rows: Sequence[KeptRow]) -> _State:
        """What is trained, as it is now; `rows` validate it."""
        towers = copy.deepcopy(self.towers).eval()
        return _State(towers, tuned_tensors(self.audio), tuned_tensors(self.video), self.features("validation", rows))

    def measured(self, state: _State, number: int, sizes: list[int], losses: list[float]) -> Epoch:
        """The validation of a state's heads."""
        rate = self.config.learning_rate
        return measure(self.recipe, state.towers, state.validation, number, rate, sizes, losses)

    def _windows(
        self, rows: Sequence[KeptRow], parts: Sequence[npt.NDArray[np.int64]], epoch: int
    ) -> Iterator[tuple[npt.NDArray[np.int64], list[Window]]]:
        """The places and windows of each batch; those that damaged files leave without a pair to contrast fall away."""

        def draw(row: KeptRow) -> Window:
            draws = generator(self.seed, "window", epoch, row.segment_id)
            return random_window(row, self.video.layout, self.config.augmentation, draws)

        for read in self.reader.read(rows, parts, draw):
            if len(read) > 1:
                yield np.array([place for place, _ in read]), [window for _, window in read]

    def _step(
        self,
        objective: Objective,
        places: npt.NDArray[np.int64],
        windows: Sequence[Window],
        optimizer: torch.optim.Optimizer,
    ) -> float:
        """One step of the optimiser on a batch; its plain loss before the step."""
        self.towers.train()
        frames, waveforms = (torch.stack(side) for side in zip(*windows, strict=True))
        optimizer.zero_grad(set_to_none=True)
        loss = partial(objective, self.towers, rows=places)
        plain = contrast(loss, self.towers, (self.audio, waveforms), (self.video, frames), self.config.micro_batch_size)
        optimizer.step()
        self.towers.clamp_temperature()
        return plain


def _videos(rows: Sequence[KeptRow]) -> np.ndarray:
    return np.array([row.video_id for row in rows], dtype=np.str_)


def _refuse_few(split: str, videos: Sequence[str]) -> None:
    if len(set(videos)) < 2:
        raise ModelError(
            f"The {split} split has fewer than two videos with kept segments that can be read. Keep them with "
            "antiphon extract --keep-segments, or add videos."
        )
