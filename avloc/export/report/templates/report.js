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

function listed(words, mark = ", ") {
  const n_more = words.length - 3;
  return words.slice(0, 3).join(mark) + (n_more > 0 ? ` and ${n_more} more` : "");
}

// A list such as "3,97,0": a value in hundredths for each segment.
function valuesOf(text) {
  const values = text.split(",");
  return (n) => (values[Math.min(n, values.length - 1)] / 100).toFixed(2);
}

// The time line grows to the right and scrolls; the words before it stay where they are.
function zoomable(card) {
  const one = (selector) => card.querySelector(selector);
  const [strip, over, times, said] = [".strip", ".over", ".times", ".zoom [role]"].map(one);
  const total = Number(card.dataset.seconds);
  const most = 2 ** Math.min(Math.ceil(Math.log2(total / Number(card.dataset.step) / 8)), 6);
  const steps = times.dataset.steps.split(",").map(Number).filter((step) => step >= 1);
  const whole = [...times.children];
  const buttons = [...card.querySelectorAll("[data-zoom]")];
  let zoom = 1, now = 0;

  const room = () => strip.clientWidth - over.offsetLeft;
  const left = () => (strip.scrollLeft / over.clientWidth) * total;
  const isSeen = () => now >= left() && now <= left() + total / zoom;

  function tick(seconds) {
    const at = document.createElement("span");
    at.style.left = `${(100 * seconds) / total}%`;
    at.className = seconds > total * (1 - 0.03 / zoom) ? "last" : "";
    at.textContent = clock(seconds, total);
    return at;
  }

  function ticks() {
    const step = steps.find((s) => total / s <= 10 * zoom) ?? total;
    return Array.from({ length: Math.floor(total / step + 1e-6) + 1 }, (_, n) => tick(n * step));
  }

  function centre(seconds) {
    strip.scrollLeft = (seconds / total) * over.clientWidth - room() / 2;
  }

  function set(asked) {
    const next = Math.min(Math.max(asked, 1), most);
    if (next === zoom) return;
    const middle = isSeen() ? now : left() + total / zoom / 2;
    zoom = next;
    strip.style.setProperty("--zoom", zoom);
    strip.classList.toggle("zoomed", zoom > 1);
    zoom > 1 ? (strip.tabIndex = 0) : strip.removeAttribute("tabindex");
    times.replaceChildren(...(zoom > 1 ? ticks() : whole));
    centre(middle);
    tell();
  }

  function tell() {
    said.textContent = zoom > 1 ? `zoomed ${zoom} times` : "";
    for (const button of buttons) {
      const isIn = Number(button.dataset.zoom) > 1;
      button.setAttribute("aria-disabled", isIn ? zoom === most : zoom === 1);
    }
  }

  for (const button of buttons) {
    button.disabled = false;
    button.onclick = () => set(zoom * Number(button.dataset.zoom));
  }
  one(".line").onkeydown = (key) => {
    const factor = { "+": 2, "=": 2, "-": 0.5, 0: 0 }[key.key];
    if (factor === undefined || key.ctrlKey || key.metaKey || key.altKey) return;
    key.preventDefault();
    set(zoom * factor);
  };
  tell();
  return {
    isIn: () => zoom > 1,
    follow(seconds) {
      now = seconds;
      if (zoom > 1 && !isSeen() && !strip.matches(":hover")) centre(now); // or under a hand
    },
  };
}

