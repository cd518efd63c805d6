"use strict";
/* The page: one clip at a time, its questions, and the way back and forth. */

const store = createStore();
const views = ["loading", "closed", "welcome", "clip", "pause", "finished"];
const video = byId("video");
let study = null;
let questions = null;
let place = 0;
let plays = 0;
let shownAt = 0;
const watched = new Set();

function byId(id) { return document.getElementById(id); }

function show(view) {
  views.forEach((name) => { byId(`view-${name}`).hidden = name !== view; });
  byId("progress").hidden = !["clip", "pause"].includes(view);
  byId("pause").hidden = view !== "clip";
  if (view !== "clip") video.pause();
  const heading = byId(`view-${view}`).querySelector("h1");
  if (heading) heading.focus({ preventScroll: true });
  window.scrollTo(0, 0);
}

function answerOf(clip) {
  return study.answers[clip] || { clip, scores: {}, sequence: 0, is_unplayable: false };
}

function isDone(clip) {
  const answer = answerOf(clip);
  return answer.is_unplayable || study.questions.every(({ name }) => name in answer.scores);
}

function countDone() { return study.clips.filter(isDone).length; }

function isOpen(clip) {
  return !study.page.must_watch || watched.has(clip) || Object.keys(answerOf(clip).scores).length > 0;
}

function showProgress() {
  const done = countDone();
  byId("count").textContent = `${done} of ${study.clips.length}`;
  byId("bar").max = study.clips.length;
  byId("bar").value = done;
}

function showStatus() {
  const status = byId("status");
  const clip = study.clips[place];
  const answer = answerOf(clip);
  const waits = store.pending() > 0;
  let words = "";
  if (store.problem()) words = store.problem();
  else if (video.error) words = "This clip could not be loaded.";
  else if (answer.is_unplayable) words = "Noted: this clip did not play.";
  else if (!isOpen(clip)) words = "Watch to the end, then answer.";
  else if (waits) words = "Saving …";
  else if (Object.keys(answer.scores).length) words = store.isStatic ? "Kept in this browser" : "Saved";
  status.textContent = words;
  status.classList.toggle("waiting", Boolean(store.problem() || video.error));
  byId("next").disabled = !isDone(clip);
  byId("next").textContent = place + 1 < study.clips.length ? "Next" : "Finish";
  byId("back").disabled = place === 0;
}

function showAnswers() {
  const clip = study.clips[place];
  questions.show(answerOf(clip).scores, isOpen(clip));
  showProgress();
  showStatus();
}

function showClip(number, plays_at_once) {
  place = Math.max(0, Math.min(number, study.clips.length - 1));
  plays = 0;
  shownAt = performance.now();
  byId("clip-title").textContent = `Clip ${place + 1} of ${study.clips.length}`;
  video.src = store.clipUrl(study.clips[place]);
  setStage("");
  show("clip");
  showAnswers();
  const ahead = study.clips[place + 1];
  if (ahead) byId("ahead").src = store.clipUrl(ahead);
  if (plays_at_once) play();
}

function setStage(state) {
  byId("stage").className = `stage ${state}`;
  const words = { playing: "Pause", ended: "Play again", failed: "Try again" };
  byId("play-word").textContent = words[state] || "Play";
}

function play() {
  if (!video.paused) { video.pause(); return; }
  if (video.error) video.load();
  // Browsers may refuse to play before the first tap; the button then stays.
  video.play().catch(() => setStage(""));
}

function give(change) {
  const clip = study.clips[place];
  const before = answerOf(clip);
  const answer = {
    clip,
    scores: before.scores,
    is_unplayable: false,
    ...change,
    sequence: before.sequence + 1,
    plays,
    elapsed_ms: Math.round(performance.now() - shownAt),
  };
  study.answers[clip] = answer;
  store.answer(answer);
  showAnswers();
}

function giveScore(question, score) {
  const clip = study.clips[place];
  if (!isOpen(clip)) return;
  give({ scores: { ...answerOf(clip).scores, [question]: score } });
}

function goOn() {
  if (!isDone(study.clips[place])) return;
  if (place + 1 < study.clips.length) showClip(place + 1, true);
  else finish();
}

function resume() {
  const open = study.clips.findIndex((clip) => !isDone(clip));
  if (open < 0) finish();
  else showClip(open, true);
}

function finish() {
  const open = study.clips.findIndex((clip) => !isDone(clip));
  if (open >= 0) { showClip(open, true); return; }
  show("finished");
  showFinished();
}

