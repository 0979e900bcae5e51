"""What the name of a media file tells."""

MEDIA_SUFFIXES = frozenset(
    {".3gp", ".aac", ".aif", ".aiff", ".avi", ".flac", ".flv", ".m2ts", ".m4a", ".m4v", ".mka", ".mkv", ".mov"}
    | {".mp3", ".mp4", ".mpeg", ".mpg", ".oga", ".ogg", ".ogv", ".opus", ".ts", ".wav", ".webm", ".wma", ".wmv"}
)


def title_from_id(id: str) -> str:
    """Return what to call a music video without a title: its file's name without the ending.

    Examples
    --------
    >>> title_from_id("live/Some Song.mp4"), title_from_id("no.42")
    ('Some Song', 'no.42')
    """
    name = id.rsplit("/", 1)[-1]
    stem, dot, ending = name.rpartition(".")
    return stem if stem and f"{dot}{ending}".lower() in MEDIA_SUFFIXES else name or id