function follow(card) {
  const one = (selector) => card.querySelector(selector);
  const all = (selector) => [...card.querySelectorAll(selector)];
  const player = one("video, audio");
  const strip = one(".strip");
  const zoom = one(".zoom") ? zoomable(card) : { isIn: () => false, follow() {} };
  const total = Number(card.dataset.seconds);
  const step = Number(card.dataset.step);
  const scoreAt = valuesOf(card.dataset.scores);
  const values = all(".value").map((at) => ({ at, of: valuesOf(at.dataset.values) }));
  const looks = all(".looks button");
  const events = all(".go[data-event]").map((row) => ({
    start: Number(row.dataset.start),
    end: Number(row.dataset.end),
    score: row.dataset.score,
    strength: Number(row.dataset.strength),
    colour: row.dataset.colour,
    sense: row.dataset.sense,
    letter: row.dataset.letter,
    name: row.querySelector("bdi").textContent,
    buttons: all(`[data-event="${row.dataset.event}"]`),
  }));
  let shown, segment, look; // those that are shown now

  function showSense(event) {
    const letter = one(".now .sense");
    if (!letter) return;
    letter.hidden = !event;
    letter.className = `sense ${event?.sense}`;
    letter.textContent = event?.letter ?? "";
  }

  // Of several events at once the strongest is the first.
  function showEvents(seconds) {
    const current = events.filter((e) => e.start <= seconds && seconds < e.end);
    current.sort((a, b) => b.strength - a.strength);
    if (shown && shown.length === current.length && shown.every((e, n) => e === current[n])) return;
    for (const { buttons } of shown ?? []) {
      buttons.forEach((button) => button.removeAttribute("aria-current"));
    }
    for (const { buttons } of current) {
      buttons.forEach((button) => button.setAttribute("aria-current", "true"));
    }
    one(".now .swatch").style.background = current[0]?.colour ?? "";
    showSense(current[0]);
    one(".now .label").textContent = listed(current.map((e) => e.name)) || "no event";
    if (shown !== undefined) {
      const words = ({ name, score, sense }) => `${name}, score ${score}${sense ? `, ${sense}` : ""}`;
      one(".said").textContent = listed(current.map(words), "; ") || "no event";
    }
    shown = current;
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
    zoom.follow(moment);
    showEvents(moment + ALMOST);
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
    const isOnBar = press.clientY > strip.getBoundingClientRect().top + strip.clientHeight;
    if (isOnBar || press.target.closest("button, .word") || share < 0) return;
    go(Math.min(share, 1) * total, false);
  }

  // A finger on a zoomed time line moves it, and goes there only when it taps.
  const isPan = (press) => press.pointerType === "touch" && zoom.isIn();
  const drag = (press) => press.buttons === 1 && !isPan(press) && scrub(press);

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
    player.hidden = Boolean(error); // an empty player would look like a video of nothing
    one(".trouble").textContent = error
      ? `${player.dataset.file} cannot be played: it is not beside this page, where the page ` +
        "looks for it, or the browser does not know its kind. Everything else works without it."
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
  strip.onpointerdown = strip.onpointermove = drag;
  strip.onclick = (press) => isPan(press) && scrub(press);
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
  if (player.preload === "none") nearby.observe(card);
}

// A page of many videos asks for each when it comes into view, and sees then if it is there.
const nearby = new IntersectionObserver((cards) => {
  for (const { isIntersecting, target } of cards) {
    if (!isIntersecting) continue;
    nearby.unobserve(target);
    target.querySelector("video, audio").preload = "metadata";
  }
});

function sortable(index) {
  const list = index.querySelector("ol");
  const rows = [...list.children];
  const buttons = [...index.querySelectorAll("[data-by]")];
  for (const button of buttons) {
    button.disabled = false;
    button.onclick = () => {
      const value = (row) => Number(row.dataset[button.dataset.by] ?? 2); // what has none is last
      list.append(...[...rows].sort((a, b) => value(a) - value(b)));
      buttons.forEach((each) => each.setAttribute("aria-pressed", each === button));
    };
  }
  index.querySelector(".live").hidden = false;
}

document.querySelectorAll(".hint .live").forEach((words) => (words.hidden = false));
document.querySelectorAll("nav").forEach(sortable);
document.querySelectorAll("article.clip").forEach(follow);
document.addEventListener("play", (start) => {
  for (const player of document.querySelectorAll("video, audio")) {
    if (player !== start.target) player.pause(); // one at a time
  }
}, true);
