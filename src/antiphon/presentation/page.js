"use strict";
(() => {
  const media = JSON.parse(document.getElementById("media")?.textContent ?? "{}");
  const urls = new Map();

  /** A blob's address for one preview, made when it is first asked for. */
  function address(number, kind) {
    const key = number + kind;
    if (!urls.has(key)) {
      const text = atob(media[number][kind]);
      const bytes = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
      const type = kind === "mp4" ? "video/mp4" : "image/jpeg";
      urls.set(key, URL.createObjectURL(new Blob([bytes], { type })));
    }
    return urls.get(key);
  }

  for (const kind of ["poster", "strip"]) {
    for (const image of document.querySelectorAll(`img[data-${kind}]`)) {
      image.src = address(image.dataset[kind], kind);
    }
  }

  const playing = new Map();
  let following = null;

  function stop(button) {
    const element = playing.get(button);
    playing.delete(button);
    element.pause();
    element.remove();
    button.setAttribute("aria-pressed", "false");
    button.querySelector(".progress").style.transform = "";
  }

  function stopAll() {
    for (const button of [...playing.keys()]) stop(button);
    if (following) following.setAttribute("aria-pressed", "false");
    following = null;
  }

  /** Start one button's preview: "pictures" without sound and "sound" on its own, again and again; "full" once. */
  function start(button) {
    const { mode } = button.dataset;
    const element = document.createElement(mode === "sound" ? "audio" : "video");
    element.src = address(button.dataset.item, "mp4");
    element.loop = mode !== "full" && !following;
    element.muted = mode === "pictures";
    element.playsInline = true;
    if (mode !== "sound") button.querySelector(".icon").before(element);
    const bar = button.querySelector(".progress");
    element.addEventListener("timeupdate", () => {
      bar.style.transform = `scaleX(${element.currentTime / (element.duration || 1)})`;
    });
    element.addEventListener("ended", () => {
      if (playing.get(button) !== element) return;
      stop(button);
      const next = following;
      following = null;
      if (next) start(next);
    });
    playing.set(button, element);
    button.setAttribute("aria-pressed", "true");
    element.play().catch(() => { if (playing.get(button) === element) stopAll(); });
  }

  for (const button of document.querySelectorAll("button[data-item]")) {
    const other = (id) => id && document.querySelector(`#${id} button[data-item]`);
    button.addEventListener("click", () => {
      const ends = button.getAttribute("aria-pressed") === "true";
      stopAll();
      if (ends) return;
      const before = other(button.dataset.after);
      const beside = other(button.dataset.with);
      if (beside) start(beside);
      if (before) {
        following = button;
        button.setAttribute("aria-pressed", "true");
        start(before);
      } else {
        start(button);
      }
    });
  }
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") stopAll(); });

  const tip = document.getElementById("tip");
  function point(event) {
    const target = event.target.closest ? event.target.closest("[data-tip]") : null;
    tip.hidden = !target;
    if (!target) return;
    tip.textContent = target.dataset.tip;
    const room = 12;
    const left = Math.min(event.clientX + room, innerWidth - tip.offsetWidth - room);
    const above = event.clientY - tip.offsetHeight - room;
    tip.style.left = `${Math.max(room, left)}px`;
    tip.style.top = `${above > 0 ? above : event.clientY + room}px`;
  }
  // A finger does not move before it touches.
  for (const name of ["pointermove", "pointerdown"]) document.addEventListener(name, point);
  addEventListener("scroll", () => { tip.hidden = true; }, { passive: true });
  document.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse") tip.hidden = true; });

  let unfolded = [];
  addEventListener("beforeprint", () => {
    unfolded = [...document.querySelectorAll("details:not([open])")];
    for (const one of unfolded) one.open = true;
  });
  addEventListener("afterprint", () => { for (const one of unfolded) one.open = false; });
})();
