/**
 * Barriers that nothing needs, left out: where what stands before and what stands after touch no memory in common, but to read it.
 *
 *     top = …            barrier            for k { e[k] = exp(x[k] - top) }          top is in a register of every invocation
 */
import type { Kernel, Statement } from "./kernel.ts";
import { arraysTouched, blocksOf, contains, type Touched } from "./traverse.ts";

/** The kernel without the barriers at its top level that nothing needs. */
export function dropBarriers(kernel: Kernel): Kernel {
  const nested = kernel.body.some((statement) =>
    blocksOf(statement).some((block) => contains(block, isBarrier)),
  );
  if (nested || !kernel.body.some(isBarrier)) return kernel;
  const segments: Statement[][] = [[]];
  for (const statement of kernel.body)
    if (isBarrier(statement)) segments.push([]);
    else segments.at(-1)!.push(statement);
  const [first, ...others] = segments;
  const body: Statement[] = [...first!];
  let before = arraysTouched(first!);
  for (const segment of others) {
    const own = arraysTouched(segment);
    if (meet(before, own)) {
      body.push({ kind: "barrier" });
      before = own;
    } else
      before = {
        read: new Set([...before.read, ...own.read]),
        written: new Set([...before.written, ...own.written]),
      };
    body.push(...segment);
  }
  return { ...kernel, body };
}

const isBarrier = ({ kind }: Statement): boolean => kind === "barrier";

/** Does one write what the other reads or writes? */
function meet(a: Touched, b: Touched): boolean {
  return (
    [...a.written].some((array) => b.read.has(array) || b.written.has(array)) ||
    [...b.written].some((array) => a.read.has(array))
  );
}
