"""The object that people hold: train it on paired features, embed with it, save it, load it."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from antiphon.backbones import AudioBackbone, VideoBackbone
from antiphon.backbones.inference import resolve_device
from antiphon.cores import limited_threads
from antiphon.embeddings import MODALITIES, Modality
from antiphon.encoding import MediaEncoder, Per, refuse_weight
from antiphon.errors import ModelError
from antiphon.features.features import Features
from antiphon.features.single import (
    loaded_backbone,
)
from antiphon.features.unseen import unseen
from antiphon.metrics.similarity import cosine_similarity
from antiphon.model.fitted_heads import FittedHeads, SideRows
from antiphon.model.predicted_labels import with_labels
from antiphon.model.published_checkpoint import AUDIO_NAME, VIDEO_NAME, Published, read_published
from antiphon.model.recipe import Recipe, load_recipe
from antiphon.model.towers import Towers
from antiphon.presentation.tables import facts_html, facts_text, notebook_html
from antiphon.runs import AgainstCCA, Epoch, fingerprint
from antiphon.saved_model import SEEN, SavedModel, read_model, write_model
from antiphon.segments.sampling import SamplingConfig
from antiphon.training.autoencoder import Reconstruction
from antiphon.training.closed_forms import Choices, closed_form_alone
from antiphon.training.data import inputs_fingerprint, refuse_shared_videos
from antiphon.training.epochs import Progress
from antiphon.training.fine_tuning import TuningConfig, TuningProgress
from antiphon.training.loop import train
from antiphon.training.progress_bar import epoch_progress
from antiphon.training.tuned_backbones import TunedBackbones, tune_backbones
from antiphon.training.windows import kept_rows, tuning_inputs
from antiphon.workspace import Workspace

FloatArray = npt.NDArray[np.float32]

_SET_ASIDE = (0.9, 0.1, 0.0)


class DualEncoder(MediaEncoder):
    """Two heads that project sound and pictures into one space.

    Parameters
    ----------
    recipe : a recipe, its name ("antiphon-base", "paper-base", …), or a path to a TOML file.
    seed : of the first weights, dropout and batches: the same seed gives the same numbers on the same machine.
    device : "auto" takes a GPU where there is one.

    Attributes
    ----------
    history : the training's epochs, once fitted.
    reconstruction : the epochs of the autoencoders that the heads started from, where the recipe has them.
    against_cca : how its held-out ranks compare with those of tuned canonical correlations, which embed in place of its
        heads where these are not ahead (`falls_back`). None where that was not compared: see `fit`.
    audio_name, video_name : backbones of the features it was fitted on.
    published : where its weights were read from, if others trained and published them. Such a model embeds no features
        but those called `audio_name` and `video_name`, not even nameless ones.
    tuned : its backbones, where they were tuned with it.
    sampling : where the segments of the tracks that it was fitted on lie; files are encoded alike. The paper's six
        sections, where that is not known.

    Examples
    --------
    >>> sound = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)
    >>> features = Features.from_arrays(audio=sound, video=sound[:, ::-1])
    >>> model = DualEncoder(seed=1).fit(features)
    >>> audio, video = model.embed(features)
    >>> audio.shape == video.shape == (64, model.dim)
    True
    """

    def __init__(self, recipe: str | Path | Recipe = "antiphon-base", seed: int = 0, device: str = "auto") -> None:
        self.recipe = recipe if isinstance(recipe, Recipe) else load_recipe(recipe)
        self.seed = seed
        self.device = resolve_device(device)
        self.history: list[Epoch] = []
        self.reconstruction: list[Reconstruction] = []
        self.against_cca: AgainstCCA | None = None
        self.audio_name = ""
        self.video_name = ""
        self.published: Published | None = None
        self.tuned: TunedBackbones | None = None
        self.sampling = SamplingConfig()
        self._towers: Towers | None = None
        self._dims = (0, 0)
        self._seen = (np.array([], dtype=np.str_), np.array([], dtype=np.str_))
        self._inputs: dict[str, Any] = {}

    def fit(
        self,
        features: Features,
        validation: Features | None = None,
        progress: Progress | None = None,
        *,
        keep_flagged: bool = False,
        verbose: bool | None = None,
        choices: Choices | None = None,
        pretraining: Features | None = None,
        falls_back: bool | None = None,
    ) -> Self:
        """Train on the paired rows of `features`, and keep the epoch that does best on `validation`.

        A recipe with a closed form and no track model is compared with tuned canonical correlations on held-out pairs,
        from 100 videos on. Where it is not ahead, these embed in its place.

        Rows with flags (silence, black pictures, what a decoder made up; see `Features.flags`) are left out.

        Parameters
        ----------
        validation : features of other videos. Default: where `features` has splits, training and validation are taken
            from them; otherwise about a tenth of its videos is set aside.
        progress : called with each epoch, in place of a progress bar.
        keep_flagged : bool, default False
            Train on rows with flags too.
        verbose : bool, optional
            Show a progress bar on stderr. Default: where stderr is a terminal, or in a notebook.
        choices : shared by trainings on the same features with other seeds, so that what does not depend on the seed is
            computed once.
        pretraining : other pairs of the same backbones, labelled or not. The heads are trained on these and `features`
            together first, and then on `features` alone. Videos that `features` and `validation` have too are left out,
            and those by artists or with vectors of held-out ones: of validation, and of test where `features` has
            splits. Leave out test videos that are in neither yourself.
        falls_back : bool, optional
            Whether tuned canonical correlations embed in place of the heads. Default: held-out pairs decide, which
            takes up to three more trainings with fewer than 300 validation videos.

        Raises
        ------
        ModelError
            There are too few videos, both share a video, `validation` or `pretraining` has features of another size or
            backbone, or a recipe with a track model is to be pretrained.
        """
        whole = features
        if validation is None:
            parts = features if (features.splits != "").any() else features.split(_SET_ASIDE, seed=self.seed)
            features, validation = parts["train"], parts["validation"]
        others = None if pretraining is None else _others(pretraining, whole, validation)
        if keep_flagged:
            features, validation = features.without_flags(), validation.without_flags()
        pairs, held_out = features.training_pairs, validation.training_pairs
        refuse_shared_videos(pairs.groups, held_out.groups)
        self._dims = (pairs.audio.shape[1], pairs.video.shape[1])
        self.audio_name, self.video_name = features.audio_name, features.video_name
        self.sampling = features.sampling or SamplingConfig()
        if len(held_out) and (held_out.audio.shape[1], held_out.video.shape[1]) != self._dims:
            raise ModelError("The validation features have another size than those to train on; extract both alike.")
        with limited_threads(), epoch_progress(self.recipe.name, progress, verbose) as report:
            trained = train(
                self.recipe,
                pairs,
                held_out,
                seed=self.seed,
                device=self.device,
                progress=report,
                choices=choices,
                pretraining=others,
                falls_back=falls_back,
            )
        self._towers, self.history, self.reconstruction = trained.towers, trained.history, trained.reconstruction
        self.against_cca = trained.against_cca
        self.published = self.tuned = None
        self._seen = (np.unique(pairs.groups), np.unique(held_out.groups))
        self._inputs = {
            "pairs": len(pairs),
            "videos": len(np.unique(pairs.groups)),
            "validation_pairs": len(held_out),
            "sha256": inputs_fingerprint(pairs, held_out, self.recipe, others),
        }
        if others is not None:
            self._seen = (np.union1d(self._seen[0], others.groups), self._seen[1])
            self._inputs |= {"pretraining_pairs": len(others), "pretraining_videos": len(np.unique(others.groups))}
        return self

    def closed_form_alone(self, features: Features) -> "DualEncoder | None":
        """Another model: this one's closed form fitted to other pairs, with default ridges, and heads without weight.

        Returns
        -------
        None where the recipe has no closed form, or there are fewer than 10 videos.
        """
        pairs = features.training_pairs
        towers = closed_form_alone(self.recipe, self._fitted(), pairs, self.seed)
        if towers is None:
            return None
        model = copy.copy(self)
        model._towers, model.history, model.reconstruction, model.against_cca = towers, [], [], None
        model._seen = (np.unique(pairs.groups), np.array([], dtype=np.str_))
        return model

    def similarity(self, a: npt.ArrayLike, b: npt.ArrayLike) -> FloatArray:
        """Return the (n, m) float32 cosines of (n, dim) embeddings with (m, dim) others, of either side.

        Raises
        ------
        ValueError
            An argument that is not a matrix of numbers, or rows of different sizes.
        """
        return cosine_similarity(a, b)

    def __repr__(self) -> str:
        return facts_text(*self._facts())

    def _repr_html_(self) -> str:
        return notebook_html(facts_html(*self._facts()))

    def _facts(self) -> tuple[str, dict[str, str]]:
        """Return a title and what there is to know of the model, for people."""
        if self._towers is None:
            return f"DualEncoder {self.recipe.name}", {"state": "not fitted", "seed": str(self.seed)}
        names = (self.audio_name, self.video_name)
        sides = [
            f"{name or 'features without a name'}, {dim:,} values" for name, dim in zip(names, self._dims, strict=True)
        ]
        state = "published weights" if self.published else f"fitted, {len(self.history)} epochs, seed {self.seed}"
        tuned = {"backbones": "tuned with the heads"} if self.tuned else {}
        if self.falls_back:
            state += "; canonical correlations in place of its heads"
        facts = {"audio": sides[0], "video": sides[1], "embeddings": f"{self.dim:,} values", "state": state}
        return f"DualEncoder {self.recipe.name}", facts | tuned

    def fine_tune(
        self,
        workspace: str | Path,
        config: TuningConfig | None = None,
        progress: Callable[[TuningProgress], None] | None = None,
    ) -> "DualEncoder":
        """Another model: the last blocks of this one's backbones tuned with its heads, on a workspace's kept segments.

        It encodes files with the tuned backbones, and embeds features of these alone. The recipe's closed form is
        fitted anew on them.

        Parameters
        ----------
        workspace : where `antiphon.extract(…, keep_segments=True)` has kept the segments.
        config : how; the seed is the model's.
        progress : called after every batch.

        Raises
        ------
        ModelError
            The model was not trained on features of untuned backbones, or has a track model; there are too few kept
            segments; or the model was trained on a video of the validation split.
        ConfigError
            A backbone gives no gradients, or has fewer blocks.
        """
        towers, rows = self._fitted(), kept_rows(Workspace(Path(workspace)))
        if self.tuned is not None or not (self.audio_name and self.video_name):
            raise ModelError("Fine-tuning starts from a model that was trained on features of untuned backbones.")
        held_out = np.array([row.video_id for row in rows["validation"]], dtype=np.str_)
        remedy = "Bring back the splits that the model was trained with, or train it again with these."
        refuse_shared_videos(self._seen[0], held_out, remedy)
        found, backbones = tune_backbones(
            (self.recipe, towers),
            (self.audio_name, self.video_name),
            rows,
            config or TuningConfig(),
            seed=self.seed,
            device=str(self.device),
            progress=progress,
        )
        model = copy.copy(self)
        model._towers, model.history, model.reconstruction, model.tuned = found.towers, found.history, [], backbones
        model.against_cca = None
        model.audio_name, model.video_name = (network.name for network in backbones.both(str(self.device)))
        model._inputs = tuning_inputs(
            {split: [row for row in of if row.segment_id not in found.damaged] for split, of in rows.items()}
        )
        model._seen = tuple(
            np.union1d(seen, [row.video_id for row in rows[split]])
            for split, seen in zip(SEEN, self._seen, strict=True)
        )
        return model

    def embed(
        self, features: Features, per: Per = "segment", label_weight: float = 0.0
    ) -> tuple[FloatArray, FloatArray]:
        """Embeddings of sound and of pictures.

        Parameters
        ----------
        per : a "segment" is a row of `features`. A "track" is a video, in the sorted order of the unique groups; where
            the recipe has no track model, its embedding is the normalised mean of its segments'.
        label_weight : from 0 to 1. Above 0 each row is longer, by what tells the labels that are predicted from it, and
            a dot product is (1 − label_weight) of what it is at 0 plus label_weight of the cosine of predicted labels:
            answers then look like the query in kind, such as concerts for a concert. Both sides must have one weight.

        Returns
        -------
        Two (n, dim) float32 arrays of unit rows, row i of one paired with row i of the other; a row of NaN where
        `features` has no sound (no pictures). The last `correction_dim` values correct scores of sound with pictures
        for hubness; to compare sound with sound, leave them out (`antiphon.embeddings.within_side`).

        Raises
        ------
        ModelError
            The model is not fitted, the features are of another backbone or size, or `label_weight` is out of range, or
            above 0 for a model that predicts no labels.
        """
        refuse_weight(label_weight)
        audio, video = self._both(features, per)
        if not label_weight:
            return audio, video
        sound, pictures = self._both(features, per, labels=True)
        extra = self.correction_dim
        return with_labels(audio, sound, label_weight, extra), with_labels(video, pictures, label_weight, extra)

    def curves(self, features: Features) -> tuple[FloatArray, FloatArray] | None:
        """Curves of sound and of pictures at each segment, by which moments of a track are found.

        Parameters
        ----------
        features : rows that have both sides.

        Returns
        -------
        Two (n, curves) float32 arrays, without the mean over each track; the dot product of two rows says how well
        these moments go together. None where the recipe has no time course.

        Raises
        ------
        ModelError
            The model is not fitted, or the features are of another backbone or size.
        """
        heads, times = self._heads(), (features.groups, features.starts_s)
        audio = heads.curves(SideRows.whole("audio", features.audio, features.audio_name), *times)
        video = heads.curves(SideRows.whole("video", features.video, features.video_name), *times)
        return None if audio is None or video is None else (audio, video)

    def _both(self, features: Features, per: Per, labels: bool = False) -> tuple[FloatArray, FloatArray]:
        """Embeddings of sound and of pictures, or the labels predicted from them."""
        audio = SideRows("audio", features.audio, features.has_audio, features.audio_name)
        video = SideRows("video", features.video, features.has_video, features.video_name)
        heads = self._heads()
        if per == "segment":
            return heads.embed(audio, labels), heads.embed(video, labels)
        times = (features.groups, features.starts_s, labels)
        return heads.embed_tracks(audio, *times), heads.embed_tracks(video, *times)

    def _backbone(self, side: Modality) -> AudioBackbone | VideoBackbone:
        name = self._feature_name(side)
        if not name:
            raise ModelError(f"This model was trained on {side} features without a backbone; use embed(features).")
        if self.tuned is not None:
            return self.tuned.backbone(side, str(self.device))
        return loaded_backbone(name, str(self.device))

    def _feature_name(self, side: Modality) -> str:
        return self.audio_name if side == "audio" else self.video_name

    @classmethod
    def from_published(
        cls, path: str | Path, *, audio_name: str = AUDIO_NAME, video_name: str = VIDEO_NAME, device: str = "auto"
    ) -> Self:
        """Read a checkpoint that Veldkamp et al. (2023) published, such as `Single_proj_head.tar`.

        Parameters
        ----------
        path : the file. Nothing in it is run, and only its tensors are used.
        audio_name, video_name : of the features to embed. Default: those it was trained on. Features of other networks
            are refused even where they have the same size, because their values mean something else; who wants to
            measure the model on them says so by naming them here ("" for features without a name).

        Raises
        ------
        ModelError
            The file is missing, damaged, holds more than tensors and plain values, or does not hold such heads.
        """
        recipe, towers, dims, published = read_published(Path(path))
        model = cls(recipe, device=device)
        model._towers, model._dims, model.published = towers.to(model.device), dims, published
        model.audio_name, model.video_name = audio_name, video_name
        return model

    def save(self, folder: str | Path) -> None:
        """Write `run.toml`, `model.safetensors`, `history.parquet` and `videos.parquet` to `folder`.

        Heads that started from autoencoders also leave `autoencoders.parquet`, tuned backbones `tuned.safetensors`.
        What was measured of an earlier model in `folder` is removed. `run.toml` comes last: a run that has it is whole.
        """
        names: dict[Modality, str] = {"audio": self.audio_name, "video": self.video_name}
        saved = SavedModel(
            recipe=self.recipe,
            seed=self.seed,
            towers=self._fitted(),
            names=names,
            dims=self._dims_by_side(),
            sampling=self.sampling,
            inputs=self._inputs,
            seen=self._seen,
            history=self.history,
            reconstruction=self.reconstruction,
            against_cca=self.against_cca,
            published=self.published,
            tuned=self.tuned,
        )
        write_model(saved, self.fingerprint, Path(folder))

    @classmethod
    def load(cls, folder: str | Path, device: str = "auto") -> Self:
        """Read what `save` wrote.

        Raises
        ------
        ModelError
            There is no model in `folder`, or it is damaged or of another version.
        """
        saved = read_model(Path(folder), resolve_device(device))
        model = cls(saved.recipe, saved.seed, device)
        model.audio_name, model.video_name = saved.names["audio"], saved.names["video"]
        model._dims = (saved.dims["audio"], saved.dims["video"])
        model.sampling, model.published, model.tuned = saved.sampling, saved.published, saved.tuned
        model.history, model.reconstruction = saved.history, saved.reconstruction
        model.against_cca = saved.against_cca
        model._towers, model._seen, model._inputs = saved.towers, saved.seen, saved.inputs
        return model

    @property
    def falls_back(self) -> bool:
        """Whether its heads were not ahead of tuned canonical correlations, which embed in place of them."""
        return self.against_cca is not None and self.against_cca.falls_back

    @property
    def dim(self) -> int:
        """Size of the embeddings.

        Raises
        ------
        ModelError
            The model is not fitted.
        """
        return self._fitted().embedding_dim

    @property
    def correction_dim(self) -> int:
        """Number of values at the end of an embedding that correct scores of sound with pictures; 0 for none.

        Raises
        ------
        ModelError
            The model is not fitted.
        """
        return self._fitted().correction_dim

    @property
    def towers(self) -> Towers:
        """Both heads, as modules of torch.

        Raises
        ------
        ModelError
            The model is not fitted.
        """
        return self._fitted()

    @property
    def feature_dims(self) -> dict[Modality, int]:
        """Size of the features of each side that it takes."""
        return self._dims_by_side()

    @property
    def training_counts(self) -> dict[str, int]:
        """How many videos and pairs it was trained on, where that is known: `videos`, `pairs`, `validation_pairs`."""
        return {name: value for name, value in self._inputs.items() if isinstance(value, int)}

    @property
    def fingerprint(self) -> str:
        """SHA-256 (hex) of what the embeddings depend on beside the features: the weights and the recipe.

        Raises
        ------
        ModelError
            The model is not fitted.
        """
        weights = self._fitted().state_dict()
        names = (self.recipe.hashed, self.audio_name, self.video_name, *weights)
        return fingerprint(np.array(names), *(tensor.detach().cpu().numpy() for tensor in weights.values()))

    def trained_on(self, features: Features) -> npt.NDArray[np.bool_]:
        """(n,) whether the row is of a video that training or early stopping has seen.

        Raises
        ------
        ModelError
            The model is a published one: its training videos are not known.
        """
        if self.published is not None:
            raise ModelError(f"Which videos {self.published.file} was trained on is not published.")
        return np.isin(features.groups, np.concatenate(self._seen))

    def without_videos(self) -> "DualEncoder":
        """Another model: this one without the ids of the videos that it was trained on, to give to others.

        Whether a video that it is evaluated on was among these can then not be told.
        """
        self._fitted()
        model, nobody = copy.copy(self), np.array([], dtype=np.str_)
        model._seen = (nobody, nobody)
        return model

    def seen_videos(self, features: Features) -> int | None:
        """How many videos of `features` training or early stopping has seen; None for a published model: not known."""
        if self.published is not None:
            return None
        return len(np.unique(features.groups[self.trained_on(features)]))

    def _fitted(self) -> Towers:
        if self._towers is None:
            raise ModelError(
                "This model is not trained yet. Call fit(train, validation=…) or DualEncoder.load(folder)."
            )
        return self._towers

    def _heads(self) -> FittedHeads:
        names: dict[Modality, str] = {"audio": self.audio_name, "video": self.video_name}
        published = self.published is not None
        return FittedHeads(self._fitted(), self.recipe, names, self._dims_by_side(), published, self.device)

    def _dims_by_side(self) -> dict[Modality, int]:
        return {"audio": self._dims[0], "video": self._dims[1]}


def _others(pretraining: Features, features: Features, validation: Features) -> Features:
    """Return the pairs of other videos to pretrain on."""
    for side in MODALITIES:
        name, size = getattr(pretraining, f"{side}_name"), getattr(pretraining, side).shape[1]
        if (name, size) != (getattr(features, f"{side}_name"), getattr(features, side).shape[1]):
            raise ModelError(
                f"The {side} features to pretrain on are of another backbone or size ({name or 'unnamed'}, {size} "
                "values) than those to train on. Extract both alike."
            )
    tested = features.take(features.splits == "test")
    return unseen(pretraining, [features, validation], [validation, tested]).features.training_pairs
