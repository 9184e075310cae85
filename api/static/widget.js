// Firstline's loader: a round button on the host page, and the panel in a frame once somebody opens it.
// Nothing is stored and nothing else is fetched before that. Types and commands: widget.d.ts beside this file.
(() => {
  "use strict";
  const CONFIG = {}; // filled in by the server
  const early = window.Firstline;
  if (early && early.loaded) return;

  const script = document.currentScript || document.querySelector('script[src*="/widget.js"]');
  const base = new URL(".", script.src);
  const given = script.dataset;
  const state = { locale: given.locale || "", theme: CONFIG.theme, side: CONFIG.side, offset: CONFIG.offset, launcher: CONFIG.launcher };
  let person = null;
  let host, box, button, badge, panel, frame, port, opener, watcher, patience;
  let isReady = false, isOpen = false, unread = 0, waiting = [], failures;
  const listeners = new Map();
  const errors = []; // what went wrong on the page since now: kept here, told only to a visitor who reports a bug

  const CHAT = "M12 3c5.5 0 9.5 3.6 9.5 8.2s-4 8.3-9.5 8.3c-1 0-2-.1-2.9-.4L4.5 21l1.1-3.6C3.7 15.9 2.5 13.7 2.5 11.2 2.5 6.6 6.500 3 12 3Z";
  const DOWN = "m5 9 7 7 7-7";
  const SHEET = `
:host{all:initial!important;position:fixed!important;inset:0 auto auto 0!important;width:0!important;height:0!important;display:block!important;overflow:visible!important;z-index:2147483647!important;direction:ltr!important}
*{box-sizing:border-box}
.box{font:400 16px/1.5 system-ui,sans-serif;color-scheme:light dark;--gap:20px}
.box[data-theme=light]{color-scheme:light}.box[data-theme=dark]{color-scheme:dark}
[hidden]{display:none!important}
.launcher,.panel{position:fixed;right:var(--gap)}
.box[data-side=left] :is(.launcher,.panel){right:auto;left:var(--gap)}
.launcher{bottom:var(--gap);width:56px;height:56px;border:2px solid transparent;border-radius:50%;padding:14px;cursor:pointer;background:${CONFIG.accent};color:${CONFIG.onAccent};box-shadow:0 2px 6px #0003,0 8px 24px #0003}
.launcher:hover{filter:brightness(1.08)}
.launcher:focus-visible,a:focus-visible,.retry:focus-visible{outline:3px solid light-dark(#10151c,#fff);outline-offset:3px}
.launcher.aside{bottom:calc(var(--gap) + 84px)}
svg{display:block;width:100%;height:100%;fill:none;stroke:currentColor;stroke-width:1.9;stroke-linecap:round;stroke-linejoin:round}
.badge{position:absolute;top:-4px;right:-4px;min-width:22px;padding:0 6px;border-radius:11px;background:#c2201c;color:#fff;font:600 13px/22px system-ui,sans-serif}
.panel{bottom:calc(var(--gap) + 68px);width:400px;max-width:calc(100vw - 2*var(--gap));height:min(690px,calc(100dvh - 2*var(--gap) - 68px));border-radius:18px;overflow:hidden;background:light-dark(#fff,#14181d);color:light-dark(#1c2430,#e7ebf0);box-shadow:0 0 0 1px light-dark(#0000000f,#ffffff1f),0 12px 48px #0000003d}
iframe{display:block;width:100%;height:100%;border:0;color-scheme:normal}
.broken{position:absolute;inset:0;padding:40px 28px;text-align:center;background:inherit}
.broken a,.retry{display:block;width:100%;margin-top:16px;padding:11px;border:1px solid currentColor;border-radius:10px;background:none;color:inherit;font:inherit;text-decoration:none;cursor:pointer}
@media (max-width:480px),(max-height:420px){.panel{inset:0!important;width:100%;max-width:none;height:100dvh;border-radius:0}.open .launcher{display:none}}
@media (prefers-reduced-motion:no-preference){.launcher{transition:bottom .15s,filter .15s}.panel{transition:opacity .18s,transform .18s;@starting-style{opacity:0;transform:translateY(10px)}}}
@media print{.box{display:none}}`;

  /** @type {Record<string, (...args: any[]) => any>} What `Firstline(command, …)` understands. */
  const commands = {
    open: () => open(),
    close,
    toggle: () => (isOpen ? close() : open()),
    hide: () => set({ launcher: false }),
    show: () => set({ launcher: true }),
    ask: (text) => open("ask", text && String(text)),
    search: (text) => open("search", String(text || "")),
    article: (name) => open("article", String(name)),
    contact: () => open("contact"),
    report: () => open("bug_report"),
    identify(who) {
      const kept = ["name", "email", "account", "role"].filter((key) => who && typeof who[key] === "string");
      person = kept.length ? Object.fromEntries(kept.map((key) => [key, who[key]])) : null;
      send("identify", person);
    },
    update: set,
    setLocale: (locale) => set({ locale }),
    setTheme: (theme) => set({ theme }),
    reset() {
      person = null;
      close();
      if (frame) send("reset");
    },
    destroy,
    on,
    once(name, call) {
      const off = on(name, (detail) => (off(), call(detail)));
      return off;
    },
    off: (name, call) => listeners.get(name)?.delete(call),
  };

  function Firstline(name, ...rest) {
    if (Object.hasOwn(commands, name)) return commands[name](...rest);
    console.warn(`Firstline: there is no command ${name}`);
  }

  function on(name, call) {
    if (!listeners.has(name)) listeners.set(name, new Set());
    listeners.get(name).add(call);
    if (name === "ready" && box) queueMicrotask(() => call());
    return () => listeners.get(name)?.delete(call);
  }

  function tell(name, detail) {
    for (const call of [...(listeners.get(name) || [])]) {
      try {
        call(detail);
      } catch (error) {
        console.error(error);
      }
    }
  }

  function element(tag, attributes, ...children) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...children);
    return made;
  }

  function icon(path) {
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("viewBox", "0 0 24 24");
    svg.setAttribute("aria-hidden", "true");
    const line = document.createElementNS("http://www.w3.org/2000/svg", "path");
    line.setAttribute("d", path);
    svg.append(line);
    return svg;
  }

  function note(kind, ...words) {
    if (errors.push(`${kind}: ${words.map(plain).join(" ")}`.slice(0, 300)) > 20) errors.shift();
  }

  /** Words of anything that can be thrown or logged, without what stands after the ? of an address. */
  function plain(value) {
    try {
      return String(value instanceof Error ? `${value.name}: ${value.message}` : typeof value === "object" ? JSON.stringify(value) : value).replace(/(https?:\/\/[^\s?#]+)[?#][^\s)'"]*/g, "$1");
    } catch {
      return "?";
    }
  }

  /** The page as a bug report shows it before it is sent. */
  function report() {
    return { page: location.origin + location.pathname, query: location.search, viewport: `${innerWidth} × ${innerHeight}`, version: state.version, errors };
  }

  const onError = (event) => (event.message ? note("error", event.message) : event.target?.src && note("not loaded", event.target.src));
  const onReject = (event) => note("error", event.reason);
  const logged = console.error;
  const logging = (...words) => (note("console", ...words), logged.apply(console, words));
  function listen() {
    addEventListener("error", onError, true);
    addEventListener("unhandledrejection", onReject);
    console.error = logging;
    failures = window.PerformanceObserver && new PerformanceObserver((list) => {
      for (const { name, responseStatus } of list.getEntries()) if (responseStatus >= 400) note(String(responseStatus), name);
    });
    failures?.observe({ type: "resource" });
  }

  function locale() {
    return state.locale || document.documentElement.lang || navigator.language || "en";
  }

  function word(name) {
    return (CONFIG.words[locale().slice(0, 2).toLowerCase()] || CONFIG.words.en)[name];
  }

  /** Take known options with sensible values; everything else is ignored. */
  function set(options) {
    const wanted = options || {};
    if (typeof wanted.locale === "string") state.locale = wanted.locale;
    if (["auto", "light", "dark"].includes(wanted.theme)) state.theme = wanted.theme;
    if (["left", "right"].includes(wanted.side)) state.side = wanted.side;
    if (Number.isFinite(wanted.offset)) state.offset = Math.min(64, Math.max(0, wanted.offset));
    if (typeof wanted.launcher === "boolean") state.launcher = wanted.launcher;
    if (typeof wanted.version === "string") state.version = wanted.version.slice(0, 100);
    dress();
    send("dress", { locale: locale(), theme: state.theme });
  }

  function dress() {
    if (!box) return;
    box.dataset.theme = state.theme;
    box.dataset.side = state.side;
    box.style.setProperty("--gap", `${state.offset}px`);
    box.classList.toggle("open", isOpen);
    button.hidden = !state.launcher;
    button.setAttribute("aria-label", word(isOpen ? "launcher_close" : "launcher_open") + (unread ? `, ${word("unread")}: ${unread}` : ""));
    badge.hidden = !unread;
    badge.textContent = unread;
    button.setAttribute("aria-expanded", String(isOpen));
    button.firstChild.replaceWith(icon(isOpen ? DOWN : CHAT));
    panel.setAttribute("aria-label", word("panel_title"));
    panel.hidden = !isOpen;
    if (frame) frame.title = word("panel_title");
  }

  /** Draw the button. The element stands beside <body>, so that a page that replaces its body keeps it. */
  function mount() {
    if (window.Firstline !== Firstline) return; // destroyed meanwhile
    badge = element("span", { class: "badge", hidden: "" });
    button = element("button", { class: "launcher", type: "button" }, icon(CHAT), badge);
    panel = element("div", { class: "panel", role: "dialog", hidden: "" });
    box = element("div", { class: "box" }, panel, button);
    host = element("firstline-widget", {});
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(SHEET);
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    root.append(box);
    button.addEventListener("click", commands.toggle);
    document.addEventListener("click", onClick);
    document.addEventListener("keydown", onKey);
    document.addEventListener("focusin", onFocus);
    watcher = new MutationObserver(attach);
    watcher.observe(document.documentElement, { childList: true });
    attach();
    dress();
    tell("ready");
  }

  function attach() {
    if (host.isConnected) return;
    document.documentElement.append(host);
    if (host.showPopover) {
      host.popover = "manual"; // the top layer: no z-index of the page reaches it
      host.showPopover();
    }
  }

  function open(view, text) {
    if (!box) return void document.addEventListener("DOMContentLoaded", () => open(view, text), { once: true });
    if (!frame) load();
    if (!isOpen) {
      opener = document.activeElement;
      isOpen = true;
      dress();
      tell("open");
    }
    frame.focus();
    send("open", { view, text, full: matchMedia("(max-width:480px),(max-height:420px)").matches });
  }

  function close() {
    if (!isOpen) return;
    isOpen = false;
    dress();
    const back = opener && opener !== document.body && opener !== host && opener.isConnected ? opener : button;
    back.focus();
    send("closed");
    tell("close");
  }

  /** Put the panel's page into its frame; each time it has loaded it gets a private channel. */
  function load() {
    isReady = false;
    panel.replaceChildren((frame = element("iframe", { title: word("panel_title") })));
    frame.addEventListener("load", () => {
      isReady = false;
      const channel = new MessageChannel();
      port = channel.port1;
      port.onmessage = (event) => hear(event.data || {});
      const hello = { firstline: "hello", locale: locale(), theme: state.theme, person };
      frame.contentWindow.postMessage(hello, base.origin, [channel.port2]);
    });
    frame.src = new URL(`widget/panel?locale=${encodeURIComponent(locale().slice(0, 16))}`, base).href;
    clearTimeout(patience);
    patience = setTimeout(broken, 12000);
  }

  function broken() {
    if (isReady) return;
    const retry = element("button", { class: "retry", type: "button" }, "↻");
    retry.setAttribute("aria-label", word("launcher_open"));
    const link = element("a", { href: new URL("help", base).href, target: "_blank", rel: "noopener" }, word("help_centre"));
    panel.append(element("div", { class: "broken", role: "alert" }, word("loads_not"), link, retry));
    retry.addEventListener("click", () => (load(), open()));
    tell("error", { reason: "panel" });
  }

  function send(type, value) {
    if (isReady) port.postMessage({ type, value });
    else if (frame && (type === "open" || type === "reset")) waiting.push({ type, value });
  }

  function hear({ type, value }) {
    if (type === "ready") {
      isReady = true;
      panel.querySelector(".broken")?.remove();
      for (const message of waiting.splice(0)) port.postMessage(message);
    } else if (type === "close") close();
    else if (type === "report") send("report", report());
    else if (type === "unread") {
      unread = Number(value) || 0;
      dress();
      tell("unread", unread);
    } else if (type === "event" && value) tell(String(value.name), value.detail);
  }

  function onClick(event) {
    const from = event.composedPath()[0];
    const near = from instanceof Element ? from.closest("[data-firstline-article]") : null;
    if (!near || event.defaultPrevented || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    open("article", near.dataset.firstlineArticle);
  }

  function onKey(event) {
    if (event.key === "Escape" && isOpen && !event.defaultPrevented) close();
  }

  /** A focused element of the page that the button would cover: the button steps aside (WCAG 2.4.11). */
  function onFocus(event) {
    button.classList.remove("aside");
    if (event.target === host || button.hidden) return;
    const seen = event.target.getBoundingClientRect(), mine = button.getBoundingClientRect();
    const apart = seen.right < mine.left || seen.left > mine.right || seen.bottom < mine.top || seen.top > mine.bottom;
    button.classList.toggle("aside", !apart);
  }

  function destroy() {
    watcher?.disconnect();
    failures?.disconnect();
    removeEventListener("error", onError, true);
    removeEventListener("unhandledrejection", onReject);
    if (console.error === logging) console.error = logged;
    clearTimeout(patience);
    for (const [name, call] of [["click", onClick], ["keydown", onKey], ["focusin", onFocus]]) document.removeEventListener(name, call);
    host?.remove();
    port?.close();
    listeners.clear();
    delete window.Firstline;
  }

  try { listen(); } catch {} // a page that forbids it is reported without its errors
  Firstline.loaded = true;
  window.Firstline = Firstline;
  set({ theme: given.theme, side: given.side, offset: given.offset ? Number(given.offset) : NaN, launcher: given.launcher !== "off" && state.launcher, version: given.version });
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", mount, { once: true });
  else mount();
  for (const call of (early && early.q) || []) Firstline(...call);
})();
