"use strict";
(() => {
  const seconds = Number(document.body.dataset.reloadS);
  if (!seconds) return;
  setInterval(() => {
    if ([...document.querySelectorAll("video")].every((video) => video.paused)) location.reload();
  }, 1000 * seconds);
})();
