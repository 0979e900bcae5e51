"""Models of sound and text, and of pictures and text, against the library's own processors and forward passes."""

import numpy as np
import pytest
import torch
import transformers as tf

from antiphon import backbones
from antiphon.errors import ConfigError

from .comparing import TEXTS, AudioOf, VideoOf, close, pictures, sounds, unit
from .conftest import Tiny


@pytest.mark.parametrize("size", [(40, 40), (50, 71), (90, 44)])
def test_clip_is_that_of_the_library(size: tuple[int, int], tiny: Tiny, video_of: VideoOf) -> None:
    frames = pictures(*size)
    model = tf.CLIPModel.from_pretrained(tiny("clip"))
    processor = tf.CLIPImageProcessorPil.from_pretrained(tiny("clip"))
    inputs = processor(list(frames.reshape(-1, *size, 3)), return_tensors="pt")
    with torch.inference_mode():
        each = model(**inputs, input_ids=torch.tensor([[1, 4, 2]])).image_embeds.reshape(2, 3, -1)
    backbone = video_of("clip")
    close(backbone(frames), unit(each.mean(1)))
    assert (backbone.dim, backbone.layout.size_px, backbone.layout.crop) == (8, 40, "centre")


def test_clip_words_lie_where_the_library_puts_them(tiny: Tiny, video_of: VideoOf) -> None:
    model, words = tf.CLIPModel.from_pretrained(tiny("clip")), tf.AutoTokenizer.from_pretrained(tiny("clip"))
    with torch.inference_mode():
        told = [model.get_text_features(**words(text, return_tensors="pt")).pooler_output for text in TEXTS]
    text_side = video_of("clip").text_side
    assert text_side is not None
    close(text_side.embed_text(TEXTS), unit(torch.cat(told)))
    assert text_side.embed_text([]).shape == (0, 8)
    assert np.array_equal(text_side.embed_text(TEXTS)[1:2], text_side.embed_text(TEXTS[1:2]))


@pytest.mark.parametrize("name", ["clap", "clap_fusion"])
@pytest.mark.parametrize("seconds", [3.0, 8.0, 0.7])
def test_clap_is_that_of_the_library(name: str, seconds: float, tiny: Tiny, audio_of: AudioOf) -> None:
    waveforms = sounds(16_000, seconds)
    model = tf.ClapModel.from_pretrained(tiny(name))
    extractor = tf.ClapFeatureExtractor.from_pretrained(tiny(name))
    with torch.inference_mode():
        each = [
            model.get_audio_features(**extractor(one, sampling_rate=16_000, return_tensors="pt")).pooler_output
            for one in waveforms
        ]
    backbone = audio_of(name)
    close(backbone(waveforms, 16_000), torch.cat(each).numpy())
    assert (backbone.dim, backbone.rate_hz) == (8, 16_000)
    lengths = np.linalg.norm(backbone(waveforms, 16_000), axis=1)
    assert lengths.any() and np.allclose(lengths[lengths > 0], 1)  # A projection may end in zeros alone.


def test_clap_words_lie_where_the_library_puts_them(tiny: Tiny, audio_of: AudioOf) -> None:
    model, words = tf.ClapModel.from_pretrained(tiny("clap")), tf.AutoTokenizer.from_pretrained(tiny("clap"))
    with torch.inference_mode():
        inputs = [words(text, return_tensors="pt", return_token_type_ids=False) for text in TEXTS]
        told = [model.get_text_features(**one).pooler_output for one in inputs]
    text_side = audio_of("clap").text_side
    assert text_side is not None
    close(text_side.embed_text(TEXTS), torch.cat(told).numpy())


@pytest.mark.parametrize("size", [(32, 32), (50, 71)])
def test_siglip_is_that_of_the_library(size: tuple[int, int], tiny: Tiny, video_of: VideoOf) -> None:
    frames = pictures(*size)
    model = tf.SiglipModel.from_pretrained(tiny("siglip"))
    processor = tf.SiglipImageProcessorPil.from_pretrained(tiny("siglip"))
    words = tf.AutoTokenizer.from_pretrained(tiny("siglip"))
    inputs = processor(list(frames.reshape(-1, *size, 3)), return_tensors="pt")
    ids = words(TEXTS, padding="max_length", max_length=12, return_tensors="pt")["input_ids"]
    with torch.inference_mode():
        told = model(**inputs, input_ids=ids)
    backbone = video_of("siglip")
    close(backbone(frames), unit(told.image_embeds.reshape(2, 3, -1).mean(1)))
    assert backbone.text_side is not None
    close(backbone.text_side.embed_text(TEXTS), told.text_embeds.numpy())
    assert (backbone.dim, backbone.layout.size_px, backbone.layout.crop) == (16, 32, "whole")


