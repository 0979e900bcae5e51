// Players of results: the video of one file with the audio of another, each from its own moment, in the player at the
// foot of the page. On the map they play in their own place.
import { hideDeck, showDeck, tick } from "./deck.js";
import { Pair } from "./pair.js";

let playing = null;

export function stopPlaying() {
  if (!playing) return;
  const { button, pair } = playing;
  playing = null;
  pair.close();
  hideDeck();
  button.setAttribute("aria-pressed", "false");
  button.querySelector(".progress").style.transform = "";
}

/** Play what a button stands for; if it plays already, pause it, or go on. */
export function toggle(button) {
  if (playing?.button !== button) start(button);
  else if (playing.pair.wanted) playing.pair.pause();
  else resume(playing);
}

/** Pause what plays, or go on; false if there is nothing. */
export function togglePlaying() {
  if (playing) toggle(playing.button);
  return playing !== null;
}

export const pausePlaying = () => playing?.pair.pause();

/** Play the result after the one that plays. */
export function playNext() {
  const all = [...document.querySelectorAll(".player:not(:disabled)")];
  const next = all[all.indexOf(playing?.button) + 1];
  if (next) start(next);
  next?.scrollIntoView({ block: "nearest" });
}

function start(button) {
  stopPlaying();
  document.getElementById("stage")?.pause();
  const { video, audio, videoAt, audioAt } = button.dataset;
  const one = video === audio;
  const sides = [audio && element(one ? "video" : "audio", audio, audioAt, false), video && !one && element("video", video, videoAt, true)];
  const pair = new Pair(sides.filter(Boolean));
  const mine = { button, pair };
  playing = mine;
  const picture = pair.sides.map((side) => side.element).find((made) => made.localName === "video");
  if ("here" in button.dataset) button.querySelector(".icon").before(...[picture].filter(Boolean));
  else showDeck({ ...about(button), pair, picture, toggle: togglePlaying, next: playNext, close: stopPlaying });
  for (const side of pair.sides) side.element.addEventListener("error", () => playing === mine && failed(button));
  pair.onTick = () => playing === mine && follow(mine);
  pair.onEnd = () => playing === mine && "here" in button.dataset && stopPlaying();
  pair.ready().then(() => playing === mine && resume(mine));
}

/** Go on, or say why that fails. */
async function resume(mine) {
  try {
    if (mine.pair.now >= mine.pair.span[1] - 0.2) mine.pair.seek(mine.pair.match);
    await mine.pair.play();
  } catch (error) {
    if (playing === mine && error.name !== "AbortError") failed(mine.button);
  }
}

function follow({ button, pair }) {
  const [first, last] = pair.span;
  button.setAttribute("aria-pressed", String(pair.wanted));
  button.querySelector(".progress").style.transform = `scaleX(${last > first ? (pair.now - first) / (last - first) : 0})`;
  tick();
}

/** A media element, and the moment that it is played for. */
function element(kind, given, at, muted) {
  const made = document.createElement(kind);
  made.src = given;
  made.preload = "auto";
  made.playsInline = true;
  made.muted = muted;
  return { element: made, at: Number(at) };
}

/** What the page says of a player. */
function about(button) {
  const item = button.closest("li, article, div");
  const link = item?.querySelector(".title a");
  const root = document.documentElement.dataset.root;
  const { audio } = button.dataset;
  return {
    title: (link ?? item?.querySelector(".title"))?.textContent ?? button.getAttribute("aria-label").replace(/^Play /, ""),
    artist: item?.querySelector(".artist")?.textContent ?? "",
    page: link?.href,
    outline: audio?.startsWith(`${root}/media/`) ? audio.replace(`${root}/media/`, `${root}/outline/audio/`) : null,
  };
}

/** Say why a player does not play: what the service says of its files, or else the browser. */
async function failed(button) {
  const { video, audio } = button.dataset;
  stopPlaying();
  button.disabled = true;
  const note = document.createElement("span");
  note.className = "blank over";
  note.textContent = (await areThere([video, audio])) ? "This browser cannot play the file" : "The file is missing";
  button.append(note);
}

/** Whether the service has these files. */
async function areThere(addresses) {
  for (const address of new Set(addresses.filter(Boolean))) {
    try {
      if ((await fetch(address, { method: "HEAD" })).status === 404) return false;
    } catch {
      return true;
    }
  }
  return true;
}

/** The big player of a page says the same in its place; it may have failed before this is called. */
export function watchStage() {
  const stage = document.getElementById("stage");
  const replace = async () => {
    const note = document.createElement("p");
    note.className = "absent";
    note.textContent = (await areThere([stage.getAttribute("src")])) ? "This browser cannot play the file." : "The file is missing.";
    stage.replaceWith(note);
  };
  if (stage?.error) replace();
  else stage?.addEventListener("error", replace, { once: true });
}
