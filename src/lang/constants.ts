/** Constants, and the distributions from which `init` draws fields: numbers known when compiling. */
import type { Report } from "./dim-expression.ts";
import { isBroken } from "./check-name.ts";
import type { ConstInfo, ModuleInfo, StructInfo } from "./program.ts";
import { textOf } from "./source.ts";
import { closest } from "./suggest.ts";
import type { ConstDecl, Distribution, Expr } from "./syntax.ts";
import { isFloatElement, showType, type Type } from "./types.ts";

interface Constant {
  readonly value: number;
  readonly isInteger: boolean;
}

/** The value of a constant: arithmetic on numbers and constants before it. Null after a mistake. */
export function declareConst(report: Report, module: ModuleInfo, decl: ConstDecl): ConstInfo | null {
  const constant = constantValue(report, module, decl.value, decl);
  if (constant === null) return null;
  return { kind: "const", name: decl.name.text, span: decl.name.span, ...constant, doc: decl.doc };
}

function constantValue(report: Report, module: ModuleInfo, expr: Expr, decl: ConstDecl): Constant | null {
  switch (expr.kind) {
    case "number":
      return { value: expr.value, isInteger: expr.isInteger };
    case "name": {
      const top = module.names.get(expr.name);
      if (top?.kind === "const") return top;
      reportNoConstant(report, module, expr, decl);
      return null;
    }
    case "unary": {
      if (expr.op !== "-") break;
      const operand = constantValue(report, module, expr.operand, decl);
      return operand === null ? null : { value: -operand.value, isInteger: operand.isInteger };
    }
    case "binary": {
      const a = constantValue(report, module, expr.left, decl);
      const b = a === null ? null : constantValue(report, module, expr.right, decl);
      return a === null || b === null ? null : arithmetic(report, expr, a, b);
    }
    case "error":
      return null;
    default:
      break;
  }
  report("E0315", expr.span, "not a constant", {
    secondary: [{ span: decl.name.span, text: "of this constant" }],
    help: "a constant is made of numbers and other constants, with `+ - * / // % ^`",
  });
  return null;
}

function reportNoConstant(
  report: Report,
  module: ModuleInfo,
  expr: Extract<Expr, { kind: "name" }>,
  decl: ConstDecl,
): void {
  if (isBroken(module, expr.name)) return;
  const later = module.syntax.decls.find((d) => d.kind === "const" && d.name.text === expr.name);
  const constants = [...module.names.values()].filter((t) => t.kind === "const").map((t) => t.name);
  const near = closest(expr.name, constants);
  const origin =
    later?.kind === "const" && later !== decl ? later.name.span : module.names.get(expr.name)?.span;
  report("E0315", expr.span, later !== undefined ? "has no value yet" : "not a constant", {
    secondary: origin === undefined ? [] : [{ span: origin, text: "declared here" }],
    help:
      later !== undefined
        ? "a constant is made of numbers and of constants above it"
        : near !== null
          ? `did you mean \`${near}\`?`
          : "a constant is made of numbers and other constants",
  });
}

/** Arithmetic on constants, by operator. */
export const operations: Readonly<Record<string, (a: number, b: number) => number>> = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  "/": (a, b) => a / b,
  "//": (a, b) => Math.floor(a / b),
  "%": (a, b) => a - b * Math.floor(a / b),
  "^": (a, b) => a ** b,
};

function arithmetic(
  report: Report,
  expr: Extract<Expr, { kind: "binary" }>,
  a: Constant,
  b: Constant,
): Constant | null {
  const operation = operations[expr.op];
  const value = operation?.(a.value, b.value);
  if (operation === undefined || value === undefined || !Number.isFinite(value)) {
    report("E0315", expr.span, operation === undefined ? "not a number" : "this has no value", {
      help: operation === undefined ? "a constant is a number" : "nothing is divided by 0",
    });
    return null;
  }
  const isInteger = a.isInteger && b.isInteger;
  if (isInteger && !Number.isInteger(value)) {
    const [left, right] = [textOf(expr.left.span), textOf(expr.right.span)];
    report("E0226", expr.opSpan, `${a.value} / ${b.value} is no integer`, {
      secondary: [{ span: expr.left.span, text: "an integer" }],
      help:
        expr.op === "/"
          ? `\`${left} // ${right}\` rounds down; for a fraction write a float: \`${a.value}.0\``
          : `write a float: \`${a.value}.0\``,
    });
    return null;
  }
  return { value, isInteger };
}

/** The distributions of `~` and how many numbers each takes. */
export const distributions: Readonly<Record<string, number>> = {
  zeros: 0,
  ones: 0,
  constant: 1,
  uniform: 2,
  normal: 1,
  trunc_normal: 1,
  kaiming_uniform: 1,
};

export function checkDistribution(report: Report, struct: StructInfo, init: Distribution, type: Type): void {
  const name = init.name.text;
  const wanted = Object.hasOwn(distributions, name) ? distributions[name]! : null;
  if (wanted === null) {
    const near = closest(name, Object.keys(distributions));
    const list = Object.keys(distributions)
      .map((d) => `\`${d}\``)
      .join(", ");
    report("E0312", init.name.span, "not a distribution", {
      help: near === null ? `there are ${list}` : `did you mean \`${near}\`?`,
    });
    return;
  }
  if (init.args.length !== wanted) {
    report("E0313", init.span, `${init.args.length} given`, {
      notes: [`\`${name}\` takes ${wanted === 0 ? "none" : wanted === 1 ? "1 number" : `${wanted} numbers`}`],
      help: `as in \`~ ${name}${["", "(0.02)", "(-1.0, 1.0)"][wanted]!}\``,
    });
  }
  for (const arg of init.args) checkNumber(report, struct, arg);
  const isDrawn =
    type.kind === "error" ||
    type.kind === "variable" ||
    (type.kind === "tensor" && (isFloatElement(type.element) || name === "zeros"));
  if (isDrawn) return;
  report("E0314", init.span, `the field is ${showType(type)}`, {
    help:
      type.kind === "tensor"
        ? "only floats are drawn; integers and booleans begin as `zeros`"
        : "leave it out: the fields inside are drawn as their own struct says",
  });
}

/** An argument of a distribution: arithmetic on numbers, constants and the struct's dimensions. */
function checkNumber(report: Report, struct: StructInfo, expr: Expr): void {
  switch (expr.kind) {
    case "number":
    case "error":
      return;
    case "name": {
      if (struct.dims.includes(expr.name) || struct.module.names.get(expr.name)?.kind === "const") return;
      if (isBroken(struct.module, expr.name)) return;
      const constants = [...struct.module.names.values()]
        .filter((t) => t.kind === "const")
        .map((t) => t.name);
      const near = closest(expr.name, [...struct.dims, ...constants]);
      report("E0315", expr.span, "not a constant", {
        help:
          near === null
            ? "a distribution takes numbers, constants and the struct's dimensions"
            : `did you mean \`${near}\`?`,
      });
      return;
    }
    case "unary":
      if (expr.op === "-") return checkNumber(report, struct, expr.operand);
      break;
    case "binary":
      if (Object.hasOwn(operations, expr.op)) {
        checkNumber(report, struct, expr.left);
        checkNumber(report, struct, expr.right);
        return;
      }
      break;
    default:
      break;
  }
  report("E0315", expr.span, "not a constant", {
    help: "a distribution takes numbers, constants and the struct's dimensions",
  });
}
