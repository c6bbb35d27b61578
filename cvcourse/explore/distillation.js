// Distillation: α · T² · KL(teacher ‖ student, both at T) + (1 − α) · cross-entropy at T = 1.

function logSoftmax(logits, temperature) {
  const scaled = logits.map((z) => z / temperature);
  const top = Math.max(...scaled);
  const norm = top + Math.log(sum(scaled.map((z) => Math.exp(z - top))));
  return scaled.map((z) => z - norm);
}

// What the networks of a teacher and a student say of a picture.
const answers = ({ networks, pixels }) => Object.fromEntries(Object.entries(networks).map(([who, exported]) =>
  [who, [...network(exported)(bytesOf(pixels))].map((z) => Number(z.toFixed(4)))]));

function compute({ networks, pixels, ...logits }) {
  return { ...loss(logits), ...(networks ? { answers: answers({ networks, pixels }) } : {}) };
}

function loss({ teacher, student, label, temperature: T, alpha }) {
  const [log_p, log_q] = [teacher, student].map((logits) => logSoftmax(logits, T));
  const [p, q] = [log_p, log_q].map((logs) => logs.map(Math.exp));
  const log_q1 = logSoftmax(student, 1);
  const kl = sum(p.map((share, i) => share * (log_p[i] - log_q[i])));
  const soft = T * T * kl;
  const hard = -log_q1[label];
  const gradient = student.map((_, i) =>
    alpha * T * (q[i] - p[i]) + (1 - alpha) * (Math.exp(log_q1[i]) - Number(i === label)));
  return { p, q, kl, soft, hard, total: alpha * soft + (1 - alpha) * hard, gradient };
}

const LIMIT = 10, WIDE = 50; // of the logits: those that are made up, and those of networks
const names = ["names", "teacher", "student", "label", "temperature", "alpha"];

