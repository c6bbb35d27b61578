// Crop lab: move a window or an occluder over a picture; what two trained models then say was
// computed beforehand, for every position of the grid.

const SIDE = 32, GRID = 9, STEP = 3; // pixels; positions each way; pixels from one to the next
const SIZES = { window: [1.5, 1, 0.6], occluder: [0.25, 0.4, 0.55] }; // shares of the picture's side
const GREY = 128, MARGIN = 0.5; // of the occluder; of the view, a share of the side

const decoded = new Map(); // base64 → bytes: the same ones at every step of a drag
function decode(text) {
  if (!decoded.has(text)) decoded.set(text, bytesOf(text));
  return decoded.get(text);
}
const offset = (index) => (index - (GRID - 1) / 2) * STEP; // pixels from the middle

// A window of a share of the side, shifted by (dy, dx), bilinearly resized to SIDE × SIDE;
// outside the picture its border is repeated. pixels: (SIDE, SIDE, 3).
function crop(pixels, share, [dy, dx], n = SIDE) {
  const at = (y, x, c) => pixels[(Math.max(0, Math.min(SIDE - 1, y)) * SIDE + Math.max(0, Math.min(SIDE - 1, x))) * 3 + c];
  const from = (u, shift) => ((u + 0.5) / n - 0.5) * share * SIDE + SIDE / 2 - 0.5 + shift;
  const result = new Uint8ClampedArray(n * n * 3);
  for (let v = 0; v < n; v++) for (let u = 0; u < n; u++) {
    const [y, x] = [from(v, dy), from(u, dx)];
    const [top, left] = [Math.floor(y), Math.floor(x)];
    const [fy, fx] = [y - top, x - left];
    for (let c = 0; c < 3; c++) {
      const above = (1 - fx) * at(top, left, c) + fx * at(top, left + 1, c);
      const below = (1 - fx) * at(top + 1, left, c) + fx * at(top + 1, left + 1, c);
      result[(v * n + u) * 3 + c] = Math.floor((1 - fy) * above + fy * below + 0.5);
    }
  }
  return result;
}

// The occluder's rows and columns, first and one past the last.
function box(share, place) {
  const half = Math.floor((share * SIDE) / 2);
  return place.map((index) => {
    const centre = SIDE / 2 + offset(index);
    return [Math.max(0, centre - half), Math.min(SIDE, centre + half)];
  });
}

function pictureOf({ pixels, picture }) {
  const length = SIDE * SIDE * 3;
  return decode(pixels).subarray(picture * length, (picture + 1) * length);
}

function seen(state) {
  const { mode, level, place } = state;
  const share = SIZES[mode][level];
  const picture = pictureOf(state);
  if (mode === "window") return crop(picture, share, place.map(offset));
  const result = Uint8ClampedArray.from(picture);
  const [[top, bottom], [left, right]] = box(share, place);
  for (let y = top; y < bottom; y++) result.fill(GREY, (y * SIDE + left) * 3, (y * SIDE + right) * 3);
  return result;
}

function compute(state) {
  const { predictions, names, labels, arms, picture, mode, level, place } = state;
  const all = decode(predictions); // (arms, pictures, window and occluder, sizes, GRID, GRID, classes)
  const setting = (mode === "window" ? 0 : SIZES.window.length) + level;
  const settings = SIZES.window.length + SIZES.occluder.length;
  const read = (arm, y, x) => {
    const start = ((((arm * labels.length + picture) * settings + setting) * GRID + y) * GRID + x) * names.length;
    return [...all.subarray(start, start + names.length)].map((byte) => byte / 255);
  };
  const top = (p) => p.indexOf(Math.max(...p));
  const cells = [...Array(GRID * GRID).keys()].map((i) => [Math.floor(i / GRID), i % GRID]);
  return {
    seen: [...seen(state)],
    probabilities: arms.map((_, arm) => read(arm, ...place)),
    right: arms.map((_, arm) => cells.map(([y, x]) => top(read(arm, y, x)) === labels[picture])),
  };
}

function paint(canvas, rgb) {
  const n = Math.sqrt(rgb.length / 3);
  const image = new ImageData(n, n);
  image.data.fill(255); // opaque
  for (let i = 0; i < n * n; i++) for (let c = 0; c < 3; c++) image.data[4 * i + c] = rgb[3 * i + c];
  Object.assign(canvas, { width: n, height: n });
  canvas.getContext("2d").putImageData(image, 0, 0);
}

