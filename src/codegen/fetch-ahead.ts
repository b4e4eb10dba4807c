/**
 * What a region reads for the first time after a barrier is fetched into the processor's caches before its first phase: one element of
 * each line, many at once, while the phases that need them would wait for one line after the other.
 *
 *     … barrier; for k { for n { … v[1568 * workgroup + 49 * k + n] … } }
 *       ⟶  for line { fetched = fetched + v[1568 * workgroup + 16 * line] }
 *           if fetched == 0.0 and zero != 0 { store fetched }                    never, but the driver can't know
 *           … barrier; for k { … }
 *
 * It is for drivers that run on a CPU. There a vector's lanes load one after the other, so that of the instructions that a processor
 * looks ahead over few are loads. On GPUs other workgroups run while one waits.
 */
import { type Affine, fromAffine, plainInterval, structuralKey, type Term } from "../ir/affine.ts";
import type { Interval } from "../ir/intervals.ts";
import type { Expr } from "../ir/ir.ts";
import { affineOf, rangeOf } from "../ir/ranges.ts";
import { indicesIn } from "../ir/traverse.ts";
import {
  add,
  and,
  apply,
  constant,
  integer,
  invocation,
  load,
  local,
  minimum,
  mul,
  quotient,
  remainder,
  sub,
  workgroup,
  zero,
} from "./build.ts";
import type { Kernel, KernelExpr, Statement } from "./kernel.ts";
import { arraysTouched, blocksOf, constantTurns, expressionsOf, postorder } from "./traverse.ts";
import { type Place, visitPlaces } from "./verify-places.ts";

/** Elements of a line of the cache: 64 bytes. */
const lineElements = 16;

/** A region's part of an array is fetched if it is no more than this: with others, it has to stay in the nearest cache until it is read. */
const mostLines = 256;

/** Each line that is fetched is loaded from so often at least. */
const leastLoads = 4;

/** The statements that fetch what a kernel reads after its first barrier; they are to stand before all others. */
export function fetchAhead(kernel: Kernel): readonly Statement[] {
  const isBarrier = ({ kind }: Statement): boolean => kind === "barrier";
  const first = kernel.body.findIndex(isBarrier);
  if (first < 0) return [];
  // It is written after the barrier for the first time, so that nobody else touches it before.
  const [before, after] = [kernel.body.slice(0, first), kernel.body.slice(first)];
  const [early, late] = [arraysTouched(before), arraysTouched(after)];
  const isEarly = (name: string): boolean => early.read.has(name) || early.written.has(name);
  const place = kernel.workgroupArrays.find(
    ({ name, type }) => type === "f32" && !isEarly(name) && (late.read.has(name) || late.written.has(name)),
  );
  if (place === undefined) return [];
  const later = kernel.buffers.filter(
    ({ name, type, access }) => type === "f32" && access === "read" && !isEarly(name),
  );
  const spans = spansOf(kernel, new Set(later.map(({ name }) => name)));
  const fetches = later.flatMap(({ name, length }) => fetchOf(name, length, spans.get(name) ?? null, kernel));
  if (fetches.length === 0) return [];

  const fetched = local("fetched", "f32");
  const isNeeded = and(apply("eq", fetched, constant("f32", 0)), apply("ne", zero, integer(0)));
  return [
    { kind: "var", name: "fetched", type: "f32", init: constant("f32", 0) },
    ...fetches.map((fetch, n) =>
      loopOver(fetch, n === 0 ? "line" : `line_${n}`, fetched, kernel.invocations),
    ),
    {
      kind: "if",
      condition: isNeeded,
      then: [{ kind: "store", space: "workgroup", array: place.name, index: integer(0), value: fetched }],
      else: [],
    },
  ];
}

/** Loads one element of each line, a share by each invocation. */
function loopOver(
  { array, start, lines }: Fetch,
  name: string,
  fetched: KernelExpr,
  step: number,
): Statement {
  const line = minimum(add(local(name, "i32"), invocation), integer(lines - 1));
  const element = load("device", array, add(start, mul(line, integer(lineElements))), "f32");
  const body: Statement = { kind: "assign", name: "fetched", value: apply("add", fetched, element) };
  return { kind: "for", index: name, from: integer(0), to: integer(lines), step, body: [body] };
}

