/**
 * Loops over the same turns, one after the other, as one loop: what both load is loaded once.
 *
 *     for k { s = s + x[k] * c[k] }  var q = 0  for k { q = q + x[k] * x[k] }
 *       ⟶  var q = 0  for k { let a = x[k]; s = s + a * c[k]; q = q + a * a }
 *
 * Only loops that do nothing but load and assign variables of their own, of which neither needs what the other makes. Stores that stand
 * between come after.
 */
import { keyOf } from "./expression-key.ts";
import type { Kernel, KernelExpr, Statement } from "./kernel.ts";
import type { Loop } from "./loops.ts";
import { arraysTouched, contains, isStoring, localsRead, postorder, rewritten } from "./traverse.ts";

/** The kernel with its loops joined. */
export function jamLoops(kernel: Kernel): Kernel {
  const body = inBlock(kernel.body);
  return body === kernel.body ? kernel : { ...kernel, body };
}

function inBlock(list: readonly Statement[]): readonly Statement[] {
  let changed = false;
  const inner = list.map((statement): Statement => {
    const next = inStatement(statement);
    changed ||= next !== statement;
    return next;
  });
  const joined: Statement[] = [];
  for (const statement of inner) {
    const at = statement.kind === "for" ? partnerOf(joined, statement) : -1;
    if (at < 0) {
      joined.push(statement);
      continue;
    }
    changed = true;
    // What stands between needs nothing of the first loop and goes before it, but for stores, which go after both.
    const [first, ...between] = joined.splice(at);
    const stores = between.filter(storesShared);
    joined.push(...between.filter((other) => !storesShared(other)));
    joined.push(together(first as Loop, statement as Loop), ...stores);
  }
  return changed ? joined : list;
}

function inStatement(statement: Statement): Statement {
  if (statement.kind === "for") {
    const body = inBlock(statement.body);
    return body === statement.body ? statement : { ...statement, body };
  }
  if (statement.kind !== "if") return statement;
  const [then, otherwise] = [inBlock(statement.then), inBlock(statement.else)];
  return then === statement.then && otherwise === statement.else
    ? statement
    : { ...statement, then, else: otherwise };
}

/** The place of a loop in the list that this one can be joined with: the last, with nothing after it that needs it. */
function partnerOf(list: readonly Statement[], loop: Loop): number {
  if (!isPlain(loop)) return -1;
  const own = assigned(loop.body);
  const needed = [...localsRead([loop]), ...own];
  for (let at = list.length - 1; at >= 0; at--) {
    const statement = list[at]!;
    if (statement.kind === "for") {
      const isAlike =
        statement.step === loop.step &&
        keyOf(statement.from) === keyOf(loop.from) &&
        keyOf(statement.to) === keyOf(loop.to);
      if (!isAlike || !isPlain(statement)) return -1;
      const made = assigned(statement.body);
      const between = list.slice(at + 1).filter((other) => !storesShared(other));
      const stored = arraysTouched(list.slice(at + 1)).written;
      if ([...arraysTouched([...between, loop]).read].some((array) => stored.has(array))) return -1;
      const others = localsRead(between, new Set(needed));
      const mine = localsRead([statement], new Set(made));
      const isFree = ![...made].some((name) => others.has(name)) && ![...own].some((name) => mine.has(name));
      return isFree && isWorthJoining(statement, loop, made.size + own.size) ? at : -1;
    }
    if (statement.kind !== "let" && statement.kind !== "var" && !storesShared(statement)) return -1;
  }
  return -1;
}

/** So many sums stay in registers through a loop. */
const mostSums = 32;

/** Loops that load nothing in common only crowd each other out of the registers, where both have many sums. */
function isWorthJoining(a: Loop, b: Loop, sums: number): boolean {
  if (sums <= mostSums) return true;
  const loaded = arraysTouched([a]).read;
  return [...arraysTouched([b]).read].some((array) => loaded.has(array));
}

/** Does the statement nothing but store to arrays that invocations share? */
function storesShared(statement: Statement): boolean {
  const isPrivate = (one: Statement): boolean => one.kind === "store" && one.space === "private";
  return isStoring(statement) && !contains([statement], isPrivate);
}

/** Does the loop only load, from arrays that nothing in it changes, and assign? */
function isPlain({ body }: Loop): boolean {
  return body.every((statement) => statement.kind === "let" || statement.kind === "assign");
}

function assigned(list: readonly Statement[]): Set<string> {
  return new Set(list.flatMap((statement) => (statement.kind === "assign" ? [statement.name] : [])));
}

/** The body of the one, then that of the other with the first's index, without what the first has named already. */
function together(first: Loop, second: Loop): Loop {
  const values = new Map<string, string>();
  for (const statement of first.body)
    if (statement.kind === "let") values.set(keyOf(statement.value), statement.name);
  const changing = assigned([...first.body, ...second.body]);
  const renamed = new Map([[second.index, first.index]]);
  const body: Statement[] = [...first.body];
  for (const statement of second.body) {
    if (statement.kind === "let") {
      const value = withNames(statement.value, renamed);
      const known = values.get(keyOf(value));
      const isFixed = !postorder(value).some((e) => e.kind === "local" && changing.has(e.name));
      if (known !== undefined && isFixed) {
        renamed.set(statement.name, known);
        continue;
      }
      if (isFixed) values.set(keyOf(value), statement.name);
      body.push({ ...statement, value });
    } else if (statement.kind === "assign")
      body.push({ ...statement, value: withNames(statement.value, renamed) });
  }
  return { ...first, body };
}

/** The expression with other names for some locals. */
function withNames(root: KernelExpr, names: ReadonlyMap<string, string>): KernelExpr {
  return rewritten(root, (expr) => {
    const name = expr.kind === "local" ? names.get(expr.name) : undefined;
    return expr.kind === "local" && name !== undefined ? { ...expr, name } : expr;
  });
}
