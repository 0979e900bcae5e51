"""Encoding of media files and waveforms by a trained model."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, overload

import numpy as np
import numpy.typing as npt

from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.backbones.hub.entries import is_of_hub
from antiphon.embeddings import MODALITIES, Modality, ModalityEmbeddings
from antiphon.errors import AntiphonError, ConfigError, ModelError
from antiphon.features.single import Source, SourceFeatures, file_features, files_features, source_features
from antiphon.model.fitted_heads import FittedHeads, SideRows
from antiphon.model.predicted_labels import with_labels
from antiphon.model.recipe import Recipe
from antiphon.segments.sampling import SamplingConfig
from antiphon.workers.limits import WorkerLimits

FloatArray = npt.NDArray[np.float32]
Per = Literal["segment", "track"]


class MediaEncoder(ABC):
    """What embeds media files with fitted heads and the backbones of their features.

    Attributes
    ----------
    recipe : Recipe
        Recipe of the heads.
    sampling : SamplingConfig
        Where the segments of a file lie.
    """

    recipe: Recipe
    sampling: SamplingConfig

    @overload
    def encode_audio(
        self,
        source: Source,
        per: Per = ...,
        label_weight: float = ...,
        *,
        rate_hz: int | None = ...,
        batch_size: int | None = ...,
    ) -> FloatArray: ...
    @overload
    def encode_audio(
        self,
        source: list[Source],
        per: Literal["track"],
        label_weight: float = ...,
        *,
        rate_hz: int | None = ...,
        batch_size: int | None = ...,
    ) -> FloatArray: ...
    @overload
    def encode_audio(
        self,
        source: list[Source],
        per: Literal["segment"] = ...,
        label_weight: float = ...,
        *,
        rate_hz: int | None = ...,
        batch_size: int | None = ...,
    ) -> list[FloatArray]: ...
    def encode_audio(
        self,
        source: Source | list[Source],
        per: Per = "segment",
        label_weight: float = 0.0,
        *,
        rate_hz: int | None = None,
        batch_size: int | None = None,
    ) -> FloatArray | list[FloatArray]:
        """Embed the sound of media files or of waveforms.

        Parameters
        ----------
        source : path, array_like of shape (samples,), or list of these
            A media file (a path or an address that fsspec knows), or a mono waveform in [-1, 1].
        per : {"segment", "track"}
            As in `embed`.
        label_weight : float
            As in `embed`.
        rate_hz : int, optional
            Sample rate of the waveforms; needed for arrays.
        batch_size : int, optional
            Windows that the backbone takes at a time. Default: 8.

        Returns
        -------
        ndarray of float32, shape (segments, dim), or (1, dim) per track
            Unit rows. For a list of sources: a list of such arrays, or one of shape (sources, dim) per track.

        Raises
        ------
        DecodeError
            A file cannot be read, has no sound, or is too short.
        ConfigError
            A waveform has another shape or type, or no rate.
        ModelError
            The model was trained on features that no installed backbone computes.
        """
        return self._encode("audio", source, per, label_weight, rate_hz, batch_size)

    @overload
    def encode_video(
        self,
        source: Source,
        per: Per = ...,
        label_weight: float = ...,
        *,
        frames_per_s: float | None = ...,
        batch_size: int | None = ...,
    ) -> FloatArray: ...
    @overload
    def encode_video(
        self,
        source: list[Source],
        per: Literal["track"],
        label_weight: float = ...,
        *,
        frames_per_s: float | None = ...,
        batch_size: int | None = ...,
    ) -> FloatArray: ...
    @overload
    def encode_video(
        self,
        source: list[Source],
        per: Literal["segment"] = ...,
        label_weight: float = ...,
        *,
        frames_per_s: float | None = ...,
        batch_size: int | None = ...,
    ) -> list[FloatArray]: ...
    def encode_video(
        self,
        source: Source | list[Source],
        per: Per = "segment",
        label_weight: float = 0.0,
        *,
        frames_per_s: float | None = None,
        batch_size: int | None = None,
    ) -> FloatArray | list[FloatArray]:
        """Embed the pictures of media files or of arrays of frames.

        Parameters
        ----------
        source : path, array_like of uint8 and shape (frames, height, width, 3), or list of these
            A media file, or RGB frames.
        frames_per_s : float, optional
            Rate of the frames; needed for arrays.
        per, label_weight, batch_size
            As in `encode_audio`, whose results and errors are alike.
        """
        return self._encode("video", source, per, label_weight, frames_per_s, batch_size)

    def encode_file(
        self, path: str | Path, modalities: Modality | Sequence[Modality] = MODALITIES, *, batch_size: int | None = None
    ) -> dict[Modality, ModalityEmbeddings]:
        """Embed the sound and the pictures of a media file, which is probed once and decoded once.

        Parameters
        ----------
        path : str or Path
            Local path, or an address that fsspec knows.
        modalities : {"audio", "video"} or a sequence of them
            Which sides to embed.
        batch_size : int, optional
            As in `encode_audio`.

        Returns
        -------
        dict
            Modality → ModalityEmbeddings, for the sides that the file has.

        Raises
        ------
        DecodeError
            The file cannot be read, is too short, or has none of the sides.
        ConfigError
            A modality is unknown, or none is named.
        ModelError
            The model was trained on features that no installed backbone computes.
        """
        backbones = [self._backbone(side) for side in _named(modalities)]
        return self._embedded(file_features(path, backbones, self.sampling, batch_size))

    def encode_files(
        self,
        paths: Sequence[str | Path],
        modalities: Modality | Sequence[Modality] = MODALITIES,
        *,
        batch_size: int | None = None,
        workers: int | None = None,
        limits: WorkerLimits | None = None,
    ) -> Iterator[tuple[str | Path, dict[Modality, ModalityEmbeddings] | AntiphonError]]:
        """Embed several files as `encode_file` does, each decoded in a worker process with limits.

        What one file does to a decoder or a backbone is the error of that file alone.

        Parameters
        ----------
        paths : sequence of str or Path
            Local paths, or addresses that fsspec knows.
        modalities, batch_size
            As in `encode_file`.
        workers : int, optional
            Number of decoding processes. Default: one per core.
        limits : WorkerLimits, optional
            Time that reading one window may take, and memory that a file may take. Default: 60 s and 2 GB.

        Yields
        ------
        path : str or Path
            A file, in order of completion.
        embeddings : dict or AntiphonError
            Modality → ModalityEmbeddings, for the sides that the file has; or why there are none.

        Raises
        ------
        ConfigError
            A modality is unknown, or none is named; or worker processes cannot be started.
        ModelError
            The model was trained on features that no installed backbone computes.
        """
        backbones = [self._backbone(side) for side in _named(modalities)]
        for path, found in files_features(paths, backbones, self.sampling, batch_size, workers=workers, limits=limits):
            yield path, found if isinstance(found, AntiphonError) else self._embedded(found)

    def _embedded(self, found: SourceFeatures) -> dict[Modality, ModalityEmbeddings]:
        heads = self._heads()
        embedded: dict[Modality, ModalityEmbeddings] = {}
        for side, vectors in found.vectors.items():
            starts_s, ends_s = zip(*found.windows_of(side), strict=True)
            rows = SideRows.whole(side, vectors, self._feature_name(side))
            track = heads.embed_tracks(rows, np.zeros(len(vectors)), np.array(starts_s))
            embedded[side] = ModalityEmbeddings(track[0], heads.embed(rows), starts_s, ends_s)
        return embedded

    def _encode(
        self,
        side: Modality,
        source: Source | list[Source],
        per: Per,
        label_weight: float,
        rate: float | None,
        batch_size: int | None,
    ) -> FloatArray | list[FloatArray]:
        refuse_weight(label_weight)
        if per not in ("segment", "track"):
            raise ModelError(f"per must be 'segment' or 'track', not '{per}'.")
        if isinstance(source, list):
            every = [self._encode_one(side, one, per, label_weight, rate, batch_size) for one in source]
            return np.concatenate(every) if per == "track" and every else every
        return self._encode_one(side, source, per, label_weight, rate, batch_size)

    def _encode_one(
        self, side: Modality, source: Source, per: Per, label_weight: float, rate: float | None, batch_size: int | None
    ) -> FloatArray:
        found = source_features(source, self._backbone(side), rate, self.sampling, batch_size)
        rows, heads = SideRows.whole(side, found.vectors[side], self._feature_name(side)), self._heads()
        starts_s = np.array([start_s for start_s, _ in found.windows_of(side)])

        def made(labels: bool) -> FloatArray:
            if per == "segment":
                return heads.embed(rows, labels)
            return heads.embed_tracks(rows, np.zeros(len(starts_s)), starts_s, labels)

        if not label_weight:
            return made(False)
        return with_labels(made(False), made(True), label_weight, heads.towers.correction_dim)

    def embed_text(self, text: str) -> dict[Modality, FloatArray]:
        """Embed words, where a backbone of the model has a text side (CLIP, CLAP and others of the hub).

        The words stand in the space of that backbone's features, and its head takes them into the joint space as it
        takes a feature. How well that works with published weights has not been measured: texts lie in a region of
        their own of such spaces, which heads have not been trained on. A search therefore counts how a music video lies
        to them beside all others of the index, never the cosine itself.

        Parameters
        ----------
        text : str
            The words.

        Returns
        -------
        dict of {'audio', 'video'} to ndarray of float32
            Unit vector (dim,) to compare with the embeddings of songs or of pictures, for each side whose backbone has
            a text side; empty where none has, and for a track model, whose tracks lie in a space without texts.

        Raises
        ------
        ModelError
            The model is not fitted.
        WeightsError
            A backbone of the hub has not been fetched.
        """
        heads, found = self._heads(), dict[Modality, FloatArray]()
        for side in MODALITIES if self.recipe.track is None else ():
            if not is_of_hub(self._feature_name(side)):
                continue
            text_side = self._backbone(side).text_side
            if text_side is not None:
                rows = SideRows.whole(side, text_side.embed_text([text]), self._feature_name(side))
                found[side] = heads.embed(rows)[0]
        return found

    def arithmetic(self, side: Modality) -> str:
        """Name the arithmetic in which files are encoded; see `antiphon.backbones.arithmetic`.

        Parameters
        ----------
        side : {'audio', 'video'}
            Modality.

        Returns
        -------
        str
            Name of the arithmetic.

        Raises
        ------
        ModelError
            The model was trained on features that no installed backbone computes.
        """
        return self._backbone(side).arithmetic

    @abstractmethod
    def _heads(self) -> FittedHeads: ...

    @abstractmethod
    def _backbone(self, side: Modality) -> AudioBackbone | VideoBackbone: ...

    @abstractmethod
    def _feature_name(self, side: Modality) -> str: ...


def _named(modalities: Modality | Sequence[Modality]) -> list[Modality]:
    """Return the modalities that are named, in their usual order."""
    named = [modalities] if isinstance(modalities, str) else list(modalities)
    sides: list[Modality] = [side for side in MODALITIES if side in named]
    if not sides or not set(named) <= set(sides):
        raise ConfigError(f"modalities must be among {', '.join(MODALITIES)}, not {modalities!r}.")
    return sides


def refuse_weight(label_weight: float) -> None:
    if not 0 <= label_weight <= 1:
        raise ModelError(f"label_weight is {label_weight:g}; give a weight from 0 to 1.")
