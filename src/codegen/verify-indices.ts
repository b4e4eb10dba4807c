/**
 * Indices outside their arrays, as far as that can be proved; and operands below 0 of `quotient` and `remainder`, which are not
 * defined there.
 *
 *     kernel k<workgroups 4, invocations 64>(write y: f32[256]) { device y[workgroup * 64 + invocation + 1] = 0.0 }
 *     // device y[…] =: the index workgroup * 64 + invocation + 1 is 1 … 256, and y has 256 elements
 *
 * An index is called wrong only when some invocation is sure to have a wrong one. What can be proved neither right nor wrong is
 * `undecidedIndices`; the interpreter sees to it.
 */
import { type Affine, affineAtom, plainInterval, subAffine } from "../ir/affine.ts";
import { isWithin } from "../ir/bounds.ts";
import type { Interval } from "../ir/intervals.ts";
import type { Expr } from "../ir/ir.ts";
import { type RangeContext, affineOf, rangeOf } from "../ir/ranges.ts";
import type { Kernel, KernelExpr } from "./kernel.ts";
import { printKernelExpr } from "./print.ts";
import { expressionsOf, postorder } from "./traverse.ts";
import { type Place, isTurn, visitPlaces } from "./verify-places.ts";
import { labelOf } from "./verify-types.ts";

/** The accesses of a kernel that are out of range, and the operands of divisions that are below 0. */
export function verifyIndices(kernel: Kernel): string[] {
  const problems: string[] = [];
  visitAccesses(
    kernel,
    ({ array, index, length }, label, place) => {
      const own = place.translate(index);
      if (!isOutside(own, length, place)) return;
      const range = rangeText(rangeOf(own, place.context));
      problems.push(
        `${label}: the index ${printKernelExpr(index)} is ${range}, and ${array} has ${length} elements`,
      );
    },
    (division, label, place) => {
      const problem = divisionProblem(division, place);
      if (problem !== null) problems.push(`${label}: ${problem}`);
    },
  );
  return problems;
}

/** The accesses of a kernel that can be proved neither right nor wrong. */
export function undecidedIndices(kernel: Kernel): string[] {
  const open: string[] = [];
  visitAccesses(kernel, ({ array, index, length }, label, place) => {
    const own = place.translate(index);
    if (!isWithin(own, length, place.context) && !isOutside(own, length, place))
      open.push(`${label}: ${array}[${printKernelExpr(index)}] of ${length} elements`);
  });
  return open;
}

interface IndexedAccess {
  readonly array: string;
  readonly index: KernelExpr;
  readonly length: number;
}

type Division = KernelExpr & { kind: "apply" };

/** Goes through the loads and stores of a kernel, and its quotients and remainders. */
function visitAccesses(
  kernel: Kernel,
  visitAccess: (access: IndexedAccess, label: string, place: Place) => void,
  visitDivision: (division: Division, label: string, place: Place) => void = () => {},
): void {
  const lengths = new Map<string, number>([
    ...kernel.buffers.map((b): [string, number] => [b.name, b.length]),
    ...kernel.workgroupArrays.map((a): [string, number] => [a.name, a.length]),
  ]);
  visitPlaces(kernel, (statement, place) => {
    if (statement.kind === "array") lengths.set(statement.name, statement.length);
    const label = labelOf(statement);
    const visitOne = (array: string, index: KernelExpr): void =>
      visitAccess({ array, index, length: lengths.get(array) ?? 0 }, label, place);
    for (const expr of postorder(...expressionsOf(statement))) {
      if (expr.kind === "load") visitOne(expr.array, expr.index);
      else if (expr.kind === "apply" && (expr.fn === "quotient" || expr.fn === "remainder"))
        visitDivision(expr, label, place);
    }
    if (statement.kind === "store") visitOne(statement.array, statement.index);
  });
}

