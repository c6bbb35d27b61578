// Distillation: α · T² · KL(teacher ‖ student, both at T) + (1 − α) · cross-entropy at T = 1.

function logSoftmax(logits, temperature) {
  const scaled = logits.map((z) => z / temperature);
  const top = Math.max(...scaled);
  const norm = top + Math.log(sum(scaled.map((z) => Math.exp(z - top))));
  return scaled.map((z) => z - norm);
}

function compute({ teacher, student, label, temperature: T, alpha }) {
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

const LIMIT = 10;
const names = ["names", "teacher", "student", "label", "temperature", "alpha"];

function render({ model, el }) {
  const get = () => Object.fromEntries(names.map((name) => [name, model.get(name)]));
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
      const { gradient } = compute({ student, ...rest });
      put(model, { student: student.map((z, i) => Math.max(-LIMIT, Math.min(LIMIT, z - gradient[i]))) });
    },
    "knows nothing": () => put(model, { student: model.get("student").map(() => 0) }),
    "copies the teacher": () => put(model, { student: [...model.get("teacher")] }),
  });
  const heads = h("div", { class: "cvx-taught cvx-name", "aria-hidden": "true" },
    ...["true class", "logits", "softmax at T", "gradient"].map((head) => h("span", {}, head)));
  const say = card(el, "Distillation loss", legend({ purple: "teacher", blue: "student", orange: "gradient on the student’s logit" }),
    heads, table, terms, h("div", { class: "cvx-controls" }, temperature.element, alpha.element, acts.element));

  function row(name, index) {
    const radio = h("input", { type: "radio", name: `label-${group}`, "aria-label": `True class: ${name}`,
      change: () => put(model, { label: index }) });
    const sliders = Object.entries({ teacher: "purple", student: "blue" }).map(([who, tone]) => {
      const made = slider("", { min: -LIMIT, max: LIMIT, step: 0.1, label: `Logit of ${name}, ${who}` }, (z) =>
        put(model, { [who]: model.get(who).map((old, i) => (i === index ? z : old)) }));
      made.element.style.setProperty("--tone", `var(--cvx-${tone})`);
      return made;
    });
    const bars = [bar("purple"), bar("blue"), bar("orange", { signed: true })];
    const element = h("div", { class: "cvx-taught", "data-class": name }, h("label", {}, radio, name),
      h("div", {}, ...sliders.map((s) => s.element)), h("div", {}, bars[0].element, bars[1].element), bars[2].element);
    return { element, radio, sliders, bars };
  }

  return watch(model, names, () => {
    const state = get();
    const { p, q, kl, soft, hard, total, gradient } = compute(state);
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
      + (gradient[down] < 0.0005 ? "hardly anything is left to learn." : `most of all, “${state.names[down]}” should go down.`));
  });
}

export default { compute, render };
