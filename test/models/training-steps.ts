/**
 * Three steps of AdamW of fec_micro on one batch, as PyTorch makes them (`scripts/expected/models/training.py`), for any
 * back end: `run` takes the inputs of one step by name and gives its results in order.
 *
 *     problems = await disagreements(step, (inputs) => run(graph, inputs), 1e-9)        [] if all agree
 */
import { readFileSync } from "node:fs";
import { tensor, type TensorData } from "../../src/ir/interpret.ts";
import { f32, i32, type ScalarType, type ValueName } from "../../src/ir/ir.ts";
import { shapeLeaves } from "../../src/lang/elaborate/shape.ts";
import type { Binding, Specialised } from "../../src/lang/elaborate/specialise.ts";
import { compileModel, portableInputs, weightsOf } from "./models.ts";
import { portableImages } from "./portable-weights.ts";

/** The sum, the Euclidean norm and the middle number of a tensor. */
type Summary = readonly [sum: number, norm: number, middle: number];

interface Expected {
  readonly size: number;
  readonly labels: readonly number[];
  readonly weightDecay: number;
  readonly labelSmoothing: number;
  readonly steps: readonly { readonly rate: number; readonly loss: number; readonly hits: number }[];
  /** After the last step, by their names in checkpoints. Without moments: PyTorch's gradient is None. */
  readonly parameters: Readonly<
    Record<
      string,
      { readonly value: Summary; readonly moments: { readonly m: Summary; readonly v: Summary } | null }
    >
  >;
}

export const expected = JSON.parse(
  readFileSync(new URL("training-steps.json", import.meta.url), "utf8"),
) as Expected;

/** fec_micro's step for the batch of the expectations, derivatives not taken. */
export function microStep(): Specialised {
  const { size, labels } = expected;
  return compileModel("train", "fec_micro_step", { b: labels.length, h: size, w: size });
}

export type Inputs = Readonly<Record<ValueName, TensorData>>;

/** Runs the steps and says in a line each what differs by more than `tolerance`, relative to the larger of 1 and the number. */
export async function disagreements(
  step: Specialised,
  run: (inputs: Inputs) => readonly TensorData[] | Promise<readonly TensorData[]>,
  tolerance: number,
): Promise<string[]> {
  const names = weightsOf(step).map(({ name }) => name);
  const problems: string[] = [];
  const compare = (what: string, actual: number, wanted: number): void => {
    if (!(Math.abs(actual - wanted) <= tolerance * Math.max(1, Math.abs(wanted))))
      problems.push(`${what}: ${actual}, PyTorch has ${wanted}`);
  };
  let state = firstState(step);
  for (const [number, { loss, hits }] of expected.steps.entries()) {
    const results = await run(inputsOf(step, number, state));
    compare(`loss of step ${number}`, results.at(-2)!.data[0]!, loss);
    compare(`hits of step ${number}`, results.at(-1)!.data[0]!, hits);
    state = results.slice(0, state.length);
  }
  names.forEach((name, i) => {
    const { value, moments } = expected.parameters[name]!;
    const zero: Summary = [0, 0, 0];
    const trees = { value, m: moments?.m ?? zero, v: moments?.v ?? zero };
    Object.entries(trees).forEach(([tree, wanted], k) => {
      const actual = summaryOf(state[i + k * names.length]!);
      ["sum", "norm", "middle"].forEach((part, q) =>
        compare(`${part} of ${tree} of ${name}`, actual[q]!, wanted[q]!),
      );
    });
  });
  return problems;
}

/** What the first step takes. */
export function firstInputs(step: Specialised): Inputs {
  return inputsOf(step, 0, firstState(step));
}

/** Parameters as they are at first, and moments of zero. */
function firstState(step: Specialised): TensorData[] {
  const [p, s] = step.params as [Binding, Binding];
  return [...valuesOf(p, portableInputs(step)), ...zerosFor(s)];
}

function inputsOf(step: Specialised, number: number, state: readonly TensorData[]): Inputs {
  const [p, s] = step.params as [Binding, Binding];
  const carried = [...p.values, ...s.values].map((name, i) => [name, state[i]!] as const);
  return { ...Object.fromEntries(carried), ...restOfInputs(step, number, expected.steps[number]!.rate) };
}

function valuesOf(binding: Binding, inputs: Inputs): TensorData[] {
  return binding.values.map((name) => inputs[name]!);
}

function zerosFor(binding: Binding): TensorData[] {
  return shapeLeaves(binding.shape).map(({ leaf }) =>
    tensor(
      f32,
      leaf.shape,
      Array.from({ length: leaf.shape.reduce((a, b) => a * b, 1) }, () => 0),
    ),
  );
}

/** What a step takes besides parameters and moments; no branch is dropped. */
function restOfInputs(step: Specialised, number: number, rate: number): Inputs {
  const { labels, size, weightDecay, labelSmoothing } = expected;
  const scalar = (type: ScalarType, value: number): TensorData =>
    tensor({ scalar: type, bound: null }, [], [value]);
  const values: Readonly<Record<string, readonly TensorData[]>> = {
    step: [scalar("i32", number)],
    lr: [scalar("f32", rate)],
    r: [scalar("f32", weightDecay), scalar("f32", labelSmoothing), scalar("f32", 0)],
    k: [tensor({ scalar: "u32", bound: null }, [2], [1, 0])],
    x: [portableImages([labels.length, 3, size, size], 1)],
    label: [tensor({ ...i32, bound: 10 }, [labels.length], labels)],
  };
  const rest = step.params.slice(2);
  return Object.fromEntries(
    rest.flatMap((binding) => binding.values.map((name, i) => [name, values[binding.name]![i]!] as const)),
  );
}

function summaryOf({ data }: TensorData): Summary {
  let [sum, squares] = [0, 0];
  for (const x of data) {
    sum += x;
    squares += x * x;
  }
  return [sum, Math.sqrt(squares), data[data.length >> 1]!];
}
