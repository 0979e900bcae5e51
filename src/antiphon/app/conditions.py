"""The conditions that a list can be asked under, the same for pages and programs, for ids and for files."""

from typing import Annotated

from fastapi import Depends, Query

from antiphon.app.searching import Wish

Weight = Annotated[float, Query(ge=0, le=1, description="Share of the sound, where both count.")]
Others = Annotated[bool, Query(description="Leave out the video's own artist.")]


def conditions(
    genre: Annotated[str, Query(description="Candidates of this genre alone.")] = "",
    varied: Annotated[bool, Query(description="Spread over artists and looks (maximal marginal relevance).")] = False,
    stepwise: Annotated[bool, Query(description="Compare the best by their order of moments.")] = False,
) -> Wish:
    """What a query string says of the list."""
    return Wish(genre=genre, varied=varied, stepwise=stepwise)


Conditions = Annotated[Wish, Depends(conditions)]
