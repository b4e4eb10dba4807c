/**
 * Factors that every candidate of an argmax has in common, and that are positive, don't decide which is the largest:
 *
 *     %a = for n. argmax m. %dot[n, m] / (max(%length[n], 1e-12) * %other[m])      becomes      %a = for n. argmax m. %dot[n, m] / %other[m]
 *
 * So the points of a cosine need no normalisation to choose their centers.
 */
import { apply } from "../build.ts";
import { type Comprehension, type Expr, isFloat, typeOf } from "../ir.ts";
import { emptyContext, rangeOf } from "../ranges.ts";
import { indicesIn } from "../traverse.ts";
import type { NodeRewrite, Scope } from "./walk.ts";
import { productOf } from "./products.ts";

/** Drops such factors of an `argmax` or `argmin` whose best value nobody wants. */
export const dropCommonFactors: NodeRewrite = (node, scope) => {
  const op = node.reduction?.op;
  if ((op !== "argmax" && op !== "argmin") || node.reduction!.bestValue !== null) return [node];
  const type = typeOf(node.body);
  if (!isFloat(type)) return [node];
  const candidates = node.reduction!.axes.map(({ name }) => name);
  const decides = (e: Expr): boolean =>
    candidates.some((name) => indicesIn([e]).has(name)) || !isPositive(e, scope);
  const { over, under } = fractionOf(node.body);
  const [above, below] = [over.filter(decides), under.filter(decides)];
  if (above.length + below.length === over.length + under.length) return [node];
  const body =
    below.length === 0
      ? productOf(above, type)
      : apply("div", productOf(above, type), productOf(below, type));
  return [{ ...node, body }];
};

/** The factors above and below the line of products and quotients. */
function fractionOf(expr: Expr): { over: Expr[]; under: Expr[] } {
  if (expr.kind !== "apply" || (expr.fn !== "mul" && expr.fn !== "div")) return { over: [expr], under: [] };
  const [a, b] = expr.args.map(fractionOf);
  return expr.fn === "mul"
    ? { over: [...a!.over, ...b!.over], under: [...a!.under, ...b!.under] }
    : { over: [...a!.over, ...b!.under], under: [...a!.under, ...b!.over] };
}

/** Is a number certainly greater than 0, by its expression or by what the value that it reads is defined as? */
function isPositive(expr: Expr, scope: Scope): boolean {
  if (rangeOf(expr, emptyContext).lo > 0) return true;
  const definition: Comprehension | undefined =
    expr.kind === "read" ? scope.definitions.get(expr.tensor) : undefined;
  return definition !== undefined && definition.reduction === null && isPositive(definition.body, scope);
}
