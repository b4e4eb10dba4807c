/** The graphs of the programs with expectations, and of their gradients, with inputs and what the interpreter gives for them. */
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import type { TensorData } from "../../src/ir/interpret.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { type Inputs, prepared } from "../programs/compile.ts";
import { type Case, compileCase } from "../programs/suites.ts";
import { inSinglePrecision, interpretedResults } from "./on-device.ts";

export interface CaseGraph {
  readonly title: string;
  readonly graph: Graph;
  readonly inputs: Inputs;
  readonly expected: readonly TensorData[];
}

/** The ways to compile: every level of fusion, the last for both kinds of device, whichever of them it runs on. */
export const ways = [
  { title: "--fuse off", fuse: "off", shape: kernelShapeFor("software") },
  { title: "--fuse map", fuse: "map", shape: kernelShapeFor("software") },
  { title: "--fuse full, for a CPU", fuse: "full", shape: kernelShapeFor("software") },
  { title: "--fuse full, for a GPU", fuse: "full", shape: kernelShapeFor("hardware") },
] as const;

const known = new Map<Case, readonly CaseGraph[]>();

/** The graph of a case, and that of its gradients if it has any; the same at each call. */
export function caseGraphs(of: Case): readonly CaseGraph[] {
  let graphs = known.get(of);
  if (graphs === undefined) {
    const { specialised, inputs, derivative } = compileCase(of);
    const forward = caseGraph(of.title, prepared(specialised.graph), inputs);
    graphs = [forward];
    if (derivative !== null) {
      const vjp = vjpGraph(specialised.graph);
      const seeds = vjp.params
        .slice(specialised.graph.params.length)
        .map((param, i) => [param.name, derivative.cotangents[i]!]);
      const given = { ...inputs, ...Object.fromEntries(seeds) };
      graphs = [forward, caseGraph(`${of.title}, gradients`, prepared(vjp), given)];
    }
    known.set(of, graphs);
  }
  return graphs;
}

function caseGraph(title: string, graph: Graph, inputs: Inputs): CaseGraph {
  const rounded = inSinglePrecision(inputs);
  return { title, graph, inputs: rounded, expected: interpretedResults(graph, rounded) };
}
