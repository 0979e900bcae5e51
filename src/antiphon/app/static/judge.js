/* Keys and players of the judging page. Without this script the form and the browser's own players do. */

const form = document.getElementById("answer");
const sections = [...document.querySelectorAll("[data-player]")];
const media = Object.fromEntries(sections.map((one) => [one.dataset.player, one.querySelector("audio, video")]));
const wanted = document.getElementById("keys");
const loaded = performance.now();
// A second press of the key that gave the last answer must not answer the next question.
const SETTLED_MS = 400;
const STORED = "antiphon-judge-keys";
// How long A and B must have played before one of them can be called closer.
const HEARD_S = 0.5;
const comparing = [...form.querySelectorAll("[value=left], [value=right]")];
const heard = new Set();

let chosen = "seed";
let sent = false;

function choose(name) {
  const playing = Object.values(media).some((one) => !one.paused);
  chosen = name;
  for (const one of sections) one.classList.toggle("chosen", one.dataset.player === name);
  if (playing && media[name].paused) media[name].play();
}

function toggle() {
  if (media[chosen].paused) media[chosen].play();
  else media[chosen].pause();
}

function answer(value) {
  const button = form.querySelector(`[value="${value}"]`);
  if (!button.disabled && !sent && performance.now() - loaded >= SETTLED_MS) form.requestSubmit(button);
}

/** What has played, or cannot, is no longer waited for. */
function hear(name) {
  heard.add(name);
  const both = heard.has("left") && heard.has("right");
  for (const one of comparing) one.disabled = !both;
  document.getElementById("unheard").hidden = both;
}

const keys = {
  s: () => choose("seed"),
  a: () => choose("left"),
  b: () => choose("right"),
  " ": toggle,
  1: () => answer("left"),
  ArrowLeft: () => answer("left"),
  2: () => answer("right"),
  ArrowRight: () => answer("right"),
  0: () => answer("unsure"),
};

/** Space presses what has the focus, if that can be pressed; arrows are left to no player, for they would answer and seek. */
function elsewhere(event) {
  return event.key === " " && event.target.closest("button, a, input, summary");
}

// Captured before the players and the other shortcuts.
addEventListener("keydown", (event) => {
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  if (!wanted.checked || event.ctrlKey || event.metaKey || event.altKey || event.shiftKey) return;
  if (!Object.hasOwn(keys, key) || elsewhere(event)) return;
  event.preventDefault();
  event.stopPropagation();
  if (!event.repeat) keys[key]();
}, true);

// One answer per page, however often the button is pressed.
form.addEventListener("submit", (event) => {
  if (sent) event.preventDefault();
  sent = true;
});
// Enable the page again when it comes back from the browser's cache.
addEventListener("pageshow", () => { sent = false; });

for (const [name, one] of Object.entries(media)) {
  let from = Infinity;
  one.addEventListener("playing", () => { from = Math.min(from, one.currentTime); });
  one.addEventListener("seeking", () => { from = Infinity; });
  one.addEventListener("timeupdate", () => {
    if (from === Infinity && !one.paused) from = one.currentTime;
    if (!one.paused && one.currentTime - from >= HEARD_S) hear(name);
  });
  for (const event of ["ended", "error"]) one.addEventListener(event, () => hear(name));
  one.addEventListener("play", () => {
    for (const other of Object.values(media)) if (other !== one) other.pause();
    if (chosen !== name) choose(name);
  });
  if ("muted" in one.dataset) one.addEventListener("volumechange", () => { one.muted = true; });
}

try {
  wanted.checked = localStorage.getItem(STORED) !== "off";
  wanted.addEventListener("change", () => localStorage.setItem(STORED, wanted.checked ? "on" : "off"));
} catch {
  // No local storage: keys are on.
}
document.querySelector(".shortcuts").hidden = false;
hear("seed");
choose("seed");
