"""Tiny models of the classes of transformers, with random weights, saved with their processors as on the hub."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import transformers as tf
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers, processors

WORDS = ["<pad>", "<s>", "</s>", "<unk>", "a", "sad", "song", "calm", "guitar", "loud", "drums", "night"]
_TEXT: dict[str, Any] = {
    "vocab_size": len(WORDS),
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "max_position_embeddings": 16,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
_VISION: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "image_size": 32,
    "patch_size": 8,
}


def save(model: Any, folder: Path) -> None:
    """Save a model as on the hub, with weights that spread further than those that training starts from."""
    with torch.no_grad():
        for values in model.parameters():
            if values.ndim > 1 and not values.any():
                values.normal_()  # Tokens and positions that start at zero would be alike.
            elif values.ndim > 1:
                values.mul_(4)
            elif values.numel() == 1:
                values.add_(0.5)  # Some scales start at zero.
    model.eval().save_pretrained(folder)


def tokenizer(folder: Path, *more: str) -> None:
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate([*WORDS, *more])}, "<unk>"))
    made.add_special_tokens(list(more))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 1), ("</s>", 2)])
    marks = {"pad_token": "<pad>", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}
    tf.PreTrainedTokenizerFast(tokenizer_object=made, model_max_length=512 if more else 16, **marks).save_pretrained(
        folder
    )


def clip(folder: Path) -> None:
    save(tf.CLIPModel(tf.CLIPConfig(text_config=_TEXT, vision_config=_VISION, projection_dim=8)), folder)
    sizes = {"size": {"shortest_edge": 40}, "crop_size": {"height": 32, "width": 32}}
    tf.CLIPImageProcessorPil(**sizes).save_pretrained(folder)
    tokenizer(folder)


def _clap(folder: Path, *, fusion: bool) -> None:
    text = _TEXT | {"max_position_embeddings": 18}
    audio = {
        "spec_size": 64, "num_mel_bins": 16, "window_size": 4, "patch_size": 4, "patch_stride": [4, 4],
        "depths": [1, 1], "num_attention_heads": [2, 2], "num_hidden_layers": 2, "patch_embeds_hidden_size": 8,
        "hidden_size": 16, "enable_fusion": fusion,
    }  # fmt: skip
    if fusion:
        audio |= {"fusion_type": "aff_2d", "aff_block_r": 2}
    save(tf.ClapModel(tf.ClapConfig(text_config=text, audio_config=audio, projection_dim=8)), folder)
    tf.ClapFeatureExtractor(
        feature_size=16, sampling_rate=16_000, hop_length=1_280, max_length_s=8, frequency_max=7_000,
        truncation="fusion" if fusion else "rand_trunc",
    ).save_pretrained(folder)  # fmt: skip
    tokenizer(folder)


def clap(folder: Path) -> None:
    _clap(folder, fusion=False)


def clap_fusion(folder: Path) -> None:
    _clap(folder, fusion=True)


_SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
}


def siglip(folder: Path) -> None:
    text = _TEXT | {"max_position_embeddings": 12, "projection_size": 16}
    save(tf.SiglipModel(tf.SiglipConfig(text_config=text, vision_config=_VISION)), folder)
    tf.SiglipImageProcessorPil(size={"height": 32, "width": 32}).save_pretrained(folder)
    tokenizer(folder)


def dinov3(folder: Path) -> None:
    save(tf.DINOv3ViTModel(tf.DINOv3ViTConfig(**_SMALL, image_size=32, patch_size=8, num_register_tokens=2)), folder)
    # The library's processor needs torchvision; this is what it would save.
    values = {"size": {"height": 32, "width": 32}, "image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3]}
    processor(folder, "preprocessor_config.json", "DINOv3ViTImageProcessor", **values)


def processor(folder: Path, file: str, kind: str, **values: Any) -> None:
    shared = {"do_resize": True, "do_rescale": True, "do_normalize": True, "resample": 2, "rescale_factor": 1 / 255}
    (folder / file).write_text(
        json.dumps({f"{'video' if 'video' in file else 'image'}_processor_type": kind} | shared | values)
    )


def videomae(folder: Path) -> None:
    sizes = {"image_size": 32, "patch_size": 8, "num_frames": 8, "tubelet_size": 2}
    save(tf.VideoMAEModel(tf.VideoMAEConfig(**_SMALL, **sizes)), folder)
    tf.VideoMAEImageProcessorPil(size={"shortest_edge": 36}, crop_size={"height": 32, "width": 32}).save_pretrained(
        folder
    )


def vjepa2(folder: Path) -> None:
    sizes = {"crop_size": 28, "frames_per_clip": 8, "patch_size": 7, "tubelet_size": 2, "hidden_size": 24}
    layers = {"num_attention_heads": 2, "num_hidden_layers": 2, "mlp_ratio": 2}
    predictor = {"pred_hidden_size": 24, "pred_num_attention_heads": 2, "pred_num_hidden_layers": 1}
    save(tf.VJEPA2Model(tf.VJEPA2Config(**sizes, **layers, **predictor)), folder)
    values = {"size": {"shortest_edge": 292}, "crop_size": 28, "do_center_crop": True}
    means = {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.2, 0.25, 0.3]}
    processor(folder, "video_preprocessor_config.json", "VJEPA2VideoProcessor", **values, **means)


def ast(folder: Path) -> None:
    sizes = {"patch_size": 4, "frequency_stride": 4, "time_stride": 4, "max_length": 320, "num_mel_bins": 16}
    save(tf.ASTForAudioClassification(tf.ASTConfig(**_SMALL, **sizes, num_labels=3)), folder)
    tf.ASTFeatureExtractor(num_mel_bins=16, max_length=320).save_pretrained(folder)


def hubert(folder: Path) -> None:
    convolutions = {"conv_dim": [8, 8], "conv_kernel": [10, 8], "conv_stride": [10, 8]}
    around = {"num_conv_pos_embeddings": 8, "num_conv_pos_embedding_groups": 2}
    save(tf.HubertModel(tf.HubertConfig(**_SMALL, **convolutions, **around)), folder)
    tf.Wav2Vec2FeatureExtractor(sampling_rate=24_000, do_normalize=True).save_pretrained(folder)


def mert(folder: Path) -> None:
    """As MERT-v1-95M states itself: HuBERT with a type, code and names of weights of its own."""
    hubert(folder)
    stated = json.loads((folder / "config.json").read_text()) | {
        "model_type": "mert_model",
        "architectures": ["MERTModel"],
        "auto_map": {"AutoConfig": "configuration_MERT.MERTConfig", "AutoModel": "modeling_MERT.MERTModel"},
        "feature_extractor_cqt": False,
        "deepnorm": False,
        "attention_relax": -1.0,
    }
    (folder / "config.json").write_text(json.dumps(stated))
    old = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    tensors = load_file(folder / "model.safetensors")
    for name in list(tensors):
        for new, before in old.items():
            if name.endswith(new):
                tensors[name.replace(new, before)] = tensors.pop(name)
    assert any(name.endswith("weight_g") for name in tensors)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})


_MODERNBERT = _TEXT | {"model_type": "modernbert", "cls_token_id": 1, "sep_token_id": 2, "max_position_embeddings": 16}
_DAC = {"downsampling_ratios": [4, 10], "encoder_hidden_size": 4, "codebook_dim": 8, "hidden_size": 16}
_PE = _SMALL | {"head_dim": 8}


def _pe_audio(folder: Path, name: str) -> None:
    config = tf.PeAudioConfig(text_config=_MODERNBERT, audio_config=_PE | {"dac_config": _DAC})
    save(getattr(tf, name)(config), folder)
    tf.PeAudioFeatureExtractor(sampling_rate=16_000, hop_length=40).save_pretrained(folder)
    tokenizer(folder)


def pe_audio(folder: Path) -> None:
    _pe_audio(folder, "PeAudioModel")


def pe_audio_frame(folder: Path) -> None:
    _pe_audio(folder, "PeAudioFrameLevelModel")


GEMMA_TOKENS = ("<|image>", "<image|>", "<|audio>", "<audio|>", "<|image|>", "<|audio|>", "<|video|>")


def gemma(folder: Path) -> None:
    first = len(WORDS)
    text = _TEXT | {
        "vocab_size": first + len(GEMMA_TOKENS), "num_key_value_heads": 1, "head_dim": 8, "global_head_dim": 8,
        "num_global_key_value_heads": 1, "hidden_size_per_layer_input": 8, "embedding_dim": 12, "sliding_window": 8,
        "max_position_embeddings": 512,
    }  # fmt: skip
    vision = _SMALL | {"num_key_value_heads": 2, "head_dim": 8, "patch_size": 4, "position_embedding_size": 64}
    audio = {
        "hidden_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2, "subsampling_conv_channels": [128, 4],
        "output_proj_dims": 16, "use_clipped_linears": False,
    }  # fmt: skip
    names = (
        "boi_token_id",
        "eoi_token_id",
        "boa_token_id",
        "eoa_token_index",
        "image_token_id",
        "audio_token_id",
        "video_token_id",
    )
    ids = {name: first + place for place, name in enumerate(names)}
    config = tf.EmbeddingGemma2Config(
        text_config=text,
        vision_config=vision | {"model_type": "gemma4_vision"},
        audio_config=audio | {"model_type": "gemma4_audio"},
        **ids,
    )
    save(tf.EmbeddingGemma2Model(config), folder)
    extractor = tf.Gemma4AudioFeatureExtractor(feature_size=128).to_dict()
    values = {"patch_size": 4, "max_soft_tokens": 70, "pooling_kernel_size": 3, "resample": 3, "add_timestamps": False}
    joined = {
        "feature_extractor": extractor,
        "video_processor": values | {"do_rescale": True, "rescale_factor": 1 / 255},
    }
    (folder / "processor_config.json").write_text(json.dumps(joined, default=lambda one: one.tolist()))
    tokenizer(folder, *GEMMA_TOKENS)


MAKERS: dict[str, Callable[[Path], None]] = {
    made.__name__: made
    for made in (
        clip, siglip, dinov3, videomae, vjepa2, clap, clap_fusion, ast, hubert, mert, pe_audio, pe_audio_frame, gemma
    )
}  # fmt: skip
