"use strict";
(() => {
  const LEAST_MS = 1000; // between two looks
  const MOST_MS = 15000; // between two looks while they fail
  const UNASKED_MS = 15000; // between looks while the daemon sends no events
  const LOST = "The connection to the daemon is lost; this page tries again.";
  const status = document.getElementById("live");
  const told = new Map(); // what the daemon last said of each part, by its id
  const drawing = new Set(); // ids of parts whose new picture is on its way
  let known = null; // version of the newest view that was announced
  let shown = null; // version that the page shows
  let busy = false;
  let lastAt = 0;
  let pause = LEAST_MS;
  let events = null;
  let again = null;
  let timer = null;
  let unasked = null;

  const say = (text) => {
    if (status.textContent !== text) status.textContent = text;
  };

  const headline = () => document.querySelector("[data-headline]")?.dataset.headline ?? "";

  const keepState = (old, fresh) => {
    for (const details of old.querySelectorAll("details[id][open]")) {
      const same = fresh.querySelector(`#${CSS.escape(details.id)}`);
      if (same) same.open = true;
    }
    for (const field of old.querySelectorAll("input[id], textarea[id], select[id]")) {
      const same = fresh.querySelector(`#${CSS.escape(field.id)}`);
      if (same && field.value !== field.defaultValue) same.value = field.value;
    }
  };

  const scrolled = (part) =>
    [...part.querySelectorAll(".table[id]")]
      .filter((box) => box.scrollLeft || box.scrollTop)
      .map((box) => [box.id, box.scrollLeft, box.scrollTop]);

  const replace = (old, fresh) => {
    if (!old.isConnected) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const scrolls = scrolled(old);
    keepState(old, fresh);
    old.replaceWith(fresh);
    for (const [id, left, top] of scrolls) document.getElementById(id)?.scrollTo(left, top);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };

  // the new picture is there before the old one goes, so that nothing flickers; words do not wait for it
  const replacePicture = async (old, fresh) => {
    drawing.add(old.id);
    try {
      await fresh.querySelector("img").decode();
      replace(old, fresh);
    } catch {
      told.delete(old.id); // the old picture stays, and the next look asks again
    } finally {
      drawing.delete(old.id);
    }
  };

  const look = async () => {
    const address = new URL(window.location.href);
    address.searchParams.set("part", "live");
    const answer = await fetch(address, { headers: { accept: "text/html" }, cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(`the daemon answered ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const before = headline();
    for (const old of document.querySelectorAll("[data-live]")) {
      const found = page.getElementById(old.id);
      if (!found || found.outerHTML === told.get(old.id) || drawing.has(old.id)) continue;
      told.set(old.id, found.outerHTML);
      const fresh = document.importNode(found, true);
      if (fresh.querySelector("img")) replacePicture(old, fresh);
      else replace(old, fresh);
    }
    if (headline() !== before) say(headline());
    else if (status.textContent === LOST) say("");
    document.documentElement.dataset.shown = String(known ?? "");
  };

  const refresh = async () => {
    timer = null;
    if (busy || document.hidden) return;
    busy = true;
    lastAt = performance.now();
    const target = known;
    try {
      await look();
      shown = target;
      pause = LEAST_MS;
    } catch {
      say(LOST);
      pause = Math.min(2 * pause, MOST_MS);
    } finally {
      busy = false;
      if (known !== shown) plan();
    }
  };

  const plan = () => {
    if (timer === null) timer = setTimeout(refresh, Math.max(0, lastAt + pause - performance.now()));
  };

  const poll = () => {
    unasked ??= setInterval(plan, UNASKED_MS);
  };

  const listen = () => {
    again = null;
    events = new EventSource("/api/events");
    events.addEventListener("open", () => {
      clearInterval(unasked);
      unasked = null;
      document.documentElement.dataset.live = "yes";
      if (status.textContent === LOST) say("");
    });
    events.addEventListener("view", (event) => {
      known = JSON.parse(event.data).version;
      if (known !== shown) plan();
    });
    events.addEventListener("error", () => {
      document.documentElement.dataset.live = "no";
      say(LOST);
      // a refused stream stays closed: look now and then, and try again
      if (events.readyState !== EventSource.CLOSED) return;
      poll();
      again ??= setTimeout(listen, UNASKED_MS);
    });
  };

  const leave = () => {
    events?.close();
    clearTimeout(again);
    clearInterval(unasked);
    again = unasked = null;
  };

  // browsers keep few connections to one server: pages that nobody sees do not hold one
  const attend = () => {
    leave();
    if (document.hidden) return;
    listen();
    if (known !== shown) plan();
  };

  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
  for (const part of document.querySelectorAll("[data-live]")) told.set(part.id, part.outerHTML);
  if (told.size) {
    document.addEventListener("visibilitychange", attend);
    window.addEventListener("pagehide", leave);
    attend();
  }
})();
