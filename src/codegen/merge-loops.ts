/**
 * A loop in a loop as one, where what both do hangs on the turns in their order alone:
 *
 *     for i < 14 { let p = at + i * 196; for j < 14 { s = s + x[p + j * 14] } }
 *       ⟶  let p = at; for j < 196 { s = s + x[p + j * 14] }
 *
 * Rows of a map that lie one after the other are so one run, of which as many turns are taken at once and as many elements loaded at
 * once as of a long row. For drivers that run loops as they are written.
 */
import { add, integer, mul, sub } from "./build.ts";
import { growthOf } from "./growth.ts";
import { changeLoops, type Loop } from "./loops.ts";
import type { Kernel, KernelExpr, Statement } from "./kernel.ts";
import { constantTurns, expressionsOf, operands, postorder, rewritten } from "./traverse.ts";

/** The kernel with its loops merged; the kernel as it is where there are none to merge. What is one loop may be merged with the one around it. */
export function mergeLoops(kernel: Kernel): Kernel {
  const body = changeLoops(kernel.body, (loop) => merged(loop) ?? [loop]);
  return body === kernel.body ? kernel : { ...kernel, body };
}

/** A loop over the turns of both, after what was named in the outer one; null where one can't stand for the other. */
function merged(outer: Loop): readonly Statement[] | null {
  const inner = outer.body.at(-1);
  const named = outer.body.slice(0, -1);
  if (inner?.kind !== "for" || !named.every(({ kind }) => kind === "let")) return null;
  if (!inner.body.every(({ kind }) => kind === "let" || kind === "assign")) return null;
  if (!isFromZero(outer) || !isFromZero(inner) || outer.step !== 1) return null;
  // What is named of a sum is another value in each turn of the outer loop.
  const sums = new Set(inner.body.flatMap((one) => (one.kind === "assign" ? [one.name] : [])));
  const used = postorder(...named.flatMap(expressionsOf));
  if (used.some((expr) => expr.kind === "local" && sums.has(expr.name))) return null;
  const [turns, times] = [constantTurns(inner)! * inner.step, constantTurns(outer)!];
  if (turns !== (inner.to as KernelExpr & { kind: "const" }).value) return null;
  if (!isOneRun([...named, ...inner.body], outer.index, inner.index, turns)) return null;
  const first = (statement: Statement): Statement =>
    statement.kind === "let" || statement.kind === "assign"
      ? { ...statement, value: atFirst(statement.value, outer.index) }
      : statement;
  return [...named.map(first), { ...inner, to: integer(times * turns), body: inner.body.map(first) }];
}

function isFromZero(loop: Loop): boolean {
  return loop.from.kind === "const" && loop.from.value === 0 && (constantTurns(loop) ?? 0) > 0;
}

/**
 * Is all that the statements do the same at turn i of the outer loop and j of the inner as at turn 0 and i * turns + j? What is named for
 * integers may differ, as long as it differs nowhere where it is used.
 */
function isOneRun(body: readonly Statement[], outer: string, inner: string, turns: number): boolean {
  const [byOuter, byInner] = [outer, inner].map((index) => growthOf(index, body));
  const grows = (expr: KernelExpr): boolean => byOuter!.of(expr) !== null && byInner!.of(expr) !== null;
  const isSame = (root: KernelExpr): boolean => {
    const open = [root];
    const seen = new Set(open);
    for (const expr of open) {
      if (grows(expr)) {
        if (byOuter!.of(expr) !== byInner!.of(expr)! * turns) return false;
        continue;
      }
      for (const operand of operands(expr)) {
        if (!seen.has(operand)) open.push(operand);
        seen.add(operand);
      }
    }
    return true;
  };
  return body.every((statement) =>
    expressionsOf(statement).every((value) => (statement.kind === "let" && grows(value)) || isSame(value)),
  );
}

/** The expression with 0 for an index. */
function atFirst(root: KernelExpr, index: string): KernelExpr {
  return rewritten(root, (expr) => {
    if (expr.kind === "local" && expr.name === index) return integer(0);
    if (expr.kind !== "apply" || expr.type !== "i32") return expr;
    const [a, b] = expr.args;
    if (expr.fn === "add") return add(a!, b!);
    if (expr.fn === "sub") return sub(a!, b!);
    return expr.fn === "mul" ? mul(a!, b!) : expr;
  });
}
