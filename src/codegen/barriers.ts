/**
 * Barriers that nothing needs, left out: where what stands before and what stands after touch no memory in common, but to read it.
 *
 *     top = …            barrier            for k { e[k] = exp(x[k] - top) }          top is in a register of every invocation
 */
import type { Kernel, Statement } from "./kernel.ts";
import { blocksOf, expressionsOf, postorder } from "./traverse.ts";

interface Touched {
  readonly read: Set<string>;
  readonly written: Set<string>;
}

/** The kernel without the barriers at its top level that nothing needs. */
export function dropBarriers(kernel: Kernel): Kernel {
  const nested = kernel.body.some((statement) => blocksOf(statement).some(hasBarrier));
  if (nested || !kernel.body.some(({ kind }) => kind === "barrier")) return kernel;
  const segments: Statement[][] = [[]];
  for (const statement of kernel.body)
    if (statement.kind === "barrier") segments.push([]);
    else segments.at(-1)!.push(statement);
  const [first, ...others] = segments;
  const body: Statement[] = [...first!];
  let before = touchedBy(first!);
  for (const segment of others) {
    const own = touchedBy(segment);
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

function hasBarrier(list: readonly Statement[]): boolean {
  return list.some((s) => s.kind === "barrier" || blocksOf(s).some(hasBarrier));
}

/** Does one write what the other reads or writes? */
function meet(a: Touched, b: Touched): boolean {
  return (
    [...a.written].some((array) => b.read.has(array) || b.written.has(array)) ||
    [...b.written].some((array) => a.read.has(array))
  );
}

/** The arrays that invocations share and that statements read and write. */
function touchedBy(list: readonly Statement[], touched?: Touched): Touched {
  const found = touched ?? { read: new Set(), written: new Set() };
  for (const statement of list) {
    for (const expr of postorder(...expressionsOf(statement)))
      if (expr.kind === "load" && expr.space !== "private") found.read.add(expr.array);
    if (statement.kind === "loads") found.read.add(statement.array);
    if (statement.kind === "stores" || (statement.kind === "store" && statement.space !== "private"))
      found.written.add(statement.array);
    for (const block of blocksOf(statement)) touchedBy(block, found);
  }
  return found;
}
