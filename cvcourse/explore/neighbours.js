// Nearest neighbours: a query, its k closest stored points, and their vote.

const TONES = ["blue", "orange", "green", "purple", "sky", "grey"];
const tone = (label) => `var(--cvx-${TONES[label % TONES.length]})`;

function compute({ features, labels, names, query, k, n }) {
  const distances = features.slice(0, n).map(([x, y]) => Math.hypot(x - query[0], y - query[1]));
  const neighbours = distances.map((_, i) => i).sort((a, b) => distances[a] - distances[b]).slice(0, k);
  const votes = names.map((_, label) => neighbours.filter((i) => labels[i] === label).length);
  const prediction = votes.indexOf(Math.max(...votes)); // the smallest label where votes tie
  return { neighbours, radius: distances[neighbours.at(-1)], votes, prediction };
}

// One small shape of a class: told apart by its form where colours are not.
function mark(label, x, y, r) {
  const shapes = [
    `M${x - r} ${y}a${r} ${r} 0 1 0 ${2 * r} 0a${r} ${r} 0 1 0 ${-2 * r} 0`, // circle
    `M${x - r} ${y - r}h${2 * r}v${2 * r}h${-2 * r}z`, // square
    `M${x} ${y - 1.3 * r}l${1.3 * r} ${1.3 * r}l${-1.3 * r} ${1.3 * r}l${-1.3 * r} ${-1.3 * r}z`, // diamond
    `M${x} ${y - 1.2 * r}l${1.2 * r} ${2.1 * r}h${-2.4 * r}z`, // triangle up
    `M${x} ${y + 1.2 * r}l${1.2 * r} ${-2.1 * r}h${-2.4 * r}z`, // triangle down
    `M${x - r / 2} ${y - 1.2 * r}h${r}v${2.4 * r}h${-r}z`, // upright bar
    `M${x - 1.2 * r} ${y - r / 2}h${2.4 * r}v${r}h${-2.4 * r}z`, // lying bar
  ];
  return shapes[label % shapes.length];
}

function render({ model, el }) {
  const names = ["features", "labels", "names", "query", "k", "n"];
  const get = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const [WIDTH, HEIGHT] = [150, 100];
  const clouds = h("svg:g", {});
  const lines = h("svg:path", { fill: "none", stroke: "var(--cvx-ink)", "stroke-width": 0.35 });
  const reach = h("svg:circle", { fill: "none", stroke: "var(--cvx-ink)", "stroke-width": 0.3, "stroke-dasharray": "1.5 1" });
  const cross = h("svg:path", { fill: "none", stroke: "var(--cvx-ink)", "stroke-width": 0.7 });
  const figure = h("svg:svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "cvx-plot", tabindex: 0, role: "application",
    "aria-label": "The feature space: arrow keys move the query" },
  h("svg:rect", { width: WIDTH, height: HEIGHT, fill: "var(--cvx-raised)", "fill-opacity": 0.4 }), clouds, lines, reach, cross);
  const k = slider("k", { min: 1, max: 25, step: 1, label: "k, neighbours that vote" }, (value) => put(model, { k: Math.min(value, model.get("n")) }));
  const n = slider("n stored", { min: 1, max: model.get("features").length, step: 1, label: "n, stored points" },
    (value) => put(model, { n: value, k: Math.min(value, model.get("k")) }));
  const votes = h("div", { class: "cvx-votes" });
  const say = card(el, "Nearest neighbours", figure, votes, h("div", { class: "cvx-controls" }, k.element, n.element));

  // Features to the figure's units, one scale for both axes, so that circles stay circles.
  function view() {
    const [xs, ys] = [0, 1].map((axis) => model.get("features").map((point) => point[axis]));
    const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
    const scale = Math.min(WIDTH / (right - left || 1), HEIGHT / (high - low || 1)) * 0.92;
    const [cx, cy] = [(left + right) / 2, (low + high) / 2];
    return { scale, to: ([x, y]) => [WIDTH / 2 + (x - cx) * scale, HEIGHT / 2 - (y - cy) * scale],
      from: ([u, v]) => [cx + (u - WIDTH / 2) / scale, cy - (v - HEIGHT / 2) / scale] };
  }
  const clamp = ([u, v]) => [Math.max(0, Math.min(WIDTH, u)), Math.max(0, Math.min(HEIGHT, v))];
  const ask = (place) => put(model, { query: view().from(clamp(place)).map((x) => Number(x.toFixed(4))) });
  draggable(figure, figure, ({ x, y }) => ask([x, y]),
    ({ x, y }) => { const [u, v] = view().to(model.get("query")); ask([u + x, v + y]); });

  return watch(model, names, () => {
    const state = get();
    const { features, labels, query } = state;
    const { neighbours, radius, votes: counts, prediction } = compute(state);
    const { to, scale } = view();
    const drawn = state.names.map((_, label) => features.slice(0, state.n).map((point, i) =>
      (labels[i] === label ? mark(label, ...to(point).map((u) => Number(u.toFixed(2))), 0.8) : "")).join(""));
    clouds.replaceChildren(...drawn.map((d, label) => h("svg:path", { d, fill: tone(label), "fill-opacity": 0.75 })));
    const [x, y] = to(query);
    lines.setAttribute("d", neighbours.map((i) => `M${x} ${y}L${to(features[i])}`).join(""));
    cross.setAttribute("d", `M${x - 3.5} ${y}h7M${x} ${y - 3.5}v7`);
    Object.entries({ cx: x, cy: y, r: radius * scale }).forEach(([key, value]) => reach.setAttribute(key, value));
    votes.replaceChildren(...state.names.map((name, label) => h("span", { "data-on": label === prediction ? "" : undefined },
      h("svg:svg", { viewBox: "-2 -2 4 4" }, h("svg:path", { d: mark(label, 0, 0, 1.3), fill: tone(label) })), `${name} ${counts[label]}`)));
    k.show(state.k);
    n.show(state.n, state.n.toLocaleString("en"));
    say(`The ${state.k} nearest of ${state.n.toLocaleString("en")} stored points vote “${state.names[prediction]}”, with ${counts[prediction]} of ${state.k} votes. `
      + `That took ${state.n.toLocaleString("en")} distances; among pictures of 3 × 32 × 32 numbers it would be ${(state.n * 3072).toLocaleString("en")} multiply-adds.`);
  });
}

export default { compute, render };
