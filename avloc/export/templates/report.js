"use strict";

// What plays moves the time line; what is pressed on the time line moves the player.

const isStill = matchMedia("(prefers-reduced-motion: reduce)");
const ALMOST = 0.002; // a player rounds the moment it was sent to

function clock(seconds, total) {
  if (total < 60) return `${seconds.toFixed(1)} s`;
  const two = (n) => String(Math.floor(n)).padStart(2, "0");
  const minutes = total < 3600 ? Math.floor(seconds / 60) : two((seconds / 60) % 60);
  const hours = total < 3600 ? "" : `${Math.floor(seconds / 3600)}:`;
  return `${hours}${minutes}:${two(seconds % 60)}`;
}

// A list such as "3,97,0": a value in hundredths for each segment.
function valuesOf(text) {
  const values = text.split(",");
  return (n) => (values[Math.min(n, values.length - 1)] / 100).toFixed(2);
}

function follow(card) {
  const one = (selector) => card.querySelector(selector);
  const all = (selector) => [...card.querySelectorAll(selector)];
  const player = one("video, audio");
  const total = Number(card.dataset.seconds);
  const step = Number(card.dataset.step);
  const scoreAt = valuesOf(card.dataset.scores);
  const values = all(".value").map((at) => ({ at, of: valuesOf(at.dataset.values) }));
  const looks = all(".looks button");
  const events = all(".go[data-event]").map((row) => ({
    start: Number(row.dataset.start),
    end: Number(row.dataset.end),
    score: row.dataset.score,
    colour: row.dataset.colour,
    name: row.querySelector("bdi").textContent,
    buttons: all(`[data-event="${row.dataset.event}"]`),
  }));
  let event, segment, look; // those that are shown now

  function showEvent(seconds) {
    const current = events.filter((e) => e.start <= seconds && seconds < e.end);
    const next = current.sort((a, b) => b.score - a.score)[0] ?? null;
    if (next === event) return;
    event?.buttons.forEach((button) => button.removeAttribute("aria-current"));
    next?.buttons.forEach((button) => button.setAttribute("aria-current", "true"));
    one(".now .swatch").style.background = next?.colour ?? "";
    one(".now .label").textContent = next?.name ?? "no event";
    if (event !== undefined) {
      one(".said").textContent = next ? `${next.name}, score ${next.score}` : "no event";
    }
    event = next;
  }

  function showSegment(n) {
    if (n === segment) return;
    segment = n;
    one(".now .score").textContent = scoreAt(n);
    for (const { at, of } of values) at.textContent = of(n);
  }

  function showLook(next) {
    if (next === look) return;
    const isFirst = segment === undefined; // measuring hundreds of cards on opening is slow
    look?.removeAttribute("aria-current");
    next?.setAttribute("aria-current", "true");
    look = next;
    const film = one(".looks");
    if (!next || isFirst || film.matches(":focus-within, :hover")) return; // or under a hand
    const left = next.parentNode.offsetLeft;
    const room = film.clientWidth - next.offsetWidth;
    if (left < film.scrollLeft || left > film.scrollLeft + room) film.scrollLeft = left;
  }

  function show(seconds) {
    const moment = Math.min(Math.max(seconds, 0), total);
    one(".head").style.left = `${(100 * moment) / total}%`;
    one(".clock").textContent = clock(moment, total);
    showEvent(moment + ALMOST);
    showLook(looks.findLast((picture) => picture.dataset.start <= moment + ALMOST));
    showSegment(Math.floor((moment + ALMOST) / step));
  }

  function go(seconds, isToPlay) {
    if (player && !player.error) {
      if (player.preload === "none") player.preload = "metadata";
      player.currentTime = seconds;
      if (isToPlay) player.play().catch(() => {}); // refused: the player says why
    }
    show(seconds);
  }

  function scrub(press) {
    const box = one(".over").getBoundingClientRect();
    const share = (press.clientX - box.left) / box.width;
    if (press.buttons !== 1 || press.target.closest("button") || share < 0) return;
    go(Math.min(share, 1) * total, false);
  }

  function stepOn(key) {
    const blocks = [...key.currentTarget.children];
    const n = blocks.indexOf(key.target);
    const to = { ArrowLeft: n - 1, ArrowRight: n + 1, Home: 0, End: blocks.length - 1 }[key.key];
    if (n < 0 || to === undefined) return;
    key.preventDefault();
    if (!blocks[to]) return;
    blocks.forEach((block, k) => (block.tabIndex = k === to ? 0 : -1));
    blocks[to].focus();
    go(Number(blocks[to].dataset.start), false);
  }

  function frame() {
    show(player.currentTime);
    if (!player.paused && !player.ended && !isStill.matches) requestAnimationFrame(frame);
  }

  function tell() {
    const { error, tagName, videoWidth, videoHeight } = player;
    if (videoWidth) player.style.setProperty("--ratio", videoWidth / videoHeight);
    if (!error && (tagName === "AUDIO" || videoWidth)) return;
    one(".trouble").textContent = error
      ? "This browser cannot play it: the file is not where the page looks for it, or it is of a " +
        "kind the browser does not know. The time line and the tables work without it."
      : "This browser plays only the sound: it does not know how the picture was encoded.";
  }

  for (const hidden of all(".live")) hidden.hidden = false;
  for (const button of all("button[data-start]")) {
    button.disabled = false;
    button.onclick = () => go(Number(button.dataset.start), "play" in button.dataset);
  }
  for (const track of all(".track")) {
    [...track.children].forEach((block, k) => (block.tabIndex = k ? -1 : 0)); // one stop for Tab
    track.onkeydown = stepOn;
  }
  one(".strip").onpointerdown = scrub;
  one(".strip").onpointermove = scrub;
  show(0);
  if (!player) return;
  for (const name of ["timeupdate", "seeking", "seeked"]) {
    player.addEventListener(name, () => show(player.currentTime));
  }
  player.addEventListener("play", frame);
  player.addEventListener("error", tell);
  player.addEventListener("loadedmetadata", tell);
  if (player.error || player.readyState) tell(); // it was quicker than this script
  if (player.preload === "none" && looks.length) player.poster = looks[0].firstChild.src;
}

document.querySelectorAll(".hint .live").forEach((words) => (words.hidden = false));
document.querySelectorAll("article.clip").forEach(follow);
document.addEventListener("play", (start) => {
  for (const player of document.querySelectorAll("video, audio")) {
    if (player !== start.target) player.pause(); // one at a time
  }
}, true);