function render({ model, el }) {
  const get = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
  const networks = model.get("networks"); // of a DistilledPicture
  const limit = networks ? WIDE : LIMIT;
  const choice = networks && chooser(el, model);
  const [photo, said] = [h("canvas", { role: "img", "aria-label": "The picture" }), h("div")];
  const ask = () => answers({ networks, pixels: model.get("pixels") });
  let asked = model.get("pixels");
  const group = Math.random().toString(36).slice(2); // radio buttons of one figure go together
  let rows = [];
  const table = h("div", {});
  const terms = h("p", { class: "cvx-terms" });
  const temperature = slider("Temperature T", { min: 0, max: 2, step: 0.01, label: "Temperature T, logarithmic" },
    (power) => put(model, { temperature: Number((10 ** power).toPrecision(3)) }));
  const alpha = slider("Weight α", { min: 0, max: 1, step: 0.01, label: "Weight α of the soft term" },
    (value) => put(model, { alpha: value }));
  const acts = buttons("Student", {
    "one step downhill": () => {
      const { student, ...rest } = get();
      const { gradient } = loss({ student, ...rest });
      put(model, { student: student.map((z, i) => Math.max(-limit, Math.min(limit, z - gradient[i]))) });
    },
    "knows nothing": () => put(model, { student: model.get("student").map(() => 0) }),
    "copies the teacher": () => put(model, { student: [...model.get("teacher")] }),
    ...(networks ? { "as it was taught": () => put(model, { student: ask().student }) } : {}),
  });
  const heads = h("div", { class: "cvx-taught cvx-name", "aria-hidden": "true" },
    ...["true class", "logits", "softmax at T", "gradient"].map((head) => h("span", {}, head)));
  const knobs = h("div", { class: "cvx-controls" }, temperature.element, alpha.element, acts.element);
  const picture = networks ? [choice.element, h("div", { class: "cvx-distilled" }, photo, said)] : [];
  const say = card(el, networks ? "What a teacher says of a picture" : "Distillation loss", ...picture, legend({ purple: "teacher", blue: "student", orange: "gradient on the student’s logit" }),
    ...(networks ? [knobs, heads, table, terms] : [heads, table, terms, knobs])); // above ten classes, and below four

  function row(name, index) {
    const radio = h("input", { type: "radio", name: `label-${group}`, "aria-label": `True class: ${name}`,
      change: () => put(model, { label: index }) });
    const sliders = Object.entries({ teacher: "purple", student: "blue" }).map(([who, tone]) => {
      const made = slider("", { min: -limit, max: limit, step: 0.1, label: `Logit of ${name}, ${who}` }, (z) =>
        put(model, { [who]: model.get(who).map((old, i) => (i === index ? z : old)) }));
      made.element.style.setProperty("--tone", `var(--cvx-${tone})`);
      return made;
    });
    const bars = [bar("purple"), bar("blue"), bar("orange", { signed: true })];
    const element = h("div", { class: "cvx-taught", "data-class": name }, h("label", {}, radio, name),
      h("div", {}, ...sliders.map((s) => s.element)), h("div", {}, bars[0].element, bars[1].element), bars[2].element);
    return { element, radio, sliders, bars };
  }

  // Another picture: what both say of it, and what it is, if that is known.
  function look() {
    const pixels = model.get("pixels");
    const known = model.get("pictures").indexOf(pixels);
    if (pixels !== asked) put(model, { ...ask(), ...(known < 0 ? {} : { label: model.get("labels")[known] }) });
    asked = pixels;
    choice.show();
    paint(photo, coloured(bytesOf(pixels)));
  }

  // Each one's hard answer, and how sure it is of it at T = 1 and at T.
  function verdicts({ teacher, student, names: classes, temperature }) {
    return Object.entries({ teacher, student }).map(([who, logits]) => {
      const winner = top(logits);
      const [plain, soft] = [1, temperature].map((T) => fixed(softmax(logits.map((z) => z / T))[winner], 2));
      return `The ${who} says “${classes[winner]}”: ${plain} at T = 1, ${soft} at T = ${temperature}.`;
    });
  }

  const unwatch = watch(model, networks ? [...names, "pixels"] : names, () => {
    if (networks) look();
    const state = get();
    const { p, q, kl, soft, hard, total, gradient } = loss(state);
    const told = networks ? verdicts(state) : [];
    said.replaceChildren(...told.map((line) => h("p", {}, line)));
    const { temperature: T, alpha: a, label } = state;
    if (rows.map((r) => r.element.dataset.class).join("\n") !== state.names.join("\n")) {
      rows = state.names.map(row);
      table.replaceChildren(...rows.map((r) => r.element));
    }
    const widest = Math.max(1, ...gradient.map(Math.abs));
    rows.forEach(({ radio, sliders, bars }, i) => {
      radio.checked = i === label;
      [state.teacher, state.student].forEach((logits, who) => sliders[who].show(logits[i], fixed(logits[i], 1)));
      [p, q].forEach((shares, who) => bars[who].show(shares[i], fixed(shares[i], 3)));
      bars[2].show(gradient[i] / widest, fixed(gradient[i], 3));
    });
    terms.replaceChildren(
      h("span", {}, "soft: T² · KL = ", h("b", {}, fixed(soft, 4))),
      h("span", {}, "hard: CE = ", h("b", {}, fixed(hard, 4))),
      h("span", {}, "total: α · soft + (1 − α) · hard = ", h("b", {}, fixed(total, 4))));
    temperature.show(Math.log10(T), `T = ${T}`);
    alpha.show(a, `α = ${fixed(a, 2)}`);
    const down = gradient.indexOf(Math.max(...gradient));
    say(`KL(teacher ‖ student) at T = ${T} is ${fixed(kl, 5)}; times T² that is ${fixed(soft, 4)}. The student’s cross-entropy with `
      + `“${state.names[label]}” is ${fixed(hard, 4)}. With α = ${fixed(a, 2)} the total is ${fixed(total, 4)}. Gradients: ${words(gradient, 4)}; `
      + (gradient[down] < 0.0005 ? "hardly anything is left to learn." : `most of all, “${state.names[down]}” should go down.`), told.join(" "));
  });
  return () => { choice?.end(); unwatch(); };
}

export default { compute, render };
