"""Fine-tuning of the last blocks of both backbones together with the heads, on windows of kept segments.

Each epoch draws another window of 3 s from each segment, augmented. Early stopping judges the heads alone; at the end
the recipe's closed form is fitted again, so that whole models are compared before and after.
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
from antiphon.training.epochs import measure
from antiphon.training.hubness import fit_hubness
from antiphon.training.objective import Objective
from antiphon.training.optimizer import Adam
from antiphon.training.reading import WindowReader
from antiphon.training.sampler import batches
from antiphon.training.windows import KeptMetadata, KeptRow, planned_window, random_window

_NUM_READERS = 4

Window = tuple[Tensor, Tensor]


class TuningConfig(BaseModel):
    """Settings of fine-tuning.

    Attributes
    ----------
    num_blocks : int
        Number of last blocks of each backbone to train.
    learning_rate : float
        Learning rate of Adam, for blocks and heads.
    epochs : int
        Maximum epochs.
    patience : int
        Epochs without a better validation rank before training stops. The best epoch is kept.
    batch_size : int
        Maximum segments per batch. No two segments of a batch come from the same video.
    micro_batch_size : int
        Maximum segments that go through a backbone at a time with gradients; larger batches take a second pass.
    augmentation : AugmentationConfig
        Augmentation of the windows.
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
    """Progress of a fine-tuning.

    Attributes
    ----------
    epoch, epochs : int
        Current epoch, from 1, and maximum epochs.
    batch, batches : int
        Finished batches of this epoch, and all of them.
    measured : Epoch
        Latest validation.
    """

    epoch: int
    epochs: int
    batch: int
    batches: int
    measured: Epoch


@dataclass(frozen=True)
class Tuned:
    """Result of a fine-tuning.

    Attributes
    ----------
    towers : Towers
        Heads of the best epoch, in evaluation mode, with a closed form of the tuned features.
    audio, video : Tensors
        Parameters of the last blocks of each backbone in that epoch; see `tuned_tensors`.
    before : Epoch
        Validation of the heads before fine-tuning; it has no training loss.
    history : list of Epoch
        Epochs, of the heads alone.
    log_rank_before, log_rank_after : float
        Mean log rank of the validation pairs in both directions by whole embeddings, with the closed form, before and
        after fine-tuning.
    damaged : dict of str to str
        Reason for each kept segment that was skipped because its file could not be read.
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
    """Fine-tune two backbones and their heads, and fit the recipe's closed form to the tuned features.

    The backbones are changed in place, to their best epoch; the heads are copied. Unreadable kept files are skipped.

    Parameters
    ----------
    recipe : Recipe
        Recipe of the heads: its loss, labels, artists and closed form are used.
    towers : Towers
        Heads trained by this recipe on features of the untuned backbones.
    audio, video : TunableAudio
        Backbones to tune.
    rows : mapping of str to sequence of KeptRow
        Kept segments of the splits "train" and "validation".
    config : TuningConfig
        Settings.
    seed : int
        Seed of windows, augmentation, batches and dropout. Global generators are left unchanged.
    progress : callable, optional
        Called after every batch.

    Returns
    -------
    Tuned
        Tuned heads and blocks, with their validation.

    Raises
    ------
    ModelError
        There are fewer than two videos with kept segments to train on or to validate on, the recipe has a track model,
        or label_weight is positive and no row has labels.
    ConfigError
        A backbone has fewer blocks, or takes audio at another rate than segments are kept at.
    DivergedError
        The loss is not finite.
    """
    if recipe.track is not None:
        raise ModelError(
            f"Recipe {recipe.name} has a track model, and fine-tuning trains on segments only: the track model would "
            "read features that it was not trained on. Fine-tune a run of a recipe without [track], then train this "
            "recipe on features of the tuned backbones."
        )
    for split in ("train", "validation"):
        _refuse_few(split, [row.video_id for row in rows[split]])
    if audio.rate_hz != RATE_HZ:
        raise ConfigError(
            f"{audio.name} takes audio at {audio.rate_hz} Hz, but segments are kept at {RATE_HZ} Hz. Use another audio "
            "backbone."
        )
    unfrozen = [*unfreeze(audio, config.num_blocks), *unfreeze(video, config.num_blocks)]
    device = video.device
    devices = [device] if device.type == "cuda" else []
    heads = copy.deepcopy(towers)
    heads.closed_form = None
    heads.clear_hubness()
    with torch.random.fork_rng(devices=devices), exact_arithmetic(), ThreadPoolExecutor(_NUM_READERS) as pool:
        torch.manual_seed(derived_seed(seed, "fine-tuning"))
        tuning = _Tuning(recipe, heads, audio, video, config, seed, WindowReader(pool))
        train, validation = rows["train"], rows["validation"]
        start = tuning.state(validation)
        before = tuning.measured(start, 0, [len(validation)], [float("nan")])
        best, history = tuning.run(train, validation, (start, before), unfrozen, progress)
        if recipe.closed_form is not None or recipe.hubness is not None:
            trained_on = tuning.features("train", train)
            refit_closed_form(recipe, best.towers, trained_on, best.validation, seed)
            fit_hubness(best.towers, trained_on, best.validation, seed)
        log_ranks = whole_log_rank(towers, start.validation), whole_log_rank(best.towers, best.validation)
    return Tuned(best.towers, best.audio, best.video, before, history, *log_ranks, damaged=tuning.reader.damaged)


@dataclass(frozen=True)
class _State:
    """Trained parts after some epoch (see `Tuned`), and the features that validated them."""

    towers: Towers
    audio: Tensors
    video: Tensors
    validation: Features


@dataclass(frozen=True)
class _Tuning:
    """One fine-tuning: what is trained, and how."""

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
        """Train, leave the backbones in the best epoch, and return that epoch and the history."""
        heads = [parameter for parameter in self.towers.parameters() if parameter.requires_grad]
        optimizer = Adam([*unfrozen, *heads], self.config.learning_rate)
        objective = Objective(self.recipe.loss, KeptMetadata.of(train))
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
        """Compute the features of the planned windows, not augmented, by the backbones as they are now."""
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
        """Snapshot what is trained, validated by `rows`."""
        towers = copy.deepcopy(self.towers).eval()
        return _State(towers, tuned_tensors(self.audio), tuned_tensors(self.video), self.features("validation", rows))

    def measured(self, state: _State, number: int, sizes: list[int], losses: list[float]) -> Epoch:
        """Validate the heads of a state."""
        rate = self.config.learning_rate
        return measure(self.recipe, state.towers, state.validation, number, rate, sizes, losses)

    def _windows(
        self, rows: Sequence[KeptRow], parts: Sequence[npt.NDArray[np.int64]], epoch: int
    ) -> Iterator[tuple[npt.NDArray[np.int64], list[Window]]]:
        """Yield the positions and windows of each batch that damaged files leave at least two pairs."""

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
        optimizer: Adam,
    ) -> float:
        """Take one optimizer step on a batch, and return the plain loss before it."""
        self.towers.train()
        frames, waveforms = (torch.stack(side) for side in zip(*windows, strict=True))
        optimizer.clear_gradients()
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
            f"The {split} split has fewer than two videos with readable kept segments. Keep segments with "
            "antiphon extract --keep-segments, or add videos."
        )
