"""Numbers of things in sentences."""


def counted(count: int, one: str, many: str | None = None) -> str:
    """Write a number and what it counts.

    Parameters
    ----------
    count : int
        How many.
    one : str
        Words after 1.
    many : str, optional
        Words after any other number. Default: `one` with an s.

    Returns
    -------
    str
        The words.

    Examples
    --------
    >>> counted(1, "file"), counted(1200, "file"), counted(2, "file is gone", "files are gone")
    ('1 file', '1,200 files', '2 files are gone')
    """
    return f"{count:,} {one if count == 1 else many or one + 's'}"
