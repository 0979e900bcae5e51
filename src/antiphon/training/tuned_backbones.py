"""Tuned backbones on disk: tuned parameters as safetensors beside the heads, their origin in run.toml."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

from antiphon import backbones
from antiphon.backbones.tuning import Tunable, TunableAudio, TunableVideo, apply_tuning
from antiphon.backbones.weights import Tensors, read_tensors, write_tensors
from antiphon.errors import ConfigError, ModelError, WeightsError
from antiphon.model.closed_form import SIDES, Side
from antiphon.model.recipe import Recipe
from antiphon.model.towers import Towers
from antiphon.runs import TUNED_FILE
from antiphon.training.fine_tuning import Tuned, TuningConfig, TuningProgress, fine_tune
from antiphon.training.windows import KeptRow


@dataclass(frozen=True)
class TunedFrom:
    """Origin and settings of tuned backbones.

    Attributes
    ----------
    audio, video : str
        Names of the untuned backbones.
    audio_fingerprint, video_fingerprint : str
        Fingerprints of their weights.
    settings : dict of str to object
        Settings of the fine-tuning; see `TuningConfig`.
    log_rank_before, log_rank_after : float
        Mean log rank of the validation pairs in both directions, by the whole model before and after fine-tuning.
    damaged : list of str
        Kept segments that were skipped because their files could not be read.
    """

    audio: str
    video: str
    audio_fingerprint: str
    video_fingerprint: str
    settings: dict[str, Any]
    log_rank_before: float
    log_rank_after: float
    damaged: list[str]


class TunedBackbones:
    """Two backbones with tuned last blocks, loaded on first use.

    Parameters
    ----------
    origin : TunedFrom
        Origin of the tuned parameters.
    tensors : dict of {'audio', 'video'} to Tensors
        Tuned parameters by modality.
    names : mapping of {'audio', 'video'} to str, optional
        Recorded names of the tuned backbones.
    """

    def __init__(
        self, origin: TunedFrom, tensors: dict[Side, Tensors], names: Mapping[Side, str] | None = None
    ) -> None:
        self.origin = origin
        self.tensors = tensors
        self._names = names or {}
        self._loaded: dict[tuple[Side, str], Tunable] = {}

    def backbone(self, side: Side, device: str) -> Tunable:
        """Load the tuned backbone of one modality.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality.
        device : str
            Device of the network.

        Returns
        -------
        Tunable
            The tuned network.

        Raises
        ------
        WeightsError
            The weights of the untuned backbone are not available.
        ModelError
            These weights are not those that were tuned, or the tuned parameters are not those that were recorded.
        """
        if (side, device) not in self._loaded:
            name, fingerprint = getattr(self.origin, side), getattr(self.origin, f"{side}_fingerprint")
            network = cast(Tunable, backbones.load(name, device=device))
            if network.fingerprint != fingerprint:
                raise ModelError(
                    f"The cached weights of {name} are not those that the run was tuned from. Restore the earlier "
                    "weights, or fine-tune again."
                )
            self._loaded[side, device] = self._tuned(side, network)
        return self._loaded[side, device]

    def _tuned(self, side: Side, network: Tunable) -> Tunable:
        """Apply the tuned parameters to a network, which gets their hash in its name."""
        was, recorded = network.name, self._names.get(side)
        try:
            apply_tuning(network, self.tensors[side])
        except WeightsError as error:
            raise ModelError(f"{TUNED_FILE} does not belong to {was}: {error}") from error
        if recorded not in (None, network.name):
            raise ModelError(
                f"The parameters in {TUNED_FILE} turn {was} into {network.name}, but the run was recorded with "
                f"{recorded}: they are of another fine-tuning, or incomplete. Restore the file, or fine-tune again."
            )
        return network

    def both(self, device: str) -> list[Tunable]:
        """Load the tuned audio and video backbone; raises as `backbone`.

        Parameters
        ----------
        device : str
            Device of the networks.

        Returns
        -------
        list of Tunable
            Audio, then video.
        """
        return [self.backbone(side, device) for side in SIDES]

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the tuned parameters to `tuned.safetensors`.

        Parameters
        ----------
        folder : Path
            Folder of the run.

        Returns
        -------
        dict of str to object
            Entry for run.toml.
        """
        joined = {
            f"{side}.{name}": values for side, tensors in self.tensors.items() for name, values in tensors.items()
        }
        write_tensors(joined, folder / TUNED_FILE)
        return asdict(self.origin)

    @classmethod
    def load(cls, folder: Path, record: dict[str, Any], names: Mapping[Side, str]) -> "TunedBackbones":
        """Read what `save` wrote.

        Parameters
        ----------
        folder : Path
            Folder of the run.
        record : dict of str to object
            Entry in run.toml, as `save` returned it.
        names : mapping of {'audio', 'video'} to str
            Recorded names of the tuned backbones; loading one that gets another name is refused.

        Returns
        -------
        TunedBackbones
            The tuned backbones.

        Raises
        ------
        ModelError
            The file is missing or damaged.
        """
        try:
            joined, _ = read_tensors(folder / TUNED_FILE)
        except WeightsError as error:
            raise ModelError(
                f"{folder / TUNED_FILE}: is missing or damaged. Restore it, or fine-tune again."
            ) from error
        tensors: dict[Side, Tensors] = {
            side: {name.removeprefix(f"{side}."): joined[name] for name in joined if name.startswith(f"{side}.")}
            for side in SIDES
        }
        return cls(TunedFrom(**record), tensors, names)


def tune_backbones(
    heads: tuple[Recipe, Towers],
    names: tuple[str, str],
    rows: Mapping[str, Sequence[KeptRow]],
    config: TuningConfig,
    *,
    seed: int,
    device: str,
    progress: Callable[[TuningProgress], None] | None = None,
) -> tuple[Tuned, TunedBackbones]:
    """Load two backbones by name, fine-tune them, and record their origin; see `fine_tune`.

    Parameters
    ----------
    heads : (Recipe, Towers)
        Recipe and trained heads.
    names : (str, str)
        Names of the audio and of the video backbone.
    rows : mapping of str to sequence of KeptRow
        Kept segments of the splits "train" and "validation".
    config : TuningConfig
        Settings.
    seed : int
        Seed of the fine-tuning.
    device : str
        Device to train on.
    progress : callable, optional
        Called after every batch.

    Returns
    -------
    tuned : Tuned
        Result of the fine-tuning.
    backbones : TunedBackbones
        The tuned backbones.

    Raises
    ------
    ConfigError
        A backbone computes no gradients; or as in `fine_tune`.
    WeightsError
        A name is unknown, or its weights are not available.
    """
    audio, video = (backbones.load(name, device=device) for name in names)
    for name, network in zip(names, (audio, video), strict=True):
        if not isinstance(network, TunableAudio | TunableVideo):
            raise ConfigError(f"{name} cannot be fine-tuned, because it computes no gradients. Use another backbone.")
    if not (isinstance(audio, TunableAudio) and isinstance(video, TunableVideo)):
        raise ConfigError(f"{names[0]} and {names[1]} must be an audio and a video backbone, in this order.")
    found = fine_tune(*heads, audio, video, rows, config, seed=seed, progress=progress)
    origin = TunedFrom(
        *names,
        *(audio.fingerprint, video.fingerprint),
        settings=config.model_dump(),
        log_rank_before=found.log_rank_before,
        log_rank_after=found.log_rank_after,
        damaged=sorted(found.damaged),
    )
    return found, TunedBackbones(origin, {"audio": found.audio, "video": found.video})
