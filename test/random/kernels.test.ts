/**
 * Random programs as kernels, for random devices, held to the interpreter of the tensor IR (`kernels.ts`). For a long search:
 *
 *     RUNS=20000 SEED=1 npx vitest run test/random/kernels.test.ts --testTimeout 9000000
 *
 * A failure names the seed and shows the smallest program that still fails.
 */
import { describe, it } from "vitest";
import { generate, type RandomProgram } from "./generate.ts";
import { verdictOnKernels } from "./kernels.ts";
import { shrink, textOf } from "./tree.ts";

const runs = Number(process.env["RUNS"] ?? 100);
const seed = Number(process.env["SEED"] ?? 1);

describe(`kernels of random programs, from seed ${seed}`, () => {
  const portion = 25;
  for (let from = 0; from < runs; from += portion) {
    const last = Math.min(runs, from + portion) - 1;
    it(`seeds ${seed + from} to ${seed + last}`, () => {
      for (let i = from; i <= last; i++) {
        const program = generate(seed + i);
        if (verdictOf(program) !== null) throw new Error(report(program));
      }
    });
  }
});

function verdictOf(program: RandomProgram): string | null {
  try {
    return verdictOnKernels(program);
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

function report(program: RandomProgram): string {
  const kind = kindOf(verdictOf(program));
  const same = (text: string): boolean => kindOf(verdictOf({ ...program, text })) === kind;
  const small = textOf(shrink(program.tree, same, 150));
  const dims = [...program.dims].map(([name, size]) => `${name} = ${size}`).join(", ");
  return `seed ${program.seed}, ${dims}\n${verdictOf({ ...program, text: small })}\n\n${small}`;
}

/** What failures of one mistake have in common. */
function kindOf(verdict: string | null): string | null {
  if (verdict === null) return null;
  const problem = verdict.slice(verdict.lastIndexOf("}: ") + 1);
  return problem
    .replace(/[\d.e+-]+/g, "#")
    .replace(/#\w*/g, "#")
    .slice(0, 30);
}
