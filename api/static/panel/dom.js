// Elements without HTML: everything a person reads is text, and every attribute has a name we wrote.

/** @typedef {Node | string | null | undefined | false} Child */

const SVG = "http://www.w3.org/2000/svg";

/** Drawings of 24 × 24, as paths. */
export const ICONS = {
  back: "M15 5l-7 7 7 7",
  close: "M6 6l12 12M18 6L6 18",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14ZM20 20l-4-4",
  send: "M12 19V6M6 11.5l6-6 6 6",
  chat: "M12 4c5 0 8.5 3.2 8.5 7.3S17 18.6 12 18.6c-.9 0-1.8-.1-2.6-.3L5 20l1-3.3c-1.6-1.3-2.5-3.2-2.5-5.4C3.5 7.2 7 4 12 4Z",
  article: "M7 3.5h7l4.5 4.5V20.5H7zM13.5 3.5V8.5H18.5M10 12.5h5.5M10 16h5.5",
  next: "M9 6l6 6-6 6",
  up: "M7 11v9H4v-9zM7 11l4-7.5c1.6 0 2.5 1.1 2.2 2.6L12.5 9.5H18a2 2 0 0 1 2 2.4l-1.2 6.4A2 2 0 0 1 16.8 20H7",
  down: "M17 13V4h3v9zM17 13l-4 7.5c-1.6 0-2.5-1.1-2.2-2.6l.7-3.4H6a2 2 0 0 1-2-2.4l1.2-6.4A2 2 0 0 1 7.2 4H17",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  restart: "M12 5v14M5 12h14",
  person: "M12 4a4 4 0 1 0 0 8 4 4 0 0 0 0-8ZM4.5 20c.8-3.7 3.7-5.5 7.5-5.5s6.7 1.8 7.5 5.5",
  spark: "M12 4l1.8 5.2L19 11l-5.2 1.8L12 18l-1.8-5.2L5 11l5.2-1.8z",
  bug: "M9 8a3 3 0 0 1 6 0M7.5 8h9v6a4.5 4.5 0 0 1-9 0zM3.5 9.5l4 1.5M3.5 18.5l4.2-2M20.5 9.5l-4 1.5M20.5 18.5l-4.2-2M12 11v7",
  out: "M8 5H5v14h14v-3M13 5h6v6M19 5l-9 9",
};

/**
 * An element with attributes, listeners (`onClick`) and children.
 * @param {string} tag
 * @param {Record<string, any>} [attributes] `false`, `null` and `undefined` leave an attribute out
 * @param {...Child} children
 */
export function el(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (typeof value === "function") made.addEventListener(name.slice(2).toLowerCase(), value);
    else made.setAttribute(name, value === true ? "" : String(value));
  }
  made.append(...children.filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

/** @param {keyof typeof ICONS} name */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon", `icon-${name}`);
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** A button that shows only an icon. */
export function iconButton(name, label, onClick, more = {}) {
  return el("button", { type: "button", class: "tool", "aria-label": label, title: label, onClick, ...more }, icon(name));
}

/** Words for those who do not see the page. */
export function hidden(text) {
  return el("span", { class: "hidden" }, text);
}

/** Say something once through the one polite region of the page. */
export function announce(text) {
  const region = /** @type {HTMLElement} */ (document.getElementById("announcer"));
  region.textContent = "";
  setTimeout(() => (region.textContent = text), 50);
}

/** The address of the contact, when it is one that may be followed. */
export function safeHref(href) {
  return /^(https?:\/\/|mailto:|tel:|\/help)/.test(href) ? href : null;
}

/**
 * A module that is needed only now and then. A browser remembers that a module did not load, so the second try has a name of its own;
 * what such a module imports must be loaded already.
 */
export async function lazy(name) {
  return import(`./${name}.js`).catch(() => import(`./${name}.js?${Date.now()}`));
}
