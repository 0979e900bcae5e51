"""A folder that sentence-transformers loads as a model of songs and pictures.

sentence-transformers (6.2) runs no class from outside its package unless it is told `trust_remote_code=True`, be it
installed or not. The folder has no code: its one class is that of the installed package antiphon. `load` needs no flag.
"""

import json
from pathlib import Path
from typing import Any

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import ConfigError, ModelError
from antiphon.tables import write_text

MODULE = "antiphon.interchange.sentence_module.MusicVideo"
RUN = "antiphon"
SENTENCE_FILES = ("modules.json", "router_config.json", "config_sentence_transformers.json")
_ROUTER = "sentence_transformers.base.modules.router.Router"


def write_sentence_folder(model: DualEncoder, folder: Path) -> list[Path]:
    """Write modules.json, router_config.json, config_sentence_transformers.json and the run, without ids of its videos.

    Parameters
    ----------
    model : DualEncoder
        Fitted model whose features come from backbones, so that it embeds media files.
    folder : Path
        Folder to write to.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    ModelError
        The model is not fitted.
    """
    model.without_videos().save(folder / RUN)
    router = {
        "types": {RUN: MODULE},
        "structure": {"audio": [RUN], "video": [RUN]},
        "parameters": {"default_route": None, "allow_empty_key": False, "route_mappings": {}},
    }
    about: dict[str, Any] = {"model_type": "SentenceTransformer", "similarity_fn_name": "cosine", "prompts": {}}
    modules = [{"idx": 0, "name": "0", "path": "", "type": _ROUTER}]
    for name, content in zip(SENTENCE_FILES, (modules, router, about | {"default_prompt_name": None}), strict=True):
        write_text(json.dumps(content, indent=2) + "\n", folder / name)
    return [*(folder / name for name in SENTENCE_FILES), folder / RUN]


def load(folder: str | Path) -> Any:
    """Load such a folder in sentence-transformers, without `trust_remote_code`.

    Parameters
    ----------
    folder : str or Path
        What `write_sentence_folder` wrote.

    Returns
    -------
    sentence_transformers.SentenceTransformer
        The model: `encode("song.mp3")`, `encode("video.mp4")`, `encode("video.mp4", modality="audio")`.

    Raises
    ------
    ConfigError
        sentence-transformers is not installed.
    ModelError
        The folder holds no such model, or it is damaged.
    """
    run = Path(folder) / RUN
    if not run.is_dir():
        raise ModelError(f"{folder}: no model that antiphon export sentence-transformers wrote.")
    try:
        from sentence_transformers import SentenceTransformer  # pyright: ignore[reportMissingImports]
        from sentence_transformers.base.modules import Router  # pyright: ignore[reportMissingImports]

        from antiphon.interchange.sentence_module import music_video_class

        module = music_video_class()(DualEncoder.load(run))
    except ImportError as error:
        raise ConfigError(
            "sentence-transformers 6 is not installed. Run: pip install 'sentence-transformers>=6'"
        ) from error
    routes = {"audio": [module], "video": [module]}
    return SentenceTransformer(modules=[Router(routes, allow_empty_key=False)], similarity_fn_name="cosine")
