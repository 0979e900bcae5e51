"""A folder ready for the Hugging Face Hub, and pushing it there."""

import json
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ConfigError, ModelError, StorageError
from antiphon.interchange.model_card import CardFacts, model_card
from antiphon.interchange.onnx_check import write_checked
from antiphon.interchange.sentence_folder import RUN, SENTENCE_FILES, write_sentence_folder
from antiphon.runs import RECONSTRUCTION_FILE, TUNED_FILE
from antiphon.tables import write_text

CARD, CONFIG = "README.md", "config.json"
_TABLES = ("history.parquet", "videos.parquet", RECONSTRUCTION_FILE)
_OF_RUN = ("run.toml", "model.safetensors", TUNED_FILE, *_TABLES)
_PUSHED = (CARD, CONFIG, *SENTENCE_FILES, *(f"{RUN}/{name}" for name in _OF_RUN), "onnx/audio.onnx", "onnx/video.onnx")
"""What goes to the Hub, name by name, since patterns would match in folders below too; anything else stays."""


def write_hub_folder(
    model: DualEncoder, folder: Path, facts: CardFacts, metrics: dict[str, Any] | None = None
) -> list[Path]:
    """Write weights (safetensors), configuration, ONNX heads and a model card.

    The folder is one that sentence-transformers loads too. It lists no music videos of the catalogue.

    Parameters
    ----------
    model : DualEncoder
        Fitted model.
    folder : Path
        Folder to write to.
    facts : CardFacts
        What only its author can say.
    metrics : dict, optional
        Content of the run's metrics.json.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ModelError
        The model is not fitted, or differs in ONNX.
    """
    written = write_sentence_folder(model, folder)
    if model.recipe.track is None:
        written += [folder / "onnx" / f"{side}.onnx" for side in write_checked(model, folder / "onnx")]
    names = [path.relative_to(folder).as_posix() for path in written]
    config = {
        "library": "antiphon",
        "version": version("antiphon"),
        "recipe": model.recipe.model_dump(mode="json"),
        "embedding_dim": model.dim,
        "correction_dim": model.correction_dim,
        "features": {
            "audio": {"backbone": model.audio_name, "dim": model.feature_dims["audio"]},
            "video": {"backbone": model.video_name, "dim": model.feature_dims["video"]},
        },
        "fingerprint": model.fingerprint,
    }
    write_text(json.dumps(config, indent=2) + "\n", folder / CONFIG)
    write_text(model_card(model, facts, metrics, folder.absolute().name, names), folder / CARD)
    return [*written, folder / CONFIG, folder / CARD]


def push(folder: Path, repo: str, *, private: bool = True, endpoint: str | None = None) -> str:
    """Create a repository on the Hub where there is none, and push the folder to it.

    Parameters
    ----------
    folder : Path
        What `write_hub_folder` wrote.
    repo : str
        Name, "user/name".
    private : bool, default True
        Whether a new repository is private.
    endpoint : str, optional
        Address of the Hub. Default: that of huggingface_hub, which also knows the user's token.

    Returns
    -------
    str
        Address of the commit.

    Raises
    ------
    ModelError
        The folder holds no exported model.
    ConfigError
        huggingface_hub is not installed, or the name is no name of a repository.
    StorageError
        The Hub cannot be reached, or refuses.
    """
    missing = [name for name in (CARD, CONFIG, f"{RUN}/run.toml") if not (folder / name).is_file()]
    if missing:
        raise ModelError(f"{folder}: lacks {', '.join(missing)}. Run antiphon export hub first.")
    try:
        from huggingface_hub import HfApi
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError as error:
        raise ConfigError("huggingface_hub is not installed. Run: pip install 'antiphon[hub]'") from error
    hub = HfApi(endpoint=endpoint)
    try:
        hub.create_repo(repo, private=private, exist_ok=True)
        done = hub.upload_folder(
            repo_id=repo, folder_path=folder, allow_patterns=list(_PUSHED), commit_message="Export from Antiphon"
        )
    except HFValidationError as error:
        raise ConfigError(f"{repo}: is no name of a repository, such as user/name ({error}).") from error
    except (HfHubHTTPError, OSError, *_transport_errors()) as error:
        raise StorageError(f"{repo}: the Hub did not take it ({_first_line(error)}).") from error
    return str(done.commit_url)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


def _transport_errors() -> list[type[Exception]]:
    """Return what the HTTP library raises that huggingface_hub has loaded; which one depends on its version."""
    return [sys.modules[name].HTTPError for name in ("httpx", "httpx2") if name in sys.modules]
