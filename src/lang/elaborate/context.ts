/** What every elaboration function needs: the builder, and the frame and names of where it is. */
import type { DiagnosticCode } from "../catalogue.ts";
import { DiagnosticError } from "../diagnostic.ts";
import { type Dim, evaluateDim, showDim, variablesOf } from "../dims.ts";
import { type Details, diagnostic } from "../inference.ts";
import type { Span } from "../source.ts";
import type { GraphBuilder, Site } from "./site.ts";
import type { Frame, Locals, Value } from "./value.ts";

export interface Context {
  readonly builder: GraphBuilder;
  readonly frame: Frame;
  readonly locals: Locals | null;
  readonly site: Site;
  /** What a node that comes of the expression is named after. */
  readonly hint: string;
}

/** Leaves the elaboration with an error of the program for the dimensions given. */
export function fail(code: DiagnosticCode, span: Span, text: string, details: Details = {}): never {
  throw new DiagnosticError(diagnostic(code, span, text, details));
}

export function withLocal(cx: Context, name: string, value: Value): Context {
  return { ...cx, locals: { name, value, outer: cx.locals } };
}

export function withHint(cx: Context, hint: string): Context {
  return { ...cx, hint };
}

/** A polynomial of dimensions as an integer; a division that is not exact is a mistake for the dimensions given. */
export function integerOf(frame: Frame, dim: Dim, span: Span): number {
  const value = evaluateDim(dim, frame.dims);
  if (value !== null) return value;
  return fail("E0504", span, `${showDim(dim)} is no whole number`, {
    notes: [`with ${given(frame, dim)}`],
    help: "choose dimensions that divide, or round down with `//`",
  });
}

/** A dimension as a number, at least 0. */
export function dimOf(frame: Frame, dim: Dim, span: Span): number {
  const value = integerOf(frame, dim, span);
  if (value >= 0) return value;
  const values = given(frame, dim);
  return fail("E0505", span, `${showDim(dim)} is ${value}`, {
    notes: values === "" ? [] : [`with ${values}`],
    help: "choose larger dimensions",
  });
}

/** `n = 3, m = 4`: the dimensions that a polynomial mentions. */
export function given(frame: Frame, ...dims: Dim[]): string {
  const names = new Set(dims.flatMap((dim) => [...variablesOf(dim)]));
  return [...names].map((name) => `${name} = ${frame.dims.get(name) ?? "?"}`).join(", ");
}
