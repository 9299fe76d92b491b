// Counts clocks down with the server's time, and shows whether the page is live. Everything else is HTML.
(() => {
  "use strict";

  let ahead = 0; // how far the server's clock is ahead of this browser's, in milliseconds

  function learnTime() {
    ahead = Number(document.body.dataset.now) - Date.now();
  }

  function span(seconds) {
    const whole = Math.floor(Math.abs(seconds));
    const days = Math.floor(whole / 86400);
    const two = (number) => String(number).padStart(2, "0");
    const rest = `${two(Math.floor((whole % 3600) / 60))}:${two(whole % 60)}`;
    const hours = Math.floor((whole % 86400) / 3600);
    if (days) return document.documentElement.lang === "en" ? `${days}d ${two(hours)}:${rest}` : `${days} 天 ${two(hours)}:${rest}`;
    return hours ? `${hours}:${rest}` : rest;
  }

  function tick() {
    const now = Date.now() + ahead;
    const english = document.documentElement.lang === "en";
    for (const element of document.querySelectorAll("[data-due]")) {
      const left = (Date.parse(element.dataset.due) - now) / 1000;
      const text = left >= 0 ? span(left) : `${english ? "late " : "超时 "}${span(left)}`;
      if (element.textContent !== text) element.textContent = text;
      element.classList.toggle("late", left < 0);
      element.classList.toggle("soon", left >= 0 && left < 300);
    }
    for (const bar of document.querySelectorAll("progress[data-to]")) {
      const from = Date.parse(bar.dataset.from);
      const share = (now - from) / Math.max(1, Date.parse(bar.dataset.to) - from);
      bar.value = Math.max(0, Math.min(100, share * 100));
      bar.classList.toggle("late", share >= 1);
      bar.classList.toggle("soon", share >= 0.8 && share < 1);
    }
  }

  function live(on) {
    const state = document.getElementById("live-state");
    if (!state || !document.getElementById("live")) return;
    const text = on ? state.dataset.on : state.dataset.off;
    state.hidden = false;
    state.classList.toggle("on", on);
    if (state.textContent !== text) state.textContent = text;
  }

  document.addEventListener("htmx:sse:after:connection", () => live(true));
  document.addEventListener("htmx:sse:error", () => live(false));
  document.addEventListener("htmx:sse:before:connection", (event) => {
    if (event.detail.connection.attempt > 0) live(false);
  });
  document.addEventListener("htmx:after:swap", tick);
  learnTime();
  tick();
  setInterval(tick, 500);
})();