@pytest.mark.parametrize("samples", [8_000, 7_990])
def test_pe_audio_is_that_of_the_library(samples: int, tiny: Tiny, audio_of: AudioOf) -> None:
    waveforms = sounds(16_000, samples / 16_000)
    model = tf.PeAudioModel.from_pretrained(tiny("pe_audio"))
    extractor = tf.PeAudioFeatureExtractor.from_pretrained(tiny("pe_audio"))
    words = tf.AutoTokenizer.from_pretrained(tiny("pe_audio"))
    inputs = extractor(list(waveforms), sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        told = [model(**inputs, **words(text, return_tensors="pt", return_token_type_ids=False)) for text in TEXTS]
    backbone = audio_of("pe_audio")
    close(backbone(waveforms, 16_000), told[0].audio_embeds.numpy())
    assert backbone.text_side is not None
    close(backbone.text_side.embed_text(TEXTS), torch.cat([one.text_audio_embeds for one in told]).numpy())
    # The dot product is the model's own score.
    scores = backbone(waveforms, 16_000) @ backbone.text_side.embed_text(TEXTS[:1]).T
    scale, bias = model.text_audio_logit_scale.item(), model.text_audio_logit_bias.item()
    close(scores * scale + bias, told[0].logits_audio_text.numpy())


def test_pe_audio_frame_is_the_mean_of_the_library_s_steps(tiny: Tiny, audio_of: AudioOf) -> None:
    waveforms = sounds(16_000, 0.5)
    model = tf.PeAudioFrameLevelModel.from_pretrained(tiny("pe_audio_frame"))
    extractor = tf.PeAudioFeatureExtractor.from_pretrained(tiny("pe_audio_frame"))
    inputs = extractor(list(waveforms), sampling_rate=16_000, return_tensors="pt")
    with torch.inference_mode():
        steps = model(**inputs, input_ids=torch.tensor([[1, 4, 2]]), attention_mask=torch.ones(1, 3)).audio_embeds
    close(audio_of("pe_audio_frame")(waveforms, 16_000), steps.mean(1).numpy())


def test_embeddinggemma_hears_as_the_library_does(tiny: Tiny, audio_of: AudioOf) -> None:
    waveforms = sounds(16_000, 15_500 / 16_000)  # Filled up so that the last step of the extractor is masked.
    model = tf.EmbeddingGemma2Model.from_pretrained(tiny("gemma"))
    words = tf.AutoTokenizer.from_pretrained(tiny("gemma"))
    inputs = tf.Gemma4AudioFeatureExtractor()(list(waveforms), sampling_rate=16_000, return_tensors="pt")
    count = tf.EmbeddingGemma2Processor.compute_sscp(inputs["input_features_mask"][0].numpy())
    ids = words(["<|audio>" + "<|audio|>" * count + "<audio|>"] * 3, return_tensors="pt", return_token_type_ids=False)
    assert 20 < count < -(-inputs["input_features_mask"].shape[1] // 4) and ids["input_ids"].shape == (3, count + 4)
    with torch.inference_mode():
        told = model(**ids, **inputs).last_hidden_state.mean(1)
    close(audio_of("gemma")(waveforms, 16_000), unit(told))


def test_embeddinggemma_sees_as_the_library_does(tiny: Tiny, video_of: VideoOf) -> None:
    backbone = video_of("gemma")
    side = backbone.layout.size_px
    assert (side, backbone.layout.every) == (96, 10)  # 24 × 24 of at most 630 patches of 4 × 4 pixels
    frames = pictures(side, side)
    model = tf.EmbeddingGemma2Model.from_pretrained(tiny("gemma"))
    words = tf.AutoTokenizer.from_pretrained(tiny("gemma"))
    # What the library's processor, which needs torchvision, makes of square frames: patches row by row.
    patches = np.zeros((6, 630, 48), np.float32)
    places = np.full((6, 630, 2), -1)
    for number, frame in enumerate(frames.reshape(-1, side, side, 3)):
        for place in range(576):
            row, column = divmod(place, 24)
            square = frame[4 * row : 4 * row + 4, 4 * column : 4 * column + 4]
            patches[number, place], places[number, place] = square.reshape(-1) / 255, (column, row)
    text = ("<|image>" + "<|video|>" * 64 + "<image|>") * 3
    ids = words([text] * 2, return_tensors="pt", return_token_type_ids=False)
    with torch.inference_mode():
        told = model(
            **ids,
            pixel_values_videos=torch.from_numpy(patches),
            video_position_ids=torch.from_numpy(places),
            num_frames_per_video=torch.tensor([3, 3]),
        ).last_hidden_state.mean(1)
    close(backbone(frames), unit(told))


def test_embeddinggemma_reads_as_the_library_does(tiny: Tiny, video_of: VideoOf) -> None:
    model = tf.EmbeddingGemma2Model.from_pretrained(tiny("gemma"))
    words = tf.AutoTokenizer.from_pretrained(tiny("gemma"))
    with torch.inference_mode():
        told = [model(**words(text, return_tensors="pt", return_token_type_ids=False)) for text in TEXTS]
    text_side = video_of("gemma").text_side
    assert text_side is not None
    close(text_side.embed_text(TEXTS), unit(torch.cat([one.last_hidden_state.mean(1) for one in told])))


def test_a_model_of_both_says_which_side_is_meant(tiny: Tiny) -> None:
    name = f"hub:{tiny('gemma')}"
    assert backbones.resolved(name, "video") == f"{name}#video"
    with pytest.raises(ConfigError, match="takes sound and pictures. Say which"):
        backbones.load(name)
    with pytest.raises(ConfigError, match="is no audio backbone"):
        backbones.resolved(f"{name}#video", "audio")
    with pytest.raises(ConfigError, match="is no audio backbone. CLIP takes video"):
        backbones.resolved(f"hub:{tiny('clip')}", "audio")
    sound, seen = (backbones.load(f"{name}#{side}", device="cpu") for side in ("audio", "video"))
    assert sound.model is seen.model  # type: ignore[attr-defined]
