"""The run's model and all features that it can be asked about, read once."""

from dataclasses import dataclass

from antiphon.dual_encoder import DualEncoder
from antiphon.errors import AntiphonError
from antiphon.features.assembly import assemble
from antiphon.features.features import Features
from antiphon.report.inputs import Inputs


@dataclass(frozen=True)
class Loaded:
    """A model, and the features of all splits of the catalogue."""

    model: DualEncoder
    features: Features


def load(inputs: Inputs) -> Loaded | str:
    """The run's model with the workspace's features, or the reason in words why that cannot be."""
    audio_name, video_name = inputs.backbones
    if inputs.catalogue is None:
        return "The workspace has no catalogue, so there are no held-out videos to ask about."
    if not audio_name or not video_name:
        return "This model was trained on features without a backbone's name; the workspace cannot find them again."
    try:
        features = assemble(inputs.workspace, inputs.catalogue, audio_name, video_name)
        return Loaded(DualEncoder.load(inputs.folder, device="cpu"), features)
    except AntiphonError as error:
        return str(error)
