"use strict";
/* Answers kept in this browser, for a study that no server hosts; at the end the rater downloads
   them and sends them in. `STUDY` stands above this line when the form is written. */

function createStore() {
  const place = `talkin-study:${STUDY.study}`;
  let kept = null;
  let problem = "";

  function randomName() {
    const bytes = crypto.getRandomValues(new Uint8Array(12));
    return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function shuffled(clips) {
    const order = [...clips];
    for (let i = order.length - 1; i > 0; i -= 1) {
      const j = crypto.getRandomValues(new Uint32Array(1))[0] % (i + 1);
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  function remember() {
    try {
      localStorage.setItem(place, JSON.stringify(kept));
      problem = "";
    } catch {
      problem = "This browser keeps nothing: answer all clips at once and download them.";
    }
  }

  function recall() {
    let found = null;
    try {
      found = JSON.parse(localStorage.getItem(place));
    } catch { /* none, or damaged: begin anew */ }
    // A link that ends in #name names the rater, so that several can share a computer.
    const name = /^#[0-9A-Za-z_-]{1,64}$/.test(location.hash) ? location.hash.slice(1) : null;
    if (found && found.clips && (!name || name === found.rater)) return found;
    return { rater: name || randomName(), clips: shuffled(STUDY.clips), answers: {}, has_started: false };
  }

  return {
    isStatic: true,
    async open() {
      kept = recall();
      remember();
      return { ...STUDY, ...kept };
    },
    async start() {
      kept.has_started = true;
      remember();
    },
    answer(answer) {
      kept.answers[answer.clip] = answer;
      remember();
    },
    pending: () => 0,
    problem: () => problem,
    onChange() {},
    clipUrl: (clip) => `clips/${clip}.mp4`,
    download() {
      const content = { version: 1, study: STUDY.study, rater: kept.rater,
        answers: Object.values(kept.answers) };
      const link = document.createElement("a");
      link.href = URL.createObjectURL(new Blob([JSON.stringify(content)],
        { type: "application/json" }));
      link.download = `answers-${kept.rater.slice(0, 12)}.json`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10000);
    },
  };
}
