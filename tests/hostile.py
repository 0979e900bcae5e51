"""Texts that a page must show and never run, and how a browser tells that it did not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

HACK = "window.hacked=1"
TEXTS = (
    f"<script>{HACK}</script>",
    f"</script><script>{HACK}</script>",
    f"</style></title></textarea></template><script>{HACK}</script>",
    f'"><img src=x onerror={HACK}>',
    f"'><svg/onload={HACK}>",
    f"' onmouseover='{HACK}' autofocus onfocus='{HACK}' x='",
    f"` onclick=`{HACK}`",
    f"javascript:{HACK}//",
    f"data:text/html,<script>{HACK}</script>",
    f"<svg><script>{HACK}</script><animate onbegin={HACK} attributeName=x></svg>",
    f'<math><mi xlink:href="javascript:{HACK}">x</mi></math>',
    f'<iframe srcdoc="<script>parent.{HACK}</script>"></iframe>',
    f'<base href=//evil.example/><meta http-equiv=refresh content="0;url=javascript:{HACK}">',
    f"<!--<script>{HACK}</script>--!><script>{HACK}</script>",
    f"<![CDATA[<script>{HACK}</script>]]>",
    f"{{{{ 7 * 7 }}}}{{% for x in [1] %}}${{{HACK}}}#{{{HACK}}}",
    f"\\u003cscript\\u003e{HACK}\\u003c/script\\u003e\\x3cscript>",
    f"&lt;script&gt;{HACK}&lt;/script&gt;&#60;script&#62;",
    f"\u202e\u2066<script>{HACK}</script>\u2069\u202c\u200b\ufeff",
    f"\u2028{HACK}\u2029\x85",
    f"*/ ;{HACK}; /* ]]> -->",
    "x" * 10_000,
    "<b>" * 3_000,
)
_RUNS = """
() => [...document.querySelectorAll("*")].flatMap((one) => [...one.attributes].filter(({ name, value }) =>
  name.startsWith("on") || name === "srcdoc" ||
  (["href", "src", "action", "formaction", "xlink:href", "data", "poster"].includes(name)
    && !/^(#|\\/|\\?|data:(image|video|audio)\\/|blob:|https?:\\/\\/(www\\.)?[a-z0-9.-]+\\/?|$)/.test(value))
).map(({ name, value }) => `${one.tagName} ${name}=${value.slice(0, 80)}`))
"""
_STRANGE = "document.querySelectorAll('iframe, object, embed, base, math, animate, foreignObject, frame').length"


def text(number: int, mark: str = "") -> str:
    """One of the texts, which differs from others with the same number by its mark."""
    return mark + TEXTS[number % len(TEXTS)]


@contextmanager
def watched(browser: Any, **options: Any) -> Iterator[tuple[Any, list[str]]]:
    """A page, and what it complains about, runs, or asks of other hosts."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    page, complaints = context.new_page(), []
    page.set_default_timeout(30_000)
    page.on("console", lambda message: complaints.append(message.text) if message.type != "log" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog {dialog.message}"), dialog.dismiss()))
    page.on("request", lambda asked: complaints.append(asked.url) if _elsewhere(asked.url) else None)
    yield page, complaints
    context.close()


def _elsewhere(url: str) -> bool:
    return urlsplit(url).hostname not in (None, "127.0.0.1")


def assert_harmless(page: Any, complaints: list[str], scripts: int) -> None:
    """Nothing of the texts ran, or would when it is clicked; all scripts are ours."""
    for fold in page.locator("summary").all():
        fold.evaluate("(one) => { one.parentElement.open = true; }")
    assert page.evaluate("window.hacked === undefined")
    assert page.evaluate(_RUNS) == []
    assert page.evaluate(_STRANGE) == 0
    assert page.evaluate("document.scripts.length") == scripts
    assert [one for one in complaints if "404 (Not Found)" not in one and "422 (" not in one] == []
