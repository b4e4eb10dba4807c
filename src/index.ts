/**
 * fecit, a functional tensor language and its compiler: the public face. It runs wherever JavaScript does.
 *
 *     import { load, read, tensor } from "fecit";
 *     import { openDevice } from "fecit/node";                              // in a browser: from "fecit"
 *
 *     const module = load("fn scale(x: f32[n], by: f32) -> f32[n] = for i -> by * x[i]");
 *     const scale = module.compile("scale", { dims: { n: 3 } });
 *     scale.interpret(tensor([3], [1, 2, 3]), 2);                           // [f32[3]: 2 4 6], in double precision
 *     scale.vjp().interpret(tensor([3], [1, 2, 3]), 2, tensor([3], [1, 1, 1]));  // cotangents of x, by
 *
 *     const device = await openDevice();
 *     const f = await device.compile(scale);                                // one kernel of WGSL
 *     const [y] = await f.run(tensor([3], [1, 2, 3]), 2);                   // on the device
 *     await read(y);                                                        // f32[3]: 2 4 6
 */
import { type LoadOptions, loadModule, type Module } from "./module.ts";
import { type Device, withCompiler } from "./device.ts";
import { sourceGiven } from "./given.ts";
import type { Diagnostic } from "./lang/diagnostic.ts";
import { format as formatFile } from "./lang/format.ts";
import type { SourceFile } from "./lang/source.ts";
import { type BrowserDeviceOptions, openBrowserDevice } from "./runtime/browser.ts";

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
  type FunctionShapes,
  type FunctionSummary,
  type InitOptions,
  type KernelOptions,
  type KernelProgram,
  type LoadOptions,
  type Module,
  type Parameter,
  CompileError,
} from "./module.ts";

export type { Device } from "./device.ts";
export type { ChoiceStore, FoundChoice } from "./codegen/tuner.ts";
export type { TunedKernel, TuneOptions, UntunedKernel } from "./tune.ts";
export type { DeviceCompileOptions, DeviceFunction } from "./device-function.ts";
export type { OpenFunction, OpenOptions, SizedFunction } from "./open-function.ts";
export { type DeviceArgument, type DeviceValue, type Elements, free, read } from "./device-value.ts";
export type { InPlace } from "./in-place.ts";
export type { AdapterDescription, DeviceFeature, DeviceLimits } from "./runtime/adapter.ts";
export type { BrowserDeviceOptions } from "./runtime/browser.ts";
export type { DeviceMemory } from "./runtime/device.ts";
export type { DeviceTensor } from "./runtime/tensor.ts";
export {
  AdapterError,
  CommandError,
  DeviceLostError,
  LimitError,
  OutOfMemoryError,
  ShaderError,
  TensorError,
} from "./runtime/errors.ts";
export { type KernelTarget, kernelTexts, portableKernelTarget } from "./kernel-text.ts";
export type {
  AxisOrder,
  Decision,
  FusionLevel,
  Group,
  LayoutChoice,
  Phase,
  Placement,
  Plan,
  Reordering,
} from "./fusion/plan.ts";
export { printPlan } from "./fusion/print.ts";
export { type Model, type ModelOptions, loadModel, modelNames } from "./model.ts";

export type { Loader } from "./lang/check.ts";
export type { Diagnostic, Label } from "./lang/diagnostic.ts";
export { type Position, type SourceFile, type Span, positionOf } from "./lang/source.ts";
export type { Shape } from "./lang/elaborate/shape.ts";
export { type RenderOptions, renderDiagnostics } from "./lang/render.ts";

export type { Axis, Comprehension, ElementType, Expr, Graph, Node, ScalarType, ValueType } from "./ir/ir.ts";
export { type TensorData, interpret, InterpretError } from "./ir/interpret.ts";
export { IrSyntaxError, parseGraph } from "./ir/parse.ts";
export { printGraph } from "./ir/print.ts";
export { verifyGraph } from "./ir/verify.ts";

/**
 * Checks a program: a text, or a file with the name that its diagnostics show. Mistakes in it are in the
 * module's `diagnostics`; compiling a function of a program that has some throws them as a `CompileError`.
 *
 * @throws {ArgumentError} when it is no program.
 */
export function load(source: string | SourceFile, options: LoadOptions = {}): Module {
  return loadModule(source, options);
}

/**
 * Lays a program out in the one canonical way; its own text, and the errors, if it can't be parsed.
 *
 * @throws {ArgumentError} when it is no program.
 */
export function format(source: string | SourceFile): { text: string; diagnostics: Diagnostic[] } {
  return formatFile(sourceGiven(source, "format"));
}

/**
 * Opens the browser's adapter. In Node: `openDevice` of "fecit/node".
 *
 * @throws {AdapterError} when the browser has no WebGPU, or no adapter for it.
 */
export async function openDevice(options: BrowserDeviceOptions = {}): Promise<Device> {
  return withCompiler(await openBrowserDevice(options));
}
