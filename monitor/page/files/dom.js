// Elements of the page, made and changed without a line of HTML.

export const byId = (id) => document.getElementById(id);

export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in element) element[name] = value;
    else element.setAttribute(name, value);
  }
  element.append(...children);
  return element;
}

// Touches what is another only, so that focus and selection stay.
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function pairs(list, found) {
  const texts = found.map(([term, text]) => `${term}\n${text}`).join("\n\n");
  if (list.dataset.texts === texts) return;
  list.dataset.texts = texts;
  list.replaceChildren(...found.flatMap(([term, text]) => [make("dt", {}, term), make("dd", {}, text)]));
}

export function stateCell(tag, mode, word = mode) {
  return make(tag, { "data-mode": mode }, make("span", { className: "shape", "aria-hidden": "true" }), ` ${word}`);
}