// One model's part: what it says, where it is right, its three likeliest classes.
function column(arm) {
  const says = h("p", { class: "cvx-says" });
  const cells = [...Array(GRID * GRID).keys()].map((i) => h("svg:rect", { x: (i % GRID) + 0.08, y: Math.floor(i / GRID) + 0.08, width: 0.84, height: 0.84,
    stroke: "var(--cvx-quiet)", "stroke-width": 0.06 }));
  const here = h("svg:rect", { width: 1, height: 1, fill: "none", stroke: "var(--cvx-orange)", "stroke-width": 0.25 });
  const map = h("svg:svg", { viewBox: `-0.2 -0.2 ${GRID + 0.4} ${GRID + 0.4}`, role: "img", "aria-label": `Where the ${arm} is right` }, ...cells, here);
  const bars = [0, 1, 2].map(() => ({ name: h("span", {}), made: bar("blue") }));
  const element = h("div", {}, h("p", { class: "cvx-says" }, h("b", {}, arm)), says, map,
    ...bars.map(({ name, made }) => h("div", { class: "cvx-top" }, name, made.element)));
  return { element, says, cells, here, bars };
}

function render({ model, el }) {
  const traits = ["pixels", "predictions", "names", "labels", "arms", "picture", "mode", "level", "place"];
  const get = () => Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const { labels, names, arms } = get();
  const view = h("canvas", { role: "img", "aria-label": "The picture and around it" });
  const sight = h("canvas", { role: "img", "aria-label": "What the models see" });
  const size = 100 * (1 + 2 * MARGIN);
  const frame = h("svg:rect", { fill: "none", stroke: "var(--cvx-orange)", "stroke-width": 3 });
  const figure = h("svg:svg", { viewBox: `${-100 * MARGIN} ${-100 * MARGIN} ${size} ${size}`, tabindex: 0, role: "application",
    "aria-label": "Window or occluder: arrow keys move it" }, frame);
  const go = (place) => put(model, { place: place.map((i) => Math.max(0, Math.min(GRID - 1, Math.round(i)))) });
  draggable(figure, figure,
    ({ x, y }) => go([y, x].map((at) => ((at / 100 - 0.5) * SIDE) / STEP + (GRID - 1) / 2)),
    ({ x, y }) => go([model.get("place")[0] + y, model.get("place")[1] + x]));
  const columns = arms.map(column);
  const pictures = buttons("Picture", Object.fromEntries(labels.map((label, i) => [`${i + 1} ${names[label]}`, () => put(model, { picture: i })])));
  const modes = buttons("Move", { "a window": () => put(model, { mode: "window" }), "an occluder": () => put(model, { mode: "occluder" }) });
  const level = slider("Size", { min: 0, max: 2, step: 1, label: "Size of the window or occluder" }, (value) => put(model, { level: value }));
  const caption = (text) => h("figcaption", { class: "cvx-name" }, text);
  const say = card(el, "Crop lab", h("div", { class: "cvx-crop" },
    h("figure", {}, h("div", { class: "cvx-stack" }, view, figure), caption("drag the frame")),
    h("figure", {}, sight, caption("what the models see")), ...columns.map((c) => c.element)),
  h("div", { class: "cvx-controls" }, modes.element, level.element, pictures.element));

  return watch(model, traits, () => {
    const state = get();
    const { mode, picture, place } = state;
    const share = SIZES[mode][state.level];
    const { seen: pixels, probabilities, right } = compute(state);
    paint(view, crop(pictureOf(state), 1 + 2 * MARGIN, [0, 0], 2 * SIDE));
    paint(sight, pixels);
    const [top, left] = place.map((i) => 100 * (0.5 + offset(i) / SIDE - share / 2));
    Object.entries({ x: left, y: top, width: 100 * share, height: 100 * share }).forEach(([key, value]) => frame.setAttribute(key, value));
    frame.setAttribute("fill", mode === "window" ? "transparent" : `rgb(${GREY}, ${GREY}, ${GREY})`);
    modes.press(mode === "window" ? "a window" : "an occluder");
    pictures.press(`${picture + 1} ${names[labels[picture]]}`);
    level.show(state.level, `${Math.round(100 * share)} %`);
    const told = columns.map(({ says, cells, here, bars }, arm) => {
      const p = probabilities[arm];
      const order = p.map((_, i) => i).sort((a, b) => p[b] - p[a]);
      const correct = order[0] === labels[picture];
      says.textContent = `${correct ? "✓" : "✗"} ${names[order[0]]}`;
      cells.forEach((cell, i) => cell.setAttribute("fill", right[arm][i] ? "var(--cvx-green)" : "transparent"));
      here.setAttribute("y", place[0]);
      here.setAttribute("x", place[1]);
      bars.forEach(({ name, made }, i) => {
        name.textContent = names[order[i]];
        made.show(p[order[i]], fixed(p[order[i]], 2));
      });
      return `the ${arms[arm]} says “${names[order[0]]}” and is right at ${sum(right[arm].map(Number))} of ${GRID * GRID} positions`;
    });
    const [down, across] = place.map(offset);
    say(`A ${names[labels[picture]]}; ${mode} ${fixed(down, 0)} pixels down, ${fixed(across, 0)} across: ${told.join("; ")}. Green squares: right there.`);
  });
}

export default { compute, render };
