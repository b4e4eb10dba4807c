/** FEC on the device, in single precision: its logits, and the gradient of a loss with respect to every parameter. */
import { describe, expect, test } from "vitest";
import { tensor, type TensorData } from "../../src/ir/interpret.ts";
import { type Graph, i32 } from "../../src/ir/ir.ts";
import { reassociate } from "../../src/ir/rewrite/reassociate.ts";
import { simplify } from "../../src/ir/rewrite/simplify.ts";
import { prepared } from "../programs/compile.ts";
import { deviceOfTests } from "../runtime/device.ts";
import { inSinglePrecision, interpretedResults, resultsOnDevice } from "../runtime/on-device.ts";
import { compileModel, portableInputs, weightsOf } from "./models.ts";

const device = deviceOfTests();

/** The first five, the position of the largest, the sum of all, the Euclidean norm, of an independent implementation. */
type Logits = [first: readonly number[], best: number, sum: number, norm: number];

const references: readonly (readonly [name: string, size: number, ...Logits])[] = [
  [
    "fec_micro",
    96,
    [-0.3857825387, 0.2525478198, 0.4104870354, 0.4587538915, 1.0334899747],
    7,
    2.3812747613,
    2.0225717452,
  ],
  [
    "fec_small",
    224,
    [0.343140988, 0.5322116807, 1.3538594995, 0.1577118297, 0.4890517489],
    967,
    -4.8124119928,
    15.9364819447,
  ],
];

describe.each([
  ["logits", (graph: Graph) => graph],
  ["logits with --reassociate", (graph: Graph) => simplify(reassociate(graph))],
])("%s", (_, changed) => {
  for (const [name, side, first, best, sum, norm] of references) {
    // The larger one has 90 kernels, which a software driver compiles for a minute: FECIT_SLOW=1 npx vitest run test/models
    const isSlow = name !== "fec_micro";
    test.skipIf(isSlow && process.env["FECIT_SLOW"] === undefined)(
      `of ${name}`,
      { timeout: 900_000 },
      async () => {
        const compiled = compileModel("fec", name, { b: 1, h: side, w: side });
        const graph = changed(prepared(compiled.graph));
        const [found] = await resultsOnDevice(device(), graph, portableInputs(compiled), { fuse: "full" });
        const logits = [...found!.data];
        expect(largestDifference(logits.slice(0, 5), first)).toBeLessThan(1e-4);
        expect(logits.indexOf(Math.max(...logits))).toBe(best);
        // A sum over all classes gathers their errors.
        expect(Math.abs(logits.reduce((total, x) => total + x) - sum)).toBeLessThan(
          1e-4 * Math.sqrt(logits.length),
        );
        expect(Math.abs(Math.hypot(...logits) - norm)).toBeLessThan(1e-4);
      },
    );
  }
});

test(
  "the loss of fec_micro and its gradient with respect to every parameter",
  { timeout: 900_000 },
  async () => {
    const compiled = compileModel("observed", "training", { b: 1, h: 96, w: 96 });
    const graph = prepared(compiled.graph);
    const label = tensor({ ...i32, bound: 10 }, [1], [4]);
    const inputs = inSinglePrecision({ ...portableInputs(compiled), y: label });
    const expected = interpretedResults(graph, inputs);
    const found = await resultsOnDevice(device(), graph, inputs, { fuse: "full" });
    const names = ["loss", ...weightsOf(compiled).map(({ name }) => name)];
    expect(found).toHaveLength(names.length);

    // Each against its own size: a parameter of small gradients is held as closely as one of large ones.
    const problems = names.flatMap((name, i) => {
      const difference = largestDifference([...found[i]!.data], [...expected[i]!.data]);
      return difference <= 1e-4 * size(expected[i]!)
        ? []
        : [`${name}: off by ${difference} of ${size(expected[i]!)}`];
    });
    expect(problems).toEqual([]);

    // The poolings' similarity decides only who belongs where.
    const zero = names.filter((_, i) => size(found[i]!) === 0);
    expect(zero).toEqual(
      ["network.1", "network.3", "network.5"].flatMap((at) => [`${at}.conv_f.weight`, `${at}.conv_f.bias`]),
    );
  },
);

function size({ data }: TensorData): number {
  let most = 0;
  for (const x of data) most = Math.max(most, Math.abs(x));
  return most;
}

function largestDifference(actual: readonly number[], expected: readonly number[]): number {
  return Math.max(...actual.map((a, i) => Math.abs(a - expected[i]!)));
}
