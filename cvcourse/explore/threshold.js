// Pseudo-labels: keep those of which the teacher is sure. How many are kept, how many are right?

const BINS = 25;

function compute({ confidences, predicted, labels, names, threshold }) {
  const chosen = confidences.map((c) => c >= threshold);
  const kept = sum(chosen.map(Number));
  const right = sum(chosen.map((c, i) => Number(c && predicted[i] === labels[i])));
  const confusion = names.map(() => names.map(() => 0)); // rows: the truth, columns: the pseudo-label
  chosen.forEach((c, i) => { if (c) confusion[labels[i]][predicted[i]] += 1; });
  return { kept, coverage: kept / labels.length, purity: kept ? right / kept : null, confusion };
}

// How many right and wrong labels there are in each bin of confidence.
function histogram({ confidences, predicted, labels }) {
  const bins = [...Array(BINS).keys()].map(() => [0, 0]);
  confidences.forEach((c, i) => { bins[Math.min(BINS - 1, Math.floor(c * BINS))][Number(predicted[i] !== labels[i])] += 1; });
  return bins;
}

function render({ model, el }) {
  const traits = ["confidences", "predicted", "labels", "names", "threshold"];
  const get = () => Object.fromEntries(traits.map((name) => [name, model.get(name)]));
  const n = model.get("names").length;
  const columns = [...Array(2 * BINS).keys()].map((i) => h("svg:rect", { x: 4 * Math.floor(i / 2) + 0.3, width: 3.4,
    fill: `var(--cvx-${i % 2 ? "orange" : "blue"})` }));
  const veil = h("svg:rect", { y: 0, height: 72, fill: "var(--cvx-paper)", "fill-opacity": 0.72 });
  const line = h("svg:path", { stroke: "var(--cvx-ink)", "stroke-width": 0.8 });
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((at) => h("svg:text", { x: 100 * at, y: 79, "font-size": 5.5, "text-anchor": "middle" }, String(at)));
  const figure = h("svg:svg", { viewBox: "-4 -2 108 84", tabindex: 0, role: "application", "aria-label": "Confidences: arrow keys move the threshold" },
    h("svg:rect", { width: 100, height: 72, fill: "var(--cvx-raised)", "fill-opacity": 0.5 }), ...columns, veil, line, ...ticks);
  const go = (threshold) => put(model, { threshold: Number(Math.max(0, Math.min(1, threshold)).toFixed(3)) });
  draggable(figure, figure, ({ x }) => go(x / 100), ({ x, y }) => go(model.get("threshold") + (x - y) / 100));
  const cells = [...Array(n * n).keys()].map((i) => ({
    box: h("svg:rect", { x: i % n, y: Math.floor(i / n), width: 0.94, height: 0.94 }),
    count: h("svg:text", { x: (i % n) + 0.47, y: Math.floor(i / n) + 0.6, "font-size": 0.34, "text-anchor": "middle" }),
  }));
  // Names of classes stand before the rows and, turned, above the columns.
  const names = model.get("names");
  const room = Math.min(0.24 * Math.max(...names.map((name) => name.length)), 4) + 0.3;
  const around = names.flatMap((name, i) => [
    h("svg:text", { x: -0.15, y: i + 0.6, "font-size": 0.42, "text-anchor": "end" }, name),
    h("svg:text", { x: 0, y: 0, transform: `translate(${i + 0.6} -0.15) rotate(-90)`, "font-size": 0.42 }, name),
  ]);
  const matrix = h("svg:svg", { viewBox: `${-room} ${-room} ${n + room} ${n + room}`, role: "img", "aria-label": "Confusion of the labels that are kept" },
    ...cells.flatMap(({ box, count }) => [box, count]), ...around);
  const under = (text) => h("figcaption", { class: "cvx-name" }, text);
  const threshold = slider("Threshold", { min: 0, max: 1, step: 0.001 }, go);
  const bars = [bar("sky"), bar("green")];
  const shares = ["coverage", "purity"].map((name, i) => h("div", { class: "cvx-top" }, h("span", {}, name), bars[i].element));
  const say = card(el, "Threshold of the pseudo-labels", legend({ blue: "the label is right", orange: "it is wrong" }),
    h("div", { class: "cvx-pair cvx-stacking" }, h("figure", {}, figure, under("confidence; heights are square roots of numbers")),
      h("figure", {}, matrix, under("rows: true class; columns: pseudo-label"))), ...shares, h("div", { class: "cvx-controls" }, threshold.element));

  return watch(model, traits, () => {
    const state = get();
    const { labels, threshold: at } = state;
    const { kept, coverage, purity, confusion } = compute(state);
    const bins = histogram(state);
    const most = Math.sqrt(Math.max(...bins.map(([right, wrong]) => right + wrong)));
    bins.forEach(([right, wrong], i) => {
      const height = (70 * Math.sqrt(right + wrong)) / most;
      const [blue, orange] = [right, wrong].map((part) => (part ? (height * part) / (right + wrong) : 0));
      [[72 - blue, blue], [72 - height, orange]].forEach(([y, tall], j) => {
        columns[2 * i + j].setAttribute("y", y);
        columns[2 * i + j].setAttribute("height", tall);
      });
    });
    veil.setAttribute("width", 100 * at);
    line.setAttribute("d", `M${100 * at} -2V74`);
    const largest = Math.max(1, ...confusion.flat());
    cells.forEach(({ box, count }, i) => {
      const [row, column] = [Math.floor(i / n), i % n];
      const number = confusion[row][column];
      const share = Math.round(8 + (37 * Math.sqrt(number)) / Math.sqrt(largest));
      const colour = row === column ? "blue" : "orange";
      box.setAttribute("fill", number ? `color-mix(in srgb, var(--cvx-${colour}) ${share}%, var(--cvx-paper))` : "var(--cvx-raised)");
      count.textContent = number || "";
    });
    bars[0].show(coverage, fixed(coverage, 3));
    bars[1].show(purity ?? 0, purity === null ? "–" : fixed(purity, 3));
    threshold.show(at, fixed(at, 3));
    const worst = confusion.flatMap((row, t) => row.map((number, p) => ({ number, t, p }))).filter(({ t, p }) => t !== p)
      .reduce((a, b) => (b.number > a.number ? b : a), { number: 0 });
    say(kept === 0 ? `At ${fixed(at, 3)} no pseudo-label is kept: nothing to learn from.`
      : `At ${fixed(at, 3)} the student gets ${kept.toLocaleString("en")} of ${labels.length.toLocaleString("en")} pictures, ${fixed(100 * coverage, 1)} %; `
      + `${fixed(100 * purity, 1)} % of their labels are right. `
      + (worst.number ? `The most frequent mistake: ${worst.number} × “${names[worst.t]}” taken for “${names[worst.p]}”.` : "Not one of them is wrong."));
  });
}

export default { compute, render };
