/** W9: a step of training of a small network on 128 images of 28², by plain gradient descent: the loss and 8 new tensors. */
import { type Dims, dimensions, type Input, normal, sizeOf, type Workload } from "./workload.ts";

/** The learning rate of the program. */
export const trainingRate = 0.1;

export const training: Workload = {
  id: "W9",
  title: "a training step, 128 images of 49 patches",
  file: "training",
  function: "step",
  dims: { b: 128, s: 49, i: 16, c: 64, h: 256, o: 10 },
  small: { b: 3, s: 2, i: 4, c: 3, h: 5, o: 4 },
  inputs: trainingInputs,
  reference: "interpreter",
  struct: { name: "p", fields: 8 },
  resultElements: (dims) =>
    trainingInputs(dims)
      .slice(0, 8)
      .reduce((sum, { shape }) => sum + sizeOf(shape), 1),
  // Forward, and two products of the same size for each of its products backward, but for the gradient of the patches.
  operations: (dims) => {
    const [b, s, i, c, h] = dimensions(dims, "b", "s", "i", "c", "h");
    return 2 * b * s * (2 * i * c + 6 * c * h);
  },
};

function trainingInputs(dims: Dims): readonly Input[] {
  const [b, s, i, c, h, o] = dimensions(dims, "b", "s", "i", "c", "h", "o");
  return [
    normal("wp", [i, c], i ** -0.5),
    normal("bp", [c], 0.05),
    normal("w1", [c, h], c ** -0.5),
    normal("c1", [h], 0.05),
    normal("w2", [h, c], h ** -0.5),
    normal("c2", [c], 0.05),
    normal("w3", [c, o], c ** -0.5),
    normal("c3", [o], 0.05),
    normal("x", [b * s, i]),
    { name: "y", shape: [b, o], draw: { kind: "one of each row" } },
  ];
}
