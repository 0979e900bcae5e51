"""Numbers as text, with enough digits to compare and no more."""

import math


def whole(value: float) -> str:
    """Format a count with thousands separators.

    Examples
    --------
    >>> whole(1234567)
    '1,234,567'
    """
    return f"{value:,.0f}"


def rank(value: float) -> str:
    """Format a rank: whole, or with one decimal.

    Examples
    --------
    >>> rank(1234.0), rank(8.5), rank(8.2632), rank(19.975)
    ('1,234', '8.5', '8.3', '20')
    """
    shown = round(float(value), 1)
    return whole(shown) if shown.is_integer() else f"{shown:,.1f}"


def brief(value: float) -> str:
    """Format a rank or the end of its interval: whole from 100 on.

    Examples
    --------
    >>> brief(468.2375), brief(58.667), brief(26.0)
    ('468', '58.7', '26')
    """
    return whole(value) if value >= 100 else rank(value)


def score(value: float) -> str:
    """Format a cosine, with a true minus sign.

    Examples
    --------
    >>> score(0.6031), score(-0.0129), score(-0.0001)
    ('0.603', '−0.013', '0.000')
    """
    return f"{value:z.3f}".replace("-", "\N{MINUS SIGN}")


def share(value: float) -> str:
    """Format a share in percent.

    Examples
    --------
    >>> share(0.14583), share(0.001234), share(1.0)
    ('14.6%', '0.12%', '100%')
    """
    percent = 100 * value
    if float(percent).is_integer():
        return f"{percent:.0f}%"
    return f"{percent:.1f}%" if percent >= 1 else f"{percent:.2g}%"


def loss(value: float) -> str:
    """Format a loss in nats, or any other number that is not a rank or a share."""
    return f"{value:.3f}" if math.isfinite(value) else "not finite"


def duration(seconds: float) -> str:
    """Format a duration by its two largest units.

    Examples
    --------
    >>> duration(36.4), duration(1583), duration(5_400), duration(400_000)
    ('36 s', '26 min 23 s', '1 h 30 min', '111 h')
    """
    total = round(seconds)
    if total < 60:
        return f"{total} s"
    if total < 3600:
        return f"{total // 60} min {total % 60} s"
    if total < 100 * 3600:
        return f"{total // 3600} h {total % 3600 // 60} min"
    return f"{whole(total // 3600)} h"


def clock(seconds: float) -> str:
    """Format a time on a track.

    Examples
    --------
    >>> clock(75.4)
    '1:15'
    """
    whole_s = max(0, int(seconds))
    return f"{whole_s // 60}:{whole_s % 60:02d}"


def metric(name: str, value: float) -> str:
    """Format a retrieval metric by its name: ranks, shares (recall@k), or MRR."""
    if name.startswith("recall"):
        return share(value)
    return rank(value) if name.endswith("rank") else loss(value)
