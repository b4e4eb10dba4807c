/**
 * What each statement of a straight line must follow, so that the line can be put in another order.
 *
 *     let a = x[0]  let b = 2 * a  y[0] = b  s = s + b  let c = s        needs: [], [0], [1], [1], [3]
 *
 * A name must be made before it is used, a variable's assignments and uses keep their order, and so do the loads and stores of one array.
 */
import type { Statement } from "./kernel.ts";
import {
  arraysTouched,
  blocksOf,
  expressionsOf,
  isLaneValue,
  localsRead,
  postorder,
  type Touched,
} from "./traverse.ts";

/** For each statement of a straight line, the places of those before it that it must follow, in order. */
export function needsOf(line: readonly Statement[]): readonly (readonly number[])[] {
  const names = new History();
  const arrays = new History();
  return line.map((statement, at) => {
    const needs = new Set<number>();
    const { read, written } = touchedBy(statement);
    arrays.note(at, read, written, needs);
    names.note(at, localsRead([statement]), namesMade(statement), needs);
    return [...needs].sort((a, b) => a - b);
  });
}

/** Puts the statements of a line in an order: those that are asked for, each after all that it needs. */
export class Ordered {
  readonly statements: Statement[] = [];
  private readonly isDone: boolean[];
  /** For each statement, the places of those that it must follow. */
  readonly needs: readonly (readonly number[])[];

  constructor(private readonly line: readonly Statement[]) {
    this.isDone = line.map(() => false);
    this.needs = needsOf(line);
  }

  /** The statements at these places of the line one after the other, and before them what they need, unless it is there already. */
  put(...places: readonly number[]): void {
    for (const at of places)
      for (const need of this.needs[at]!) if (!places.includes(need)) this.putOne(need);
    for (const at of places) this.putOne(at);
  }

  private putOne(at: number): void {
    if (this.isDone[at]!) return;
    this.isDone[at] = true;
    for (const need of this.needs[at]!) this.putOne(need);
    this.statements.push(this.line[at]!);
  }

  /** Is all there that the statements at these places need, beside each other? */
  isReady(...places: readonly number[]): boolean {
    return places.every((at) => this.needs[at]!.every((need) => this.isDone[need]! || places.includes(need)));
  }

  /** All statements, what is left in the order of the line. */
  all(): readonly Statement[] {
    for (const at of this.line.keys()) this.put(at);
    return this.statements;
  }
}

/** Who read and wrote what last. */
class History {
  private readonly lastWrite = new Map<string, number>();
  private readonly reads = new Map<string, number[]>();

  /** Adds to `needs` the places that a statement which reads and writes these must follow. */
  note(at: number, read: Iterable<string>, written: Iterable<string>, needs: Set<number>): void {
    const need = (place: number | undefined): void => {
      if (place !== undefined) needs.add(place);
    };
    for (const one of read) need(this.lastWrite.get(one));
    for (const one of written) {
      need(this.lastWrite.get(one));
      this.reads.get(one)?.forEach(need);
    }
    for (const one of read) {
      const known = this.reads.get(one);
      if (known === undefined) this.reads.set(one, [at]);
      else known.push(at);
    }
    for (const one of written) {
      this.lastWrite.set(one, at);
      this.reads.delete(one);
    }
  }
}

function namesMade(statement: Statement): readonly string[] {
  if (statement.kind === "loads") return statement.names;
  const makes = statement.kind === "let" || statement.kind === "var" || statement.kind === "assign";
  return makes || isLaneValue(statement) ? [statement.name] : [];
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
