/**
 * A normal form of `i32` expressions, in which equal index arithmetic is equal.
 *
 *     (4 * i + j) // 4 + 1   is   constant 1, terms { i: 1, j // 4: 1 }
 *     j - (i + j) + 3        is   constant 3, terms { i: -1 }
 *
 * A term is a whole multiple of an *atom*: an index variable, or something that is not affine (a read, a division, a
 * minimum), compared by its structural key. What is known of the atoms' ranges simplifies further: `j // 4` is 0
 * when 0 ≤ j < 4. Integers are taken as integers: arithmetic whose known range leaves 32 bits stays an atom, arithmetic
 * of unknown range is taken not to overflow.
 */
import { apply, integer } from "./build.ts";
import { type Interval, everything, fits } from "./intervals.ts";
import { type Expr, typeOf } from "./ir.ts";
import { printConst } from "./print.ts";
import { bottomUp } from "./traverse.ts";

/** Whole multiples of atoms and a constant, added up. No coefficient is 0. */
export interface Affine {
  readonly constant: number;
  /** By the structural key of the atom. */
  readonly terms: ReadonlyMap<string, Term>;
}

export interface Term {
  readonly atom: Expr;
  readonly coefficient: number;
}

const noTerms: ReadonlyMap<string, Term> = new Map();

/** The affine form of a number. */
export function affineConstant(constant: number): Affine {
  return { constant, terms: noTerms };
}

/** One atom. */
export function affineAtom(atom: Expr): Affine {
  return { constant: 0, terms: new Map([[structuralKey(atom), { atom, coefficient: 1 }]]) };
}

/** `a + b` */
export function addAffine(a: Affine, b: Affine): Affine {
  if (b.terms.size === 0) return { constant: a.constant + b.constant, terms: a.terms };
  const terms = new Map(a.terms);
  for (const [key, { atom, coefficient }] of b.terms) {
    const sum = (terms.get(key)?.coefficient ?? 0) + coefficient;
    if (sum === 0) terms.delete(key);
    else terms.set(key, { atom, coefficient: sum });
  }
  return rejoin({ constant: a.constant + b.constant, terms });
}

/** `a - b` */
export function subAffine(a: Affine, b: Affine): Affine {
  return addAffine(a, scaleAffine(b, -1));
}

/** `factor * a` */
export function scaleAffine(a: Affine, factor: number): Affine {
  if (factor === 0) return affineConstant(0);
  // Adding 0 turns -0 into 0.
  return mapNumbers(a, (n) => n * factor + 0);
}

/** The coefficient of an index variable or another atom; 0 when it does not occur as a term. */
export function coefficientOf(a: Affine, atom: Expr): number {
  return a.terms.get(structuralKey(atom))?.coefficient ?? 0;
}

/** Without the term of an atom. */
export function withoutTerm(a: Affine, atom: Expr): Affine {
  const terms = new Map(a.terms);
  terms.delete(structuralKey(atom));
  return { constant: a.constant, terms };
}

/** Are they the same number for all values of the atoms? */
export function sameAffine(a: Affine, b: Affine): boolean {
  if (a.constant !== b.constant || a.terms.size !== b.terms.size) return false;
  return [...a.terms].every(([key, term]) => b.terms.get(key)?.coefficient === term.coefficient);
}

/** The affine form, of nothing but the expression. */
export const toAffine: (expr: Expr) => Affine = affineWithin(() => everything, new WeakMap());

