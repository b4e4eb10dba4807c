/** The registers of a reduction: what it starts with, and what a turn adds. Of `argmax` and `argmin` the position and the value there. */
import type { Expr, ReduceOp } from "../../ir/ir.ts";
import { apply, constant, select } from "../build.ts";
import type { KernelExpr, KernelType } from "../kernel.ts";
import type { Emission, Instance, Point } from "./emission.ts";
import { declare, freshName, write } from "./scopes.ts";

/** How expressions are written. */
export type Lower = (emission: Emission, expr: Expr, point: Point) => KernelExpr;
type Local = KernelExpr & { readonly kind: "local" };

/** What a reduction has of a point so far, in registers. */
export interface Accumulator {
  readonly value: Local;
  readonly best: Local | null;
  /** Writes what one turn does. */
  readonly take: (at: Point) => void;
}

/** Declares what the reduction starts with at a point. */
export function accumulatorFor(
  emission: Emission,
  instance: Instance,
  point: Point,
  lower: Lower,
): Accumulator {
  const { scopes } = emission;
  const { op } = instance.node.reduction!;
  const assign = (to: Local, value: KernelExpr): void =>
    write(scopes, { kind: "assign", name: to.name, value });
  const hint = instance.node.name;
  const first = firstType(instance);
  if (op !== "argmax" && op !== "argmin") {
    const total = declare(scopes, hint, first, constant(first, neutral(op, first)));
    return {
      value: total,
      best: null,
      take: (at) => assign(total, combine(op, total, lower(emission, instance.body, at))),
    };
  }
  const best = declare(scopes, `${hint}_best`, first, constant(first, neutral(op, first)));
  const axis = instance.axes[0]!;
  const position = declare(scopes, hint, "i32", lower(emission, axis.lo, point));
  return {
    value: position,
    best,
    take(at) {
      const body = lower(emission, instance.body, at);
      const kept: Local = { kind: "local", name: freshName(scopes, "kept"), type: "bool" };
      scopes.depths.set(kept.name, scopes.open.length - 1);
      // The first of equals stays; so does the first that is not a number, as in a maximum.
      const isAsGood = apply(op === "argmax" ? "ge" : "le", best, body);
      const value = first === "f32" ? apply("or", isAsGood, apply("isnan", best)) : isAsGood;
      write(scopes, { kind: "let", name: kept.name, value });
      assign(best, select(kept, best, body));
      assign(position, select(kept, position, lower(emission, { kind: "index", name: axis.name }, at)));
    },
  };
}

function firstType(instance: Instance): KernelType {
  const { body } = instance;
  let at: Expr = body;
  while (at.kind === "select") at = at.yes;
  const type = at.kind === "index" ? "i32" : at.kind === "read" ? at.element.scalar : at.type;
  return type === "f16" ? "f32" : type;
}

const largest: Readonly<Record<KernelType, number>> = {
  f32: Infinity,
  i32: 2 ** 31 - 1,
  u32: 2 ** 32 - 1,
  bool: 1,
};
const smallest: Readonly<Record<KernelType, number>> = { f32: -Infinity, i32: -(2 ** 31), u32: 0, bool: 0 };

/** What leaves every value as it is. */
function neutral(op: ReduceOp, type: KernelType): number {
  switch (op) {
    case "sum":
    case "any":
      return 0;
    case "prod":
    case "all":
      return 1;
    case "max":
    case "argmax":
      return smallest[type];
    case "min":
    case "argmin":
      return largest[type];
  }
}

/** What a reduction makes of what it has and one value more. */
export function combine(
  op: Exclude<ReduceOp, "argmax" | "argmin">,
  total: KernelExpr,
  value: KernelExpr,
): KernelExpr {
  switch (op) {
    case "sum":
      return apply("add", total, value);
    case "prod":
      return apply("mul", total, value);
    case "max":
      return apply("max", total, value);
    case "min":
      return apply("min", total, value);
    case "any":
      return apply("or", total, value);
    case "all":
      return apply("and", total, value);
  }
}
