// What every explorable is made of. Python puts these lines in front of each piece's module.

// An element: h("p", { class: "note", click: act }, "text", child). A colon marks SVG: h("svg:g").
function h(tag, attributes = {}, ...children) {
  const [name, drawn] = tag.split(":").reverse();
  const space = drawn ? "http://www.w3.org/2000/svg" : "http://www.w3.org/1999/xhtml";
  const element = document.createElementNS(space, name);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") element.addEventListener(key, value);
    else if (value !== false && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

// A slider with its name and its value; show(value, text) moves it.
function slider(name, { min, max, step, label = name }, act) {
  const output = h("output", { class: "cvx-value", "aria-hidden": "true" });
  const input = h("input", {
    type: "range", min, max, step, "aria-label": label,
    "data-lm-suppress-shortcuts": "true", // JupyterLab would take the arrow keys away
    input: () => act(Number(input.value)),
  });
  const element = h("div", { class: "cvx-slider" }, h("span", { class: "cvx-name" }, name), input, output);
  const show = (value, text = String(value)) => {
    input.value = value;
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  return { element, input, show };
}

// A named row of buttons, { text: act }. press(text) marks the one that holds.
function buttons(name, acts) {
  const made = Object.entries(acts).map(([text, act]) => h("button", { type: "button", click: act }, text));
  const element = h("div", { class: "cvx-buttons", role: "group", "aria-label": name },
    h("span", { class: "cvx-name", "aria-hidden": "true" }, name), ...made);
  const press = (text) => made.forEach((b) => b.setAttribute("aria-pressed", String(b.textContent === text)));
  return { element, press };
}

// A bar with its number; show(share, text). A signed one grows from the middle, both ways.
function bar(tone, { signed = false } = {}) {
  const filled = h("i", { style: `--tone: var(--cvx-${tone})` });
  const number = h("span", {});
  const element = h("div", { class: signed ? "cvx-bar cvx-signed" : "cvx-bar" }, filled, number);
  const show = (share, text) => {
    filled.style.setProperty("--share", Math.min(1, Math.abs(share)));
    filled.toggleAttribute("data-minus", share < 0);
    number.textContent = text;
  };
  return { element, show };
}

// What the colours mean: legend({ blue: "student" }).
function legend(meanings) {
  return h("div", { class: "cvx-name cvx-legend" }, ...Object.entries(meanings).map(([tone, meaning]) =>
    h("span", {}, h("span", { class: "cvx-key", style: `--tone: var(--cvx-${tone})` }), meaning)));
}

// Pointer and arrow keys on one element. go({ x, y }) gets the pointer's place in the figure's
// units; step({ x, y }) gets ±1 for an arrow key, ±10 with shift. With hover, a mouse need not press.
function draggable(element, figure, go, step, { hover = false } = {}) {
  const place = (event) => {
    const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(figure.getScreenCTM().inverse());
    go({ x: point.x, y: point.y });
  };
  element.classList.add("cvx-drag");
  element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.addEventListener("pointerdown", (event) => {
    element.setPointerCapture(event.pointerId);
    element.focus({ preventScroll: true });
    event.preventDefault();
    place(event);
  });
  element.addEventListener("pointermove", (event) => {
    if (element.hasPointerCapture(event.pointerId) || (hover && event.pointerType === "mouse")) place(event);
  });
  element.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!way) return;
    event.preventDefault();
    event.stopPropagation();
    const stride = event.shiftKey ? 10 : 1;
    step({ x: way[0] * stride, y: way[1] * stride });
  });
}

// The card that everything stands on, and a line that says in words what is seen. Screen readers
// hear the line once it has rested for half a second.
function card(el, title, ...children) {
  const summary = h("p", { class: "cvx-summary" });
  const heard = h("p", { class: "cvx-unseen", role: "status", "aria-live": "polite" });
  el.append(h("section", { class: "cvx", "aria-label": title },
    h("p", { class: "cvx-title" }, title), ...children, summary, heard));
  let rest;
  return (text, more = "") => { // more: what stands elsewhere on the card
    summary.textContent = text;
    clearTimeout(rest);
    rest = setTimeout(() => { heard.textContent = `${text} ${more}`.trim(); }, 500);
  };
}

// Change the model, in the page or in the kernel.
function put(model, changes) {
  for (const [name, value] of Object.entries(changes)) model.set(name, value);
  model.save_changes();
}

// Draw now, and once after any change of these; what it returns ends that.
function watch(model, names, draw) {
  let due = false;
  const later = () => {
    if (!due) queueMicrotask(() => { due = false; draw(); });
    due = true;
  };
  for (const name of names) model.on(`change:${name}`, later);
  draw();
  return () => names.forEach((name) => model.off(`change:${name}`, later));
}

// Does the work of a generator, a few milliseconds at a time, so that the page never waits for long. After each time,
// shown() gets what the generator gave last, { done, value }. What it returns ends the work.
function in_slices(work, shown, pause = 0) {
  const some = () => {
    const until = performance.now() + SLICE;
    let next;
    do next = work.next(); while (!next.done && performance.now() < until);
    if (!next.done) timer = setTimeout(some);
    shown(next);
  };
  let timer = setTimeout(some, pause);
  return () => clearTimeout(timer);
}
const SLICE = 10;

// The bytes that a text is the base64 of. A loop: a call for each of them takes a phone's time.
function bytesOf(text) {
  const raw = atob(text), bytes = new Uint8Array(raw.length);
  for (let i = 0; i < raw.length; i++) bytes[i] = raw.charCodeAt(i);
  return bytes;
}

const fixed = (value, digits) => value.toFixed(digits).replace("-", "−");
const words = (numbers, digits) => `[${numbers.map((x) => fixed(x, digits)).join(", ")}]`;
const sum = (numbers) => numbers.reduce((total, x) => total + x, 0);

