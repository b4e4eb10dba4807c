/**
 * Random well-typed programs, 300 a run, each held to everything that must be true of every program: it checks, formatting it
 * is idempotent and changes no meaning, its IR verifies and prints and parses back to itself, simplification changes no
 * result, and vjp, jvp and central differences agree.
 *
 *     SEED=77 PROGRAMS=1 npx vitest run test/random        one program again
 *     PROGRAMS=20000 npx vitest run test/random            a long search
 *
 * A failing program is shrunk before it is shown.
 */
import { describe, expect, it } from "vitest";
import { generate, type RandomProgram } from "./generate.ts";
import { verdictOn } from "./properties.ts";
import { shrink, textOf } from "./tree.ts";

const first = Number(process.env["SEED"] ?? 1);
const count = Number(process.env["PROGRAMS"] ?? 300);
/** Programs in one test, so that a failure says early where it is. */
const chunk = 25;

/** The smallest program like this one that breaks the same property, and what is wrong with it. */
function report(program: RandomProgram, property: string): string {
  const breaks = (text: string): boolean => verdictOn({ ...program, text }).problem?.property === property;
  const text = textOf(shrink(program.tree, breaks));
  const dims = [...program.dims].map(([name, size]) => `${name} = ${size}`).join(", ");
  return `seed ${program.seed}: ${property}\n${text}\nwith ${dims}\n${verdictOn({ ...program, text }).problem?.text}`;
}

describe(`random programs ${first} to ${first + count - 1}`, () => {
  const seeds = Array.from({ length: count }, (_, i) => first + i);
  let compared = 0;
  for (let i = 0; i < count; i += chunk) {
    const part = seeds.slice(i, i + chunk);
    it(`${part[0]} to ${part.at(-1)}`, { timeout: 300_000 }, () => {
      for (const seed of part) {
        const program = generate(seed);
        const { problem, smooth } = verdictOn(program);
        if (problem !== null) expect.fail(report(program, problem.property));
        if (smooth) compared++;
      }
    });
  }

  it("are smooth enough for differences, nine in ten at least", () => {
    expect(compared).toBeGreaterThanOrEqual(Math.floor(0.9 * count));
  });

  it.runIf(count >= 300)("use every feature of the language that they are to use", () => {
    const seen = new Map<string, number>();
    for (const seed of seeds) for (const feature of generate(seed).features) seen.set(feature, (seen.get(feature) ?? 0) + 1);
    expect(seen.size).toBeGreaterThanOrEqual(30);
    const rare = [...seen].filter(([, times]) => times < 3).map(([feature]) => feature);
    expect(rare).toEqual([]);
  });
});
