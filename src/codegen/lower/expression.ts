/**
 * Scalar expressions of the tensor IR as kernel expressions, at one point: an instance of every variable.
 *
 *     %x[i, k] * %c[j, k]     at i, j + 1, k + 2     ⟶     x[t0 + 2] * c[t1 + 34]
 *
 * A read of a stored value is a load at its linear index, whose parts are computed at the depths of their variables. A read of a node
 * that is not stored is that node, computed there.
 */
import { addAffine, type Affine, affineConstant, scaleAffine, structuralKey } from "../../ir/affine.ts";
import { read as readAt } from "../../ir/build.ts";
import {
  type Comprehension,
  type Expr,
  type ScalarType,
  sizeOf,
  typeOf as irTypeOf,
  type ValueName,
} from "../../ir/ir.ts";
import { affineOf, prove, rangeOf } from "../../ir/ranges.ts";
import { scalarFunctions } from "../../ir/scalar.ts";
import { substituteIndices } from "../../ir/substitute.ts";
import { bottomUp, operands } from "../../ir/traverse.ts";
import {
  add,
  and,
  cast,
  constant,
  integer,
  load,
  maximum,
  minimum,
  mul,
  select,
  sub,
  truth,
  typeOf,
  withOffset,
} from "../build.ts";
import { quotientOf, remainderOf } from "../divisors.ts";
import { keyOf } from "../expression-key.ts";
import type { KernelExpr, KernelType } from "../kernel.ts";
import { type Emission, type Instance, instantiate, type Point, type Storage } from "./emission.ts";
import { type Choice, choiceOf, readAtPlace } from "./choices.ts";
import { applied } from "./fold-constants.ts";
import { loadOfTile } from "./fill.ts";
import { reduce } from "./reduction.ts";
import { bind, branch, declare, depthOf, innermost, known, nameOf, remember, write } from "./scopes.ts";
import { sidesOf, withinShape } from "./sides.ts";
import { sumByDepth } from "./sums.ts";

/** The type that a kernel computes with: `f16` is widened. */
export function kernelType(type: ScalarType): KernelType {
  return type === "f16" ? "f32" : type;
}

/** The value of an expression at a point. Statements that it needs are written into the open blocks. */
export function lower(emission: Emission, expr: Expr, point: Point): KernelExpr {
  if (expr.kind === "const") return constant(kernelType(expr.type), expr.value);
  if (expr.kind === "index") return indexAt(expr.name, point);
  const { scopes } = emission;
  const key = keyAt(expr, point);
  const before = known(scopes, key);
  if (before !== undefined) return before;
  const computed = loadOfTile(emission, expr, point) ?? compute(emission, expr, point);
  // What comes after a remainder is left outside of its name.
  const isRemainder = expr.kind === "apply" && expr.fn === "mod" && expr.type === "i32";
  const [named, offset] = isRemainder ? withOffset(computed) : [computed, 0];
  const own = deservesName(emission, expr, named)
    ? bind(scopes, named, nameFor(expr))
    : nameOf(scopes, named);
  const value = offset === 0 ? own : add(own, integer(offset));
  remember(scopes, key, value, Math.max(scopes.floor, depthOf(scopes, value)));
  return value;
}

/** What tells the value of an expression at a point from others. */
function keyAt(expr: Expr, point: Point): string {
  const ids = variablesOf(expr).map((name) => instanceOf(name, point).id);
  return `${structuralKey(expr)}@${ids.join(",")}`;
}

/** From here on, in this block, reads of a node's element at a point are this value. */
export function rememberRead(
  { scopes }: Emission,
  node: Comprehension,
  indices: readonly (Expr | null)[],
  point: Point,
  value: KernelExpr,
): void {
  const expr = readAt(
    node.name,
    node.element,
    indices.map((index) => index!),
  );
  remember(scopes, keyAt(expr, point), value, depthOf(scopes, value));
}

/** The value of a node at a point: of its reduction or its best value, or of its body. */
export function lowerInstance(
  emission: Emission,
  instance: Instance,
  result: string,
  point: Point,
): KernelExpr {
  if (instance.node.reduction === null) return lower(emission, instance.body, point);
  return reduce(emission, instance, result === instance.node.reduction.bestValue, point, lower);
}

/** The element of an array for these indices of the value that it holds. */
export function linearIndex(
  emission: Emission,
  indices: readonly (Expr | null)[],
  storage: Storage,
  point: Point,
): KernelExpr {
  return lowerAffine(emission, placeIn(emission, indices, storage), point);
}

/** The same by the variables of the indices. */
export function placeIn(
  { context }: Emission,
  indices: readonly (Expr | null)[],
  { strides }: Storage,
): Affine {
  let linear: Affine = affineConstant(0);
  indices.forEach((index, axis) => {
    const stride = strides[axis]!;
    if (index !== null && stride !== null && stride !== 0)
      linear = addAffine(linear, scaleAffine(affineOf(index, context), stride));
  });
  return linear;
}