/** Is the index outside `0 … length-1` for some invocation that is sure to come? What hangs on data may never be reached. */
function isOutside(index: Expr, length: number, { context, isCertain }: Place): boolean {
  if (!isCertain) return false;
  const range = rangeOf(index, context);
  if (range.hi < 0 || range.lo >= length) return true;
  const taken = valuesTaken(index, context);
  return taken !== null && (taken.lo < 0 || taken.hi >= length);
}

/**
 * Some value that the index takes is at most `lo`, and some is at least `hi`; null when none is known.
 *
 * An affine form takes its extremes over the ranges of turns that no fact binds together. Of those that one fact binds, a multiple
 * of the fact takes its extremes where the fact is not negative, and other forms some value of their range. Of several facts it is
 * not known whether they leave any.
 */
function valuesTaken(index: Expr, context: RangeContext): Interval | null {
  const form = affineOf(index, context);
  const [fact, ...others] = context.facts.filter(({ terms }) => terms.size > 1);
  const terms = [form, ...context.facts].flatMap((affine) => [...affine.terms.values()]);
  if (terms.some(({ atom }) => atom.kind !== "index" || !isTurn(atom.name))) return null;
  const ends = (of: Affine): Interval => plainInterval(of, (atom) => rangeOf(atom, context));
  if (fact === undefined) return ends(form);
  if (others.length > 0 || ends(fact).hi < 0) return null;

  const bound: Affine = {
    constant: 0,
    terms: new Map([...form.terms].filter(([key]) => fact.terms.has(key))),
  };
  const free = ends(subAffine(form, bound));
  const taken = takenTogether(bound, fact, ends);
  return { lo: free.lo + taken.lo, hi: free.hi + taken.hi };
}

/** The same of a form whose atoms are those of a fact, where the fact is at least 0. */
function takenTogether(form: Affine, fact: Affine, ends: (of: Affine) => Interval): Interval {
  const factor = multipleOf(fact, form);
  if (factor === null || !takesEveryValue(fact, ends)) return { lo: ends(form).hi, hi: ends(form).lo };
  const { lo, hi } = ends(fact);
  const [a, b] = [Math.max(0, lo), hi].map((value) => factor * (value - fact.constant));
  return { lo: Math.min(a!, b!), hi: Math.max(a!, b!) };
}

/** The number that the terms of `fact` are to be multiplied by to give those of `form`, if there is one. */
function multipleOf(fact: Affine, form: Affine): number | null {
  const factors = [...fact.terms].map(
    ([key, { coefficient }]) => (form.terms.get(key)?.coefficient ?? 0) / coefficient,
  );
  return factors.every((factor) => factor === factors[0]) ? factors[0]! : null;
}

/** Does the form take every whole number between its ends? It does when no coefficient steps over what smaller ones fill. */
function takesEveryValue(form: Affine, ends: (of: Affine) => Interval): boolean {
  const terms = [...form.terms.values()].sort((a, b) => Math.abs(a.coefficient) - Math.abs(b.coefficient));
  let filled = 0;
  return terms.every(({ atom, coefficient }) => {
    const { lo, hi } = ends(affineAtom(atom));
    const isFilled = lo === hi || Math.abs(coefficient) <= filled + 1;
    filled += Math.abs(coefficient) * (hi - lo);
    return isFilled;
  });
}

function divisionProblem({ fn, args }: Division, { context, translate }: Place): string | null {
  const [above, below] = args.map((arg) => rangeOf(translate(arg), context));
  if (above === undefined || below === undefined) return null;
  if (above.hi < 0)
    return `${fn} of ${printKernelExpr(args[0]!)}, which is ${rangeText(above)}, is not defined: it is at least 0`;
  if (below.hi <= 0)
    return `${fn} by ${printKernelExpr(args[1]!)}, which is ${rangeText(below)}, is not defined: it is at least 1`;
  return null;
}

function rangeText({ lo, hi }: Interval): string {
  return lo === hi ? `${lo}` : `${lo} … ${hi}`;
}
