"""Tuned backbones on disk: what was tuned as safetensors beside the heads, and what it was before in run.toml."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, cast

from antiphon import backbones
from antiphon.backbones.tuning import Tunable, TunableAudio, TunableVideo, apply_tuning
from antiphon.backbones.weights import Tensors, read_tensors, write_tensors
from antiphon.errors import ConfigError, ModelError, WeightsError
from antiphon.model.recipe import Recipe
from antiphon.model.towers import Towers
from antiphon.runs import TUNED_FILE
from antiphon.training.fine_tuning import Tuned, TuningConfig, TuningProgress, fine_tune
from antiphon.training.windows import KeptRow

Side = Literal["audio", "video"]
_SIDES: tuple[Side, Side] = ("audio", "video")


@dataclass(frozen=True)
class TunedFrom:
    """The backbones that were tuned, and how.

    Attributes
    ----------
    audio, video : names of the backbones as they were.
    audio_fingerprint, video_fingerprint : of their weights as they were.
    settings : of the tuning, see `TuningConfig`.
    log_rank_before, log_rank_after : mean log rank of the validation pairs both ways, by the model that was tuned as a
        whole and by the one that came of it.
    damaged : kept segments that were left out because their files could not be read.
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
    """Two backbones with tuned last blocks, loaded when one is asked for.

    Parameters
    ----------
    origin : what was tuned.
    tensors : the tuned parameters of each side.
    names : what the tuned backbones are called, where that was recorded.
    """

    def __init__(
        self, origin: TunedFrom, tensors: dict[Side, Tensors], names: Mapping[Side, str] | None = None
    ) -> None:
        self.origin = origin
        self.tensors = tensors
        self._names = names or {}
        self._loaded: dict[tuple[Side, str], Tunable] = {}

    def backbone(self, side: Side, device: str) -> Tunable:
        """The tuned backbone of a side.

        Raises
        ------
        WeightsError
            The weights of the backbone as it was cannot be had.
        ModelError
            They are other ones than those that were tuned, or the tuned parameters are not those that were recorded.
        """
        if (side, device) not in self._loaded:
            name, fingerprint = getattr(self.origin, side), getattr(self.origin, f"{side}_fingerprint")
            network = cast(Tunable, backbones.load(name, device=device))
            if network.fingerprint != fingerprint:
                raise ModelError(
                    f"The run was tuned from other weights of {name} than those in the cache. Bring those back, or "
                    "tune again."
                )
            self._loaded[side, device] = self._tuned(side, network)
        return self._loaded[side, device]

    def _tuned(self, side: Side, network: Tunable) -> Tunable:
        """The network with the tuned parameters, whose hash is in its name."""
        was, recorded = network.name, self._names.get(side)
        try:
            apply_tuning(network, self.tensors[side])
        except WeightsError as error:
            raise ModelError(f"{TUNED_FILE} does not belong to {was}: {error}") from error
        if recorded not in (None, network.name):
            raise ModelError(
                f"The parameters in {TUNED_FILE} make {network.name} of {was}, and the run was recorded with "
                f"{recorded}: they are of another tuning, or some are missing. Restore the file, or tune again."
            )
        return network

    def both(self, device: str) -> list[Tunable]:
        """The tuned backbones of sound and of pictures; raises as `backbone`."""
        return [self.backbone(side, device) for side in _SIDES]

    def save(self, folder: Path) -> dict[str, Any]:
        """Write the tuned parameters to `tuned.safetensors` in `folder`, and return what run.toml says of them."""
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
        record : what `save` returned.
        names : what the tuned backbones were called then; loading one that is called otherwise is refused.

        Raises
        ------
        ModelError
            The file is missing or damaged.
        """
        try:
            joined, _ = read_tensors(folder / TUNED_FILE)
        except WeightsError as error:
            raise ModelError(f"{folder / TUNED_FILE}: is missing or damaged. Tune again, or restore it.") from error
        tensors: dict[Side, Tensors] = {
            side: {name.removeprefix(f"{side}."): joined[name] for name in joined if name.startswith(f"{side}.")}
            for side in _SIDES
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
    """Load two backbones by name, tune them as `fine_tune` does, and say what they were before.

    Parameters
    ----------
    heads : trained heads with their recipe.
    names : of the backbones for sound and for pictures.

    Raises
    ------
    ConfigError
        A backbone gives no gradients; and as `fine_tune`.
    WeightsError
        A name is unknown, or its weights cannot be had.
    """
    audio, video = (backbones.load(name, device=device) for name in names)
    for name, network in zip(names, (audio, video), strict=True):
        if not isinstance(network, TunableAudio | TunableVideo):
            raise ConfigError(f"{name} cannot be tuned: it gives no gradients.")
    if not (isinstance(audio, TunableAudio) and isinstance(video, TunableVideo)):
        raise ConfigError(f"{names[0]} and {names[1]} are not a backbone for sound and one for pictures.")
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
