// Typed nodes from the server → elements. What is not in these tables does not appear.

import { el, hidden, icon } from "./dom.js";

/** @typedef {string | {tag: string, of: PageNode[], [more: string]: any}} PageNode */

const PLAIN = { p: "p", b: "strong", i: "em", s: "s", code: "code", ul: "ul", li: "li", quote: "blockquote", tr: "tr", th: "th", td: "td", mark: "mark" };

/**
 * @param {PageNode[]} nodes
 * @param {{openArticle: (slug: string, anchor: string) => void, top: number}} how `top` is the level of the highest heading
 */
export function draw(nodes, how) {
  return nodes.map((node) => (typeof node === "string" ? node : element(node, how)));
}

/** The words that stand in nodes. */
export function wordsOf(nodes) {
  return nodes.map((node) => (typeof node === "string" ? node : wordsOf(node.of) + (/^(p|li|h|tr|pre)$/.test(node.tag) ? "\n" : ""))).join("");
}

function element(node, how) {
  const make = SPECIAL[node.tag];
  if (make) return make(node, how);
  const inner = draw(node.of, how);
  return PLAIN[node.tag] ? el(PLAIN[node.tag], {}, ...inner) : el("span", {}, ...inner);
}

const SPECIAL = {
  h: (node, how) => el(`h${Math.min(6, Math.max(2, node.level) + how.top - 2)}`, { id: `a-${node.id}`, tabindex: -1 }, ...draw(node.of, how)),
  ol: (node, how) => el("ol", { start: Number(node.start) || 1 }, ...draw(node.of, how)),
  pre: (node, how) => el("pre", { tabindex: 0 }, el("code", {}, ...draw(node.of, how))),
  br: () => el("br"),
  hr: () => el("hr"),
  table: (node, how) => el("div", { class: "scroll", tabindex: 0 }, el("table", {}, el("tbody", {}, ...draw(node.of, how)))),
  img: (node) => el("img", { src: /^\/help\//.test(node.src) ? node.src : null, alt: String(node.alt), loading: "lazy" }),
  a: link,
};

function link(node, how) {
  const inner = draw(node.of, how);
  if (typeof node.article === "string") {
    const onClick = (event) => {
      event.preventDefault();
      how.openArticle(node.article, node.anchor || "");
    };
    return el("a", { href: `/help/${encodeURIComponent(node.article)}`, onClick }, ...inner);
  }
  if (!/^https?:\/\//i.test(node.href)) return el("span", {}, ...inner);
  const host = new URL(node.href).host;
  return el("a", { href: node.href, target: "_blank", rel: "noopener noreferrer nofollow", title: host }, ...inner, icon("out"), hidden(` (${host})`));
}
