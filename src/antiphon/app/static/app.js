// Shared by all pages: players, keyboard shortcuts, and announcing new results. Without it only the players stop working.
import { markKept, watchHearts } from "./hearts.js";
import { sendFiles } from "./sending.js";
import { pausePlaying, playNext, stopPlaying, toggle, togglePlaying, watchStage } from "./players.js";

const said = document.getElementById("said");
let current = null;

/** Tell those who cannot see what has changed. */
function say(text) {
  said.textContent = text;
}

const results = () => [...document.querySelectorAll("[data-results] > li")];

/** Put the focus on a result and remember it. */
function choose(step) {
  const all = results();
  if (!all.length) return;
  const place = all.indexOf(current);
  current = all[place < 0 ? (step > 0 ? 0 : all.length - 1) : Math.min(all.length - 1, Math.max(0, place + step))];
  const link = current.querySelector(".suggestions a");
  (link ?? current).focus();
  current.scrollIntoView({ block: "nearest" });
}

function typing(target) {
  return target.matches("input:not([type=radio]):not([type=checkbox]):not([type=range]):not([type=file]), textarea, select");
}

const keys = {
  "/": () => {
    const field = document.querySelector("[data-search]");
    if (field) field.select();
    else if (document.querySelector("header nav")) location.href = `${document.documentElement.dataset.root}/#q`;
  },
  h: () => (current ?? document).querySelector("form.heart")?.requestSubmit(),
  x: () => current?.querySelector("form.not-this")?.requestSubmit(),
  j: () => choose(1),
  k: () => choose(-1),
  n: playNext,
  Escape: () => {
    stopPlaying();
    document.getElementById("stage")?.pause();
  },
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
  if (event.key !== "Escape" && typing(event.target)) return;
  if (event.key === "h" && !document.querySelector("form.heart")) return; // The cut room has its own.
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  } else if (event.target.matches("[data-results] > li")) {
    onResult(event);
  } else if (event.key === " " && !event.target.matches("button, a, summary, input, video, audio, [role]") && togglePlaying()) {
    event.preventDefault();
  }
});

/** Space plays the result that has the focus, Enter opens it. */
function onResult(event) {
  const player = event.target.querySelector(".player");
  if (event.key === " " && player && !player.disabled) {
    event.preventDefault();
    toggle(player);
  } else if (event.key === "Enter") {
    event.target.querySelector("a")?.click();
  }
}

document.addEventListener("focusin", (event) => {
  const item = event.target.closest("[data-results] > li");
  if (item) current = item;
});

document.addEventListener("click", (event) => {
  const player = event.target.closest(".player");
  if (player) toggle(player);
});

document.addEventListener("error", (event) => {
  const image = event.target;
  if (image instanceof HTMLImageElement) image.replaceWith(Object.assign(document.createElement("span"), { className: "blank", textContent: "No picture" }));
}, true);

document.addEventListener("htmx:afterSwap", (event) => {
  current = null;
  const count = event.detail.target.querySelectorAll("[data-results] > li").length;
  markKept();
  say(count === 1 ? "1 result" : `${count} results`);
});
// What a form does not say is not said in the address either.
document.addEventListener("htmx:configRequest", ({ detail: { formData } }) => {
  for (const name of new Set(formData.keys())) {
    const given = formData.getAll(name).filter(Boolean);
    formData.delete(name);
    for (const value of given) formData.append(name, value);
  }
});
document.addEventListener("htmx:responseError", () => say("The service refused the request."));
document.addEventListener("htmx:sendError", () => say("The service does not respond. Is it still running?"));

/** The timeline of a video: a segment starts the big player there, a line shows where it is. */
function followTimeline() {
  const [stage, timeline] = [document.getElementById("stage"), document.querySelector(".timeline")];
  stage?.addEventListener("play", () => pausePlaying());
  if (!stage || !timeline) return;
  const line = timeline.querySelector(".now");
  const length = Number(timeline.dataset.length);
  const jump = (event) => {
    const segment = event.target.closest(".segment");
    if (!segment || (event.type === "keydown" && event.key !== "Enter" && event.key !== " ")) return;
    event.preventDefault();
    stopPlaying();
    stage.currentTime = Number(segment.dataset.at);
    stage.play();
  };
  timeline.addEventListener("click", jump);
  timeline.addEventListener("keydown", jump);
  stage.addEventListener("timeupdate", () => {
    const x = String((1000 * stage.currentTime) / length);
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
  });
}

followTimeline();
watchStage();
if (location.hash === "#q") document.querySelector("[data-search]")?.focus();
sendFiles(say);
watchHearts(say);
