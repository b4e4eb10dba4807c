/** The programs that are measured compute what they should, on small dimensions, through the interpreter. */
import { describe, expect, it } from "vitest";
import {
  argumentsOf,
  compileWorkload,
  inputsOf,
  interpreted,
  numbersOf,
  referenceOf,
} from "../../bench/inputs.ts";
import { errorOf } from "../../bench/measurement.ts";
import { workloadOf, workloads } from "../../bench/workloads/all.ts";
import { clustering } from "../../bench/workloads/clustering.ts";
import { trainingRate } from "../../bench/workloads/training.ts";
import type { Arrays, Workload } from "../../bench/workloads/workload.ts";

describe.each(workloads.map((workload) => [workload.id, workload] as const))("%s", (_, workload) => {
  const { small } = workload;
  const inputs = inputsOf(workload, small);
  const results = interpreted(workload, small, inputs);

  it("agrees with its reference", () => {
    expect(errorOf(results, referenceOf(workload, small, inputs))).toBeLessThan(1e-12);
  });

  it("gives the same with sums taken before linear maps", () => {
    const moved = compileWorkload(workload, small, true).interpret(...argumentsOf(workload, small, inputs));
    expect(errorOf(moved.flatMap(numbersOf), results)).toBeLessThan(1e-12);
  });

  it("has as many results as it says", () => {
    const count = results.reduce((sum, { length }) => sum + length, 0);
    expect(workload.resultElements(small)).toBe(count);
  });

  it("is drawn alike every time", () => expect(inputsOf(workload, small)).toEqual(inputs));
});

it("W6 gives the derivatives of W5", () => {
  const workload = workloadOf("W6");
  const inputs = inputsOf(workload, workload.small);
  const value = (changed: Arrays): number => {
    const [out] = referenceOf(clustering, workload.small, changed);
    return out!.reduce((sum, x, i) => sum + x * inputs["ct"]![i]!, 0);
  };
  const gradients = interpreted(workload, workload.small, inputs);
  ["f", "v", "alpha", "beta"].forEach((name, i) => {
    const at = inputs[name]!.length >> 1;
    expect(gradients[i]![at]).toBeCloseTo(differenceAt(value, inputs, name, at), 4);
  });
});

it("W9 steps along the derivatives of its loss", () => {
  const workload = workloadOf("W9");
  const inputs = inputsOf(workload, workload.small);
  const loss = (changed: Arrays): number => interpreted(workload, workload.small, changed)[0]![0]!;
  const results = interpreted(workload, workload.small, inputs);
  names(workload).forEach((name, i) => {
    const at = inputs[name]!.length >> 1;
    const step = (inputs[name]![at]! - results[i + 1]![at]!) / trainingRate;
    expect(step).toBeCloseTo(differenceAt(loss, inputs, name, at), 4);
  });
});

/** The names of the parameters. */
function names({ inputs, struct, small }: Workload): readonly string[] {
  return inputs(small)
    .slice(0, struct!.fields)
    .map(({ name }) => name);
}

/** The central difference for one number of an input, between neighbours that single precision has. */
function differenceAt(value: (inputs: Arrays) => number, inputs: Arrays, name: string, at: number): number {
  const moved = (by: number): Float32Array => inputs[name]!.map((x, i) => (i === at ? x + by : x));
  const [above, below] = [moved(1e-3), moved(-1e-3)];
  const difference = value({ ...inputs, [name]: above }) - value({ ...inputs, [name]: below });
  return difference / (above[at]! - below[at]!);
}
