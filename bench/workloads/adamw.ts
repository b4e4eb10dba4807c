/** W8: one step of AdamW over one flat tensor, as large as FEC small. It is bound by memory: four numbers in, three out. */
import { arrayOf, dimension, magnitude, normal, type Workload } from "./workload.ts";

/** What all systems compute with. */
export const adamwRecipe = { rate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay: 0.05, step: 10 };

export const adamw: Workload = {
  id: "W8",
  title: "a step of AdamW over 5.5 million parameters",
  file: "adamw",
  function: "adamw",
  dims: { n: 5_500_000 },
  small: { n: 9 },
  inputs: (dims) => {
    const n = dimension(dims, "n");
    return [
      normal("p", [n], 0.05),
      normal("g", [n], 0.01),
      normal("m", [n], 0.01),
      magnitude("v", [n], 1e-4),
    ];
  },
  reference: (dims, inputs) => {
    const n = dimension(dims, "n");
    const { rate, beta1, beta2, epsilon, decay, step } = adamwRecipe;
    const [p, g, m, v] = ["p", "g", "m", "v"].map((name) => arrayOf(inputs, name));
    const [nextP, nextM, nextV] = [new Float64Array(n), new Float64Array(n), new Float64Array(n)];
    for (let i = 0; i < n; i++) {
      nextM[i] = beta1 * m![i]! + (1 - beta1) * g![i]!;
      nextV[i] = beta2 * v![i]! + (1 - beta2) * g![i]! ** 2;
      const [mean, square] = [nextM[i]! / (1 - beta1 ** step), nextV[i]! / (1 - beta2 ** step)];
      nextP[i] = p![i]! * (1 - rate * decay) - (rate * mean) / (Math.sqrt(square) + epsilon);
    }
    return [nextP, nextM, nextV];
  },
  resultElements: (dims) => 3 * dimension(dims, "n"),
  operations: () => 0,
};
