"""Hub models with names of their own: those that people would otherwise pick.

Identifiers, licences and sizes are those of the model cards and configurations that could be looked up; what could not
is said in docs/backbones.md. None has been run with its published weights here (`benchmarks/hub.py` does that).
"""

from dataclasses import dataclass

from antiphon.backbones.hub.names import HubName, Side, is_hub_name


@dataclass(frozen=True)
class HubEntry:
    """Hub model with a name of its own.

    Attributes
    ----------
    name : str
        Name of the backbone.
    model : HubName
        The model, and the side of it.
    side : {'audio', 'video'}
        Modality.
    dim : int
        Size of the features, by its configuration.
    licence : str
        Licence of the weights, by its model card.
    description : str
        One line on network and training data.
    """

    name: str
    model: HubName
    side: Side
    dim: int
    licence: str
    description: str


def _entry(
    name: str, repository: str, side: Side, dim: int, licence: str, description: str, *, both: bool = False
) -> HubEntry:
    repository, _, revision = repository.partition("@")
    return HubEntry(name, HubName(repository, revision, side=side if both else ""), side, dim, licence, description)


_CLAP = "laion/larger_clap_general@16c8cc3159a3c8a31e8ff5ef1f66b0d9ab3667db"  # the commit that has safetensors
_PE = "facebook/pe-av-large"
_GEMMA = "google/embeddinggemma-2"
_ENTRIES = (
    _entry("clap", _CLAP, "audio", 512, "Apache-2.0", "CLAP (LAION, general): sound and text in one space"),
    _entry(
        "mert", "m-a-p/MERT-v1-95M", "audio", 768, "CC-BY-NC-4.0",
        "MERT, trained on music: the last layer's mean over time",
    ),
    _entry(
        "ast", "MIT/ast-finetuned-audioset-10-10-0.4593", "audio", 768, "BSD-3-Clause",
        "Audio Spectrogram Transformer trained on AudioSet",
    ),
    _entry(
        "pe-audio-frame", "facebook/pe-a-frame-base", "audio", 1024, "Apache-2.0",
        "Perception Encoder Audio Frame: sound and text in one space, mean over 40 ms steps",
    ),
    _entry(
        "clip", "openai/clip-vit-large-patch14", "video", 768, "not stated on the model card",
        "CLIP ViT-L/14 (OpenAI): pictures and text in one space, mean over frames",
    ),
    _entry(
        "siglip2", "google/siglip2-base-patch16-224", "video", 768, "Apache-2.0",
        "SigLIP 2 ViT-B/16: pictures and text in one space, mean over frames",
    ),
    _entry(
        "dinov3", "facebook/dinov3-vitb16-pretrain-lvd1689m", "video", 768, "DINOv3 License (access on request)",
        "DINOv3 ViT-B/16: pictures, without text, mean over frames",
    ),
    _entry(
        "videomae", "MCG-NJU/videomae-base", "video", 768, "CC-BY-NC-4.0",
        "VideoMAE ViT-B trained on Kinetics-400 without labels: 16 frames",
    ),
    _entry(
        "vjepa2", "facebook/vjepa2-vitl-fpc64-256", "video", 1024, "MIT",
        "V-JEPA 2 ViT-L: all frames of a window",
    ),
    _entry(
        "pe-av-audio", _PE, "audio", 1024, "Apache-2.0",
        "Perception Encoder AV: sound, in one space with pictures and text", both=True,
    ),
    _entry(
        "pe-av-video", _PE, "video", 1024, "Apache-2.0",
        "Perception Encoder AV: pictures, in one space with sound and text (needs timm)", both=True,
    ),
    _entry(
        "embeddinggemma2-audio", _GEMMA, "audio", 768, "Apache-2.0",
        "EmbeddingGemma 2: sound, in one space with pictures and text", both=True,
    ),
    _entry(
        "embeddinggemma2-video", _GEMMA, "video", 768, "Apache-2.0",
        "EmbeddingGemma 2: pictures, in one space with sound and text", both=True,
    ),
)  # fmt: skip

ENTRIES = {entry.name: entry for entry in _ENTRIES}
"""By name."""


def is_of_hub(name: str) -> bool:
    """Return whether a name stands for a model of the hub, which may have a text side."""
    return name in ENTRIES or is_hub_name(name)
