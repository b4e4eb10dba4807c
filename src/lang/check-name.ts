/** Names as expressions, and names that stand for nothing. */
import { builtinFunctions } from "./callable.ts";
import { callableOf } from "./check-call.ts";
import type { Inference } from "./inference.ts";
import type { ModuleInfo } from "./program.ts";
import { typeOfIndex } from "./check-range.ts";
import { lookup, namesIn, type Scope } from "./scope.ts";
import type { Span } from "./source.ts";
import { closest } from "./suggest.ts";
import type { Expr } from "./syntax.ts";
import { errorType, scalarType, type Type, tensorType } from "./types.ts";
import { callableScalarFunction } from "../ir/scalar.ts";
import { modulesThatDeclare } from "./standard-names.ts";

/** Is there a scalar function of that name, or one of the compiler's own? */
export function isBuiltin(name: string): boolean {
  return Object.hasOwn(builtinFunctions, name) || callableScalarFunction(name) !== null;
}

export function checkName(cx: Inference, scope: Scope, expr: Extract<Expr, { kind: "name" }>): Type {
  const binding = lookup(scope, expr.name);
  switch (binding?.kind) {
    case "value":
      return binding.type;
    case "index":
      return typeOfIndex(binding.variable);
    case "dim":
      return scalarType("i32");
    case "callable":
      return { kind: "function", callable: binding.callable };
    case undefined:
      break;
  }
  const top = cx.module.names.get(expr.name);
  if (top?.kind === "const") return tensorType(cx.literals.fresh(top.value, top.isInteger, expr.span));
  const callable = callableOf(cx, scope, expr);
  if (callable !== null) return { kind: "function", callable };
  if (top?.kind === "struct") {
    const fields = top.fields.map((f) => `${f.name}: …`).join(", ");
    return cx.report("E0322", expr.span, `${expr.name} is a struct`, {
      secondary: [{ span: top.span, text: "declared here" }],
      help: `to make one, write \`${expr.name} {${fields === "" ? "" : ` ${fields} `}}\``,
    });
  }
  return reportUnknownName(cx, scope, expr.name, expr.span);
}

/** No such name: suggests the nearest one. Each name is reported once in a function. */
export function reportUnknownName(cx: Inference, scope: Scope, name: string, span: Span): Type {
  if (cx.unknownNames.has(name) || isBroken(cx.module, name)) return errorType;
  cx.unknownNames.add(name);
  const outer = [...cx.module.names.keys()].filter((other) => other !== cx.functionName);
  const candidates = [...namesIn(scope), ...outer, ...Object.keys(builtinFunctions)];
  const near = closest(name, candidates);
  const known = near === null ? null : (lookup(scope, near)?.span ?? cx.module.names.get(near)?.span ?? null);
  return cx.report("E0301", span, "not found", {
    message: `nothing is called \`${name}\` here`,
    secondary:
      known === null || known.file !== span.file
        ? []
        : [{ span: known, text: `\`${near}\` is declared here` }],
    help:
      useHelp(name) ??
      (near === null ? "declare it, or bring it in with `use`" : `did you mean \`${near}\`?`),
  });
}

/** How a name of the standard library is brought in; null if no module declares it. */
export function useHelp(name: string): string | null {
  const [module] = modulesThatDeclare(name);
  return module === undefined ? null : `it is in the standard library: \`use ${module}.{${name}}\``;
}

/** Is the name missing because of a mistake in the declaration or `use` that it comes from? That has been reported. */
export function isBroken(module: ModuleInfo, name: string): boolean {
  if (module.missing.has(name)) return true;
  if (module.syntaxErrors.length === 0 || !/^\w+$/.test(name)) return false;
  const declaration = new RegExp(`^[ \\t]*((fn|struct|const)[ \\t]+${name}\\b|use\\b.*\\b${name}\\b)`, "m");
  return declaration.test(module.file.text);
}