/** The affine form of expressions whose atoms have the given bounds. Remembers what it has seen, in `seen`. */
export function affineWithin(
  boundsOf: (atom: Expr) => Interval,
  seen: Pick<Map<Expr, Affine>, "get"> & { set(expr: Expr, form: Affine): unknown } = new Map(),
): (expr: Expr) => Affine {
  const normalise = (expr: Expr): Affine => {
    let affine = seen.get(expr);
    if (affine === undefined) {
      affine = compute(expr);
      seen.set(expr, affine);
    }
    return affine;
  };

  const interval = (a: Affine): Interval => plainInterval(a, boundsOf);

  const compute = (expr: Expr): Affine => {
    if (typeOf(expr) !== "i32") return affineAtom(expr);
    switch (expr.kind) {
      case "const":
        return affineConstant(expr.value);
      case "index": {
        const { lo, hi } = boundsOf(expr);
        return lo === hi ? affineConstant(lo) : affineAtom(expr);
      }
      case "read":
        return affineAtom(
          rebuilt(expr, { ...expr, indices: expr.indices.map((at) => fromAffine(normalise(at))) }),
        );
      case "select": {
        const yes = normalise(expr.yes);
        return sameAffine(yes, normalise(expr.no)) ? yes : affineAtom(expr);
      }
      case "apply":
        return arithmetic(expr) ?? affineAtom(expr);
    }
  };

  const arithmetic = (expr: Expr & { kind: "apply" }): Affine | null => {
    const [a, b, c] = expr.args;
    const checked = (result: Affine): Affine | null =>
      isWritable(result) && fits(interval(result)) ? result : null;
    switch (expr.fn) {
      case "add":
        return checked(addAffine(normalise(a!), normalise(b!)));
      case "sub":
        return checked(subAffine(normalise(a!), normalise(b!)));
      case "neg":
        return checked(scaleAffine(normalise(a!), -1));
      case "stop_gradient":
        return normalise(a!);
      case "mul": {
        const [left, right] = [normalise(a!), normalise(b!)];
        if (right.terms.size === 0) return checked(scaleAffine(left, right.constant));
        if (left.terms.size === 0) return checked(scaleAffine(right, left.constant));
        return affineAtom(rebuilt(expr, apply("mul", ...inOrder(fromAffine(left), fromAffine(right)))));
      }
      case "floor_div":
      case "mod": {
        const divisor = normalise(b!);
        if (divisor.terms.size > 0 || divisor.constant <= 0) return null;
        return expr.fn === "mod"
          ? remainder(normalise(a!), divisor.constant)
          : quotient(normalise(a!), divisor.constant);
      }
      case "min":
      case "max":
        return extremum(expr.fn, normalise(a!), normalise(b!));
      case "clamp":
        return extremum("min", extremum("max", normalise(a!), normalise(b!)), normalise(c!));
      default:
        return null;
    }
  };

  /** `(14*i - j + 13) // 14` is `i` for 0 ≤ j < 14: without the nearest multiples, what is left stays between two of them. */
  const nearestMultiples = (
    a: Affine,
    divisor: number,
  ): { readonly quotient: Affine; readonly remainder: Affine } | null => {
    const whole = mapNumbers(a, (n) => Math.round(n / divisor));
    const rest = subAffine(a, scaleAffine(whole, divisor));
    const { lo, hi } = interval(rest);
    const turns = Math.floor(lo / divisor);
    if (turns !== Math.floor(hi / divisor)) return null;
    return {
      quotient: addAffine(whole, affineConstant(turns)),
      remainder: addAffine(rest, affineConstant(-turns * divisor)),
    };
  };

  /** `floor(a / divisor)`, of which what is a multiple of the divisor comes out of the division. */
  const quotient = (a: Affine, divisor: number): Affine => {
    const near = nearestMultiples(a, divisor);
    if (near !== null) return near.quotient;
    const whole = mapNumbers(a, (n) => Math.floor(n / divisor));
    const rest = mapNumbers(a, (n) => n - divisor * Math.floor(n / divisor));
    return addAffine(whole, smallQuotient(rest, divisor));
  };

  const smallQuotient = (a: Affine, divisor: number): Affine => {
    const { lo, hi } = interval(a);
    if (Math.floor(lo / divisor) === Math.floor(hi / divisor))
      return affineConstant(Math.floor(lo / divisor));
    const factor = commonFactor(a, divisor);
    if (factor > 1)
      return quotient(
        mapNumbers(a, (n) => Math.floor(n / factor)),
        divisor / factor,
      );
    const nested = soleDivision(a);
    if (nested !== null && fits({ lo: 0, hi: divisor * nested.divisor })) {
      const inner = addAffine(normalise(nested.numerator), affineConstant(a.constant * nested.divisor));
      return quotient(inner, divisor * nested.divisor);
    }
    return affineAtom(apply("floor_div", fromAffine(a), integer(divisor)));
  };

  /** `a - divisor * floor(a / divisor)` */
  const remainder = (a: Affine, divisor: number): Affine => {
    const near = nearestMultiples(a, divisor);
    if (near !== null) return near.remainder;
    const rest = mapNumbers(a, (n) => n - divisor * Math.floor(n / divisor));
    const { lo, hi } = interval(rest);
    const turns = Math.floor(lo / divisor);
    if (turns === Math.floor(hi / divisor)) return addAffine(rest, affineConstant(-turns * divisor));
    const factor = commonFactor(rest, divisor);
    if (factor > 1) {
      const inner = remainder(
        mapNumbers(rest, (n) => Math.floor(n / factor)),
        divisor / factor,
      );
      return addAffine(scaleAffine(inner, factor), affineConstant(rest.constant % factor));
    }
    return affineAtom(apply("mod", fromAffine(rest), integer(divisor)));
  };

  const extremum = (fn: "min" | "max", a: Affine, b: Affine): Affine => {
    const { lo, hi } = interval(subAffine(a, b));
    if (hi <= 0) return fn === "min" ? a : b;
    if (lo >= 0) return fn === "min" ? b : a;
    return affineAtom(apply(fn, ...inOrder(fromAffine(a), fromAffine(b))));
  };

  return normalise;
}

