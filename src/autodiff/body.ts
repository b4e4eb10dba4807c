/**
 * Derivatives of a scalar body with respect to the tensor elements that it reads.
 *
 *     body  sigmoid(%a[i] * %b[j])     gives   ∂/∂%a[i] = s (1 - s) %b[j],   ∂/∂%b[j] = s (1 - s) %a[i]
 *
 * Reverse mode over the body's own graph: each subexpression is visited once, after its users. A branch of a select
 * contributes only where it is chosen, and the condition is put around the whole product: 0 times an infinite slope in the
 * branch not chosen would be NaN.
 */
import { add, mul } from "./arithmetic.ts";
import { apply, cast, zeroOf } from "../ir/build.ts";
import { structuralKey } from "../ir/affine.ts";
import { type Expr, isFloat, typeOf } from "../ir/ir.ts";
import { selectAll } from "../ir/rewrite/guards.ts";
import { scalarFunctions } from "../ir/scalar.ts";
import { postorder } from "../ir/traverse.ts";

export type Read = Extract<Expr, { kind: "read" }>;

/** What arrives at a read: a product that counts where the conditions hold. */
export interface Contribution {
  readonly read: Read;
  readonly conditions: readonly Expr[];
  readonly value: Expr;
}

interface Part {
  readonly conditions: readonly Expr[];
  readonly value: Expr;
}

/** With more separate conditions than this at one subexpression, they are merged into selects. */
const mostParts = 4;

/**
 * The products of `seed` (a cotangent of the body) with the derivatives of the body, for every float read that `isActive`.
 * Reads of one element are put together.
 */
export function bodyCotangents(body: Expr, seed: Expr, isActive: (read: Read) => boolean): Contribution[] {
  const matters = activity(body, isActive);
  if (!matters.has(body)) return [];
  const arriving = new Map<Expr, Part[]>([[body, [{ conditions: [], value: seed }]]]);
  const send = (to: Expr, part: Part): void => {
    if (matters.has(to)) arriving.set(to, merge(arriving.get(to) ?? [], part));
  };
  const found = new Map<string, { read: Read; parts: Part[] }>();
  for (const expr of postorder(body).reverse()) {
    const parts = arriving.get(expr);
    if (parts === undefined) continue;
    switch (expr.kind) {
      case "read": {
        const key = structuralKey(expr);
        const known = found.get(key);
        found.set(key, { read: expr, parts: parts.reduce(merge, known?.parts ?? []) });
        break;
      }
      case "select":
        for (const part of parts) {
          send(expr.yes, { conditions: [...part.conditions, expr.condition], value: part.value });
          send(expr.no, {
            conditions: [...part.conditions, apply("not", expr.condition)],
            value: part.value,
          });
        }
        break;
      case "apply":
        sendThrough(expr, parts, send);
        break;
      case "const":
      case "index":
        break;
    }
  }
  return [...found.values()].flatMap(({ read, parts }) => parts.map((part) => ({ read, ...part })));
}

function sendThrough(
  expr: Extract<Expr, { kind: "apply" }>,
  parts: readonly Part[],
  send: (to: Expr, part: Part) => void,
): void {
  const slopes = scalarFunctions[expr.fn].derivative?.(expr.args, expr) ?? [];
  slopes.forEach((slope, i) => {
    const arg = expr.args[i]!;
    if (slope === null) return;
    for (const part of parts) {
      const value = expr.fn === "cast" ? cast(typeOf(arg), part.value) : mul(part.value, slope);
      send(arg, { conditions: part.conditions, value });
    }
  });
}

/** Adds a part to others, in the one that has the same conditions if there is one. */
function merge(parts: Part[], part: Part): Part[] {
  const key = conditionKey(part);
  const same = parts.findIndex((p) => conditionKey(p) === key);
  if (same >= 0)
    return parts.with(same, { conditions: part.conditions, value: add(parts[same]!.value, part.value) });
  const more = [...parts, part];
  if (more.length <= mostParts) return more;
  const whole = more.map((p) => selectAll(p.conditions, p.value)).reduce(add);
  return [{ conditions: [], value: whole }];
}

function conditionKey(part: Part): string {
  return part.conditions.map(structuralKey).join("&");
}

/** The subexpressions through which a derivative flows to an active read. */
function activity(body: Expr, isActive: (read: Read) => boolean): Set<Expr> {
  const active = new Set<Expr>();
  for (const expr of postorder(body)) {
    if (!isFloat(typeOf(expr))) continue;
    const flows =
      expr.kind === "read"
        ? isActive(expr)
        : expr.kind === "select"
          ? active.has(expr.yes) || active.has(expr.no)
          : expr.kind === "apply" && scalarFunctions[expr.fn].derivative !== undefined
            ? expr.args.some((a) => active.has(a))
            : false;
    if (flows) active.add(expr);
  }
  return active;
}

/**
 * The tangent of a body: the sum of its derivatives times the tangents of what it reads; null if it is zero everywhere.
 * `tangentOf` gives the tangent of a read, or null where there is none.
 */
export function bodyTangent(body: Expr, tangentOf: (read: Read) => Expr | null): Expr | null {
  const tangents = new Map<Expr, Expr | null>();
  for (const expr of postorder(body))
    tangents.set(
      expr,
      tangentOfForm(expr, (e) => tangents.get(e) ?? null, tangentOf),
    );
  return tangents.get(body) ?? null;
}

function tangentOfForm(
  expr: Expr,
  of: (e: Expr) => Expr | null,
  tangentOf: (read: Read) => Expr | null,
): Expr | null {
  if (!isFloat(typeOf(expr))) return null;
  switch (expr.kind) {
    case "const":
    case "index":
      return null;
    case "read":
      return tangentOf(expr);
    case "select": {
      const [yes, no] = [of(expr.yes), of(expr.no)];
      if (yes === null && no === null) return null;
      const zero = zeroOf(typeOf(expr));
      return { kind: "select", condition: expr.condition, yes: yes ?? zero, no: no ?? zero };
    }
    case "apply": {
      if (expr.args.every((a) => of(a) === null)) return null;
      const slopes = scalarFunctions[expr.fn].derivative?.(expr.args, expr) ?? [];
      const terms = slopes.flatMap((slope, i) => {
        const tangent = of(expr.args[i]!);
        if (slope === null || tangent === null) return [];
        return [expr.fn === "cast" ? cast(expr.type, tangent) : mul(slope, tangent)];
      });
      return terms.length === 0 ? null : terms.reduce(add);
    }
  }
}
