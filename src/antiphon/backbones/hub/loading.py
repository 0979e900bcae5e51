"""A model of a class that transformers ships, with the weights of a folder; no code of that folder is run."""

import io
import warnings
from collections.abc import Generator
from contextlib import contextmanager, redirect_stdout
from threading import Lock
from typing import Any
from weakref import WeakValueDictionary

import safetensors
import safetensors.torch
import torch
from torch import nn

from antiphon.backbones.hub.files import HubFiles
from antiphon.backbones.hub.packages import required
from antiphon.documents import reason
from antiphon.errors import WeightsError

_CODE_OR_KERNELS = ("auto_map", "attn_implementation", "_attn_implementation", "_attn_implementation_internal",
                    "_experts_implementation_internal", "use_kernels", "experts_implementation")  # fmt: skip
_loaded: "WeakValueDictionary[tuple[str, str, str, torch.device], nn.Module]" = WeakValueDictionary()
_loading = Lock()


def loaded_model(files: HubFiles, class_name: str, device: torch.device) -> Any:
    """Load a model in float32, frozen and in evaluation mode; both sides of one share it.

    Parameters
    ----------
    files : HubFiles
        Its files.
    class_name : str
        Class of transformers.
    device : torch.device
        Where it shall compute.

    Returns
    -------
    PreTrainedModel
        The model.

    Raises
    ------
    WeightsError
        transformers is not installed or lacks the class, or the weights are damaged or those of another model.
    """
    transformers = required("transformers", files.name)
    if files.kind.needs:
        required(files.kind.needs, files.name)
    key = (str(files.folder), files.fingerprint, class_name, device)
    with _loading:
        found = _loaded.get(key)
        if found is None:
            with quiet(transformers):
                found = _built(files, _named(transformers, class_name, files.name)).to(device)
            _loaded[key] = found
    return found


def _named(transformers: Any, class_name: str, name: str) -> Any:
    found = getattr(transformers, class_name, None)
    if found is None:
        raise WeightsError(
            f"{name}: needs {class_name}, which transformers {transformers.__version__} lacks. Install a newer one: "
            "pip install --upgrade transformers"
        )
    return found


def _built(files: HubFiles, model_class: Any) -> nn.Module:
    """Build the model of a configuration with the tensors of its files.

    transformers gets tensors and no folder, so that nothing of the folder is read but what is read here.
    """
    try:
        config = model_class.config_class.from_dict(_without_code(files.config))
        tensors = {name: value for path in files.weights for name, value in safetensors.torch.load_file(path).items()}
        model, told = model_class.from_pretrained(
            None, config=config, state_dict=tensors, dtype=torch.float32, output_loading_info=True
        )
    except WeightsError:
        raise
    except Exception as error:
        # Whatever a library raises on a configuration or tensors that do not belong to its class.
        raise WeightsError(
            f"{files.name}: its files do not make a {model_class.__name__} ({type(error).__name__}: {reason(error)}). "
            "Download or save the model anew."
        ) from error
    wrong = [*told["missing_keys"], *(str(one) for one in told["mismatched_keys"])]
    if wrong:
        raise WeightsError(
            f"{files.name}: its weights are those of another model: {len(wrong)} of them are missing or have another "
            f"shape, such as {sorted(wrong)[0]}."
        )
    return model.eval().requires_grad_(False)


def _without_code(config: Any) -> Any:
    """Return a configuration without what could make transformers load code or kernels from the hub."""
    if isinstance(config, dict):
        return {key: _without_code(value) for key, value in config.items() if key not in _CODE_OR_KERNELS}
    return [_without_code(value) for value in config] if isinstance(config, list) else config


@contextmanager
def quiet(transformers: Any) -> Generator[None]:
    """Keep what transformers says of weights that are left over, and its progress bars, off the screen.

    Some of its modules print when a model is made, which would end up in the JSON of a command.

    Parameters
    ----------
    transformers : module
        The library.

    Yields
    ------
    None
    """
    log = transformers.utils.logging
    verbosity, has_bars = log.get_verbosity(), log.is_progress_bar_enabled()
    log.set_verbosity_error()
    log.disable_progress_bar()
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.set_verbosity(verbosity)
        if has_bars:
            log.enable_progress_bar()
