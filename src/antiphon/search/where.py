"""Which tracks may be answers."""

from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator


class Where(BaseModel):
    """Filters on what is known of a track. All of them must hold; an empty one lets everything through.

    Attributes
    ----------
    genre, artist : one of these; nothing known is none of them.
    not_artist : none of these.
    year_from, year_to : both included; a track of no known year is left out where either is given.
    not_ids : none of these tracks.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    genre: tuple[str, ...] = ()
    artist: tuple[str, ...] = ()
    not_artist: tuple[str, ...] = ()
    year_from: int | None = None
    year_to: int | None = None
    not_ids: tuple[str, ...] = ()

    @field_validator("genre", "artist", "not_artist", "not_ids", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _years_in_order(self) -> Self:
        if self.year_from is not None and self.year_to is not None and self.year_from > self.year_to:
            raise ValueError(f"year_from ({self.year_from}) is after year_to ({self.year_to})")
        return self

    def without(self, *ids: str) -> "Where":
        """The same, and none of these tracks."""
        return self.model_copy(update={"not_ids": (*self.not_ids, *ids)})

    @property
    def is_empty(self) -> bool:
        """Whether it lets everything through."""
        return self == Where()
