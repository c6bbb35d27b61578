
// Plays the model where no kernel runs. `explorable`, `id` and `initial` stand above.
for (const host of document.querySelectorAll(`[data-explorable="${id}"]:not([data-alive])`)) {
  const state = structuredClone(initial);
  const acts = new Map();
  const model = {
    get: (name) => state[name],
    set: (name, value) => {
      if (JSON.stringify(state[name]) === JSON.stringify(value)) return;
      state[name] = value;
      acts.get(`change:${name}`)?.forEach((act) => act());
    },
    save_changes: () => {},
    on: (event, act) => acts.set(event, (acts.get(event) ?? new Set()).add(act)),
    off: (event, act) => acts.get(event)?.delete(act),
  };
  const stage = document.createElement("div");
  explorable.render({ model, el: stage });
  host.replaceChildren(stage); // in place of the still picture, and only if all went well
  host.dataset.alive = "";
}
