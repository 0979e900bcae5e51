// Players of results: the video of one file with the audio of another, each from its own moment, kept in sync.

const DRIFT_S = 0.12;
const SENT = "sent:";

let playing = null;
let sentAddress = "";

/** The last uploaded file plays from the user's own disk; the service has deleted it. */
export function rememberSent(file) {
  stopPlaying();
  if (sentAddress) URL.revokeObjectURL(sentAddress);
  sentAddress = URL.createObjectURL(file);
}

const addressOf = (given) => (given === SENT ? sentAddress : given);

export function stopPlaying() {
  if (!playing) return;
  const { button, elements } = playing;
  playing = null;
  for (const element of elements) {
    element.pause();
    element.removeAttribute("src");
    element.load();
    element.remove();
  }
  button.setAttribute("aria-pressed", "false");
  button.querySelector(".progress").style.transform = "";
}

export function toggle(button) {
  const wasThis = playing?.button === button;
  stopPlaying();
  document.getElementById("stage")?.pause();
  if (!wasThis) start(button);
}

/** Create a media element that starts at a given time. */
function element(kind, given, startS) {
  const made = document.createElement(kind);
  made.src = addressOf(given);
  made.preload = "auto";
  made.playsInline = true;
  made.startS = startS;
  made.addEventListener("loadedmetadata", () => { made.currentTime = Math.min(startS, made.duration || startS); }, { once: true });
  return made;
}

function start(button) {
  const { video, audio, videoAt, audioAt } = button.dataset;
  const one = video === audio;
  const leader = audio ? element(one ? "video" : "audio", audio, Number(audioAt)) : element("video", video, Number(videoAt));
  const elements = [leader];
  if (audio && video && !one) {
    const follower = element("video", video, Number(videoAt));
    follower.muted = true;
    elements.push(follower);
  }
  if (!audio) leader.muted = true;
  const mine = { button, elements };
  playing = mine;
  button.setAttribute("aria-pressed", "true");
  for (const made of elements) {
    if (made instanceof HTMLVideoElement) button.querySelector(".icon").before(made);
    made.addEventListener("error", () => playing === mine && failed(button));
    made.addEventListener("ended", () => playing === mine && stopPlaying());
  }
  run(mine);
}

/** Start all elements once all can play from their moments, then let the video follow the audio. */
async function run(mine) {
  const { button, elements } = mine;
  await Promise.all(elements.map(ready));
  if (playing !== mine) return;
  const [leader, follower] = elements;
  try {
    await Promise.all(elements.map((one) => one.play()));
  } catch {
    if (playing === mine) failed(button);
    return;
  }
  const bar = button.querySelector(".progress");
  leader.addEventListener("timeupdate", () => {
    bar.style.transform = `scaleX(${leader.currentTime / (leader.duration || 1)})`;
    if (follower) follow(leader, follower);
  });
  if (follower) {
    follower.addEventListener("waiting", () => leader.pause());
    follower.addEventListener("playing", () => playing === mine && leader.paused && leader.play());
    leader.addEventListener("waiting", () => follower.pause());
    leader.addEventListener("playing", () => playing === mine && follower.paused && !follower.ended && follower.play());
  }
}

/** Correct small drift by playback speed, large drift by seeking. */
function follow(leader, follower) {
  const behind = leader.currentTime - leader.startS - (follower.currentTime - follower.startS);
  if (follower.seeking || follower.ended) return;
  if (Math.abs(behind) > 4 * DRIFT_S) follower.currentTime += behind;
  follower.playbackRate = Math.abs(behind) > DRIFT_S / 3 ? (behind > 0 ? 1.06 : 0.94) : 1;
}

function ready(one) {
  return new Promise((resolve) => {
    const look = () => one.readyState >= 3 && !one.seeking && Math.abs(one.currentTime - one.startS) < 0.5 && done();
    const done = () => {
      for (const name of events) one.removeEventListener(name, look);
      resolve();
    };
    const events = ["canplay", "canplaythrough", "seeked"];
    for (const name of events) one.addEventListener(name, look);
    one.addEventListener("error", done);
    setTimeout(done, 4000);
    look();
  });
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

/** Whether the service has these files; those of the user's own disk are there. */
async function areThere(addresses) {
  for (const address of new Set(addresses.filter((one) => one && one !== SENT))) {
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
