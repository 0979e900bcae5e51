"""Music videos as a module of sentence-transformers 6, which must be installed: `pip install sentence-transformers`.

A folder that `antiphon export sentence-transformers` wrote names `MusicVideo` of this module. The class is made when it
is asked for, since its base is the other library's.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Self

import torch

from antiphon.dual_encoder import DualEncoder
from antiphon.embeddings import MODALITIES, Modality
from antiphon.errors import ConfigError
from antiphon.interchange.media_inputs import embed_inputs


def __getattr__(name: str) -> Any:
    if name == "MusicVideo":
        return music_video_class()
    raise AttributeError(f"module '{__name__}' has no attribute '{name}'")


@cache
def music_video_class() -> Any:
    """Make the class `MusicVideo`, which embeds the sound or the pictures of music videos, each as one track.

    Returns
    -------
    type
        Subclass of sentence_transformers' InputModule, made of a `DualEncoder`.

    Raises
    ------
    ImportError
        sentence-transformers is missing, or is older than version 6.
    """
    from sentence_transformers.base.modules import (  # pyright: ignore[reportMissingImports]
        input_module,  # pyright: ignore[reportUnknownVariableType]
    )

    base: Any = input_module

    class MusicVideo(base.InputModule):
        """Embed the sound or the pictures of music videos, each as one track."""

        forward_kwargs: set[str] = {"modality"}  # noqa: RUF012 - as the library declares it
        save_in_root = False

        def __init__(self, model: DualEncoder) -> None:
            super().__init__()
            self.model = model

        @property
        def modalities(self) -> list[Modality]:
            """What it takes, by which sentence-transformers tells songs from music videos."""
            return list(MODALITIES)

        def preprocess(self, inputs: Sequence[Any], prompt: str | None = None, **_: Any) -> dict[str, Any]:
            """Pass on what is to be embedded; files are decoded when it is."""
            if prompt:
                raise ConfigError("Music videos take no prompt.")
            return {"sources": list(inputs)}

        def forward(self, features: dict[str, Any], modality: str | None = None, **_: Any) -> dict[str, Any]:
            """Embed what `preprocess` was given."""
            vectors = embed_sources(self.model, features["sources"], modality or features.get("modality"))
            return features | {"sentence_embedding": vectors}

        def get_embedding_dimension(self) -> int:
            """Return the size of the embeddings."""
            return self.model.dim

        def save(self, output_path: str, *_: Any, **__: Any) -> None:
            """Write the model as a run; see `DualEncoder.save`."""
            self.model.save(output_path)

        @classmethod
        def load(cls, model_name_or_path: str, subfolder: str = "", **given: Any) -> Self:
            """Read what `save` wrote, from a folder or from the Hub. Nothing is unpickled."""
            from sentence_transformers.util import load_dir_path  # pyright: ignore[reportMissingImports]

            known = {name: given.get(name) for name in ("token", "cache_folder", "revision", "local_files_only")}
            return cls(DualEncoder.load(Path(str(load_dir_path(model_name_or_path, subfolder=subfolder, **known)))))

    MusicVideo.__qualname__ = "MusicVideo"
    return MusicVideo


def embed_sources(model: DualEncoder, sources: Sequence[Any], modality: Any) -> torch.Tensor:
    """Embed sources of one modality.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    sources : sequence
        What `embed_inputs` takes, possibly as mappings of "audio" or "video" to that.
    modality : str
        Modality that sentence-transformers has found, or was told.

    Returns
    -------
    Tensor, shape (n, dim)
        Unit rows.

    Raises
    ------
    ConfigError
        They are of neither modality.
    """
    if modality not in MODALITIES:
        raise ConfigError("Whether these are songs or pictures is not clear. Say modality='audio' or 'video'.")
    items = [item[modality] if isinstance(item, dict) and modality in item else item for item in sources]
    return torch.from_numpy(embed_inputs(model, modality, items))
