/**
 * Loads and stores of four elements side by side as one, where they begin at a multiple of 4.
 *
 *     let a = x[4 * i]; … let d = x[4 * i + 3]     ⟶     let (a, b, c, d) = x[4 * i ..]
 *
 * A device takes as long over an address as over four elements of it. Nothing moves across a store or a barrier that could change
 * what is seen.
 */
import { add, integer, withOffset } from "./build.ts";
import { keyOf } from "./expression-key.ts";
import { after, commonDivisor, divisorOf, type Divisors } from "./divisors.ts";
import type { Kernel, KernelExpr, Quad, SharedSpace, Statement } from "./kernel.ts";
import { blocksOf, constantTurns, expressionsOf, isLaneValue, postorder } from "./traverse.ts";

/**
 * The kernel with loads and stores of four elements where they can be, and where they pay: of device arrays, and of these workgroup
 * arrays.
 */
export function vectorise(kernel: Kernel, tiles: ReadonlySet<string> = new Set()): Kernel {
  const candidates = [...kernel.buffers, ...kernel.workgroupArrays.filter(({ name }) => tiles.has(name))];
  const constant = new Set(kernel.buffers.flatMap(({ name, access }) => (access === "read" ? [name] : [])));
  const arrays = new Map(
    candidates.flatMap(({ name, type, length }) =>
      type !== "bool" && length % 4 === 0 ? [[name, { isConstant: constant.has(name) }] as const] : [],
    ),
  );
  const all = inBlock(kernel.body, arrays, new Map());
  if (all === kernel.body) return kernel;
  // An array of vectors in workgroup memory is dear to reach by single elements: drivers take the whole vector and choose from it.
  const inGroup = new Set(kernel.workgroupArrays.map(({ name }) => name));
  const counts = countAccesses(all, kernel.storesElements === true);
  for (const [array, { fours, singles, isTorn }] of counts)
    if (isTorn || (inGroup.has(array) && fours * gain < singles * loss)) arrays.delete(array);
  const body = inBlock(kernel.body, arrays, new Map());
  return body === kernel.body ? kernel : { ...kernel, body };
}

/** The arrays that may be reached by fours, and whether nobody changes them while the kernel runs. */
type Arrays = ReadonlyMap<string, { readonly isConstant: boolean }>;

/** What an access of four saves beside four accesses, and what a single one costs more in an array of vectors. */
const gain = 3;
const loss = 4;

/** The turns of a loop whose bounds are not constant, for counting. */
const someTurns = 8;

interface AccessCount {
  fours: number;
  singles: number;
  /** Do invocations that share it store single elements? A device may write the whole vector then, of which others store the rest. */
  isTorn: boolean;
}

/** How often each array is reached by fours and by single elements. */
function countAccesses(
  body: readonly Statement[],
  storesElements: boolean,
): ReadonlyMap<string, AccessCount> {
  const counts = new Map<string, AccessCount>();
  const count = (array: string, kind: "fours" | "singles", times: number): AccessCount => {
    let known = counts.get(array);
    if (known === undefined) counts.set(array, (known = { fours: 0, singles: 0, isTorn: false }));
    known[kind] += times;
    return known;
  };
  const visit = (statement: Statement, times: number): void => {
    if (statement.kind === "loads" || statement.kind === "stores") count(statement.array, "fours", times);
    if (statement.kind === "store" && statement.space !== "private") {
      const known = count(statement.array, "singles", times);
      known.isTorn ||= statement.space === "workgroup" || !storesElements;
    }
    for (const expr of postorder(...expressionsOf(statement)))
      if (expr.kind === "load" && expr.space !== "private") count(expr.array, "singles", times);
    const inner = statement.kind === "for" ? times * (constantTurns(statement) ?? someTurns) : times;
    for (const block of blocksOf(statement)) for (const one of block) visit(one, inner);
  };
  for (const statement of body) visit(statement, 1);
  return counts;
}

function inBlock(list: readonly Statement[], arrays: Arrays, outer: Divisors): readonly Statement[] {
  const divisors = new Map(outer);
  let changed = false;
  const inner = list.map((statement): Statement => {
    if (statement.kind === "let") divisors.set(statement.name, divisorOf(statement.value, divisors));
    if (statement.kind === "var") divisors.delete(statement.name);
    const next = inStatement(statement, arrays, divisors);
    changed ||= next !== statement;
    return next;
  });
  const joined = joinStores(joinLoads(inner, arrays, divisors), arrays, divisors);
  return changed || joined.length !== list.length ? joined : list;
}

function inStatement(statement: Statement, arrays: Arrays, divisors: Divisors): Statement {
  if (statement.kind === "for") {
    const inner = new Map(divisors);
    inner.set(statement.index, commonDivisor(divisorOf(statement.from, divisors), statement.step));
    const body = inBlock(statement.body, arrays, inner);
    return body === statement.body ? statement : { ...statement, body };
  }
  if (statement.kind === "if") {
    const [then, otherwise] = [statement.then, statement.else].map((one) => inBlock(one, arrays, divisors));
    return then === statement.then && otherwise === statement.else
      ? statement
      : { ...statement, then: then!, else: otherwise! };
  }
  return statement;
}

/** An access of one element whose place in its four is known. */
interface Access {
  readonly position: number;
  /** Its array and its four. */
  readonly key: string;
  readonly component: number;
  readonly array: string;
  readonly space: SharedSpace;
  /** The first index of its four. */
  readonly start: KernelExpr;
}

function accessAt(
  position: number,
  space: SharedSpace,
  array: string,
  index: KernelExpr,
  divisors: Divisors,
): Access | null {
  const [base, offset] = withOffset(index);
  if (divisorOf(base, divisors) % 4 !== 0) return null;
  const component = after(offset, 4);
  const start = add(base, integer(offset - component));
  return { position, key: `${array} ${keyOf(start)}`, component, array, space, start };
}

