// The library's script: what is typed is checked and shown again after a pause, a complaint leads to its line, and suggestions
// are decided with single keys. Every page works without it. The server's answer is parsed as a document and moved over as nodes.

const page = document.body;
const one = (selector, root = document) => root.querySelector(selector);
const all = (selector, root = document) => [...root.querySelectorAll(selector)];
const PAUSE = 900;

// ── checking while somebody types ─────────────────────────────────────────────────────────────────

const editor = one("#editor");
let waiting = 0;
let asked = 0;

/** Send what is typed for a check; the newest answer wins. */
function check() {
  if (!one("#title", editor).value.trim() || !one("#body", editor).value.trim()) return;
  const fields = new URLSearchParams(new FormData(editor));
  fields.set("do", "check");
  const mine = ++asked;
  const request = new XMLHttpRequest();
  request.responseType = "document";
  request.open("POST", editor.dataset.check);
  request.setRequestHeader("Accept", "text/html");
  request.setRequestHeader("Content-Type", "application/x-www-form-urlencoded");
  request.onload = () => {
    if (mine === asked && request.status === 200 && request.response) show(request.response);
  };
  request.send(fields.toString());
}

function show(fresh) {
  const panel = one("#as-panel")?.checked;
  for (const part of all("[data-part]")) {
    const its = fresh.getElementById(part.id);
    if (its) part.replaceChildren(...document.adoptNode(its).childNodes);
  }
  if (panel && one("#as-panel")) one("#as-panel").checked = true;
  prepare();
}

if (editor) {
  editor.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(check, PAUSE);
  });
}

// ── from a complaint to its line ──────────────────────────────────────────────────────────────────

function prepare() {
  for (const code of all(".complaints [data-line]")) {
    code.classList.add("link");
    code.setAttribute("role", "button");
    code.tabIndex = 0;
  }
}

function goTo(number) {
  const body = one("#body");
  const lines = body.value.split("\n");
  const start = lines.slice(0, number - 1).join("\n").length + (number > 1 ? 1 : 0);
  body.focus();
  body.setSelectionRange(start, start + lines[number - 1].length);
  body.scrollTop = (body.scrollHeight / Math.max(lines.length, 1)) * (number - 3);
}

function lineOf(event) {
  const code = event.target.closest?.(".complaints [data-line]");
  return code ? Number(code.dataset.line) : 0;
}

// ── keys ──────────────────────────────────────────────────────────────────────────────────────────

const typing = (node) => !!node && node.matches("input:not([type=checkbox]):not([type=radio]), textarea, select");

/** Accept at once; with sentences that nothing supports the first press leads to the box that says so. */
function accept() {
  const button = one('[data-key="a"]');
  const box = one("[data-override]");
  if (box && !box.checked) box.focus();
  else button?.click();
}

function reject() {
  const menu = one("#rejecting");
  if (!menu) return;
  menu.open = true;
  one("[name=reason]", menu).focus();
}

function edit() {
  const text = one("#edit #text");
  text?.scrollIntoView({ block: "center" });
  text?.focus({ preventScroll: true });
}

const KEYS = {
  a: accept,
  e: edit,
  r: reject,
  j: () => one('[data-key="j"]')?.click(),
  "/": () => one("[data-search]")?.focus(),
};

function press(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && event.target.matches("textarea")) {
    event.preventDefault();
    one("[data-send]", event.target.form)?.click();
    return;
  }
  const line = lineOf(event);
  if (line && (event.key === "Enter" || event.key === " ")) {
    event.preventDefault();
    goTo(line);
    return;
  }
  if (event.key === "Escape") for (const menu of all("details.menu[open]")) menu.open = false;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || page.dataset.keys !== "on" || typing(event.target)) return;
  const reason = one("#rejecting[open]") && one(`[data-reason="${CSS.escape(event.key)}"]`);
  const does = reason ? () => (reason.focus(), (reason.checked = true)) : KEYS[event.key];
  if (!does) return;
  event.preventDefault();
  does();
}

// ── beginning ─────────────────────────────────────────────────────────────────────────────────────

document.addEventListener("keydown", press);
document.addEventListener("click", (event) => {
  const line = lineOf(event);
  if (line) goTo(line);
  for (const menu of all("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
prepare();