/** The elements of an array that a workgroup loads: `lo … hi` after an index that depends on the workgroup alone. */
interface Span {
  readonly base: Expr;
  readonly start: KernelExpr;
  readonly lo: number;
  readonly hi: number;
  /** Where that index lies, over all workgroups. */
  readonly starts: Interval;
  /** How often the workgroup loads one. */
  readonly loads: number;
}

/** So many lines of an array, the first of which has an element at `start`. */
interface Fetch {
  readonly array: string;
  readonly start: KernelExpr;
  readonly lines: number;
}

/** The spans of some arrays; null for what has none. */
function spansOf(kernel: Kernel, arrays: ReadonlySet<string>): ReadonlyMap<string, Span | null> {
  const spans = new Map<string, Span | null>();
  if (arrays.size === 0) return spans;
  const times = timesOf(kernel.body, kernel.invocations, new Map());
  visitPlaces(kernel, (statement, place) => {
    for (const expr of postorder(...expressionsOf(statement))) {
      if (expr.kind !== "load" || !arrays.has(expr.array)) continue;
      const own = spanOf(expr.index, place, times.get(statement) ?? 1);
      const known = spans.get(expr.array);
      spans.set(expr.array, known === undefined ? own : joined(known, own));
    }
  });
  return spans;
}

function joined(a: Span | null, b: Span | null): Span | null {
  if (a === null || b === null || structuralKey(a.base) !== structuralKey(b.base)) return null;
  return { ...a, lo: Math.min(a.lo, b.lo), hi: Math.max(a.hi, b.hi), loads: a.loads + b.loads };
}

function spanOf(index: KernelExpr, { context, translate }: Place, loads: number): Span | null {
  const { constant: offset, terms } = affineOf(translate(index), context);
  const isOfWorkgroup = ({ atom }: Term): boolean => indicesIn([atom]).has(workgroup.name);
  const part = (isIt: boolean): Affine => ({
    constant: isIt ? 0 : offset,
    terms: new Map([...terms].filter(([, term]) => isOfWorkgroup(term) === isIt)),
  });
  const intervalOf = (form: Affine): Interval => plainInterval(form, (atom) => rangeOf(atom, context));
  const base = fromAffine(part(true));
  const start = kernelExpr(base);
  const { lo, hi } = intervalOf(part(false));
  if (start === null || !Number.isFinite(hi - lo)) return null;
  return { base, start, starts: intervalOf(part(true)), lo, hi, loads };
}

/** One element of each line of a span, where it pays. */
function fetchOf(array: string, length: number, span: Span | null, { invocations }: Kernel): Fetch[] {
  if (span === null) return [];
  const { start, starts, lo, hi, loads } = span;
  const lines = Math.ceil((hi - lo + 1) / lineElements);
  if (lines < invocations || lines > mostLines || loads < leastLoads * lines) return [];
  if (starts.lo + lo < 0 || starts.hi + hi >= length) return [];
  return [{ array, start: add(start, integer(lo)), lines }];
}

/** An index that depends on the workgroup alone, of the operations that indices are made of; null if there are others in it. */
function kernelExpr(expr: Expr): KernelExpr | null {
  if (expr.kind === "const") return integer(expr.value);
  if (expr.kind === "index") return expr.name === workgroup.name ? workgroup : null;
  if (expr.kind !== "apply") return null;
  const [a, b] = expr.args.map(kernelExpr);
  if (a == null || b == null) return null;
  switch (expr.fn) {
    case "add":
      return add(a, b);
    case "sub":
      return sub(a, b);
    case "mul":
      return mul(a, b);
    case "floor_div":
      return quotient(a, b);
    case "mod":
      return remainder(a, b);
    default:
      return null;
  }
}

/** How often all invocations of a workgroup together come to each statement. */
function timesOf(
  list: readonly Statement[],
  times: number,
  found: Map<Statement, number>,
): ReadonlyMap<Statement, number> {
  for (const statement of list) {
    found.set(statement, times);
    // Where turns are not known, it is one at least.
    const inner = statement.kind === "for" ? times * (constantTurns(statement) ?? 1) : times;
    for (const block of blocksOf(statement)) timesOf(block, inner, found);
  }
  return found;
}
