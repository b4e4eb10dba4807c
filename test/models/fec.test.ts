/** The models of src/models, held to the numbers of an independent implementation and to the released checkpoints' names. */
import { describe, expect, test } from "vitest";
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { interpret, tensor, type TensorData } from "../../src/ir/interpret.ts";
import {
  definitions,
  type Graph,
  i32,
  type Node,
  sizeOf,
  type ValueName,
  type ValueType,
} from "../../src/ir/ir.ts";
import { valuesUsed } from "../../src/ir/traverse.ts";
import type { Specialised } from "../../src/lang/elaborate/specialise.ts";
import { prepared, run } from "../programs/compile.ts";
import { compileModel, portableInputs, weightsOf } from "./models.ts";
import { portableTensor } from "./portable-weights.ts";

/** The first five, the position of the largest, the sum of all, the Euclidean norm. */
type Logits = [first: readonly number[], best: number, sum: number, norm: number];

const micro = { b: 1, h: 96, w: 96 };
const published = { b: 1, h: 224, w: 224 };
const tiny = { b: 1, h: 32, w: 32 };

test("portable weights are those of every other implementation", () => {
  expect([...portableTensor("input", [3], [-2, 2], 1).data]).toEqual([
    -0.7431626319885254, -1.4005725383758545, 0.38099098205566406,
  ]);
  expect([...portableTensor("head.weight", [2], [-1, 1], 1).data]).toEqual([
    0.8010828495025635, -0.09534478187561035,
  ]);
});

describe("parameters", () => {
  test.each([
    ["fec_small", 5_727_528, 282],
    ["fec_base", 15_086_848, 246],
    ["fec_large", 29_720_344, 462],
    ["fec_mini", 91_424, 76],
  ])("of %s: %i numbers in %i tensors", (name, numbers, tensors) => {
    const weights = weightsOf(compileModel("fec", name, published));
    expect(weights).toHaveLength(tensors);
    expect(total(weights.map(({ leaf }) => sizeOf(leaf.shape)))).toBe(numbers);
  });

  test("of fec_small bear the names and shapes of its checkpoint, in order", () => {
    const weights = weightsOf(compileModel("fec", "fec_small", published));
    expect(weights.map(({ name, leaf }) => `${name} ${leaf.shape.join("×")}`)).toEqual(checkpointOfSmall());
  });
});

/** A line for each tensor of the released fec_small, in the order of its file. */
function checkpointOfSmall(): string[] {
  const affine = (name: string, weight: string, bias: number): string[] => [
    `${name}.weight ${weight}`,
    `${name}.bias ${bias}`,
  ];
  const block = (name: string, c: number, k: number, hidden: number): string[] => [
    `${name}.layer_scale_1 ${c}`,
    `${name}.layer_scale_2 ${c}`,
    ...affine(`${name}.norm1`, `${c}`, c),
    `${name}.token_mixer.sim_alpha 1`,
    `${name}.token_mixer.sim_beta 1`,
    ...affine(`${name}.token_mixer.f`, `${k}×${c}×1×1`, k),
    ...affine(`${name}.token_mixer.proj`, `${c}×${k}×1×1`, c),
    ...affine(`${name}.token_mixer.v`, `${k}×${c}×1×1`, k),
    ...affine(`${name}.norm2`, `${c}`, c),
    ...affine(`${name}.mlp.fc1`, `${hidden}×${c}`, hidden),
    ...affine(`${name}.mlp.fc2`, `${c}×${hidden}`, c),
  ];
  const pooling = (name: string, c: number, e: number): string[] => [
    ...affine(`${name}.norm2`, `${e}`, e),
    ...affine(`${name}.conv_f`, `${e}×${c}×1×1`, e),
    ...affine(`${name}.conv_v`, `${e}×${c}×1×1`, e),
    ...affine(`${name}.conv_skip`, `${e}×${c}×3×3`, e),
  ];
  const stage = (name: string, blocks: number, c: number, k: number, hidden: number): string[] =>
    Array.from({ length: blocks }, (_, i) => block(`${name}.${i}`, c, k, hidden)).flat();
  return [
    ...affine("patch_embed.proj", "32×5×4×4", 32),
    ...stage("network.0", 3, 32, 96, 256),
    ...pooling("network.1", 32, 64),
    ...stage("network.2", 4, 64, 96, 512),
    ...pooling("network.3", 64, 196),
    ...stage("network.4", 5, 196, 192, 784),
    ...pooling("network.5", 196, 320),
    ...stage("network.6", 2, 320, 192, 1280),
    ...affine("norm", "320", 320),
    ...affine("head", "1000×320", 1000),
  ];
}

