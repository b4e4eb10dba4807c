/**
 * fecit, a functional tensor language and its compiler: the public face. It runs wherever JavaScript does.
 *
 *     import { load, tensor } from "fecit";
 *
 *     const module = load("fn scale(x: f32[n], by: f32) -> f32[n] = for i -> by * x[i]");
 *     const scale = module.compile("scale", { dims: { n: 3 } });
 *     scale.interpret(tensor([3], [1, 2, 3]), 2);                           // [f32[3]: 2 4 6]
 *     scale.vjp().interpret(tensor([3], [1, 2, 3]), 2, tensor([3], [1, 1, 1]));  // cotangents of x, by
 */
import { type LoadOptions, loadModule, type Module } from "./module.ts";
import type { SourceFile } from "./lang/source.ts";

export {
  type Tensor,
  type TensorElements,
  type Value,
  ArgumentError,
  shapeOf,
  tensor,
} from "./host-value.ts";
export {
  type CompileOptions,
  type Compiled,
  type FunctionSummary,
  type InitOptions,
  type LoadOptions,
  type Module,
  type Parameter,
  CompileError,
} from "./module.ts";

export type { Loader } from "./lang/check.ts";
export type { Diagnostic, Label } from "./lang/diagnostic.ts";
export { type Position, type SourceFile, type Span, positionOf } from "./lang/source.ts";
export type { Shape } from "./lang/elaborate/shape.ts";
export { format } from "./lang/format.ts";
export { type RenderOptions, renderDiagnostics } from "./lang/render.ts";

export type { Axis, Comprehension, ElementType, Expr, Graph, Node, ScalarType, ValueType } from "./ir/ir.ts";
export { type TensorData, interpret, InterpretError } from "./ir/interpret.ts";
export { parseGraph } from "./ir/parse.ts";
export { printGraph } from "./ir/print.ts";
export { verifyGraph } from "./ir/verify.ts";

/**
 * Checks a program: a text, or a file with the name that its diagnostics show. Mistakes in it are in the
 * module's `diagnostics`; compiling a function of a program that has some throws them as a `CompileError`.
 */
export function load(source: string | SourceFile, options: LoadOptions = {}): Module {
  return loadModule(source, options);
}
