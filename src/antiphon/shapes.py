"""What the records of a run must look like, so that a damaged or foreign one is refused where it is read.

Only what is read of them is named here; further keys are allowed. Types are compared strictly.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

MAX_DIM = 1 << 20
"""Largest size of a feature or an embedding."""
_MAX_FAULTS = 3

Count = Annotated[int, Field(ge=0, le=10**12)]
Dim = Annotated[int, Field(ge=1, le=MAX_DIM)]
Number = Annotated[float, Field(allow_inf_nan=False, ge=-1e15, le=1e15)]
Rank = Annotated[float, Field(allow_inf_nan=False, ge=1, le=1e12)]
Numbers = Annotated[list[Number], Field(min_length=2, max_length=2)]
Ranks = Annotated[list[Rank], Field(min_length=2, max_length=2)]
Counts = Annotated[list[Count], Field(min_length=1, max_length=10_000)]


class Shape(BaseModel):
    """A mapping; its missing keys have defaults where they may be missing."""

    model_config = ConfigDict(strict=True, extra="ignore")

    @classmethod
    def refuse_other(cls, found: Any) -> None:
        """Refuse a record that lacks what is read of it, or has it in another type.

        Parameters
        ----------
        found : object
            The record.

        Raises
        ------
        ValueError
            The first faults, in one line.

        Examples
        --------
        >>> RunRecord.refuse_other({"features": {"audio_dim": 10**12}})
        Traceback (most recent call last):
        ...
        ValueError: features.audio_dim: Input should be less than or equal to 1048576
        """
        try:
            cls.model_validate(found)
        except ValidationError as error:
            raise ValueError(faults_of(error)) from None


def faults_of(error: ValidationError) -> str:
    """Name the first faults that pydantic found, in one line.

    Parameters
    ----------
    error : ValidationError
        What it raised.

    Returns
    -------
    str
        The faults.
    """
    faults = error.errors(include_url=False, include_context=False, include_input=False)
    named = [f"{'.'.join(map(str, fault['loc'])) or 'all of it'}: {fault['msg']}" for fault in faults[:_MAX_FAULTS]]
    more = len(faults) - _MAX_FAULTS
    return "; ".join([*named, f"and {more} more"] if more > 0 else named)


class RunFeatures(Shape):
    """The features that a model was trained on."""

    audio: str = ""
    audio_dim: Dim = 1
    video: str = ""
    video_dim: Dim = 1


class RunInputs(Shape):
    """The pairs that a model was trained on."""

    pairs: Count = 0
    videos: Count = 0
    validation_pairs: Count = 0
    sha256: str = ""


class PublishedFile(Shape):
    """The published file that a model was read from."""

    file: str
    sha256: str


class ComparisonWithCCA(Shape):
    """Held-out ranks of a model against those of tuned canonical correlations."""

    gain: Number
    ci95: Numbers
    pairs: Count
    videos: Count
    falls_back: bool


class RunRecord(Shape):
    """The content of `run.toml`."""

    format: int = 1
    seed: int = 0
    features: RunFeatures = RunFeatures()
    sampling: dict[str, Any] = {}
    inputs: RunInputs = RunInputs()
    against_cca: ComparisonWithCCA | None = None
    fingerprint: str = ""
    published: PublishedFile = PublishedFile(file="", sha256="")
    versions: dict[str, str] = {}
    recipe: dict[str, Any] = {}
    tuning: dict[str, Any] = {}
    sha256: dict[str, str] = {}


class MetricNumbers(Shape):
    """One metric with its interval, its null and chance."""

    value: Number
    ci95: Numbers
    null95: Numbers
    chance: Number


class RankNumbers(Shape):
    """The ranks of one direction."""

    n: Annotated[int, Field(ge=1, le=10**12)]
    groups: Count
    resampled: Count = 0
    median_rank: Rank
    ci95: Ranks
    null95: Ranks
    chance: Rank
    by_metric: dict[str, MetricNumbers]
    mrr: Number
    recall_at_10: Number = Field(default=0.0, alias="recall@10")


class BothWays(Shape):
    """The ranks of both directions."""

    a2v: RankNumbers
    v2a: RankNumbers


class InOtherTracks(Shape):
    """One metric of moments in other tracks, and how far it is from that in the right ones."""

    value: Number
    difference_ci95: Numbers


class MomentNumber(MetricNumbers):
    """One metric of moments."""

    other_track: InOtherTracks


class MomentMetrics(Shape):
    """Every metric of moments."""

    mean_normalised_rank: MomentNumber
    recall_at_overlap: MomentNumber = Field(alias="recall@overlap0.5")


class MomentNumbers(Shape):
    """How well stretches of one side find their moment."""

    n: Count
    offsets: Count
    by_metric: MomentMetrics


class MomentsBothWays(Shape):
    """Moments of both sides."""

    a2v: MomentNumbers
    v2a: MomentNumbers


class Moments(Shape):
    """Moments by each way of comparing."""

    embeddings: MomentsBothWays = MomentsBothWays.model_construct()
    curves: MomentsBothWays = MomentsBothWays.model_construct()


class MedianRanks(Shape):
    """Median ranks of both directions."""

    a2v: Rank
    v2a: Rank


class TrackRanks(BothWays):
    """The ranks of whole videos."""

    times_alone: MedianRanks = MedianRanks.model_construct()


class Metrics(BothWays):
    """The content of `metrics.json`."""

    tracks: TrackRanks = TrackRanks.model_construct()
    other_tracks: BothWays = BothWays.model_construct()
    authors_dot_product: BothWays = BothWays.model_construct()
    moments: Moments = Moments.model_construct()
    flagged: Count = 0
    split: str = ""
    seed: int = 0
    seen: Count | None = None


class CurvePoint(Shape):
    """A training on a share of the videos."""

    videos: Count
    pairs: Count
    n: Annotated[int, Field(ge=1, le=10**12)]
    median_rank: MedianRanks
    geometric_mean_rank: Rank


class LearningCurve(Shape):
    """The content of `learning_curve.json`."""

    points: Annotated[list[CurvePoint], Field(min_length=1, max_length=10_000)]
    verdict: str


class Histogram(Shape):
    """Counts of cosines in equal bins."""

    held_out: Counts
    unrelated: Counts

    @model_validator(mode="after")
    def _bins_are_the_same(self) -> Self:
        if len(self.held_out) != len(self.unrelated) or not any(self.held_out + self.unrelated):
            raise ValueError("its two halves have other bins, or nothing is counted")
        return self


class CopyNumbers(Shape):
    """Numbers of the checks for copies."""

    videos: Count
    threshold: Number
    histogram: Histogram


class RoomNumbers(Shape):
    """Numbers of the check of the range of the loss."""

    least: Number
    chance: Annotated[float, Field(allow_inf_nan=False, gt=0, le=1e15)]


class LossNumbers(Shape):
    """Numbers of the check of the validation loss."""

    loss: Number


class FormulaNumbers(Shape):
    """Numbers of the check of the published formula."""

    n: Count
    published: Number
    published_oracle: Number
    median_rank: MedianRanks


_NUMBERS: dict[str, type[Shape]] = {
    "Leakage: sound": CopyNumbers,
    "Leakage: pictures": CopyNumbers,
    "Loss: room": RoomNumbers,
    "Loss: validation": LossNumbers,
    "Model: published formula": FormulaNumbers,
}


class AuditCheck(Shape):
    """One check of an audit."""

    name: str
    part: str
    status: Literal["pass", "warn", "fail", "n/a"]
    finding: str
    numbers: dict[str, Any] = {}

    @model_validator(mode="after")
    def _numbers_can_be_drawn(self) -> Self:
        shape = _NUMBERS.get(self.name)
        if shape is not None and self.numbers:
            shape.refuse_other(self.numbers)
        return self


class Audit(Shape):
    """The content of `audit.json`."""

    verdict: str
    counts: dict[str, Count]
    checks: list[AuditCheck]
    features: str = ""
