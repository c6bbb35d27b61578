// The book's networks, run in the page: what export.py wrote, and the few functions that it takes.
// A picture, or a stack of maps, is { data, shape: [channels, height, width] }, channel by channel.

// Half-precision numbers (IEEE 754 binary16, little-endian, in base64). Their bits, moved to where single
// precision has its own, are the number divided by 2 ** 112.
function halves(text) {
  const bits = new Uint16Array(bytesOf(text).buffer);
  const moved = Uint32Array.from(bits, (half) => ((half & 0x8000) << 16) | ((half & 0x7fff) << 13));
  return new Float32Array(moved.buffer).map((number) => number * 2 ** 112);
}

// A scale and a shift for each channel: batch norm when it no longer learns, and the first step, from bytes.
function affine({ data, shape }, { scale, shift }) {
  const area = shape[1] * shape[2];
  return { data: data.map((value, i) => value * scale[(i / area) | 0] + shift[(i / area) | 0]), shape };
}

// Each row of weights times the inputs, plus its bias: nearly all the work of a network.
function dots(weights, inputs, bias, keep) {
  const n = inputs.length;
  for (let o = 0, w = 0; o < bias.length; o++, w += n) {
    let total = bias[o];
    for (let i = 0; i < n; i++) total += weights[w + i] * inputs[i];
    keep(o, total);
  }
}

// Zeros around every map.
function padded({ data, shape: [channels, height, width] }, by) {
  const [tall, wide] = [height + 2 * by, width + 2 * by];
  const result = new Float32Array(channels * tall * wide);
  for (let c = 0; c < channels; c++) for (let y = 0; y < height; y++) {
    const from = (c * height + y) * width;
    result.set(data.subarray(from, from + width), (c * tall + y + by) * wide + by);
  }
  return { data: result, shape: [channels, tall, wide] };
}

// weights: (outputs, channels, size, size). Every output is a sum over the patch that it sees.
function convolution(maps, { outputs, size, stride, padding, weights, bias }) {
  const { data, shape: [channels, height, width] } = padded(maps, padding);
  const [tall, wide] = [height, width].map((side) => Math.floor((side - size) / stride) + 1);
  const result = new Float32Array(outputs * tall * wide);
  const patch = new Float32Array(channels * size * size);
  for (let y = 0; y < tall; y++) for (let x = 0; x < wide; x++) {
    let k = 0;
    for (let c = 0; c < channels; c++) for (let v = 0; v < size; v++) {
      const from = (c * height + y * stride + v) * width + x * stride;
      for (let u = 0; u < size; u++) patch[k++] = data[from + u];
    }
    dots(weights, patch, bias, (o, total) => { result[(o * tall + y) * wide + x] = total; });
  }
  return { data: result, shape: [outputs, tall, wide] };
}

function pooling({ data, shape: [channels, height, width] }, { size, stride }, start, join) {
  const [tall, wide] = [height, width].map((side) => Math.floor((side - size) / stride) + 1);
  const result = new Float32Array(channels * tall * wide);
  for (let c = 0; c < channels; c++) for (let y = 0; y < tall; y++) for (let x = 0; x < wide; x++) {
    let joined = start;
    for (let v = 0; v < size; v++) for (let u = 0; u < size; u++) joined = join(joined, data[(c * height + y * stride + v) * width + x * stride + u]);
    result[(c * tall + y) * wide + x] = joined;
  }
  return { data: result, shape: [channels, tall, wide] };
}

// Every map to its mean.
function mean({ data, shape: [channels, height, width] }) {
  const result = new Float32Array(channels);
  data.forEach((value, i) => { result[(i / (height * width)) | 0] += value / (height * width); });
  return { data: result, shape: [channels, 1, 1] };
}

// weights: (outputs, inputs).
function linear({ data }, { outputs, weights, bias }) {
  const result = new Float32Array(outputs);
  dots(weights, data, bias, (o, total) => { result[o] = total; });
  return { data: result, shape: [outputs, 1, 1] };
}

const LAYERS = {
  affine, convolution, linear, mean,
  "max pool": (maps, layer) => pooling(maps, layer, -Infinity, (a, b) => (b > a ? b : a)),
  "average pool": (maps, layer) => pooling(maps, layer, 0, (a, b) => a + b / layer.size ** 2),
  relu: ({ data, shape }) => ({ data: data.map((value) => (value > 0 ? value : 0)), shape }),
};

// A layer from its text.
const decoded = (layer) => (layer.weights ? { ...layer, weights: halves(layer.weights) } : layer);

// A network from its text, which is read at its first picture: bytes, channel by channel, to logits.
function network({ shape, layers }) {
  let ready;
  return (bytes) => (ready ??= layers.map(decoded)).reduce((maps, layer) => LAYERS[layer.kind](maps, layer), { data: Float32Array.from(bytes), shape }).data;
}

// Do it once the reader is less than a screen away, or the page is made a file to print: a network far below costs
// nothing. What it returns ends the waiting.
function when_near(el, act) {
  const end = () => {
    watcher.disconnect();
    removeEventListener("beforeprint", now);
  };
  const now = () => {
    end();
    act();
  };
  const watcher = new IntersectionObserver((entries) => { if (entries.some((entry) => entry.isIntersecting)) now(); }, { rootMargin: "100%" });
  watcher.observe(el);
  addEventListener("beforeprint", now);
  return end;
}

function softmax(logits) {
  const most = Math.max(...logits);
  const powers = [...logits].map((logit) => Math.exp(logit - most));
  return powers.map((power) => power / sum(powers));
}

const top = (scores) => scores.indexOf(Math.max(...scores));