function showFinished() {
  const waiting = store.pending();
  let words = "All your answers are saved. You may close this page.";
  if (store.problem()) words = store.problem();
  else if (store.isStatic) words = "Your answers are in this browser only: please download them and send the file in.";
  else if (waiting) words = `Sending ${waiting} more answers … please keep this page open.`;
  byId("finished-state").textContent = words;
}

function pause() {
  const left = study.clips.length - countDone();
  byId("pause-count").textContent = `${countDone()} of ${study.clips.length} clips are answered, ${left} are left.`;
  byId("pause-how").textContent = store.isStatic
    ? "Your answers are kept in this browser. Open this page again in the same browser to go on."
    : "Your answers are kept. You may close this page and open your private link again, on this or another device.";
  show("pause");
}

/* Keys: digits answer, space plays, enter goes on. What has the focus keeps its own keys. */
function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || byId("view-clip").hidden) return;
  const target = event.target;
  const isButton = target instanceof HTMLButtonElement;
  const isOpenRadio = target instanceof HTMLInputElement && !target.checked;
  if (/^[1-5]$/.test(event.key)) {
    giveScore(questions.active(answerOf(study.clips[place]).scores), Number(event.key));
  } else if (event.key === " " && !isButton && !isOpenRadio) {
    play();
  } else if (event.key === "Enter" && !isButton && !event.repeat) {
    goOn();
  } else {
    return;
  }
  event.preventDefault();
}

function fillTexts() {
  const { page, clips } = study;
  const secondsToThink = 2 + 3 * study.questions.length;
  const minutes = Math.ceil((study.duration_s + secondsToThink * clips.length) / 60);
  document.title = page.title;
  byId("name").textContent = page.title;
  byId("welcome-title").textContent = page.title;
  byId("introduction").textContent = page.introduction;
  byId("how-many").textContent = `${clips.length} clips, about ${minutes} ${minutes === 1 ? "minute" : "minutes"}.`;
  byId("contact").textContent = page.contact ? `Questions: ${page.contact}` : "";
  byId("finished-contact").textContent = byId("contact").textContent;
  byId("debrief").textContent = page.debrief;
  byId("how-kept").textContent = store.isStatic
    ? "Your answers are kept in this browser until you download them at the end."
    : "Your answers are kept, and your link brings you back.";
  byId("start").textContent = countDone() > 0 ? "Continue" : "Start";
  byId("download").hidden = !store.isStatic;
  video.width = study.width;
  video.height = study.height;
  byId("view-clip").classList.toggle("several", study.questions.length > 1);
}

function listen() {
  byId("start").addEventListener("click", () => { store.start(); resume(); });
  byId("continue").addEventListener("click", resume);
  byId("again").addEventListener("click", () => showClip(0, false));
  byId("pause").addEventListener("click", pause);
  byId("play").addEventListener("click", (event) => {
    play();
    // After a mouse click the keys shall belong to the page again: enter goes on, space plays.
    if (event.detail > 0) byId("clip-title").focus({ preventScroll: true });
  });
  byId("next").addEventListener("click", goOn);
  byId("back").addEventListener("click", () => showClip(place - 1, false));
  byId("broken").addEventListener("click", () => {
    give({ scores: {}, is_unplayable: true });
    byId("next").focus({ preventScroll: true });
  });
  byId("download").addEventListener("click", () => store.download());
  byId("questions").addEventListener("submit", (event) => event.preventDefault());
  video.addEventListener("click", play);
  video.addEventListener("play", () => { plays += 1; setStage("playing"); });
  video.addEventListener("pause", () => { if (!video.ended) setStage(""); });
  video.addEventListener("error", () => { setStage("failed"); showStatus(); });
  video.addEventListener("ended", () => {
    watched.add(study.clips[place]);
    setStage("ended");
    showAnswers();
  });
  document.addEventListener("keydown", onKey);
  store.onChange(() => { showStatus(); if (!byId("view-finished").hidden) showFinished(); });
}

async function begin() {
  try {
    study = await store.open();
  } catch {
    byId("view-loading").textContent = "The study cannot be reached; trying again …";
    setTimeout(begin, 3000);
    return;
  }
  if (study.closed) {
    byId("closed-reason").textContent = study.closed;
    show("closed");
    return;
  }
  questions = buildQuestions(byId("questions"), study.questions, giveScore);
  fillTexts();
  listen();
  show("welcome");
}

begin();
