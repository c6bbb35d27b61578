// A softmax head on features, and its rounds of learning from labels of its own.

const STEPS = 200, RATE = 1, DECAY = 0.01, LENGTH = 3; // as in Python

// Features as the head sees them: from the middle of the labelled ones, at a length of about 3, and a one.
function scaler(labelled) {
  const middle = labelled[0].map((_, j) => sum(labelled.map((row) => row[j])) / labelled.length);
  const away = (row) => Array.from(row, (x, j) => x - middle[j]);
  const length = sum(labelled.map((row) => Math.hypot(...away(row)))) / labelled.length || 1;
  return (row) => Float64Array.from([...away(row).map((x) => (x * LENGTH) / length), 1]);
}

const answer = (weights, row) => softmax(weights.map((w) => w.reduce((total, x, j) => total + x * row[j], 0)));

// The head: softmax weights, (classes, features + 1), after gradient descent from zero. It rests after each step.
function* learned(rows, answers, classes) {
  const weights = Array.from({ length: classes }, () => new Float64Array(rows[0].length));
  for (let step = 0; step < STEPS; step++) {
    const gradient = weights.map((w) => w.map((x) => DECAY * x));
    rows.forEach((row, i) => answer(weights, row).forEach((p, c) => {
      const slope = (p - Number(c === answers[i])) / rows.length;
      for (let j = 0; j < row.length; j++) gradient[c][j] += slope * row[j];
    }));
    weights.forEach((w, c) => { for (let j = 0; j < w.length; j++) w[j] -= RATE * gradient[c][j]; });
    yield;
  }
  return weights;
}

// The head after the given labels alone, and after each round with labels of its own. An item is
// { features, label, truth }: −1 for a label that is not given, undefined for a truth not known.
function* teach({ items, test, classes, threshold, rounds }) {
  const labelled = items.filter(({ label }) => label >= 0), pool = items.filter(({ label }) => label < 0);
  const scaled = scaler(labelled.map(({ features }) => [...features]));
  const [known, unknown, tests] = [labelled, pool, test].map((some) => some.map(({ features }) => scaled(features)));
  const found = [];
  let said = [], sure = [];
  for (let n = 0; n <= rounds; n++) {
    sure = [...said.keys()].filter((i) => Math.max(...said[i]) >= threshold);
    const weights = yield* learned([...known, ...sure.map((i) => unknown[i])],
      [...labelled.map(({ label }) => label), ...sure.map((i) => top(said[i]))], classes);
    const own = new Map(sure.map((i) => [pool[i], top(said[i])]));
    const right = [...own].filter(([{ truth }, label]) => truth === label).length;
    said = unknown.map((row) => answer(weights, row));
    const hits = tests.filter((row, i) => top(answer(weights, row)) === test[i].truth).length;
    found.push({ weights, own, taken: own.size, right, checked: [...own.keys()].every(({ truth }) => truth !== undefined),
      accuracy: hits / tests.length, said: new Map(pool.map((item, i) => [item, said[i]])) });
    yield;
  }
  return { found, probabilities: (features) => answer(found.at(-1).weights, scaled(features)) };
}

function finished(work) {
  let next;
  do next = work.next(); while (!next.done);
  return next.value;
}