/** The expression of an affine form; equal forms give equal expressions. */
export function fromAffine(a: Affine): Expr {
  const terms = [...a.terms].sort(([keyA, x], [keyB, y]) => {
    const bySign = Number(y.coefficient > 0) - Number(x.coefficient > 0);
    const byKind = Number(y.atom.kind === "index") - Number(x.atom.kind === "index");
    return bySign || byKind || Math.abs(y.coefficient) - Math.abs(x.coefficient) || (keyA < keyB ? -1 : 1);
  });
  const [first] = terms;
  if (first === undefined) return integer(a.constant);

  const product = (size: number, atom: Expr): Expr => (size === 1 ? atom : apply("mul", integer(size), atom));
  const constantFirst = first[1].coefficient < 0 && a.constant > 0;
  let sum: Expr | null = constantFirst ? integer(a.constant) : null;
  for (const [, { atom, coefficient }] of terms) {
    const size = product(Math.abs(coefficient), atom);
    if (sum === null)
      sum =
        coefficient > 0
          ? size
          : coefficient === -1
            ? apply("neg", atom)
            : apply("mul", integer(coefficient), atom);
    else sum = apply(coefficient > 0 ? "add" : "sub", sum, size);
  }
  if (constantFirst || a.constant === 0) return sum!;
  return apply(a.constant > 0 ? "add" : "sub", sum!, integer(Math.abs(a.constant)));
}

/** The interval of an affine form by those of its atoms, each taken by itself. */
export function plainInterval(a: Affine, boundsOf: (atom: Expr) => Interval): Interval {
  let lo = a.constant;
  let hi = a.constant;
  for (const { atom, coefficient } of a.terms.values()) {
    const bounds = boundsOf(atom);
    lo += coefficient * (coefficient > 0 ? bounds.lo : bounds.hi);
    hi += coefficient * (coefficient > 0 ? bounds.hi : bounds.lo);
  }
  return { lo, hi };
}

/** If the atom is a division by a positive constant, its parts. */
export function asDivision(atom: Expr): { readonly numerator: Expr; readonly divisor: number } | null {
  if (atom.kind !== "apply" || atom.fn !== "floor_div") return null;
  const [numerator, divisor] = atom.args;
  return divisor!.kind === "const" && divisor!.value > 0
    ? { numerator: numerator!, divisor: divisor!.value }
    : null;
}

const keys = new WeakMap<Expr, string>();
const longestKey = 100;

/**
 * A text that two expressions share exactly when they are the same tree. Long ones are replaced by a 106-bit digest, so
 * that keys of shared expressions stay short.
 */
export function structuralKey(expr: Expr): string {
  return keys.get(expr) ?? bottomUp(keys, expr, keyByOperands);
}

