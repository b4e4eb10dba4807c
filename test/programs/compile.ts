/** Programs to graphs, for tests: what goes wrong is thrown as the text that a user would see. */
import { readFileSync } from "node:fs";
import { dirname, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { differentiate } from "../../src/autodiff/differentiate.ts";
import { interpret, type TensorData } from "../../src/ir/interpret.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { simplify } from "../../src/ir/rewrite/simplify.ts";
import { verifyGraph } from "../../src/ir/verify.ts";
import { check, type Loader } from "../../src/lang/check.ts";
import {
  findFunction,
  specialise,
  type SpecialiseOptions,
  type Specialised,
} from "../../src/lang/elaborate/specialise.ts";
import type { Program } from "../../src/lang/program.ts";
import { renderDiagnostics } from "../../src/lang/render.ts";

const projectRoot = fileURLToPath(new URL("../../", import.meta.url));
const loaded = new Map<string, Program>();

const besideIt: Loader = {
  load(path, from) {
    const name = resolve(dirname(from), `${path}.fec`);
    return { name, text: readFileSync(name, "utf8") };
  },
};

/** The checked program of a file; it must be free of mistakes. */
export function loadProgram(path: string): Program {
  let program = loaded.get(path);
  if (program === undefined) {
    program = withoutMistakes(
      check({ name: relative(projectRoot, path), text: readFileSync(path, "utf8") }, besideIt),
    );
    loaded.set(path, program);
  }
  return program;
}

/** The checked program of a text; it must be free of mistakes. */
export function programOf(text: string): Program {
  return withoutMistakes(check({ name: "test.fec", text }, { load: () => null }));
}

function withoutMistakes(program: Program): Program {
  if (program.diagnostics.length > 0) throw new Error(renderDiagnostics(program.diagnostics));
  return program;
}

/** A function compiled for dimensions; the graph as elaboration makes it, with its derivatives not taken. */
export function compileFunction(program: Program, name: string, options: SpecialiseOptions): Specialised {
  const info = findFunction(program, name);
  if (!("kind" in info)) throw new Error(renderDiagnostics([info]));
  const result = specialise(info, options);
  if (!("graph" in result)) throw new Error(renderDiagnostics(result));
  return { ...result, graph: verified(result.graph) };
}

/** The graph of a function of a text. */
export function graphOf(text: string, name: string, dims: Readonly<Record<string, number>> = {}): Graph {
  return compileFunction(programOf(text), name, { dims: new Map(Object.entries(dims)) }).graph;
}

/** The graph; it must be valid. */
export function verified(graph: Graph): Graph {
  const problems = verifyGraph(graph);
  if (problems.length > 0) throw new Error(`${graph.name} is not valid:\n${problems.join("\n")}`);
  return graph;
}

/** What every back end starts from: derivatives taken, simplified. */
export function prepared(graph: Graph): Graph {
  return verified(simplify(unsimplified(graph)));
}

/** The graph with its derivatives taken, and nothing else. */
export function unsimplified(graph: Graph): Graph {
  return verified(differentiate(graph));
}

export type Inputs = Readonly<Record<string, TensorData>>;

/** The results of a graph in order, from the interpreter, with every read tested. */
export function run(graph: Graph, inputs: Inputs): TensorData[] {
  const values = interpret(graph, inputs, { checked: true });
  return graph.results.map((name) => values[name]!);
}
