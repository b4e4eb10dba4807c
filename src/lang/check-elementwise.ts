/** The shape that several operands of an elementwise operation have together: scalars spread, nothing else does. */
import { axisName } from "./axis-name.ts";
import { describe } from "./check-expression.ts";
import { showDim } from "./dims.ts";
import { diagnostic, type Inference } from "./inference.ts";
import { textOf, type Span } from "./source.ts";
import type { Expr } from "./syntax.ts";
import { type Elementwise, isScalar } from "./types.ts";

/** An operand; without its expression when only its type is known. */
export interface Operand {
  readonly type: Elementwise;
  readonly expr: Expr | null;
  readonly span: Span;
}

/** How the operation is written of some operands. */
type Written = (operands: readonly string[]) => string;

/** The common shape, as the type of the operand that has it; reports what does not fit and gives null. */
export function elementwiseShape(
  cx: Inference,
  operands: readonly Operand[],
  at: Span,
  write: Written,
): Elementwise | null {
  const [first, ...others] = operands.filter((o) => !isScalar(o.type));
  if (first === undefined) return operands[0]!.type;
  for (const other of others) {
    if (!haveSameShape(cx, first, other, operands, at, write)) return null;
  }
  return first.type;
}

function haveSameShape(
  cx: Inference,
  first: Operand,
  other: Operand,
  all: readonly Operand[],
  at: Span,
  write: Written,
): boolean {
  const [a, b] = [first.type, other.type];
  const secondary = [first, other].map((o) => ({ span: o.span, text: describe(cx, o.type) }));
  if (a.kind === "leaf" || b.kind === "leaf") {
    if (a.kind === "leaf" && b.kind === "leaf" && a.tree === b.tree) return true;
    cx.report("E0235", at, "one side's number of axes is not known", {
      secondary,
      help: "inside `tree_map` and `tree_sum`, combine leaves with leaves and scalars",
    });
    return false;
  }
  if (a.shape.length !== b.shape.length) {
    cx.report("E0202", at, "no axes are added here", {
      secondary,
      help: `write the indices: \`${indexForm(all, write)}\``,
    });
    return false;
  }
  return a.shape.every((dim, axis) =>
    cx.agreeDims(dim, b.shape[axis]!, () => {
      const [x, y] = [showDim(cx.metas.resolve(dim)), showDim(cx.metas.resolve(b.shape[axis]!))];
      const which = a.shape.length === 1 ? "one side" : axisName(axis, a.shape.length);
      return diagnostic("E0203", first.span, `${x} here: ${describe(cx, a)}`, {
        secondary: [{ span: other.span, text: `${y} here: ${describe(cx, b)}` }],
        notes: [
          a.shape.length === 1
            ? `${which} has size ${x}, the other ${y}, and nothing makes them equal`
            : `${which} has size ${x} on one side and ${y} on the other, and nothing makes them equal`,
        ],
      });
    }),
  );
}

/** `for i, j -> a[i, j] + b[j]`: the smaller operands' axes are taken to be the last ones. */
function indexForm(operands: readonly Operand[], write: Written): string {
  const ranks = operands.map(({ type }) => (type.kind === "tensor" ? type.shape.length : 0));
  const most = Math.max(...ranks);
  const names = ["i", "j", "k", "l", "m", "n"];
  const indices = Array.from({ length: most }, (_, axis) => names[axis] ?? `i${axis}`);
  const indexed = operands.map(({ expr, span }, i) => {
    const text = textOf(span);
    if (ranks[i] === 0) return text;
    const target =
      expr === null || expr.kind === "name" || expr.kind === "field" || expr.kind === "call"
        ? text
        : `(${text})`;
    return `${target}[${indices.slice(most - ranks[i]!).join(", ")}]`;
  });
  return `for ${indices.join(", ")} -> ${write(indexed)}`;
}
