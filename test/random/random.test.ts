/**
 * Random programs, held to what must hold of all of them (`properties.ts`). For a long search:
 *
 *     RUNS=20000 SEED=1 npx vitest run test/random --testTimeout 9000000
 *
 * A failure names the seed and shows the smallest program that still fails.
 */
import { describe, expect, it } from "vitest";
import { generate, type RandomProgram } from "./generate.ts";
import { kindOf, type Verdict, verdictOn } from "./properties.ts";
import { shrink, textOf } from "./tree.ts";

const runs = Number(process.env["RUNS"] ?? 300);
const seed = Number(process.env["SEED"] ?? 1);

/** Programs whose simplified graphs once read outside of their tensors where nothing kept them inside, or held a variable twice. */
const onceBroken = [440, 609, 1433, 2829, 3673, 5423, 6985];

/** Every feature must be in this many of the programs, or the generator has lost it. */
const leastOccurrences = 3;

const features = [
  "for",
  "let with indices",
  "row",
  "elementwise",
  "spread",
  "block",
  "hidden index",
  "repeated index",
  "read in bounds",
  "sum",
  "mean",
  "max",
  "min",
  "prod",
  "argmax",
  "any",
  "all",
  "count",
  "reduction of two axes",
  "range that depends on an index",
  "padded read",
  "read under a condition",
  "gather",
  "one-hot sum",
  "element at argmax",
  "element of an expression",
  "integer to float",
  "if",
  "if of tensors",
  "comparison of floats",
  "max of two",
  "arithmetic",
  "scalar function",
  "bool tensor",
  "short fold",
  "long fold",
  "fold of a number",
  "unrolled fold of many turns",
  "long fold of a number",
  "fold of a tuple",
  "list fold",
  "tuple",
  "tuple call",
  "tuple function",
  "struct",
  "struct update",
  "tree_map",
  "tree_sum",
  "scalar call",
  "tensor call",
  "dimensions in brackets",
  "lambda",
  "higher function",
  "custom function",
  "grad of a number",
  "grad of a tensor",
  "jvp",
];

describe(`random programs, from seed ${seed}`, () => {
  const programs = Array.from({ length: runs }, (_, i) => generate(seed + i));

  it("have every feature", () => {
    const counts = new Map<string, number>();
    for (const program of programs) for (const f of program.features) counts.set(f, (counts.get(f) ?? 0) + 1);
    const rare = features.filter((f) => (counts.get(f) ?? 0) < (leastOccurrences * runs) / 300);
    expect(rare).toEqual([]);
  });

  let rough = 0;
  const portion = 50;
  for (let from = 0; from < runs; from += portion) {
    it(`seeds ${seed + from} to ${seed + Math.min(runs, from + portion) - 1}`, { timeout: 60_000 }, () => {
      for (const program of programs.slice(from, from + portion)) {
        const verdict = verdictOn(program);
        if (!verdict.smooth) rough++;
        if (verdict.problem !== null) throw new Error(report(program, verdict));
      }
    });
  }

  it("are nearly all smooth where they are tested", () => {
    expect(rough).toBeLessThanOrEqual(runs / 10);
  });
});

describe("random programs that were broken once", () => {
  it.each(onceBroken)("seed %i", (once) => {
    const program = generate(once);
    const verdict = verdictOn(program);
    if (verdict.problem !== null) throw new Error(report(program, verdict));
  });
});

function report(program: RandomProgram, verdict: Verdict): string {
  const { problem } = verdict;
  const same = (text: string): boolean => kindOf(verdictOn({ ...program, text })) === kindOf(verdict);
  const small = textOf(shrink(program.tree, same, 200));
  const dims = [...program.dims].map(([name, size]) => `${name} = ${size}`).join(", ");
  const why = verdictOn({ ...program, text: small }).problem?.text ?? problem!.text;
  return `seed ${program.seed}, ${dims}\n${problem!.property}: ${why}\n\n${small}`;
}
