/**
 * When each value of a program is alive: from the step that first touches it to the step that last does.
 *
 *     step 0: a → b    step 1: b → c    step 2: a, c → d       b lives in 0–1, c in 1–2, a in 0–2
 *
 * Steps are numbered in the order of the text. A loop repeats its steps, so what is alive from one turn to
 * the next is alive in all of them.
 */
import type { Program, ProgramStep } from "../codegen/program.ts";
import { type ValueName, sizeOf } from "../ir/ir.ts";

/** The first and the last step that touch a value, both included. */
export interface Lifetime {
  readonly first: number;
  readonly last: number;
}

/** Do both live in some step? */
export function livesMeet(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** One step's use of a value. `fills` when it writes all of it without reading it. */
interface Access {
  readonly at: number;
  readonly fills: boolean;
}

interface LoopSpan {
  readonly first: number;
  readonly last: number;
}

/**
 * The lifetimes of a program's values; one that no step touches has none. A kernel's buffer of access `write`
 * is taken to be written whole.
 */
export function lifetimesOf(program: Program): ReadonlyMap<ValueName, Lifetime> {
  const { accesses, loops } = collect(program);
  return new Map([...accesses].map(([name, list]) => [name, lifetimeOf(list, loops)]));
}

function collect(program: Program): {
  readonly accesses: ReadonlyMap<ValueName, readonly Access[]>;
  /** Inner loops before those around them. */
  readonly loops: readonly LoopSpan[];
} {
  const lengths = new Map(program.values.map(({ name, shape }) => [name, sizeOf(shape)]));
  const accesses = new Map<ValueName, Access[]>();
  const loops: LoopSpan[] = [];
  let position = 0;

  const touch = (name: ValueName, fills: boolean): void => {
    const list = accesses.get(name) ?? [];
    list.push({ at: position, fills });
    accesses.set(name, list);
  };
  const walk = (step: ProgramStep): void => {
    switch (step.kind) {
      case "dispatch": {
        const buffers = program.kernels[step.kernel]?.buffers ?? [];
        step.values.forEach((name, i) => touch(name, buffers[i]?.access === "write"));
        position++;
        return;
      }
      case "copy":
        touch(step.from, false);
        touch(step.to, step.toOffset.turn === null && step.length === lengths.get(step.to));
        position++;
        return;
      case "loop": {
        const first = position;
        step.steps.forEach(walk);
        if (position > first) loops.push({ first, last: position - 1 });
        return;
      }
    }
  };
  program.steps.forEach(walk);
  return { accesses, loops };
}

/**
 * A value made and used up within each turn of a loop keeps its short life. One that is also used outside, or
 * whose first use in a turn needs what an earlier turn left, lives as long as the whole loop: steps of other
 * turns lie between its uses.
 */
function lifetimeOf(accesses: readonly Access[], loops: readonly LoopSpan[]): Lifetime {
  let life: Lifetime = {
    first: Math.min(...accesses.map(({ at }) => at)),
    last: Math.max(...accesses.map(({ at }) => at)),
  };
  const startsFilled = accesses.filter(({ at }) => at === life.first).every(({ fills }) => fills);
  for (const loop of loops) {
    if (!livesMeet(life, loop)) continue;
    const isInside = life.first >= loop.first && life.last <= loop.last;
    if (isInside && startsFilled) continue;
    life = { first: Math.min(life.first, loop.first), last: Math.max(life.last, loop.last) };
  }
  return life;
}
