/**
 * Numbers as written, until their use tells of which type they are.
 *
 *     2 * x       `2` is an f32 when x is one
 *     let n = 3   an i32 when nothing else is known; `3.0` an f32
 */
import type { Span } from "./source.ts";
import { type Element, isFloatElement, scalarElement } from "./types.ts";

interface Literal {
  readonly isInteger: boolean;
  span: Span;
  /** The number, with the sign that stands before it. */
  value: number;
  /** Was it combined with others, so that the type stands for more values than this one? */
  isShared: boolean;
  solution: Element | null;
}

/** The largest magnitude of each type, negative and positive. */
const limits = {
  i32: [-2147483648, 2147483647],
  u32: [0, 4294967295],
  f16: [-65504, 65504],
  f32: [-3.4028235e38, 3.4028235e38],
} as const;

/** A number that its type can't hold. */
export interface Overflow {
  readonly span: Span;
  readonly value: number;
  readonly type: keyof typeof limits;
  readonly least: number;
  readonly most: number;
}

export class Literals {
  private readonly list: Literal[] = [];

  fresh(value: number, isInteger: boolean, span: Span): Element {
    this.list.push({ isInteger, span, value, isShared: false, solution: null });
    return { kind: "literal", id: this.list.length - 1 };
  }

  /** An element type with a solved literal replaced. */
  resolve(element: Element): Element {
    let known = element;
    while (known.kind === "literal") {
      const { solution } = this.list[known.id]!;
      if (solution === null) return known;
      known = solution;
    }
    return known;
  }

  /** A literal that nothing decided is an `i32`, or an `f32` when it has a fraction. */
  settle(element: Element): Element {
    const known = this.resolve(element);
    if (known.kind !== "literal") return known;
    return scalarElement(this.list[known.id]!.isInteger ? "i32" : "f32");
  }

  /** Says that the literal, which has no type yet, is written with a minus; `span` covers both. */
  negate(id: number, span: Span): void {
    const literal = this.list[id]!;
    if (literal.isShared) return;
    literal.value = -literal.value;
    literal.span = span;
  }

  /** The number, when the type stands for this one only and it is whole. */
  wholeValue(id: number): number | null {
    const { isInteger, isShared, value } = this.list[id]!;
    return isInteger && !isShared ? value : null;
  }

  /** Decides a literal that has no type yet; false when it can't be of the given one. */
  solve(id: number, element: Element): boolean {
    const literal = this.list[id]!;
    if (element.kind === "literal") {
      if (element.id === id) return true;
      const other = this.list[element.id]!;
      literal.isShared = other.isShared = true;
      // The stricter of the two decides: a number with a fraction can't become an integer.
      if (literal.isInteger) literal.solution = element;
      else other.solution = { kind: "literal", id };
      return true;
    }
    const isBool = element.kind === "scalar" && element.scalar === "bool";
    if (isBool || !(literal.isInteger || isFloatElement(element))) return false;
    literal.solution = element.kind === "idx" ? scalarElement("i32") : element;
    return true;
  }

  /** The numbers that do not fit in the types that they got. */
  overflows(): Overflow[] {
    return this.list.flatMap(({ span, value }, id) => {
      const element = this.settle({ kind: "literal", id });
      if (element.kind !== "scalar" || element.scalar === "bool") return [];
      const [least, most] = limits[element.scalar];
      return value >= least && value <= most ? [] : [{ span, value, type: element.scalar, least, most }];
    });
  }
}
