"""Cards of music videos for notebooks: a short playable preview, title and metadata."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from antiphon.errors import DecodeError
from antiphon.media.opening import CataloguedFile
from antiphon.presentation.previews import Preview, make_preview

_MAX_PLAYERS = 10
_PREVIEW_BYTES = 90_000
_STYLE = (
    "<style>.antiphon-cards{display:flex;flex-wrap:wrap;gap:14px;font:14px/1.4 system-ui,sans-serif}"
    ".antiphon-cards>div{width:220px}.antiphon-cards video,.antiphon-cards audio,.antiphon-cards .none"
    "{width:220px;height:124px;background:#8884;border-radius:6px;display:block;object-fit:cover}"
    ".antiphon-cards .none{display:grid;place-items:center;opacity:.7}.antiphon-cards b{display:block}"
    ".antiphon-cards small{opacity:.7;overflow-wrap:anywhere}</style>"
)


@dataclass(frozen=True)
class Card:
    """Content of a card.

    Attributes
    ----------
    title, artist, about : str
        Lines of text; escaped when rendered.
    file : str or CataloguedFile, optional
        Media file to play.
    start_s : float
        Start of the preview in seconds.
    """

    title: str
    artist: str
    about: str
    file: str | CataloguedFile | None = None
    start_s: float = 0.0
    end_s: float = 5.0


def cards_html(heading: str, cards: Sequence[Card]) -> str:
    """Return cards as self-contained HTML; the first ten are playable.

    Previews of 5 s are re-encoded and inlined; nothing is loaded from elsewhere.

    Parameters
    ----------
    heading : str
        Text above the cards.
    cards : sequence of Card
        The cards.

    Returns
    -------
    str
        HTML.
    """
    shown = [_card(card, plays=number < _MAX_PLAYERS) for number, card in enumerate(cards)]
    body = Markup().join(shown) if shown else Markup("<p>No hits.</p>")
    title = Markup("<p><b>{}</b></p>").format(heading)
    return str(Markup(_STYLE) + title + Markup('<div class="antiphon-cards">{}</div>').format(body))  # noqa: S704 - ours


def _card(card: Card, *, plays: bool) -> Markup:
    player = _player(card) if plays and card.file else Markup('<span class="none">No preview</span>')
    return Markup("<div>{}<b>{}</b>{}<br><small>{}</small></div>").format(
        player, card.title, escape(card.artist), card.about
    )


def _player(card: Card) -> Markup:
    try:
        preview = make_preview(card.file or "", card.start_s, card.end_s, _PREVIEW_BYTES)
    except DecodeError:
        return Markup('<span class="none">No preview</span>')
    return _element(preview)


def _element(preview: Preview) -> Markup:
    source = f"data:video/mp4;base64,{base64.b64encode(preview.mp4).decode()}"
    if not preview.has_video:
        return Markup('<audio controls preload="none" src="{}"></audio>').format(source)
    poster = f"data:image/jpeg;base64,{base64.b64encode(preview.poster or b'').decode()}"
    return Markup('<video controls preload="none" playsinline poster="{}" src="{}"></video>').format(poster, source)