function keyByOperands(expr: Expr): string {
  const key = spell(expr);
  return key.length > longestKey ? `#${digest(key, 1)}${digest(key, 2)}` : key;
}

function spell(expr: Expr): string {
  const list = (exprs: readonly Expr[]): string => exprs.map(structuralKey).join(",");
  switch (expr.kind) {
    case "const":
      return printConst(expr.type, expr.value);
    case "index":
      return expr.name;
    case "read":
      return `%${expr.tensor}[${list(expr.indices)}]`;
    case "apply":
      return `${expr.fn === "cast" ? expr.type : expr.fn}(${list(expr.args)})`;
    case "select":
      return `if(${list([expr.condition, expr.yes, expr.no])})`;
  }
}

/** 53 bits of a text (two interleaved multiplicative hashes, mixed at the end). */
function digest(text: string, seed: number): string {
  let a = 0xdeadbeef ^ seed;
  let b = 0x41c6ce57 ^ seed;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 2654435761);
    b = Math.imul(b ^ code, 1597334677);
  }
  a = Math.imul(a ^ (a >>> 16), 2246822507) ^ Math.imul(b ^ (b >>> 13), 3266489909);
  b = Math.imul(b ^ (b >>> 16), 2246822507) ^ Math.imul(a ^ (a >>> 13), 3266489909);
  return (4294967296 * (b & 0x1fffff) + (a >>> 0)).toString(36).padStart(11, "0");
}

/** The form with every coefficient and the constant replaced. */
function mapNumbers(a: Affine, change: (n: number) => number): Affine {
  const terms = new Map<string, Term>();
  for (const [key, { atom, coefficient }] of a.terms) {
    const changed = change(coefficient);
    if (changed !== 0) terms.set(key, { atom, coefficient: changed });
  }
  return { constant: change(a.constant), terms };
}

/** `m * c * (x // c) + m * (x % c)` is `m * x`. */
function rejoin(a: Affine): Affine {
  for (const { atom, coefficient } of a.terms.values()) {
    if (atom.kind !== "apply" || atom.fn !== "mod") continue;
    const [dividend, divisor] = atom.args;
    if (divisor!.kind !== "const") continue;
    const division = apply("floor_div", dividend!, divisor!);
    if (coefficientOf(a, division) !== coefficient * divisor!.value) continue;
    return addAffine(
      withoutTerm(withoutTerm(a, atom), division),
      scaleAffine(toAffine(dividend!), coefficient),
    );
  }
  return a;
}

/** The largest divisor of `divisor` and of every coefficient. */
function commonFactor(a: Affine, divisor: number): number {
  let factor = divisor;
  for (const { coefficient } of a.terms.values()) factor = greatestCommonDivisor(factor, coefficient);
  return factor;
}

/** The greatest common divisor of two whole numbers, by Euclid. */
export function greatestCommonDivisor(a: number, b: number): number {
  let [x, y] = [Math.abs(a), Math.abs(b)];
  while (y !== 0) [x, y] = [y, x % y];
  return x;
}

/** The division whose quotient, once, is all of the form but its constant. */
function soleDivision(a: Affine): ReturnType<typeof asDivision> {
  if (a.terms.size !== 1) return null;
  const [{ atom, coefficient }] = [...a.terms.values()] as [Term];
  return coefficient === 1 ? asDivision(atom) : null;
}

/** Operands of something commutative, in the order of their keys; a constant last. */
function inOrder(a: Expr, b: Expr): [Expr, Expr] {
  if (a.kind === "const" || b.kind === "const") return a.kind === "const" ? [b, a] : [a, b];
  return structuralKey(a) <= structuralKey(b) ? [a, b] : [b, a];
}

/** The new expression, or the old object where they are the same: what is shared stays shared. */
function rebuilt(old: Expr, next: Expr): Expr {
  return structuralKey(old) === structuralKey(next) ? old : next;
}

/** Are the numbers those of `i32`, and with them their negatives? No text has others. */
function isWritable(a: Affine): boolean {
  const numbers = [a.constant, ...[...a.terms.values()].map(({ coefficient }) => coefficient)];
  return numbers.every((n) => Number.isInteger(n) && Math.abs(n) <= 2147483647);
}
