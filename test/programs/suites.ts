/**
 * The programs with expectations, ready to run anywhere: each case as a compiled graph, its inputs by name, and what must
 * come out. Tests of every level iterate over `suites()` and run `graphOf(case)` their own way.
 */
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { compileFunction, loadProgram } from "./compile.ts";
import { isFloatTensor, shapeOf, tensorsOf, type Value } from "./values.ts";
import type { TensorData } from "../../src/ir/interpret.ts";
import { solveDims } from "../../src/lang/elaborate/solve-dims.ts";
import { findFunction, type Specialised } from "../../src/lang/elaborate/specialise.ts";

/** The project's root, with a slash at its end. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

interface CaseText {
  readonly function: string;
  readonly note?: string;
  readonly dims?: Readonly<Record<string, number>>;
  readonly args: readonly Value[];
  readonly results: readonly Value[];
  readonly cotangents?: readonly Value[];
  readonly gradients?: readonly Value[];
}

export interface Suite {
  /** The expectations' file, from `test/programs`. */
  readonly name: string;
  /** The program's file, from the root. */
  readonly file: string;
  readonly cases: readonly Case[];
}

export interface Case {
  /** What tells the case from the others of its suite. */
  readonly title: string;
  readonly file: string;
  readonly text: CaseText;
}

/** A case compiled for its dimensions. Tensors stand in the order of the graph's parameters and results. */
export interface CompiledCase {
  readonly specialised: Specialised;
  readonly inputs: Readonly<Record<string, TensorData>>;
  readonly results: readonly TensorData[];
  /** The cotangents of the floating results, and the gradients that they give, of the floating parameters. */
  readonly derivative: {
    readonly cotangents: readonly TensorData[];
    readonly gradients: readonly TensorData[];
  } | null;
}

export function suites(): Suite[] {
  return ["", "std/"].flatMap((folder) =>
    readdirSync(`${root}test/programs/${folder}`)
      .filter((name) => name.endsWith(".json"))
      .map((name) => readSuite(`${folder}${name}`)),
  );
}

function readSuite(name: string): Suite {
  const { file, cases } = JSON.parse(readFileSync(`${root}test/programs/${name}`, "utf8")) as {
    file: string;
    cases: CaseText[];
  };
  return { name, file, cases: cases.map((text, i) => ({ title: titleOf(text, i), file, text })) };
}

function titleOf({ function: name, note, dims }: CaseText, number: number): string {
  const given =
    dims === undefined
      ? ""
      : `[${Object.entries(dims)
          .map(([d, n]) => `${d} = ${n}`)
          .join(", ")}]`;
  return `${number + 1}: ${name}${given}${note === undefined ? "" : `, ${note}`}`;
}

/** Every .fec file of the project, from the root. */
export function programFiles(): string[] {
  return ["examples", "src/std", "test/programs", "test/programs/std"].flatMap((folder) =>
    readdirSync(`${root}${folder}`)
      .filter((name) => name.endsWith(".fec"))
      .map((name) => `${folder}/${name}`),
  );
}

export function compileCase({ file, text }: Case): CompiledCase {
  const program = loadProgram(`${root}${file}`);
  const info = findFunction(program, text.function);
  if (!("kind" in info)) throw new Error(`${file} has no ${text.function}`);
  const { dims, types } = solveDims(info, text.args.map(shapeOf), new Map(Object.entries(text.dims ?? {})));
  const specialised = compileFunction(program, text.function, { dims, types });
  const given = specialised.params.flatMap((p, i) => tensorsOf(text.args[i]!, p.shape));
  const inputs = Object.fromEntries(specialised.graph.params.map((p, i) => [p.name, given[i]!]));
  const results = specialised.results.flatMap((r, i) => tensorsOf(text.results[i]!, r.shape));
  return { specialised, inputs, results, derivative: derivativeOf(text, specialised) };
}

function derivativeOf(text: CaseText, { params, results }: Specialised): CompiledCase["derivative"] {
  const { cotangents, gradients } = text;
  if (cotangents === undefined || gradients === undefined) return null;
  const floating = params.filter((_, i) => hasFloat(text.args[i]!));
  return {
    cotangents: results.flatMap((r, i) => tensorsOf(cotangents[i]!, r.shape)).filter(isFloatTensor),
    gradients: floating.flatMap((p, i) => tensorsOf(gradients[i]!, p.shape)).filter(isFloatTensor),
  };
}

function hasFloat(value: Value): boolean {
  if ("struct" in value) return Object.values(value.struct).some(hasFloat);
  if ("tuple" in value) return value.tuple.some(hasFloat);
  if ("list" in value) return value.list.some(hasFloat);
  return value.type === "f32" || value.type === "f16";
}
