// Affine and perspective maps of a photograph, by its corners. Figures are 100 units wide.

const SIDE = 100, MARGIN = 25, PIXELS = 300;
const CORNERS = ["top left", "top right", "bottom right", "bottom left"];
const PRESETS = {
  "as it is": ["affine", [[0, 0], [100, 0], [100, 100], [0, 100]]],
  "turned by 30°": ["affine", [[31.7, -18.3], [118.3, 31.7], [68.3, 118.3], [-18.3, 68.3]]],
  "sheared": ["affine", [[20, 15], [110, 15], [80, 85], [-10, 85]]],
  "mirrored": ["affine", [[100, 0], [0, 0], [0, 100], [100, 100]]],
  "seen from the side": ["perspective", [[0, 0], [80, 28], [80, 72], [0, 100]]],
};

// The matrix that takes the square's corners to these: Heckbert's closed form (1989, section 2.2.3).
function square_to(corners) {
  const [[x0, y0], [x1, y1], [x2, y2], [x3, y3]] = corners;
  const [ax, ay, bx, by] = [x1 - x2, y1 - y2, x3 - x2, y3 - y2];
  const [sx, sy] = [x0 - x1 + x2 - x3, y0 - y1 + y2 - y3];
  const det = ax * by - bx * ay;
  const [g, h8] = [(sx * by - bx * sy) / det, (ax * sy - sx * ay) / det];
  const rows = [x1 - x0 + g * x1, x3 - x0 + h8 * x3, x0, y1 - y0 + g * y1, y3 - y0 + h8 * y3, y0, g, h8, 1];
  return rows.map((entry, i) => (i % 3 < 2 ? entry / SIDE : entry));
}

function apply(m, [x, y]) {
  const w = m[6] * x + m[7] * y + m[8];
  return [(m[0] * x + m[1] * y + m[2]) / w, (m[3] * x + m[4] * y + m[5]) / w];
}

function inverse([a, b, c, d, e, f, g, h, i]) { // up to a factor, which does not matter here
  return [e * i - f * h, c * h - b * i, b * f - c * e, f * g - d * i, a * i - c * g, c * d - a * f,
    d * h - e * g, b * g - a * h, a * e - b * d];
}

const minus = ([ax, ay], [bx, by]) => [ax - bx, ay - by];
const cross = ([ax, ay], [bx, by]) => ax * by - ay * bx;

// Twice the area at each corner: of one sign all round if the shape is convex.
const turns = (corners) => corners.map((corner, i) =>
  cross(minus(corners[(i + 1) % 4], corner), minus(corners[(i + 2) % 4], corners[(i + 1) % 4])));

const sound = (corners) => {
  const all = turns(corners);
  return Math.max(...all) < -200 || Math.min(...all) > 200;
};

// The angle between two directions as lines, 0 to 90 degrees.
const between = (u, v) => (Math.atan2(Math.abs(cross(u, v)), Math.abs(u[0] * v[0] + u[1] * v[1])) * 180) / Math.PI;

function compute({ corners }) {
  const matrix = square_to(corners);
  const [tl, tr, br, bl] = corners;
  const edge = minus(tr, tl);
  const middle = minus(apply(matrix, [SIDE / 2, 0]), tl); // of the top edge
  return {
    matrix,
    top_bottom: between(edge, minus(br, bl)),
    left_right: between(minus(bl, tl), minus(br, tr)),
    ratio: Math.hypot(...middle) / Math.hypot(...edge),
    area: sum(corners.map((corner, i) => cross(corner, corners[(i + 1) % 4]))) / 2 / SIDE ** 2,
  };
}

// The photograph's pixels, once; then the warped picture by looking up where each pixel came from.
function painter(canvas) {
  let photograph, latest;
  canvas.width = canvas.height = PIXELS;
  const paint = () => {
    const picture = new ImageData(PIXELS, PIXELS);
    const back = inverse(latest);
    const { width, height, data } = photograph;
    for (let v = 0; v < PIXELS; v++) for (let u = 0; u < PIXELS; u++) {
      const scale = (SIDE + 2 * MARGIN) / PIXELS;
      const [x, y] = apply(back, [(u + 0.5) * scale - MARGIN, (v + 0.5) * scale - MARGIN]);
      if (!(x >= 0 && y >= 0 && x < SIDE && y < SIDE)) continue;
      const from = 4 * (Math.floor((y * height) / SIDE) * width + Math.floor((x * width) / SIDE));
      picture.data.set(data.subarray(from, from + 4), 4 * (v * PIXELS + u));
    }
    canvas.getContext("2d").putImageData(picture, 0, 0);
  };
  return async (uri, matrix) => {
    latest = matrix;
    if (!photograph) {
      const image = Object.assign(new Image(), { src: uri });
      await image.decode();
      const { naturalWidth: width, naturalHeight: height } = image;
      const reader = h("canvas", { width, height }).getContext("2d");
      reader.drawImage(image, 0, 0);
      photograph = reader.getImageData(0, 0, width, height);
    }
    paint();
  };
}

