/** What must hold of every program: the properties that random programs are held to. */
import { differences } from "../programs/closeness.ts";
import { compileFunction, type Inputs, programOf, run, unsimplified, verified } from "../programs/compile.ts";
import {
  agreementProblems,
  centralDifference,
  type Differentiated,
  floatParams,
  mismatch,
  randomLike,
  tangentsAt,
} from "../programs/gradients.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";
import { isFloatTensor } from "../programs/values.ts";
import { jvpGraph, vjpGraph } from "../../src/autodiff/differentiate.ts";
import type { TensorData } from "../../src/ir/interpret.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { printGraph } from "../../src/ir/print.ts";
import { simplify } from "../../src/ir/rewrite/simplify.ts";
import { format } from "../../src/lang/format.ts";
import { parse } from "../../src/lang/parser.ts";

export interface Program {
  readonly seed: number;
  readonly text: string;
  readonly dims: ReadonlyMap<string, number>;
  readonly main: string;
}

/** What is wrong, by the property that does not hold; null if all do. `smooth` tells whether differences could be compared. */
export interface Verdict {
  readonly problem: { readonly property: string; readonly text: string } | null;
  readonly smooth: boolean;
}

/** What two failures have in common when they are the same mistake: the property, and the message without names and numbers. */
export function kindOf({ problem }: Verdict): string | null {
  if (problem === null) return null;
  const first = problem.text.split("\n").find((line) => !line.endsWith("is not valid:"));
  return `${problem.property}: ${(first ?? "")
    .replace(/%[\w.']+/g, "%")
    .replace(/[\d.]+/g, "#")
    .slice(0, 40)}`;
}

class Broken extends Error {
  constructor(
    readonly property: string,
    text: string,
  ) {
    super(text);
  }
}

export function verdictOn(program: Program): Verdict {
  let property = "check and elaborate";
  try {
    const info = compileFunction(programOf(program.text), program.main, { dims: program.dims });
    property = "format";
    holdFormat(program.text);
    property = "print and parse";
    holdPrinting(info.graph);
    property = "differentiate and simplify";
    const random = randomSource(program.seed ^ 0x5bd1e995);
    const inputs = randomInputs(info.graph.params, random);
    const graphs = [info.graph, vjpGraph(info.graph), jvpGraph(info.graph)].map(bothForms);
    property = "simplification changes no result";
    const seeds = graphs.map(({ plain }) =>
      randomInputs(plain.params.slice(info.graph.params.length), random),
    );
    graphs.forEach((forms, i) => holdSimplification(forms, { ...inputs, ...seeds[i]! }));
    property = "derivatives";
    const [graph, vjp, jvp] = graphs.map((g) => g.simple);
    const smooth = holdDerivatives({ graph: graph!, vjp: vjp!, jvp: jvp! }, inputs, program.seed);
    return { problem: null, smooth };
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    return { problem: { property: error instanceof Broken ? error.property : property, text }, smooth: true };
  }
}

interface Forms {
  readonly plain: Graph;
  readonly simple: Graph;
}

function bothForms(graph: Graph): Forms {
  const plain = unsimplified(graph);
  const simple = verified(simplify(plain));
  holdPrinting(simple);
  return { plain, simple };
}

/** Formatting is idempotent and keeps the tree. */
function holdFormat(text: string): void {
  const once = format({ name: "random.fec", text }).text;
  const twice = format({ name: "random.fec", text: once }).text;
  if (twice !== once) throw new Broken("formatting twice changes nothing", once);
  if (treeOf(once) !== treeOf(text)) throw new Broken("formatting keeps the meaning", once);
}

function treeOf(text: string): string {
  const { module, diagnostics } = parse({ name: "random.fec", text });
  if (diagnostics.length > 0) throw new Broken("what is formatted parses", text);
  return JSON.stringify(module.decls, (key, value: unknown) =>
    /^(span|opSpan|head)$/.test(key) ? undefined : value,
  );
}

function holdPrinting(graph: Graph): void {
  const text = printGraph(graph);
  if (printGraph(parseGraph(text)) !== text) throw new Broken("print and parse", text);
}

function holdSimplification({ plain, simple }: Forms, inputs: Inputs): void {
  const found = differences(run(simple, inputs), run(plain, inputs), plain.results);
  if (found.length > 0)
    throw new Broken("simplification changes no result", `${plain.name}: ${found.join("; ")}`);
}

/** Two step sizes that agree so well make a difference worth comparing. */
const steps = [1e-4, 2.5e-5] as const;
const worthComparing = 1e-5;

/** Vjp agrees with jvp, and jvp with differences where the program is smooth; gives whether it is. */
function holdDerivatives(d: Differentiated, inputs: Inputs, seed: number): boolean {
  const random = randomSource(seed ^ 0x27d4eb2f);
  const at = floatParams(d.graph).map((name) => inputs[name]!);
  const results = run(d.graph, inputs).filter(isFloatTensor);
  const direction = randomLike(at, random);
  const tangents = tangentsAt(d, inputs, direction);
  const [problem] = agreementProblems(d, inputs, direction, randomLike(results, random), tangents, 1e-8);
  if (problem !== undefined) throw new Broken("vjp agrees with jvp", problem);
  const [far, near] = steps.map((h) => centralDifference(d, inputs, direction, h));
  const sizes = results.map(largest);
  const comparable = near!.every((t, i) => mismatch(t, far![i]!, worthComparing, sizes[i]!) === null);
  if (!comparable || hasKink(d, inputs, direction, near!)) return false;
  const off = tangents.flatMap((t, i) => mismatch(t, near![i]!, 10 * worthComparing, sizes[i]!) ?? []);
  if (off.length > 0) throw new Broken("derivatives agree with differences", off.join("; "));
  return true;
}

/** Do the slopes before and after the point differ? At a tie of two equal values the central difference is their mean. */
function hasKink(
  d: Differentiated,
  inputs: Inputs,
  direction: readonly TensorData[],
  slopes: readonly TensorData[],
): boolean {
  const h = steps[1];
  const names = floatParams(d.graph);
  const at = (step: number): TensorData[] => {
    const moved = names.map((name, i): [string, TensorData] => {
      const x = inputs[name]!;
      return [name, { ...x, data: Float64Array.from(x.data, (v, j) => v + step * direction[i]!.data[j]!) }];
    });
    return run(d.graph, { ...inputs, ...Object.fromEntries(moved) }).filter(isFloatTensor);
  };
  const [here, after] = [at(0), at(h)];
  return after.some((t, i) => {
    const scale = Math.max(largest(slopes[i]!), 1e-3 * largest(here[i]!), 1e-6);
    return t.data.some(
      (y: number, j: number) => Math.abs((y - here[i]!.data[j]!) / h - slopes[i]!.data[j]!) > 0.02 * scale,
    );
  });
}

function largest(t: TensorData): number {
  let most = 0;
  for (const x of t.data) most = Math.max(most, Math.abs(x));
  return most;
}
