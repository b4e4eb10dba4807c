/** W2: a perceptron with one hidden layer at every point of a map, as FEC's blocks have it, channels first. */
import { erf } from "../../src/ir/erf.ts";
import { product } from "./matmul.ts";
import { arrayOf, dimensions, normal, productOf, type Workload } from "./workload.ts";

export const perceptron: Workload = {
  id: "W2",
  title: "1×1 convolution 64 → 512, GELU, 1×1 convolution 512 → 64, 8 maps of 56²",
  file: "perceptron",
  function: "perceptron",
  dims: { b: 8, c: 64, n: 3136, h: 512 },
  small: { b: 2, c: 3, n: 4, h: 5 },
  inputs: (dims) => {
    const [b, c, n, h] = dimensions(dims, "b", "c", "n", "h");
    return [
      normal("x", [b, c, n]),
      normal("w1", [h, c], c ** -0.5),
      normal("b1", [h], 0.1),
      normal("w2", [c, h], h ** -0.5),
      normal("b2", [c], 0.1),
    ];
  },
  reference: (dims, inputs) => {
    const [b, c, n, h] = dimensions(dims, "b", "c", "n", "h");
    const [x, w1, b1, w2, b2] = ["x", "w1", "b1", "w2", "b2"].map((name) => arrayOf(inputs, name));
    const y = new Float64Array(b * c * n);
    for (let s = 0; s < b; s++) {
      const hidden = product(w1!, x!.subarray(s * c * n, (s + 1) * c * n), [h, c, n]);
      hidden.forEach((z, i) => (hidden[i] = gelu(z + b1![Math.floor(i / n)]!)));
      const image = product(w2!, hidden, [c, h, n]);
      image.forEach((z, i) => (y[s * c * n + i] = z + b2![Math.floor(i / n)]!));
    }
    return [y];
  },
  resultElements: (dims) => productOf(dims, "b", "c", "n"),
  operations: (dims) => {
    const [b, c, n, h] = dimensions(dims, "b", "c", "n", "h");
    return 4 * b * c * n * h;
  },
};

/** x Φ(x), with the exact Φ. */
export function gelu(x: number): number {
  return 0.5 * x * (1 + erf(x * Math.SQRT1_2));
}
