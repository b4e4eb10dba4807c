/**
 * What is stored at the end is worked out one store after the other, and not all of it before the first: fewer values wait in registers.
 *
 *     let a = f(x)  let b = f(y)  z[0] = a  w[0] = a + 1  z[1] = b  w[1] = b + 1
 *       ⟶  let a = f(x)  z[0] = a  w[0] = a + 1  let b = f(y)  z[1] = b  w[1] = b + 1
 *
 * For drivers that leave straight lines in the order in which they are written. Loads and stores of one array keep theirs.
 */
import type { Kernel, Statement } from "./kernel.ts";
import {
  arraysTouched,
  blocksOf,
  expressionsOf,
  isLaneValue,
  isStoring,
  postorder,
  type Touched,
} from "./traverse.ts";

/** The kernel with its stores as early as their values are there. */
export function storeEarly(kernel: Kernel): Kernel {
  return { ...kernel, body: inBlock(kernel.body) };
}

function inBlock(list: readonly Statement[]): readonly Statement[] {
  const ordered: Statement[] = [];
  let line: Statement[] = [];
  for (const statement of list) {
    if (isStoring(statement) || isNaming(statement)) {
      line.push(statement);
      continue;
    }
    ordered.push(...inOrderOfStores(line), inStatement(statement));
    line = [];
  }
  return [...ordered, ...inOrderOfStores(line)];
}

function inStatement(statement: Statement): Statement {
  if (statement.kind === "for") return { ...statement, body: inBlock(statement.body) };
  if (statement.kind === "if")
    return { ...statement, then: inBlock(statement.then), else: inBlock(statement.else) };
  return statement;
}

function isLoading(statement: Statement): boolean {
  return statement.kind === "loads" || (statement.kind === "let" && statement.value.kind === "load");
}

function isNaming(statement: Statement): boolean {
  return statement.kind === "let" || statement.kind === "loads" || isLaneValue(statement);
}

/** A straight line of statements that name or store values, each store as soon as it can be after those before it. */
function inOrderOfStores(line: readonly Statement[]): readonly Statement[] {
  if (line.filter(isStoring).length < 2) return line;
  const needs = needsOf(line);
  const isDone = line.map(() => false);
  const ordered: Statement[] = [];
  const put = (at: number): void => {
    if (isDone[at]!) return;
    isDone[at] = true;
    for (const need of needs[at]!) put(need);
    ordered.push(line[at]!);
  };
  const stores = [...line.keys()].filter((at) => isStoring(line[at]!));
  // Loads stay where they are, so that memory is asked for them all at once.
  for (let at = 0; at < stores[0]!; at++) if (isLoading(line[at]!)) put(at);
  for (const store of stores) {
    put(store);
    // What is there now for others as well need not wait for them.
    for (const other of stores) if (needs[other]!.every((need) => isDone[need]!)) put(other);
  }
  for (const at of line.keys()) put(at);
  return ordered;
}

/** For each statement of a straight line, the places of those before it that it must follow. */
function needsOf(line: readonly Statement[]): readonly (readonly number[])[] {
  const named = new Map<string, number>();
  const lastStore = new Map<string, number>();
  const loads = new Map<string, number[]>();
  return line.map((statement, at) => {
    const needs = new Set<number>();
    const need = (place: number | undefined): void => {
      if (place !== undefined) needs.add(place);
    };
    for (const name of namesUsed(statement)) need(named.get(name));
    const { read, written } = touchedBy(statement);
    for (const array of [...read, ...written]) need(lastStore.get(array));
    for (const array of written) loads.get(array)?.forEach(need);
    for (const array of read) loads.set(array, [...(loads.get(array) ?? []), at]);
    for (const array of written) lastStore.set(array, at);
    for (const name of namesMade(statement)) named.set(name, at);
    return [...needs].sort((a, b) => a - b);
  });
}

function namesMade(statement: Statement): readonly string[] {
  if (statement.kind === "loads") return statement.names;
  return statement.kind === "let" || isLaneValue(statement) ? [statement.name] : [];
}

function namesUsed(statement: Statement): readonly string[] {
  const own = postorder(...expressionsOf(statement)).flatMap((expr) =>
    expr.kind === "local" ? [expr.name] : [],
  );
  return [...own, ...blocksOf(statement).flatMap((block) => block.flatMap(namesUsed))];
}

/** The arrays that a statement reads and writes, those of its invocation alone too. */
function touchedBy(statement: Statement): Touched {
  const touched = arraysTouched([statement]);
  const visit = (one: Statement): void => {
    if (one.kind === "store") touched.written.add(one.array);
    for (const expr of postorder(...expressionsOf(one)))
      if (expr.kind === "load") touched.read.add(expr.array);
    for (const block of blocksOf(one)) block.forEach(visit);
  };
  visit(statement);
  return touched;
}
