"""The map of many music videos: laying out, keeping, placing new ones, sending and drawing, on synthetic vectors.

`python benchmarks/map_million.py 1000000` prints seconds and sizes; drawing is measured in headless Chromium, 1000 by
700 pixels and without a graphics card.
"""

import json
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from antiphon.app.layout import Layout, laid_out
from map_layout import synthetic

_LATER = 1_000
_DRAW = """async ([source, count]) => {
  const { Drawing } = await import(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
  document.body.innerHTML = '<canvas id="map" style="display: block; width: 1000px; height: 700px"></canvas>';
  const drawing = new Drawing(document.getElementById("map"));
  const one = () => Math.random() + Math.random() + Math.random() - 1.5;
  const random = () => Math.min(65535, Math.max(0, 32768 + 18000 * one()));
  const pairs = Uint16Array.from({ length: 2 * count }, random);
  const timed = (what) => {
    const from = performance.now();
    const found = what();
    return [performance.now() - from, found];
  };
  const [taking] = timed(() => drawing.take(pairs.buffer));
  drawing.colours = Uint8Array.from({ length: count }, (_, row) => row % 8);
  drawing.draw();
  const whole = Array.from({ length: 5 }, () => timed(() => drawing.draw())[0]).sort((a, b) => a - b)[2];
  const nearest = Array.from({ length: 5 }, () => timed(() => drawing.nearest(500, 350))[0]).sort((a, b) => a - b)[2];
  const isDense = drawing.isDense;
  const [lasso, found] = timed(() => drawing.within([[300, 200], [700, 200], [700, 500], [300, 500]]).length);
  drawing.view.scale = 60;
  const [zoomed, inside] = timed(() => drawing.draw());
  return { taking, whole, nearest, lasso, found, zoomed, inside, isDense };
}"""


def timed(what: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that something takes, and what it returns."""
    begun_s = time.perf_counter()
    found = what()
    return round(time.perf_counter() - begun_s, 2), found


def drawn(count: int) -> dict[str, float]:
    """Draw in Chromium; milliseconds."""
    from playwright.sync_api import sync_playwright

    source = (files("antiphon.app") / "static" / "map-drawing.js").read_text(encoding="utf-8")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-gpu"]
        )
        found = browser.new_page(viewport={"width": 1100, "height": 800}).evaluate(_DRAW, [source, count])
        browser.close()
    return {
        f"{name}_ms" if name not in ("found", "inside", "isDense") else name: value for name, value in found.items()
    }


def main() -> None:
    """Measure and print."""
    count = int(sys.argv[1])
    print(json.dumps({"points": count} | drawn(count)), flush=True)
    vectors = synthetic(count + _LATER)
    ids = [f"v{number:08d}" for number in range(count + _LATER)]
    laying_s, layout = timed(lambda: laid_out(ids[:count], vectors[:count]))
    print(json.dumps({"laying_out_s": laying_s}), flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "map.parquet"
        writing_s, _ = timed(lambda: layout.write(path))
        reading_s, again = timed(lambda: Layout.read(path))
        size = path.stat().st_size
    placing_s, _ = timed(lambda: laid_out(ids, vectors, again))
    found = {"writing_s": writing_s, "reading_s": reading_s, "kept_mb": round(size / 1e6, 1)}
    sent = {"places_mb": 4 * count / 1e6, "colours_mb": count / 1e6, f"placing_{_LATER}_more_s": placing_s}
    print(json.dumps(found | sent), flush=True)


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    main()