describe("logits", () => {
  const references: readonly (readonly [name: string, dims: typeof micro, ...Logits])[] = [
    [
      "fec_micro",
      micro,
      [-0.3857825387, 0.2525478198, 0.4104870354, 0.4587538915, 1.0334899747],
      7,
      2.3812747613,
      2.0225717452,
    ],
    [
      "fec_mini",
      tiny,
      [0.5735422519, 0.5180782002, 0.3556672276, -0.3122036769, -0.4893531218],
      0,
      -0.8275472369,
      1.3514805697,
    ],
    [
      "fec_small",
      published,
      [0.343140988, 0.5322116807, 1.3538594995, 0.1577118297, 0.4890517489],
      967,
      -4.8124119928,
      15.9364819447,
    ],
    [
      "fec_base",
      published,
      [-0.8547529093, 0.0330194948, -0.1128047163, 0.4627208551, -0.2639315637],
      350,
      3.0984207414,
      16.3543449841,
    ],
    [
      "fec_large",
      published,
      [-1.0205194609, -0.039683535, -0.0555308444, 0.575023044, -0.764167187],
      39,
      1.7921111354,
      18.4914646414,
    ],
  ];

  for (const [name, dims, first, best, sum, norm] of references) {
    // The two large ones take a minute: FECIT_SLOW=1 npx vitest run test/models
    const isSlow = name === "fec_base" || name === "fec_large";
    test.skipIf(isSlow && process.env["FECIT_SLOW"] === undefined)(`of ${name}`, { timeout: 300_000 }, () => {
      const compiled = compileModel("fec", name, dims);
      const graph = prepared(compiled.graph);
      const logits = [...interpret(graph, portableInputs(compiled))[graph.results[0]!]!.data];
      expect(largestDifference(logits.slice(0, 5), first)).toBeLessThan(1e-9);
      expect(logits.indexOf(Math.max(...logits))).toBe(best);
      expect(largestDifference([total(logits), Math.hypot(...logits)], [sum, norm])).toBeLessThan(1e-9);
    });
  }

  test("of an image do not depend on the others of its batch", () => {
    const one = compileModel("fec", "fec_micro", { ...micro, h: 64, w: 32 });
    const two = compileModel("fec", "fec_micro", { b: 2, h: 64, w: 32 });
    const alone = run(prepared(one.graph), portableInputs(one))[0]!.data;
    const together = run(prepared(two.graph), portableInputs(two))[0]!.data;
    expect(largestDifference([...together].slice(0, 10), [...alone])).toBeLessThan(1e-12);
  });

  test("with stochastic depth of rate 0 are the same", () => {
    const plain = compileModel("fec", "fec_micro", { b: 2, h: 32, w: 32 });
    const training = compileModel("fec", "fec_micro_training", { b: 2, h: 32, w: 32 });
    const logitsAt = (rate: number): number[] => {
      const more = {
        rate: tensor({ scalar: "f32", bound: null }, [], [rate]),
        k: tensor({ scalar: "u32", bound: null }, [2], [1, 0]),
      };
      return [...run(prepared(training.graph), { ...portableInputs(training), ...more })[0]!.data];
    };
    const expected = [...run(prepared(plain.graph), portableInputs(plain))[0]!.data];
    expect(largestDifference(logitsAt(0), expected)).toBeLessThan(1e-12);
    expect(largestDifference(logitsAt(0.9), expected)).toBeGreaterThan(1e-3);
  });
});

/** Of every layer: the sum of its assignment's positions, the norm of its result, and where the first points go. */
const layers: readonly (readonly [
  name: string,
  positions: number,
  norm: number,
  first?: readonly number[],
])[] = [
  ["network.0.0", 7899, 62.9358782019, [5, 8, 3, 9, 3, 0, 6, 12, 3, 8, 11, 5]],
  ["network.1", 37818, 54.8535184872, [73, 49, 32, 115, 3, 13, 92, 34, 33, 28, 41, 63]],
  ["network.2.0", 2022, 55.8633142943],
  ["network.2.1", 2165, 56.8833338646],
  ["network.3", 2380, 39.2515200887],
  ["network.4.0", 179, 41.2110839914],
  ["network.5", 153, 27.6211152759],
  ["network.6.0", 23, 29.4015439401],
];

test("every layer of fec_micro", () => {
  const compiled = compileModel("observed", "layers", { h: 96, w: 96 });
  const results = run(prepared(compiled.graph), portableInputs(compiled));
  layers.forEach(([name, positions, norm, first = []], i) => {
    const [output, assignment] = [results[2 * i]!, results[2 * i + 1]!];
    expect([...assignment.data].slice(0, first.length), name).toEqual(first);
    expect(total(assignment.data), name).toBe(positions);
    expect(Math.abs(Math.hypot(...output.data) - norm), name).toBeLessThan(1e-9);
  });
});

test("the mixer of Algorithm S1 compiles, and gives every point of every representative", () => {
  const compiled = compileModel("observed", "seed", { h: 32, w: 32 });
  const [output] = run(prepared(compiled.graph), portableInputs(compiled));
  expect(output!.shape).toEqual([8, 8, 8]);
  expect(output!.data.every(Number.isFinite)).toBe(true);
});