/** Groups of four accesses, one for each component, in the order of components. */
function quadsOf(accesses: readonly Access[]): Quad<Access>[] {
  const groups = new Map<string, (Access | undefined)[]>();
  const quads: Quad<Access>[] = [];
  for (const access of accesses) {
    let group = groups.get(access.key);
    // A second access of one component begins a new four.
    if (group === undefined || group[access.component] !== undefined)
      groups.set(access.key, (group = [undefined, undefined, undefined, undefined]));
    group[access.component] = access;
    const [a, b, c, d] = group;
    if (a !== undefined && b !== undefined && c !== undefined && d !== undefined) quads.push([a, b, c, d]);
  }
  return quads;
}

function joinLoads(list: readonly Statement[], arrays: Arrays, divisors: Divisors): readonly Statement[] {
  const accesses = list.flatMap((statement, position) => {
    if (statement.kind !== "let" || statement.value.kind !== "load") return [];
    const { space, array, index } = statement.value;
    if (space === "private" || !arrays.has(array)) return [];
    return accessAt(position, space, array, index, divisors) ?? [];
  });
  const first = new Map<number, Statement>();
  const gone = new Set<number>();
  for (const quad of quadsOf(accesses)) {
    const { from, to } = span(quad);
    const { isConstant } = arrays.get(quad[0].array)!;
    if (!isConstant && list.slice(from, to).some((statement) => mayChange(statement, quad[0].array)))
      continue;
    const lets = quad.map(({ position }) => list[position] as Statement & { kind: "let" });
    const type = (lets[0]!.value as KernelExpr & { kind: "load" }).type;
    const names = lets.map(({ name }) => name) as unknown as Quad<string>;
    const { space, array, start: index } = quad[0];
    first.set(from, { kind: "loads", names, space, array, index, type });
    for (const { position } of quad) gone.add(position);
  }
  return replaced(list, first, gone);
}

function joinStores(list: readonly Statement[], arrays: Arrays, divisors: Divisors): readonly Statement[] {
  const accesses = list.flatMap((statement, position) =>
    statement.kind === "store" && statement.space !== "private" && arrays.has(statement.array)
      ? (accessAt(position, statement.space, statement.array, statement.index, divisors) ?? [])
      : [],
  );
  const last = new Map<number, Statement>();
  const gone = new Set<number>();
  for (const quad of quadsOf(accesses)) {
    const { from, to } = span(quad);
    const stores = quad.map(({ position }) => list[position] as Statement & { kind: "store" });
    if (!mayWait(list.slice(from, to + 1), stores)) continue;
    const values = stores.map(({ value }) => value) as unknown as Quad<KernelExpr>;
    const { space, array, start: index } = quad[0];
    last.set(to, { kind: "stores", space, array, index, values });
    for (const { position } of quad) gone.add(position);
  }
  return replaced(list, last, gone);
}

function span(quad: Quad<Access>): { readonly from: number; readonly to: number } {
  const positions = quad.map(({ position }) => position);
  return { from: Math.min(...positions), to: Math.max(...positions) };
}

function replaced(
  list: readonly Statement[],
  instead: ReadonlyMap<number, Statement>,
  gone: ReadonlySet<number>,
): readonly Statement[] {
  if (gone.size === 0) return list;
  return list.flatMap((statement, position) => {
    const next = instead.get(position);
    return next !== undefined ? [next] : gone.has(position) ? [] : [statement];
  });
}

/** Can the statement change what is in the array, or make visible what others stored there? */
function mayChange(statement: Statement, array: string): boolean {
  if (statement.kind === "barrier") return true;
  if ((statement.kind === "store" || statement.kind === "stores") && statement.array === array) return true;
  return blocksOf(statement).some((block) => block.some((inner) => mayChange(inner, array)));
}

/** Can these stores wait until the last of them? Nothing in between reads what they write, or changes what they store. */
function mayWait(between: readonly Statement[], stores: readonly Statement[]): boolean {
  const loaded = new Set(stores.flatMap(arraysRead));
  return between.every((statement) => {
    if (statement.kind === "store" || statement.kind === "stores") {
      const isAside = stores.includes(statement) || !isSameArray(statement, stores);
      return !loaded.has(statement.array) && (isAside || isElsewhere(statement, stores));
    }
    return (
      (statement.kind === "let" || statement.kind === "loads" || isLaneValue(statement)) &&
      !arraysRead(statement).some((array) => stores.some((store) => isSameArray(store, [{ array }])))
    );
  });
}

/** Does it store at a known distance from what these store? */
function isElsewhere(statement: Statement, stores: readonly Statement[]): boolean {
  const place = (one: Statement): readonly [string, number] | null => {
    if (one.kind !== "store") return null;
    const [base, offset] = withOffset(one.index);
    return [keyOf(base), offset];
  };
  const own = place(statement);
  return stores.every((store) => {
    const other = place(store);
    return own !== null && other !== null && own[0] === other[0] && own[1] !== other[1];
  });
}

function isSameArray(
  statement: Statement | { readonly array: string },
  others: readonly (Statement | { readonly array: string })[],
): boolean {
  const own = "array" in statement ? statement.array : null;
  return others.some((other) => "array" in other && other.array === own);
}

function arraysRead(statement: Statement): string[] {
  const own = statement.kind === "loads" ? [statement.array] : [];
  return [
    ...own,
    ...postorder(...expressionsOf(statement)).flatMap((e) => (e.kind === "load" ? [e.array] : [])),
  ];
}
