"use strict";
(() => {
  const LEAST_MS = 1000; // between two looks
  const MOST_MS = 15000; // between two looks while they fail
  const OLDER_MS = 10000; // until a chart is asked for again where the daemon does not say when
  const UNASKED_MS = 15000; // between looks while the daemon sends no events
  const LOST = "The connection to the daemon is lost; this page tries again.";
  const status = document.getElementById("live");
  const told = new Map(); // what the daemon last said of each part, by its id
  const newest = new Map(); // parts with a picture as the daemon last told them, by id
  const queue = new Set(); // ids of those that are to be looked at
  const narrow = window.matchMedia("(max-width: 520px)");
  const dark = window.matchMedia("(prefers-color-scheme: dark)");
  let known = null; // version of the newest view that was announced
  let shown = null; // version that the page shows
  let busy = false;
  let lastAt = 0;
  let pause = LEAST_MS;
  let painting = false;
  let round = 0;
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
    if (!old?.isConnected) return;
    const focused = old.contains(document.activeElement) ? document.activeElement.id : "";
    const scrolls = scrolled(old);
    keepState(old, fresh);
    old.replaceWith(fresh);
    for (const [id, left, top] of scrolls) document.getElementById(id)?.scrollTo(left, top);
    if (focused) document.getElementById(focused)?.focus({ preventScroll: true });
  };

  const chartAddress = (source) => {
    const size = narrow.matches ? "narrow" : "wide";
    return `${source}&size=${size}&scheme=${dark.matches ? "dark" : "light"}`;
  };

  const later = (answer) => 1000 * Number(answer.headers.get("retry-after")) || OLDER_MS;

  // Charts are drawn beside everything else: the old picture stays until the new one is there, and words do not wait for it.
  // Returns after how many milliseconds to ask again, 0 if there is no need.
  const bring = async (id) => {
    const fresh = newest.get(id)?.cloneNode(true);
    if (!fresh || document.hidden) return 0;
    const picture = fresh.querySelector("picture");
    try {
      const answer = await fetch(chartAddress(picture.dataset.chart));
      if (answer.status === 202 || !answer.ok) return later(answer);
      round += 1; // browsers show what they showed under the same address before
      for (const source of picture.querySelectorAll("source")) source.srcset += `&n=${round}`;
      picture.querySelector("img").src += `&n=${round}`;
      await picture.querySelector("img").decode();
      replace(document.getElementById(id), fresh);
      return answer.headers.get("chart-state") === "older" ? later(answer) : 0;
    } catch {
      return OLDER_MS;
    }
  };

  // one after the other: browsers keep few connections to one server, and news needs one, too
  const paint = async () => {
    painting = true;
    for (const id of queue) {
      queue.delete(id);
      const again = await bring(id);
      if (again) setTimeout(show, again, id);
    }
    painting = false;
  };

  const show = (id) => {
    queue.add(id);
    if (!painting) paint();
  };

  const showAll = () => [...newest.keys()].forEach(show);

  // Lists grow and shrink by whole members; what stands in those that stay is left to the parts inside them.
  const align = (list, fresh) => {
    for (const member of [...list.children]) {
      if (fresh.querySelector(`#${CSS.escape(member.id)}`)) continue;
      for (const part of member.querySelectorAll("[data-live]")) {
        told.delete(part.id);
        newest.delete(part.id);
      }
      member.remove();
    }
    [...fresh.children].forEach((member, place) => {
      const there = list.children[place] ?? null;
      if (there?.id === member.id) return;
      list.insertBefore(document.getElementById(member.id) ?? document.importNode(member, true), there);
    });
  };

  const look = async () => {
    const address = new URL(window.location.href);
    address.searchParams.set("part", "live");
    const answer = await fetch(address, { headers: { accept: "text/html" }, cache: "no-store" });
    if (!answer.ok || answer.redirected) throw new Error(`the daemon answered ${answer.status}`);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const before = headline();
    for (const list of document.querySelectorAll("[data-list]")) {
      const found = page.getElementById(list.id);
      if (found) align(list, found);
    }
    for (const old of document.querySelectorAll("[data-live]")) {
      const found = page.getElementById(old.id);
      if (!found || found.outerHTML === told.get(old.id)) continue;
      told.set(old.id, found.outerHTML);
      const fresh = document.importNode(found, true);
      const isDrawn = fresh.querySelector("picture") !== null;
      if (isDrawn) {
        newest.set(old.id, fresh.cloneNode(true));
        show(old.id);
      }
      if (!isDrawn || !old.querySelector("picture")) replace(old, fresh);
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
    showAll();
  };

  window.addEventListener("pageshow", (event) => {
    if (event.persisted) window.location.reload();
  });
  for (const part of document.querySelectorAll("[data-live]")) {
    told.set(part.id, part.outerHTML);
    if (part.querySelector("picture")) newest.set(part.id, part.cloneNode(true));
  }
  if (told.size) {
    narrow.addEventListener("change", showAll);
    dark.addEventListener("change", showAll);
    document.addEventListener("visibilitychange", attend);
    window.addEventListener("pagehide", leave);
    attend();
  }
})();
