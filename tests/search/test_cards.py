"""Hits in a notebook."""

from types import SimpleNamespace

from antiphon.search import Index, Query


def test_hits_are_cards_that_play_the_matching_moment(tmp_path, synthetic_table, model, music_videos):
    """In a notebook; a music video without a file has no preview, and nothing in it is markup."""
    paths = sorted(synthetic_table.parent.glob("*.mp4"))
    rows = [
        {"id": f"v{number:03d}", "path": str(paths[number]) if number != 1 else None, "artist": "<b>", "title": "a & b"}
        for number in range(3)
    ]
    records = SimpleNamespace(records=lambda: rows)
    index = Index.build(model, music_videos(range(3), segments=1), tmp_path, records)
    hits = index.search(Query.from_id(index, "v000"), by="audio")
    html = hits._repr_html_()
    assert type(html) is str
    assert html.count("<video controls") == 1 and html.count("data:video/mp4;base64,") == 1
    assert html.count("No preview") == 1
    assert "&lt;b&gt;" in html and "a &amp; b" in html and "<b></b>" not in html
