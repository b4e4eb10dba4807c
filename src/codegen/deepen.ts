/**
 * Loops that add to many sums take several turns at once, and each sum its terms of these turns one after the other:
 *
 *     for k { let a = x[k]; let b = y[k]; s = s + a * b; t = t + a * a; … }
 *       ⟶  for k by 4 { let a = x[k]; let a1 = x[k + 1]; … let b3 = y[k + 3]
 *                        s = s + a * b; s = s + a1 * b1; … s = s + a3 * b3;  t = t + a * a; … t = t + a3 * a3; … }
 *
 * Where there are more sums than registers, a sum is fetched and put back once for several terms. For drivers that leave straight lines
 * in the order in which they are written. Every sum adds the same terms in the same order as before.
 */
import { add, integer } from "./build.ts";
import { type Growth, growthOf } from "./growth.ts";
import { changeLoops, type Loop } from "./loops.ts";
import type { Kernel, KernelExpr, Statement } from "./kernel.ts";
import { type Fresh, freshIn } from "./names-in.ts";
import { Ordered } from "./needs.ts";
import { constantTurns, isLoading, postorder, withOperands } from "./traverse.ts";

/** Fewer sums stay in registers from turn to turn. */
const fewestSums = 16;

/** The kernel with its loops over many sums by up to `turns` turns at once; the kernel as it is where there are none. */
export function deepenLoops(kernel: Kernel, turns: number): Kernel {
  const fresh = freshIn(kernel.body);
  const body = changeLoops(kernel.body, (loop) => {
    const times = timesOf(loop, turns);
    if (times === 1) return [loop];
    const growth = growthOf(loop.index, loop.body);
    return isFarApart(loop, growth) ? [loop] : deepened(loop, times, growth, fresh);
  });
  return body === kernel.body ? kernel : { ...kernel, body };
}

/** The kernel with the terms of each sum side by side in loops over many sums. */
export function groupTerms(kernel: Kernel): Kernel {
  const body = changeLoops(kernel.body, (loop) => {
    return loop.body.every(isMovable) && sumsOf(loop).size >= fewestSums
      ? [{ ...loop, body: inOrderOfSums(loop.body) }]
      : [loop];
  });
  return { ...kernel, body };
}

/** Can it stand elsewhere in its line, after what it needs? */
function isMovable({ kind }: Statement): boolean {
  return kind !== "for" && kind !== "if" && kind !== "barrier" && kind !== "array";
}

/** A loop of so many times as many turns as it takes at once may have some left over, for a loop of their own. */
const fewestTimes = 8;

/**
 * How many times the body of a loop is to stand in it: at most so that it takes `turns` turns at once, and so that no turns are left over where
 * there are few. Once where the loop does more than name values and add to sums, of which it has many.
 */
function timesOf(loop: Loop, turns: number): number {
  const count = constantTurns(loop);
  const isSimple = loop.body.every(({ kind }) => kind === "let" || kind === "assign");
  if (count === null || !isSimple || sumsOf(loop).size < fewestSums) return 1;
  let times = Math.floor(turns / loop.step);
  if (count >= fewestTimes * times) return Math.max(1, times);
  while (times > 1 && (count % times !== 0 || count === times)) times -= 1;
  return Math.max(1, times);
}

function sumsOf({ body }: Loop): ReadonlySet<string> {
  return new Set(body.flatMap((statement) => (statement.kind === "assign" ? [statement.name] : [])));
}

/**
 * Elements between what neighbouring turns load, from which on one turn at a time is faster: on lavapipe a pooling of 800 × 1344, with
 * 16,800 and 67,200 elements between, took more than twice as long with four, where one of 224 × 224, with 784 and 3,136, gained a fifth.
 */
const farApart = 16384;

/** Does a load of a loop go so far in a turn? */
function isFarApart(loop: Loop, growth: Growth): boolean {
  return loop.body.some(
    (statement) =>
      statement.kind === "let" &&
      postorder(statement.value).some(
        (expr) => expr.kind === "load" && Math.abs(growth.of(expr.index) ?? 0) * loop.step >= farApart,
      ),
  );
}

/** The loop with its body so many times in it, and one for the turns that are left over. */
function deepened(loop: Loop, times: number, growth: Growth, fresh: Fresh): readonly Statement[] {
  const body: Statement[] = [...loop.body];
  for (let turn = loop.step; turn < times * loop.step; turn += loop.step) {
    const names = new Map<string, string>();
    for (const statement of loop.body) {
      if (statement.kind === "let") {
        // What only grows from turn to turn is named once.
        if (growth.of(statement.value) !== null) continue;
        const value = later(statement.value, turn, growth, names);
        const name = fresh(statement.name);
        names.set(statement.name, name);
        body.push({ ...statement, name, value });
      } else if (statement.kind === "assign")
        body.push({ ...statement, value: later(statement.value, turn, growth, names) });
    }
  }
  const step = times * loop.step;
  const [from, to] = [loop.from, loop.to].map((bound) => (bound as KernelExpr & { kind: "const" }).value);
  const rest = from! + Math.floor((to! - from!) / step) * step;
  const deep = { ...loop, to: integer(rest), step, body };
  return rest < to! ? [deep, { ...loop, from: deep.to }] : [{ ...deep, to: loop.to }];
}

/** An expression as it is so many turns later, with other names for what that turn names anew. */
function later(
  root: KernelExpr,
  turn: number,
  growth: Growth,
  names: ReadonlyMap<string, string>,
): KernelExpr {
  const done = new Map<KernelExpr, KernelExpr>();
  for (const expr of postorder(root)) {
    const grown = growth.of(expr);
    done.set(
      expr,
      grown === null ? rebuilt(expr, names, done) : grown === 0 ? expr : add(expr, integer(grown * turn)),
    );
  }
  return done.get(root)!;
}

function rebuilt(
  expr: KernelExpr,
  names: ReadonlyMap<string, string>,
  done: ReadonlyMap<KernelExpr, KernelExpr>,
): KernelExpr {
  if (expr.kind === "local") return { ...expr, name: names.get(expr.name) ?? expr.name };
  return withOperands(expr, (operand) => done.get(operand)!);
}

/**
 * What is loaded first, as it stands; then sum after sum, with what each needs just before it, and after each sum the others for which all
 * is there by then.
 */
function inOrderOfSums(line: readonly Statement[]): readonly Statement[] {
  const ordered = new Ordered(line);
  for (const [at, statement] of line.entries()) if (isLoading(statement)) ordered.put(at);
  const terms = new Map<string, number[]>();
  for (const [at, statement] of line.entries()) {
    if (statement.kind !== "assign") continue;
    const known = terms.get(statement.name);
    if (known === undefined) terms.set(statement.name, [at]);
    else known.push(at);
  }
  const left = new Map(terms);
  for (const [name, places] of terms) {
    if (!left.delete(name)) continue;
    ordered.put(...places);
    for (const [other, others] of left) {
      if (!ordered.isReady(...others)) continue;
      ordered.put(...others);
      left.delete(other);
    }
  }
  return ordered.all();
}