function render({ model, el }) {
  const canvas = h("canvas", { role: "img", "aria-label": "The photograph, mapped" });
  const paint = painter(canvas);
  const net = h("svg:path", { fill: "none", stroke: "var(--cvx-sky)", "stroke-width": 0.5 });
  const outline = h("svg:path", { fill: "none", stroke: "var(--cvx-blue)" });
  const middle = h("svg:circle", { r: 2, fill: "var(--cvx-paper)", stroke: "var(--cvx-blue)" });
  const size = SIDE + 2 * MARGIN;
  const figure = h("svg:svg", { viewBox: `${-MARGIN} ${-MARGIN} ${size} ${size}` }, net, outline, middle);
  const handles = CORNERS.map((name, i) => {
    const handle = h("svg:circle", { r: 4.5, fill: "var(--cvx-orange)", stroke: "var(--cvx-paper)", tabindex: 0,
      role: "application", "aria-label": `Corner ${name}: arrow keys move it` });
    draggable(handle, figure, ({ x, y }) => move(i, [x, y]),
      ({ x, y }) => { const [u, v] = model.get("corners")[i]; move(i, [u + x, v + y]); });
    return handle;
  });
  figure.append(...handles);
  const modes = buttons("Map", Object.fromEntries(["affine", "perspective"].map((mode) => [mode, () => {
    const [tl, tr, br, bl] = model.get("corners");
    put(model, { mode, corners: mode === "affine" ? complete([tl, tr, br, bl]) : [tl, tr, br, bl] });
  }])));
  const presets = buttons("Try", Object.fromEntries(Object.entries(PRESETS).map(([name, [mode, corners]]) =>
    [name, () => put(model, { mode, corners })])));
  const cells = [...Array(9).keys()].map(() => h("span", {}));
  const facts = h("ul", { class: "cvx-facts" });
  const say = card(el, "Affine and perspective", h("div", { class: "cvx-controls" }, modes.element),
    h("div", { class: "cvx-warp" }, h("div", { class: "cvx-stack" }, canvas, figure),
      h("div", {}, h("div", { class: "cvx-matrix", role: "img", "aria-label": "Matrix" }, ...cells), facts)),
    h("div", { class: "cvx-controls" }, presets.element));

  // Affine: three corners are free, the fourth completes the parallelogram.
  const complete = ([tl, tr, , bl]) => [tl, tr, [tr[0] + bl[0] - tl[0], tr[1] + bl[1] - tl[1]], bl];
  function move(i, to) {
    const inside = to.map((at) => Math.round(10 * Math.max(5 - MARGIN, Math.min(SIDE + MARGIN - 5, at))) / 10);
    const moved = model.get("corners").map((corner, c) => (c === i ? inside : corner));
    const corners = model.get("mode") === "affine" ? complete(moved) : moved;
    if (sound(corners)) put(model, { corners });
  }

  return watch(model, ["mode", "corners", "picture"], () => {
    const [mode, corners] = [model.get("mode"), model.get("corners")];
    const { matrix, top_bottom, left_right, ratio, area } = compute({ corners });
    paint(model.get("picture"), matrix);
    const line = (from, to) => `M${apply(matrix, from)}L${apply(matrix, to)}`;
    net.setAttribute("d", [25, 50, 75].map((at) => line([at, 0], [at, SIDE]) + line([0, at], [SIDE, at])).join(""));
    outline.setAttribute("d", `M${corners.join("L")}Z`);
    const [mx, my] = apply(matrix, [SIDE / 2, 0]);
    middle.setAttribute("cx", mx);
    middle.setAttribute("cy", my);
    handles.forEach((handle, i) => {
      handle.setAttribute("cx", corners[i][0]);
      handle.setAttribute("cy", corners[i][1]);
      handle.setAttribute("visibility", mode === "affine" && i === 2 ? "hidden" : "visible");
    });
    cells.forEach((cell, i) => { cell.textContent = fixed(matrix[i], i > 5 && i < 8 ? 5 : 3); });
    modes.press(mode);
    const told = [
      `Top and bottom: ${top_bottom < 0.05 ? "parallel" : `${fixed(top_bottom, 1)}° apart`}.`,
      `Left and right: ${left_right < 0.05 ? "parallel" : `${fixed(left_right, 1)}° apart`}.`,
      `The middle of the top edge lands at ${fixed(ratio, 3)} of it.`,
      `Area: ${fixed(area, 2)} of the original${area < 0 ? ", mirrored" : ""}.`,
    ];
    facts.replaceChildren(...told.map((text) => h("li", {}, text)));
    const kept = top_bottom < 0.05 && left_right < 0.05;
    say(`${mode === "affine" ? "Affine: three corners are free, six numbers." : "Perspective: four corners are free, eight numbers."} `
      + `${kept ? "Parallels stay parallel and the middle stays in the middle." : "Parallels meet, and the middle moves."}`, told.join(" "));
  });
}

export default { compute, render };