describe("the gradient of a loss of fec_micro", () => {
  const loss = compileModel("observed", "loss", micro);
  const training = compileModel("observed", "training", micro);
  const graph = prepared(training.graph);
  const names = weightsOf(training).map(({ name }) => name);
  const gradientNames = new Map(names.map((name, i) => [name, training.results[1]!.values[i]!]));
  const inputs = inputsWithLabel(training);

  test("is zero without a computation for the similarity of the poolings", () => {
    const zero = names.filter((name) => isZero(graph, resultAt(training, graph, gradientNames.get(name)!)));
    expect(zero).toEqual(
      ["network.1", "network.3", "network.5"].flatMap((p) => [`${p}.conv_f.weight`, `${p}.conv_f.bias`]),
    );
  });

  test("agrees with central differences", () => {
    const forward = prepared(loss.graph);
    const results = run(graph, inputs);
    const lossAt = (param: ValueName, at: number, step: number): number => {
      const data = Float64Array.from(inputs[param]!.data);
      data[at]! += step;
      return run(forward, { ...inputs, [param]: { ...inputs[param]!, data } })[0]!.data[0]!;
    };
    const h = 1e-5;
    const problems = watched.flatMap(([name, at]) => {
      const leaf = names.indexOf(name);
      const param = loss.params[0]!.values[leaf]!;
      const difference = (lossAt(param, at, h) - lossAt(param, at, -h)) / (2 * h);
      const gradient = results[1 + leaf]!.data[at]!;
      return Math.abs(gradient - difference) <= 1e-8 + 1e-5 * Math.abs(difference)
        ? []
        : [`${name}[${at}]: ${gradient}, differences give ${difference}`];
    });
    expect(problems).toEqual([]);
  });
});

/** A number of some parameters of every kind. */
const watched: readonly (readonly [name: string, at: number])[] = [
  ["patch_embed.proj.weight", 7],
  ["network.0.0.layer_scale_1", 3],
  ["network.0.0.norm1.weight", 2],
  ["network.0.0.token_mixer.sim_alpha", 0],
  ["network.0.0.token_mixer.sim_beta", 0],
  ["network.0.0.token_mixer.f.weight", 11],
  ["network.0.0.token_mixer.v.weight", 5],
  ["network.2.1.token_mixer.proj.weight", 9],
  ["network.2.1.mlp.fc1.weight", 17],
  ["network.1.conv_v.weight", 4],
  ["network.3.conv_skip.weight", 100],
  ["network.5.norm2.bias", 6],
  ["network.6.0.token_mixer.f.bias", 8],
  ["network.6.0.token_mixer.v.bias", 3],
  ["head.weight", 30],
];

test("no value of points × centers depends on the cotangent", () => {
  const compiled = compileModel("fec", "fec_micro", micro);
  const graph = prepared(vjpGraph(compiled.graph));
  const cotangent = graph.params.at(-1)!;
  const dependent = dependentOn(graph, cotangent.name);
  expect(dependent.length).toBeGreaterThan(100);
  // Stages 1 and 2 with 4 × 4 centers, the poolings with a quarter of their points.
  const pairs = [
    [576, 16],
    [144, 16],
    [576, 144],
    [144, 36],
    [36, 9],
  ];
  const isDense = ({ shape }: ValueType): boolean =>
    pairs.some((pair) => pair.every((n) => shape.includes(n)));
  expect(dependent.filter(isDense)).toEqual([]);
  // The forward pass has some: what feeds the argmax.
  expect(graph.nodes.flatMap(definitions).some(isDense)).toBe(true);
});

function inputsWithLabel(compiled: Specialised): Record<string, TensorData> {
  return { ...portableInputs(compiled), y: tensor({ ...i32, bound: 10 }, [1], [4]) };
}

/** The node of a result, wherever simplification has put it. */
function resultAt(compiled: Specialised, graph: Graph, name: ValueName): ValueName {
  return graph.results[compiled.graph.results.indexOf(name)]!;
}

function isZero(graph: Graph, name: ValueName): boolean {
  const node = graph.nodes.find((n) => definitions(n).some((value) => value.name === name));
  return (
    node?.kind === "comprehension" &&
    node.reduction === null &&
    node.body.kind === "const" &&
    node.body.value === 0
  );
}

/** The values that are computed from this one. */
function dependentOn(graph: Graph, name: ValueName): ValueType[] {
  const known = new Set([name]);
  const found: ValueType[] = [];
  const depends = (node: Node): boolean => [...valuesUsed(node)].some((used) => known.has(used));
  for (const node of graph.nodes) {
    if (!depends(node)) continue;
    for (const value of definitions(node)) {
      known.add(value.name);
      found.push(value);
    }
  }
  return found;
}

function largestDifference(actual: readonly number[], expected: readonly number[]): number {
  return Math.max(...actual.map((a, i) => Math.abs(a - expected[i]!)));
}

function total(numbers: Iterable<number>): number {
  let sum = 0;
  for (const n of numbers) sum += n;
  return sum;
}
