"use strict";
/* Answers kept by the server. Each waits in this browser's storage until the server has said that
   it is on its disk, so a lost network, a restart of the server or a closed page loses nothing.
   Sending an answer twice does no harm: the server knows it by rater, clip and question. */

function createStore() {
  const longestPause = 15000;
  let study = null;
  let queue = {};
  let changed = () => {};
  let pause = 500;
  let timer = null;
  let isSending = false;
  let problem = "";

  const place = () => `talkin-study:${study.study}:${study.rater}`;

  function remember() {
    try {
      localStorage.setItem(place(), JSON.stringify(queue));
    } catch { /* private windows may have no storage; the queue then lives as long as the page */ }
  }

  function recall() {
    try {
      queue = JSON.parse(localStorage.getItem(place()) || "{}");
    } catch {
      queue = {};
    }
  }

  function post(path, content) {
    return fetch(path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(content),
      credentials: "same-origin",
      keepalive: true,
    });
  }

  async function send() {
    if (isSending) return;
    isSending = true;
    clearTimeout(timer);
    try {
      for (let clip; (clip = Object.keys(queue)[0]); ) {
        const sent = queue[clip];
        const reply = await post("api/answers", { ...sent, rater: study.rater });
        if (reply.status >= 500 || reply.status === 408 || reply.status === 429) throw new Error();
        if (reply.status === 403 || reply.status === 409) {
          problem = "Please open your private link again.";
          return;
        }
        problem = reply.ok ? "" : "An answer could not be taken; please answer this clip again.";
        if (queue[clip] && queue[clip].sequence === sent.sequence) delete queue[clip];
        remember();
        pause = 500;
        changed();
      }
    } catch {
      timer = setTimeout(send, pause);
      pause = Math.min(longestPause, pause * 2);
    } finally {
      isSending = false;
      changed();
    }
  }

  window.addEventListener("online", send);
  window.addEventListener("hashchange", () => location.reload());

  return {
    isStatic: false,
    async open() {
      const token = location.hash.slice(1);
      if (token) {
        const door = await post("api/enter", { token });
        if (door.status === 403 || door.status === 422) {
          return { closed: "This link is not known. Please check that you copied all of it." };
        }
        if (!door.ok) throw new Error();
      }
      const reply = await fetch("api/study", { credentials: "same-origin" });
      if (reply.status === 403) {
        return { closed: "Please open the link that you were sent: it is yours alone." };
      }
      if (!reply.ok) throw new Error();
      study = await reply.json();
      recall();
      for (const [clip, answer] of Object.entries(queue)) study.answers[clip] = answer;
      send();
      return study;
    },
    start: () => post("api/start", {}).catch(() => {}),
    answer(answer) {
      queue[answer.clip] = answer;
      remember();
      send();
    },
    pending: () => Object.keys(queue).length,
    problem: () => problem,
    onChange(listener) { changed = listener; },
    clipUrl: (clip) => `clips/${clip}`,
  };
}
