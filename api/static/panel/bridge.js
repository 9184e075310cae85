// The private channel to the host page: one hello from an allowed origin, then a port nobody else holds.

/** @typedef {{type: string, value?: any}} Letter */

/** Whether a page of this origin may speak to the panel; patterns such as https://*.example.com cover subdomains. */
export function allowed(origin, origins) {
  return [location.origin, ...origins].some((pattern) => {
    if (pattern === "*") return /^https?:\/\//.test(origin);
    const [scheme, rest] = pattern.split("://*.");
    if (!rest) return origin === pattern;
    return origin.startsWith(`${scheme}://`) && origin.endsWith(`.${rest}`) && /^[a-z]+:\/\/[a-z0-9.-]+(:\d+)?$/i.test(origin);
  });
}

/**
 * @param {string[]} origins
 * @param {Record<string, (value: any) => void>} handlers by the type of letter
 */
export function connect(origins, handlers) {
  /** @type {MessagePort | null} */
  let port = null;
  const alone = window.parent === window;
  addEventListener("message", (event) => {
    const fits = !port && !alone && event.source === window.parent && allowed(event.origin, origins);
    if (!fits || !event.data || event.data.firstline !== "hello" || event.ports.length !== 1) return;
    port = event.ports[0];
    port.onmessage = ({ data }) => {
      if (data && typeof data.type === "string" && Object.hasOwn(handlers, data.type)) handlers[data.type](data.value);
    };
    handlers.dress(event.data);
    handlers.identify(event.data.person);
    post("ready");
  });
  /** @param {string} type @param {any} [value] */
  const post = (type, value) => port?.postMessage({ type, value });
  return { alone, post, event: (name, detail) => post("event", { name, detail }) };
}