const variables = new WeakMap<Expr, readonly string[]>();

/** The names of the index variables in an expression, sorted. */
function variablesOf(expr: Expr): readonly string[] {
  return bottomUp(variables, expr, (e) => {
    if (e.kind === "index") return [e.name];
    const lists = operands(e).map((operand) => variables.get(operand)!);
    const longest = lists.reduce((a, b) => (b.length > a.length ? b : a), nothing);
    // Most have no other variables than one of their operands has: they share its list.
    return lists.every((list) => list.every((name) => longest.includes(name)))
      ? longest
      : [...new Set(lists.flat())].sort();
  });
}

const nothing: readonly string[] = [];

function instanceOf(name: string, point: Point): NonNullable<ReturnType<Point["get"]>> {
  const found = point.get(name);
  if (found === undefined) throw new Error(`the variable ${name} has no instance here`);
  return found;
}

function indexAt(name: string, point: Point): KernelExpr {
  const { base, offset } = instanceOf(name, point);
  return add(base, integer(offset));
}

function compute(
  emission: Emission,
  expr: Exclude<Expr, { kind: "const" | "index" }>,
  point: Point,
): KernelExpr {
  switch (expr.kind) {
    case "read":
      return lowerRead(emission, expr, point);
    case "apply":
      return lowerApply(emission, expr, point);
    case "select":
      return lowerSelect(emission, expr, point);
  }
}

function lowerRead(emission: Emission, expr: Extract<Expr, { kind: "read" }>, point: Point): KernelExpr {
  const node = emission.computed.get(expr.tensor);
  if (node !== undefined)
    return lowerInstance(emission, instantiate(emission, node, expr.indices), expr.tensor, point);
  const held = emission.held.get(expr.tensor);
  if (held !== undefined) return held;
  const storage = emission.storages.get(expr.tensor);
  if (storage === undefined) throw new Error(`%${expr.tensor} is read, but lives nowhere`);
  const choice = emission.lane.size === 0 ? null : choiceOf(emission, expr, emission.lane);
  if (choice !== null) return lowerChoice(emission, expr, choice, point);
  const place = placeOf(emission, expr, storage, point);
  // Where an unrolled turn makes it a literal outside of the array, the read is never come to; but no text may say that.
  const last = integer(lengthOf(emission, expr.tensor, storage) - 1);
  const at = place.kind === "const" ? minimum(maximum(place, integer(0)), last) : place;
  const { space, array, type } = storage;
  const value = load(space, array, at, type);
  // Two tensors have one array where one overwrites the other: they must not be taken for each other.
  const key = `${expr.tensor} ${keyOf(value)}`;
  const { stored } = emission;
  if (stored?.arrays.has(array) !== true) return bind(emission.scopes, value, array, { key });
  // What is overwritten is read by the invocation that stores it alone: others would read it while it is overwritten.
  return bind(emission.scopes, value, array, { key, least: stored.depth, where: stored.guardOf(point) });
}

/** All that an index of few values may name, and a choice. */
function lowerChoice(
  emission: Emission,
  expr: Extract<Expr, { kind: "read" }>,
  choice: Choice,
  point: Point,
): KernelExpr {
  const indices = choice.axes.map((axis) => lower(emission, expr.indices[axis]!, point));
  const last = lower(emission, readAtPlace(expr, choice, choice.places.at(-1)!), point);
  return choice.places.slice(0, -1).reduceRight((others, place) => {
    const isHere = place
      .map((value, i) => applied("eq", [indices[i]!, integer(value)]))
      .reduce((all, one) => and(all, one));
    const value = lower(emission, readAtPlace(expr, choice, place), point);
    return select(bind(emission.scopes, isHere, "is_here"), value, others);
  }, last);
}

/**
 * The element that is read. Where the read is written before a loop that may have no turn, what is known in the loop need not hold: then
 * it is kept inside its tensor.
 */
function placeOf(
  emission: Emission,
  expr: Extract<Expr, { kind: "read" }>,
  storage: Storage,
  point: Point,
): KernelExpr {
  const { scopes, loops, context } = emission;
  const depth = variablesOf(expr).reduce(
    (deepest, name) => Math.max(deepest, depthOf(scopes, instanceOf(name, point).base)),
    scopes.floor,
  );
  const loop = loops.find((one) => one.depth > depth);
  if (loop === undefined && !emission.isAhead) return linearIndex(emission, expr.indices, storage, point);
  const { shape } = emission.types.get(expr.tensor)!;
  emission.context = loop?.context ?? context;
  const place = linearIndex(emission, withinShape(emission, expr.indices, shape), storage, point);
  emission.context = context;
  return place;
}

/** Elements of the array that a value has to itself: of a region, in workgroup memory. */
export function lengthOf(emission: Emission, value: ValueName, { strides }: Storage): number {
  const { shape } = emission.types.get(value)!;
  return Math.max(1, sizeOf(shape.filter((_, axis) => strides[axis] !== null)));
}

