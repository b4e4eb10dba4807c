/**
 * What a workgroup stages is loaded a slab earlier: memory is asked for the next slab's elements before the products of this one, and they
 * wait in registers until its tiles are free.
 *
 *     for k { let a = x[k …]  tile[…] = a  barrier  … tile[…] …  barrier }
 *       ⟶  var ahead = x[0 …]
 *           for k { tile[…] = ahead  barrier  let a = x[min(k + step, last) …]  … tile[…] …  ahead = a  barrier }
 *
 * Where few workgroups have a multiprocessor, nothing else covers the time that memory takes. In the last turn the last elements are loaded
 * once more, so that no condition stands around it.
 */
import { add, integer, local, minimum, typeOf } from "./build.ts";
import type { Kernel, KernelExpr, KernelType, Quad, Statement } from "./kernel.ts";
import { changeLoops, type Loop } from "./loops.ts";
import { freshIn, type Fresh } from "./names-in.ts";
import { arraysTouched, constantTurns, contains, isStoring, localsRead, rewritten } from "./traverse.ts";

/** The kernel with the loops that fill workgroup memory in every turn loading for the next. */
export function fillAhead(kernel: Kernel): Kernel {
  const fresh = freshIn(kernel.body);
  const body = changeLoops(kernel.body, (loop) => {
    const slab = slabOf(loop);
    return slab === null ? [loop] : ahead(loop, slab, fresh);
  });
  return body === kernel.body ? kernel : { ...kernel, body };
}

/** A loop's body: what it loads and computes for its tiles, the stores to them, a barrier, what reads them, a barrier. */
interface Slab {
  readonly fills: readonly Statement[];
  readonly stores: readonly Statement[];
  readonly reads: readonly Statement[];
  /** What is named in `fills` and stored, with its type. */
  readonly carried: ReadonlyMap<string, KernelType>;
  /** The index in the last turn. */
  readonly last: number;
}

function slabOf(loop: Loop): Slab | null {
  const { from, step, body } = loop;
  const turns = constantTurns(loop);
  if (from.kind !== "const" || turns === null || turns < 2) return null;
  const barriers = [...body.keys()].filter((i) => body[i]!.kind === "barrier");
  const [first, second] = barriers;
  if (barriers.length !== 2 || second !== body.length - 1) return null;
  const head = body.slice(0, first);
  const place = head.findIndex(isStoring);
  const [fills, stores] = [head.slice(0, place), head.slice(place)];
  const reads = body.slice(first! + 1, second);
  if (place < 1 || !fills.every(isNaming) || !stores.every(isStoring)) return null;
  if (contains(reads, ({ kind }) => kind === "barrier" || kind === "store" || kind === "stores")) return null;
  const written = arraysTouched(stores).written;
  if ([...arraysTouched(fills).read].some((array) => written.has(array))) return null;
  const types = typesIn(fills);
  // What else needs a name would find it a slab too early, and what is assigned meanwhile would be read too early.
  if ([...localsRead(reads)].some((name) => types.has(name))) return null;
  const early = localsRead(fills);
  if (contains(reads, (statement) => statement.kind === "assign" && early.has(statement.name))) return null;
  const used = localsRead(stores);
  const carried = new Map([...types].filter(([name]) => used.has(name)));
  if (carried.size === 0 || used.has(loop.index)) return null;
  return { fills, stores, reads, carried, last: from.value + step * (turns - 1) };
}

function isNaming({ kind }: Statement): boolean {
  return kind === "let" || kind === "loads";
}

/** The types of what statements name. */
function typesIn(list: readonly Statement[]): ReadonlyMap<string, KernelType> {
  const types = new Map<string, KernelType>();
  for (const statement of list) {
    if (statement.kind === "let") types.set(statement.name, typeOf(statement.value));
    if (statement.kind === "loads") for (const name of statement.names) types.set(name, statement.type);
  }
  return types;
}

function ahead(
  loop: Loop,
  { fills, stores, reads, carried, last }: Slab,
  fresh: Fresh,
): readonly Statement[] {
  const { index, from, step } = loop;
  const held = new Map([...carried.keys()].map((name) => [name, fresh(`${name}_ahead`)] as const));
  const before = renamed(fills, new Map([[index, from]]), fresh);
  const variables = [...carried].map(([name, type]): Statement => {
    return { kind: "var", name: held.get(name)!, type, init: before.now(name) };
  });
  const next = fresh(`${index}_next`);
  const after = renamed(fills, new Map([[index, local(next, "i32")]]), fresh);
  const stored = new Map([...carried].map(([name, type]) => [name, local(held.get(name)!, type)] as const));
  const barrier: Statement = { kind: "barrier" };
  const body: Statement[] = [
    ...stores.map((statement) => withLocals(statement, stored)),
    barrier,
    { kind: "let", name: next, value: minimum(add(local(index, "i32"), integer(step)), integer(last)) },
    ...after.statements,
    ...reads,
    ...[...carried.keys()].map((name): Statement => {
      return { kind: "assign", name: held.get(name)!, value: after.now(name) };
    }),
    barrier,
  ];
  return [...before.statements, ...variables, { ...loop, body }];
}

/** Statements with some locals replaced and with new names for what they name themselves; `now` gives what a name is by then. */
function renamed(
  list: readonly Statement[],
  given: ReadonlyMap<string, KernelExpr>,
  fresh: Fresh,
): { readonly statements: readonly Statement[]; readonly now: (name: string) => KernelExpr } {
  const known = new Map(given);
  const named = (name: string, type: KernelType): string => {
    const own = fresh(name);
    known.set(name, local(own, type));
    return own;
  };
  const statements = list.map((statement): Statement => {
    const now = withLocals(statement, known);
    if (now.kind === "let") return { ...now, name: named(now.name, typeOf(now.value)) };
    if (now.kind !== "loads") return now;
    return { ...now, names: now.names.map((name) => named(name, now.type)) as unknown as Quad<string> };
  });
  return { statements, now: (name) => known.get(name)! };
}

/** A statement that names, loads or stores, with some locals replaced. */
function withLocals(statement: Statement, locals: ReadonlyMap<string, KernelExpr>): Statement {
  const now = (root: KernelExpr): KernelExpr =>
    rewritten(root, (expr) => (expr.kind === "local" ? (locals.get(expr.name) ?? expr) : expr));
  switch (statement.kind) {
    case "let":
      return { ...statement, value: now(statement.value) };
    case "loads":
      return { ...statement, index: now(statement.index) };
    case "store":
      return { ...statement, index: now(statement.index), value: now(statement.value) };
    case "stores":
      return {
        ...statement,
        index: now(statement.index),
        values: statement.values.map(now) as unknown as Quad<KernelExpr>,
      };
    case "if":
      return {
        ...statement,
        condition: now(statement.condition),
        then: statement.then.map((one) => withLocals(one, locals)),
        else: statement.else.map((one) => withLocals(one, locals)),
      };
    default:
      throw new Error(`a slab is not filled by a statement of kind ${statement.kind}`);
  }
}
