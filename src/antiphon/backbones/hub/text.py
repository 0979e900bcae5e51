"""Text sides: words → a vector in the space of a model's sound or pictures."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import torch
from torch import Tensor

from antiphon.backbones.base import FloatArray
from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.loading import quiet
from antiphon.backbones.hub.packages import required
from antiphon.backbones.hub.running import EagerRuntime
from antiphon.documents import reason
from antiphon.errors import ConfigError, WeightsError

_VOCABULARIES = ("tokenizer.json", "vocab.json", "vocab.txt", "spiece.model", "tokenizer.model")


class HubText:
    """Text side of a hub model.

    Parameters
    ----------
    files : HubFiles
        Files of the model; its tokenizer is read when the first text is embedded.
    model : nn.Module
        The model.
    device : torch.device
        Where it computes.
    dim : int
        Size of the vectors.
    compute : callable
        The model and token ids, (1, tokens) → Tensor, shape (1, dim).
    padded_to : int, optional
        Number of tokens that shorter texts are filled up to, where the model was trained so.
    max_tokens : int, optional
        Where longer texts are cut. Default: as the tokenizer says.
    """

    def __init__(
        self,
        files: HubFiles,
        model: Any,
        device: torch.device,
        dim: int,
        compute: Callable[[Any, Tensor], Tensor],
        *,
        padded_to: int | None = None,
        max_tokens: int | None = None,
    ) -> None:
        self._files, self._device, self._dim = files, device, dim
        self._padded_to, self._max_tokens = padded_to, padded_to or max_tokens
        self._run = EagerRuntime(model, lambda network, ids: [compute(network, ids)])

    def embed_text(self, texts: Sequence[str]) -> FloatArray:
        """Embed texts; see `antiphon.backbones.base.TextSide`. Each is computed alone, so that none changes another.

        Raises
        ------
        ConfigError
            It is one text and no sequence.
        WeightsError
            The model's tokenizer is missing or damaged, or needs code of its own.
        """
        if isinstance(texts, str):
            raise ConfigError("texts must be a list of texts, not one text. Write [text].")
        rows = [self._run(self._ids(text), 1)[0] for text in texts]
        return torch.cat(rows).cpu().numpy() if rows else np.empty((0, self._dim), np.float32)

    def _ids(self, text: str) -> Tensor:
        padding = {"padding": "max_length"} if self._padded_to else {}
        told = tokenizer_of(self._files)(
            text, truncation=True, max_length=self._max_tokens, return_tensors="pt", **padding
        )
        return told["input_ids"].to(self._device)


@lru_cache(maxsize=8)
def tokenizer_of(files: HubFiles) -> Any:
    """Read the tokenizer of a model.

    Parameters
    ----------
    files : HubFiles
        Files of the model.

    Returns
    -------
    PreTrainedTokenizerBase
        The tokenizer.

    Raises
    ------
    WeightsError
        It is missing or damaged, or needs code of its own.
    """
    transformers = required("transformers", files.name)
    if not any((files.folder / name).is_file() for name in _VOCABULARIES):
        # transformers would make an empty tokenizer.
        raise WeightsError(
            f"{files.name}: has no vocabulary ({', '.join(_VOCABULARIES[:2])}, …), so texts cannot be embedded. Save "
            "the model's processor beside it."
        )
    try:
        with quiet(transformers):
            return transformers.AutoTokenizer.from_pretrained(
                files.folder, local_files_only=True, trust_remote_code=False
            )
    except Exception as error:
        # Whatever a library raises on files that are missing, damaged, or ask for code.
        raise WeightsError(
            f"{files.name}: its tokenizer cannot be used ({type(error).__name__}: {reason(error)}). Save the model's "
            "processor beside it."
        ) from error