function lowerApply(emission: Emission, expr: Extract<Expr, { kind: "apply" }>, point: Point): KernelExpr {
  const args = expr.args.map((arg) => lower(emission, arg, point));
  const [a, b] = args;
  if (expr.fn === "stop_gradient") return a!;
  if (expr.fn === "cast") return cast(kernelType(expr.type), a!);
  if (expr.type === "i32") {
    switch (expr.fn) {
      case "add":
        return add(a!, b!);
      case "sub":
        return sub(a!, b!);
      case "mul":
        return mul(a!, b!);
      case "floor_div":
      case "mod": {
        const [dividend, divisor] = expr.args;
        const isNatural =
          divisor!.kind === "const" && divisor!.value > 0 && rangeOf(dividend!, emission.context).lo >= 0;
        const { divisors } = emission.scopes;
        if (isNatural) return (expr.fn === "mod" ? remainderOf : quotientOf)(a!, divisor!.value, divisors);
        break;
      }
      default:
    }
  }
  const decided = comparisons.has(expr.fn) ? decide(emission, expr, point) : null;
  return decided === null ? applied(expr.fn, args) : truth(decided);
}

/** Is a comparison true at the point? Null where that is not known: turns that are written out have indices that are literals. */
function decide(emission: Emission, expr: Expr, point: Point): boolean | null {
  const before = prove(expr, emission.context);
  if (before !== null) return before;
  const literals = new Map(
    variablesOf(expr).flatMap((name): (readonly [string, Expr])[] => {
      const { base, offset } = instanceOf(name, point);
      return base.kind === "const"
        ? [[name, { kind: "const", type: "i32", value: base.value + offset }]]
        : [];
    }),
  );
  return literals.size === 0 ? null : prove(substituteIndices(expr, literals), emission.context);
}

/** Conditions that the ranges of indices may decide. */
const comparisons: ReadonlySet<string> = new Set(["lt", "le", "gt", "ge"]);

function lowerSelect(emission: Emission, expr: Extract<Expr, { kind: "select" }>, point: Point): KernelExpr {
  const condition = conditionAt(emission, expr.condition, point);
  if (condition.kind === "const") return lower(emission, condition.value !== 0 ? expr.yes : expr.no, point);
  const { yes, no, isCheap, common } = sidesOf(emission, expr);
  if (isCheap) return select(condition, lower(emission, yes, point), lower(emission, no, point));

  for (const shared of common) lower(emission, shared, point);
  const { scopes } = emission;
  const type = kernelType(irTypeOf(expr.yes));
  const chosen = declare(scopes, "chosen", type, constant(type, 0));
  const assign = (side: Expr) =>
    branch(scopes, () => {
      // Lowered first: what it needs stands before the assignment.
      const value = lower(emission, side, point);
      write(scopes, { kind: "assign", name: chosen.name, value });
    });
  const then = assign(expr.yes);
  const otherwise = assign(expr.no);
  write(scopes, { kind: "if", condition, then, else: otherwise });
  return chosen;
}

/** A condition; one that does not change in the innermost block is named outside of it. */
function conditionAt(emission: Emission, expr: Expr, point: Point): KernelExpr {
  const condition = lower(emission, expr, point);
  const isFixed = depthOf(emission.scopes, condition) < innermost(emission.scopes);
  return isFixed ? bind(emission.scopes, condition, "is_within") : condition;
}

/** The sum, its parts at the depths of their variables: what an inner loop does not change is added before it. */
function lowerAffine(emission: Emission, affine: Affine, point: Point): KernelExpr {
  let offset = affine.constant;
  const terms = [...affine.terms.values()].flatMap(({ atom, coefficient }) => {
    const instance = atom.kind === "index" ? instanceOf(atom.name, point) : null;
    if (instance !== null) offset += coefficient * instance.offset;
    const [base, after] = instance === null ? withOffset(lower(emission, atom, point)) : [instance.base, 0];
    offset += coefficient * after;
    const term = mul(base, integer(coefficient));
    if (term.kind !== "const") return [term];
    offset += term.value;
    return [];
  });
  return add(sumByDepth(emission.scopes, terms), integer(offset));
}

/** An expression longer than this is named, so that none grows without bound. */
const longestKey = 160;

function deservesName(emission: Emission, expr: Expr, value: KernelExpr): boolean {
  if (value.kind === "const" || value.kind === "local" || value.kind === "builtin") return false;
  if (expr.kind === "apply" && scalarFunctions[expr.fn].cost >= 4) return true;
  if (emission.shared.has(expr) || keyOf(value).length > longestKey) return true;
  return depthOf(emission.scopes, value) < innermost(emission.scopes) && typeOf(value) !== "bool";
}

function nameFor(expr: Expr): string {
  if (expr.kind === "read") return expr.tensor;
  return expr.kind === "apply" ? expr.fn : "t";
}
