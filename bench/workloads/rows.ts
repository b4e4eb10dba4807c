/** W3, the softmax of each row, and W4, group normalisation with one group. Both are bound by memory. */
import { arrayOf, dimensions, normal, productOf, type Workload } from "./workload.ts";

export const softmax: Workload = {
  id: "W3",
  title: "softmax of 4096 rows of 1024",
  file: "rows",
  function: "softmax_rows",
  dims: { m: 4096, n: 1024 },
  small: { m: 3, n: 5 },
  inputs: (dims) => [normal("x", dimensions(dims, "m", "n"), 3)],
  reference: (dims, inputs) => {
    const [m, n] = dimensions(dims, "m", "n");
    const y = Float64Array.from(arrayOf(inputs, "x"));
    for (let i = 0; i < m; i++) {
      const row = y.subarray(i * n, (i + 1) * n);
      const largest = row.reduce((most, x) => Math.max(most, x), -Infinity);
      row.forEach((x, j) => (row[j] = Math.exp(x - largest)));
      const total = sum(row);
      row.forEach((x, j) => (row[j] = x / total));
    }
    return [y];
  },
  resultElements: (dims) => productOf(dims, "m", "n"),
  operations: () => 0,
};

export const groupNorm: Workload = {
  id: "W4",
  title: "group normalisation of 8 maps of 64 × 56²",
  file: "rows",
  function: "group_norm",
  dims: { b: 8, c: 64, n: 3136 },
  small: { b: 2, c: 3, n: 4 },
  inputs: (dims) => {
    const [b, c, n] = dimensions(dims, "b", "c", "n");
    return [normal("x", [b, c, n]), normal("gain", [c]), normal("bias", [c])];
  },
  reference: (dims, inputs) => {
    const [b, c, n] = dimensions(dims, "b", "c", "n");
    const [gain, bias] = [arrayOf(inputs, "gain"), arrayOf(inputs, "bias")];
    const y = Float64Array.from(arrayOf(inputs, "x"));
    for (let s = 0; s < b; s++) {
      const image = y.subarray(s * c * n, (s + 1) * c * n);
      const mean = sum(image) / (c * n);
      const variance = sum(image.map((x) => (x - mean) ** 2)) / (c * n);
      image.forEach((x, i) => {
        const channel = Math.floor(i / n);
        image[i] = (gain[channel]! * (x - mean)) / Math.sqrt(variance + 1e-5) + bias[channel]!;
      });
    }
    return [y];
  },
  resultElements: (dims) => productOf(dims, "b", "c", "n"),
  operations: () => 0,
};

function sum(numbers: Float64Array): number {
  let total = 0;
  for (const x of numbers) total += x;
  return total;
}
