"""Small forms: their fields, read within a limit."""

from urllib.parse import parse_qs

from fastapi import HTTPException, Request

_MOST_BYTES = 4096


async def form_fields(request: Request, *names: str) -> dict[str, str]:
    """The fields of a form that was sent as `application/x-www-form-urlencoded`; a missing one is empty.

    Raises
    ------
    HTTPException
        413: it is longer than a small form can be. 422: it is no such form.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MOST_BYTES:
            raise HTTPException(413, "That form is too long.")
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=20, errors="strict")
    except ValueError as error:
        raise HTTPException(422, "That is no form of this service.") from error
    return {name: found.get(name, [""])[0] for name in names}
