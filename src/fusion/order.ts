/**
 * The order in which kernels run: each after what it reads, so that little memory is alive at once.
 *
 *     d_h, d_x, …, d_w (reads d_h)       ⟶       d_h, d_w, d_x, …         d_h is free for others after d_w
 *
 * The order of the graph, but for one rule: whatever can run and gives back at least as much memory as it takes, or its part of it with
 * others, runs at once. Gradients of weights follow the cotangents that they read, optimisers the gradients.
 */
import type { ValueName } from "../ir/ir.ts";

/** So many elements are not worth putting off. */
const small = 64;

/** A kernel or a loop, as the order sees it. */
export interface Ordered {
  /** The values in memory that it reads, those that live as long as the program included. */
  readonly reads: ReadonlySet<ValueName>;
  /** The values that it leaves in memory. */
  readonly writes: readonly ValueName[];
}

/**
 * The steps in an order in which each comes after its sources. `bytesOf` says how many elements a value takes while it is alive: 0 for one
 * that outlives the program.
 */
export function inOrder<Step extends Ordered>(
  steps: readonly Step[],
  sourcesOf: (step: Step) => ReadonlySet<Step>,
  sizeOf: (value: ValueName) => number,
): Step[] {
  const waiting = new Map<Step, number>();
  const after = new Map<Step, Step[]>(steps.map((step) => [step, []]));
  const readers = new Map<ValueName, number>();
  for (const step of steps) {
    const sources = sourcesOf(step);
    waiting.set(step, sources.size);
    for (const source of sources) after.get(source)!.push(step);
    for (const value of step.reads) readers.set(value, (readers.get(value) ?? 0) + 1);
  }
  const place = new Map(steps.map((step, at) => [step, at]));
  const ready = new Set(steps.filter((step) => waiting.get(step) === 0));
  const order: Step[] = [];
  const run = (step: Step): void => {
    order.push(step);
    waiting.delete(step);
    ready.delete(step);
    for (const value of step.reads) readers.set(value, readers.get(value)! - 1);
    for (const next of after.get(step)!) {
      const left = waiting.get(next)! - 1;
      waiting.set(next, left);
      if (left === 0) ready.add(next);
    }
  };
  /** What is free after a step less what it takes; a part of what others free as well, where a step takes nothing. */
  const gain = (step: Step): number => {
    let total = 0;
    let shared = 0;
    for (const value of step.reads) {
      if (readers.get(value) === 1) total += sizeOf(value);
      else shared += sizeOf(value) / readers.get(value)!;
    }
    const taken = step.writes.reduce((sum, value) => sum + sizeOf(value), 0);
    return taken === 0 ? total + shared : total - taken;
  };
  const runWhatFrees = (): void => {
    for (;;) {
      let best: { readonly step: Step; readonly gain: number } | null = null;
      for (const step of ready) {
        const one = { step, gain: gain(step) };
        if (one.gain > 0 && (best === null || one.gain > best.gain)) best = one;
      }
      if (best === null) return;
      run(best.step);
    }
  };
  const visit = (step: Step): void => {
    if (!waiting.has(step)) return;
    for (const source of [...sourcesOf(step)].sort((a, b) => place.get(a)! - place.get(b)!)) visit(source);
    if (!waiting.has(step)) return;
    run(step);
    runWhatFrees();
  };
  // What hangs on nothing and is small, such as the rate of a step, holds up nobody who could give memory back.
  for (const step of steps) {
    const size = step.writes.reduce((sum, value) => sum + sizeOf(value), 0);
    if (sourcesOf(step).size === 0 && size <= small) visit(step);
  }
  steps.forEach(visit);
  return order;
}
