"""Short forms that pages send."""

from urllib.parse import parse_qs

from fastapi import HTTPException, Request

_MAX_BYTES = 16 << 10


async def form_fields(request: Request, *names: str) -> dict[str, str]:
    """Read fields of a form of type `application/x-www-form-urlencoded`.

    Parameters
    ----------
    request : Request
        The request.
    *names : str
        Names of the fields.

    Returns
    -------
    dict of str to str
        Value by name; "" for a missing field.

    Raises
    ------
    HTTPException
        413: the form is too long. 422: it cannot be parsed.
    """
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > _MAX_BYTES:
            raise HTTPException(413, "The form is too long.")
    try:
        found = parse_qs(body.decode("ascii"), max_num_fields=20, errors="strict")
    except ValueError as error:
        raise HTTPException(422, "The form cannot be parsed.") from error
    return {name: found.get(name, [""])[0] for name in names}
