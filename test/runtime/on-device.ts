/**
 * Graphs on a device, for tests that hold it to the interpreter.
 *
 *     await problemsOnDevice(device, graph, inputs, { fuse: "full" })      // [], or ["y: 3.1 instead of 2.9 at [0, 1]"]
 */
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import type { Update } from "../../src/fusion/overwrite.ts";
import type { AdapterShape } from "../../src/codegen/shapes.ts";
import type { FusionLevel, Plan } from "../../src/fusion/plan.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { interpret, tensor, type TensorData } from "../../src/ir/interpret.ts";
import { kernelShapeOf } from "../../src/kernel-text.ts";
import { type Graph, isFloat } from "../../src/ir/ir.ts";
import type { Device } from "../../src/runtime/device.ts";
import { differences, type Tolerance } from "../programs/closeness.ts";
import type { Inputs } from "../programs/compile.ts";

/** Single precision, over sums of some hundreds of terms. */
export const singlePrecision: Tolerance = { relative: 1e-4, floor: 1e-5 };

export interface DeviceRun {
  readonly fuse: FusionLevel;
  /** The kind of device for which it is compiled; the one that it runs on unless given. */
  readonly shape?: AdapterShape;
  /** Results that are to overwrite parameters. */
  readonly updates?: readonly Update[];
  readonly tolerance?: Tolerance;
  /** What is done to the plan before its kernels are written. */
  readonly layout?: (plan: Plan) => Plan;
  /** What must come out; the interpreter's results unless given. */
  readonly expected?: readonly TensorData[];
}

/** What differs between a graph's results on the device and those of the interpreter, in double precision, for the same inputs. */
export async function problemsOnDevice(
  device: Device,
  graph: Graph,
  inputs: Inputs,
  run: DeviceRun,
): Promise<string[]> {
  const rounded = inSinglePrecision(inputs);
  const expected = run.expected ?? interpretedResults(graph, rounded);
  const found = await resultsOnDevice(device, graph, rounded, run);
  return differences(found, expected, graph.results, run.tolerance ?? singlePrecision);
}

/** The results of a graph, compiled for the device. */
export async function resultsOnDevice(
  device: Device,
  graph: Graph,
  inputs: Inputs,
  { fuse, shape = shapeOf(device), updates = [], layout = (plan) => plan }: DeviceRun,
): Promise<TensorData[]> {
  const plan = planGraph(graph, fuse, shape.target, "speed", updates);
  const { program } = lowerProgram(layout(plan), shape, updates);
  const executable = await device.load(program);
  const args = await Promise.all(
    graph.params.map(({ name, element, shape: sizes }) => device.tensor(element, sizes, inputs[name]!.data)),
  );
  const outputs = await executable.run(args);
  const results = await Promise.all(
    outputs.map(async (output) => tensor(output.element, output.shape, [...(await output.read())])),
  );
  for (const made of new Set([...args, ...outputs])) made.free();
  executable.free();
  return results;
}

export function interpretedResults(graph: Graph, inputs: Inputs): TensorData[] {
  const values = interpret(graph, inputs);
  return graph.results.map((name) => values[name]!);
}

/** The inputs as the device gets them. */
export function inSinglePrecision(inputs: Inputs): Inputs {
  return Object.fromEntries(
    Object.entries(inputs).map(([name, value]) => [
      name,
      isFloat(value.element.scalar) ? { ...value, data: Float64Array.from(value.data, Math.fround) } : value,
    ]),
  );
}

function shapeOf({ adapter }: Device): AdapterShape {
  return kernelShapeOf(adapter);
}
