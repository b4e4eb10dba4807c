/**
 * Loads that are alike in all invocations of a subgroup, spread over its lanes: each loads one element, and all get it by broadcast.
 *
 *     for k { let a0 = x[t + k]; let a1 = x[t + k + 64]; … a7 … }
 *       ⟶  for k { let lanes = x[t + k + 64 * invocation]; let a0 = lanes of lane 0; let a1 = lanes of lane 1; … }
 *
 * A broadcast takes a fraction of the time of a load on drivers that run lanes as a vector of a processor. The loads must lie a
 * constant number of elements apart, as the rows of a matrix do.
 */
import { add, integer, invocation, load, minimum, mul, withOffset } from "./build.ts";
import { keyOf } from "./expression-key.ts";
import type { Kernel, KernelExpr, Statement } from "./kernel.ts";
import { arraysTouched, contains } from "./traverse.ts";
import { isUniform } from "./uniform.ts";

/** Fewer loads are not worth it. */
const fewest = 4;

/** The kernel with its loads spread, where a workgroup is one subgroup of `lanes` invocations; else the kernel as it is. */
export function spreadLoads(kernel: Kernel, lanes: number): Kernel {
  if (kernel.invocations !== lanes) return kernel;
  const spread: Spread = { lanes, made: 0 };
  const body = inUniform(kernel.body, new Set(), spread, false);
  return spread.made === 0 ? kernel : { ...kernel, subgroup: lanes, body };
}

interface Spread {
  readonly lanes: number;
  /** Numbers what is loaded. */
  made: number;
}

/** Statements that all invocations go through together. */
function inUniform(
  list: readonly Statement[],
  outer: ReadonlySet<string>,
  spread: Spread,
  isLoop: boolean,
): readonly Statement[] {
  const uniform = new Set(outer);
  const next = list.map((statement): Statement => {
    if (statement.kind === "let" && isUniform(statement.value, uniform)) uniform.add(statement.name);
    if (statement.kind !== "for") return statement;
    if (!isUniform(statement.from, uniform) || !isUniform(statement.to, uniform)) return statement;
    const body = inUniform(statement.body, new Set(uniform).add(statement.index), spread, true);
    return { ...statement, body };
  });
  return isLoop ? spreadIn(next, uniform, spread) : next;
}

interface UniformLoad {
  readonly position: number;
  readonly name: string;
  readonly offset: number;
}

function spreadIn(
  list: readonly Statement[],
  uniform: ReadonlySet<string>,
  spread: Spread,
): readonly Statement[] {
  const groups = new Map<
    string,
    { base: KernelExpr; load: KernelExpr & { kind: "load" }; loads: UniformLoad[] }
  >();
  const stored = arraysStored(list);
  list.forEach((statement, position) => {
    if (statement.kind !== "let" || statement.value.kind !== "load") return;
    const { space, array, index } = statement.value;
    const isConstant = space !== "private" && !stored.has(array);
    if (!isConstant || !isUniform(index, uniform)) return;
    const [base, offset] = withOffset(index);
    const key = `${space} ${array} ${keyOf(base)}`;
    let group = groups.get(key);
    if (group === undefined) groups.set(key, (group = { base, load: statement.value, loads: [] }));
    group.loads.push({ position, name: statement.name, offset });
  });
  const before = new Map<number, Statement[]>();
  const gone = new Set<number>();
  for (const { base, load: one, loads } of groups.values()) {
    for (const run of progressions(loads)) {
      if (run.length < fewest) continue;
      const stride = run[1]!.offset - run[0]!.offset;
      for (let first = 0; first < run.length; first += spread.lanes) {
        const part = run.slice(first, first + spread.lanes);
        const lane = part.length < spread.lanes ? minimum(invocation, integer(part.length - 1)) : invocation;
        const index = add(add(base, mul(lane, integer(stride))), integer(part[0]!.offset));
        const name = `${one.array}_lanes${spread.made === 0 ? "" : `_${spread.made}`}`;
        spread.made += 1;
        const value: KernelExpr = { kind: "local", name, type: one.type };
        const at = Math.min(...part.map(({ position }) => position));
        before.set(at, [
          ...(before.get(at) ?? []),
          { kind: "let", name, value: load(one.space, one.array, index, one.type) },
          ...part.map((each, n): Statement => ({ kind: "broadcast", name: each.name, value, lane: n })),
        ]);
        for (const { position } of part) gone.add(position);
      }
    }
  }
  if (gone.size === 0) return list;
  return list.flatMap((statement, position) => [
    ...(before.get(position) ?? []),
    ...(gone.has(position) ? [] : [statement]),
  ]);
}

/** The arrays that may change while the statements run; all of them, where others may come to a barrier. */
function arraysStored(list: readonly Statement[]): { readonly has: (array: string) => boolean } {
  const { written } = arraysTouched(list);
  const hasBarrier = contains(list, ({ kind }) => kind === "barrier");
  return { has: (array) => hasBarrier || written.has(array) };
}

/** The loads in runs whose offsets lie equally far apart, the longest first. */
function progressions(loads: readonly UniformLoad[]): UniformLoad[][] {
  const left = new Map([...loads].sort((a, b) => a.offset - b.offset).map((one) => [one.offset, one]));
  const runs: UniformLoad[][] = [];
  while (left.size > 0) {
    const offsets = [...left.keys()];
    const start = offsets[0]!;
    let best: UniformLoad[] = [left.get(start)!];
    for (const other of offsets.slice(1)) {
      const run: UniformLoad[] = [];
      for (let at = start; left.has(at); at += other - start) run.push(left.get(at)!);
      if (run.length > best.length) best = run;
    }
    for (const { offset } of best) left.delete(offset);
    runs.push(best);
  }
  return runs;
}
