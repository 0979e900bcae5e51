// The player at the foot of a page: it stays while one scrolls and while lists change.
import { clock } from "./clock.js";
import { inWords } from "./outline-words.js";
import { drawn, label, outlineOf, wavePath } from "./waveform.js";

const deck = document.getElementById("deck");
const part = (name) => deck.querySelector(`[data-deck="${name}"]`);
let shown = null;
let volume = 1;

/** Show what plays: a pair with its words, address of its page, and outline of its sound. */
export function showDeck({ pair, title, artist, page, outline, picture, toggle, next, close }) {
  shown = { pair, toggle, next, close };
  deck.hidden = false;
  document.body.classList.add("decked");
  part("title").textContent = title;
  part("title").removeAttribute("href");
  if (page) part("title").href = page;
  part("artist").textContent = artist;
  part("view").replaceChildren(...[picture].filter(Boolean));
  part("view").classList.toggle("empty", !picture);
  part("full").hidden = !picture;
  setVolume(volume);
  drawWave(pair, outline);
  tick();
}

export function hideDeck() {
  if (!shown) return;
  shown = null;
  deck.hidden = true;
  document.body.classList.remove("decked");
  part("view").replaceChildren();
}

/** Show where playback is. */
export function tick() {
  if (!shown) return;
  const { pair } = shown;
  const [start, end] = pair.span;
  const share = end > start ? (pair.now - start) / (end - start) : 0;
  part("played").style.clipPath = `inset(0 ${100 - 100 * share}% 0 0)`;
  part("match").style.left = `${end > start ? (100 * (pair.match - start)) / (end - start) : 0}%`;
  const seek = part("seek");
  [seek.min, seek.max] = [start, end];
  seek.value = pair.now;
  seek.setAttribute("aria-valuetext", `${clock(pair.now - start)} of ${clock(end - start)}`);
  part("at").textContent = clock(pair.now - start);
  part("of").textContent = clock(end - start);
  const button = part("toggle");
  if (button.getAttribute("aria-pressed") !== String(pair.wanted)) {
    button.setAttribute("aria-pressed", String(pair.wanted));
    button.setAttribute("aria-label", pair.wanted ? "Pause" : "Play");
  }
}

/** The waveform lies where the song does on the time line of both. */
async function drawWave(pair, address) {
  const waves = [part("wave"), part("played")];
  for (const wave of waves) wave.replaceChildren();
  label(waves[0], "");
  const found = address && (await outlineOf(address));
  if (!found?.peaks?.length || shown?.pair !== pair) return;
  const [start, end] = pair.span;
  if (!(end > start)) return; // A file that is gone again, or has no length.
  label(waves[0], `The song over time: ${inWords(found)}`);
  const scale = 1000 / (end - start);
  const wide = (found.length_s * scale) / found.peaks.length;
  for (const wave of waves) {
    drawn(wave, "path", { d: wavePath(found.peaks), transform: `translate(${-start * scale} 0) scale(${wide} 1)` });
  }
}

function setVolume(value) {
  volume = value;
  for (const { element } of shown?.pair.sides ?? []) element.volume = value;
  part("volume").value = value;
}

part("toggle").addEventListener("click", () => shown?.toggle());
part("next").addEventListener("click", () => shown?.next());
part("close").addEventListener("click", () => shown?.close());
part("seek").addEventListener("input", (event) => shown?.pair.seek(Number(event.target.value)));
part("volume").addEventListener("input", (event) => setVolume(Number(event.target.value)));
const full = () => (document.fullscreenElement ? document.exitFullscreen() : part("view").requestFullscreen?.());
part("full").addEventListener("click", full);
part("view").addEventListener("dblclick", full);
part("view").addEventListener("click", () => shown?.toggle());
