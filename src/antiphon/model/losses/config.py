"""Which loss a recipe has, and its settings."""

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class LossConfig(BaseModel):
    """Which loss, and its temperature.

    Attributes
    ----------
    name : "info_nce" (the positive pair stands in the denominator, as in the paper's code), "decoupled" (it does not,
        as in the paper's equation) or "sigmoid" (each pair is judged alone).
    temperature : divides the cosines; where it is learned, its first value.
    learn_temperature : trained as log(1/temperature), kept inside the limits.
    least_temperature, most_temperature : the limits of a learned temperature, which must start inside them; a fixed
        one has none.
    bias : the sigmoid's first bias, which is learned; no other loss has one.
    chunk_size : compute scores in blocks of so many rows and columns, for batches whose scores do not fit in memory.
    exclude_same_artist : rows of one artist are no negatives of each other.
    label_weight : weight, from 0 to 1, of positives by shared labels. The pair itself has what it leaves.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["info_nce", "sigmoid", "decoupled"] = "info_nce"
    temperature: float = Field(default=1.0, gt=0)
    learn_temperature: bool = False
    least_temperature: float = Field(default=0.01, gt=0)
    most_temperature: float = Field(default=1.0, gt=0)
    bias: float = -10.0
    chunk_size: int | None = Field(default=None, ge=1)
    exclude_same_artist: bool = False
    label_weight: float = Field(default=0.0, ge=0, le=1)

    @model_validator(mode="after")
    def _starts_inside_the_limits(self) -> Self:
        if self.learn_temperature and not self.least_temperature <= self.temperature <= self.most_temperature:
            raise ValueError(
                f"temperature {self.temperature:g} is not between least_temperature {self.least_temperature:g} and "
                f"most_temperature {self.most_temperature:g}, inside which a learned one is kept"
            )
        return self

    @model_validator(mode="after")
    def _has_chunks(self) -> Self:
        if self.name == "decoupled" and self.chunk_size is not None:
            raise ValueError("the decoupled loss is not computed in chunks; leave chunk_size out, or choose info_nce")
        return self
