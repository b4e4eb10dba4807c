/**
 * From a checked program to a graph: one function, with numbers for its dimensions.
 *
 *     specialise(program, "mlp", { dims: new Map([["i", 8], ["h", 16], ["o", 4]]) })
 */
import { callBody, frameOf } from "./call.ts";
import { callWithRule } from "./derivative.ts";
import { type Context, dimOf, fail, withHint } from "./context.ts";
import { tensorNode } from "./node.ts";
import { GraphBuilder, TooManyNodes, topSite } from "./site.ts";
import type { Shape } from "./shape.ts";
import { leaves, type TensorValue, type Value } from "./value.ts";
import { type Diagnostic, DiagnosticError } from "../diagnostic.ts";
import { diagnostic } from "../inference.ts";
import { instantiate } from "../instantiate.ts";
import type { FunctionInfo, Program } from "../program.ts";
import { closest } from "../suggest.ts";
import { showType, type Type } from "../types.ts";
import type { Span } from "../source.ts";
import { index, read } from "../../ir/build.ts";
import type { ElementType, Expr, Graph, ValueName, ValueType } from "../../ir/ir.ts";
import type { Frame } from "./value.ts";

export interface SpecialiseOptions {
  readonly dims: ReadonlyMap<string, number>;
  /** What stands for the function's type parameters. */
  readonly types?: ReadonlyMap<string, Shape>;
  /** How many nodes the graph may have before the program is refused. */
  readonly mostNodes?: number;
}

/** A tree of value names, shaped as an argument or a result. */
export interface Binding {
  readonly name: string;
  readonly shape: Shape;
  /** The graph's values for the leaves, in order. */
  readonly values: readonly ValueName[];
}

/** A function compiled for dimensions: its graph, and how arguments and results map to the graph's values. */
export interface Specialised {
  readonly function: FunctionInfo;
  readonly dims: ReadonlyMap<string, number>;
  readonly graph: Graph;
  readonly params: readonly Binding[];
  /** One for each part of a tuple result; a single one otherwise. */
  readonly results: readonly Binding[];
}

/** The function of that name in the main file. */
export function findFunction(program: Program, name: string): FunctionInfo | Diagnostic {
  const top = program.main.exports.get(name);
  if (top?.kind === "function") return top;
  const names = [...program.main.exports.values()].filter((t) => t.kind === "function").map((t) => t.name);
  const near = closest(name, names);
  const span: Span = { file: program.main.file, start: 0, end: 0 };
  const nearSpan = near === null ? undefined : program.main.exports.get(near)?.span;
  return diagnostic(
    "E0511",
    top?.span ?? nearSpan ?? span,
    top !== undefined ? `a ${top.kind}` : near === null ? "in this file" : "this one?",
    {
      message: `no function \`${name}\``,
      help:
        near !== null
          ? `did you mean \`${near}\`?`
          : `it declares ${
              names
                .slice(0, 8)
                .map((n) => `\`${n}\``)
                .join(", ") || "no functions"
            }`,
    },
  );
}

/** Compiles a function for dimensions. The program must be free of errors. Mistakes that only the dimensions bring are returned. */
export function specialise(
  info: FunctionInfo,
  options: SpecialiseOptions,
): Specialised | readonly Diagnostic[] {
  const builder = new GraphBuilder(options.mostNodes);
  try {
    const result = elaborateFunction(builder, info, options);
    return builder.diagnostics.length > 0 ? builder.diagnostics : result;
  } catch (error) {
    if (error instanceof DiagnosticError) return [...builder.diagnostics, error.diagnostic];
    if (error instanceof TooManyNodes) {
      return [
        diagnostic("E0510", info.span, "its calls and folds are written out", {
          help: "use smaller dimensions for lists, or a `fold` that counts",
        }),
      ];
    }
    throw error;
  }
}

function elaborateFunction(
  builder: GraphBuilder,
  info: FunctionInfo,
  options: SpecialiseOptions,
): Specialised {
  for (const [name, span] of info.dims) {
    if (!options.dims.has(name))
      fail("E0501", span, `${name} is not given`, {
        secondary: [{ span: info.span, text: "in this function" }],
        help: `give it, \`${name}=…\`, or an argument whose shape tells it`,
      });
  }
  const frame = frameOf(info, options.dims, info.span);
  const cx: Context = { builder, frame, locals: null, site: topSite, hint: info.name };
  const params = info.params.map((param) => {
    const shape = shapeOfType(frame, param.type, param.span, options.types ?? new Map());
    return parameter(builder, param.name, shape, param.type);
  });
  const args = params.map((p) => p.value);
  const value =
    info.decl.vjp === null ? callBody(cx, frame, info, args) : callWithRule(cx, frame, info, args, info.span);
  const parts = value.kind === "tuple" ? value.items : [value];
  const results = parts.map((part, i) =>
    resultBinding(cx, part, parts.length === 1 ? info.name : `${info.name}.${i}`, info.span),
  );
  const graph: Graph = {
    name: info.name,
    params: params.flatMap((p) => p.binding.values.map((name) => builder.types.get(name)!)),
    nodes: builder.nodes,
    results: results.flatMap((r) => r.values),
  };
  return { function: info, dims: options.dims, graph, params: params.map((p) => p.binding), results };
}

/** A type with numbers for its dimensions. */
export function shapeOfType(frame: Frame, type: Type, span: Span, types: ReadonlyMap<string, Shape>): Shape {
  switch (type.kind) {
    case "tensor":
      return {
        kind: "tensor",
        element: elementOf(frame, type, span),
        shape: type.shape.map((d) => dimOf(frame, d, span)),
      };
    case "tuple":
      return { kind: "tuple", items: type.items.map((t) => shapeOfType(frame, t, span, types)) };
    case "list":
      return {
        kind: "list",
        items: Array.from({ length: dimOf(frame, type.length, span) }, () =>
          shapeOfType(frame, type.item, span, types),
        ),
      };
    case "struct": {
      const dims = new Map(type.decl.dims.map((name, i) => [name, type.dims[i]!]));
      const typeArgs = new Map(type.decl.types.map((name, i) => [name, type.types[i]!]));
      const fields = type.decl.fields.map((f) => ({
        name: f.name,
        shape: shapeOfType(frame, instantiate(f.type, dims, typeArgs), span, types),
      }));
      return { kind: "struct", name: type.decl.name, fields };
    }
    case "variable":
      return (
        types.get(type.name) ??
        fail("E0512", span, `${type.name} may be any struct`, {
          help: "call it from a function whose parameters are known, or give an argument",
        })
      );
    default:
      return fail("E0512", span, `${showType(type)} here`, {
        help: "call it from another function, and compile that one",
      });
  }
}

function elementOf(frame: Frame, type: Extract<Type, { kind: "tensor" }>, span: Span): ElementType {
  if (type.element.kind === "idx") return { scalar: "i32", bound: dimOf(frame, type.element.bound, span) };
  return { scalar: type.element.kind === "scalar" ? type.element.scalar : "f32", bound: null };
}

/** Parameters of the graph for a shape: `p.fc1.weight`, or the bare name for a tensor. */
function parameter(
  builder: GraphBuilder,
  name: string,
  shape: Shape,
  type: Type,
): { readonly binding: Binding; readonly value: Value } {
  const values: ValueName[] = [];
  const make = (s: Shape, path: string, t: Type | null): Value => {
    switch (s.kind) {
      case "tensor": {
        const value: ValueType = { name: builder.fresh(path), element: s.element, shape: s.shape };
        builder.define(value);
        values.push(value.name);
        return {
          kind: "tensor",
          element: s.element,
          shape: s.shape,
          at: (indices) => read(value.name, s.element, indices),
        };
      }
      case "tuple":
        return {
          kind: "tuple",
          items: s.items.map((item, i) =>
            make(item, `${path}.${i}`, t?.kind === "tuple" ? t.items[i]! : null),
          ),
        };
      case "list":
        return {
          kind: "list",
          items: s.items.map((item, i) => make(item, `${path}.${i}`, t?.kind === "list" ? t.item : null)),
        };
      case "struct": {
        const decl = t?.kind === "struct" ? t.decl : null;
        const fields = s.fields.map((f): [string, Value] => [
          f.name,
          make(f.shape, `${path}.${f.name}`, fieldTypeOf(t, f.name)),
        ]);
        return { kind: "struct", decl, fields: new Map(fields) };
      }
    }
  };
  const value = make(shape, name, type);
  return { binding: { name, shape, values }, value };
}

function fieldTypeOf(type: Type | null, field: string): Type | null {
  return type?.kind === "struct" ? (type.decl.fields.find((f) => f.name === field)?.type ?? null) : null;
}

/** Names the values of a result; what is not a whole node becomes one. */
function resultBinding(cx: Context, value: Value, name: string, span: Span): Binding {
  const values = leaves(value).map((leaf) => wholeValue(withHint(cx, name), leaf, span));
  return { name, shape: shapeOfValue(value), values };
}

function wholeValue(cx: Context, leaf: TensorValue, span: Span): ValueName {
  const direct = leaf.at(leaf.shape.map((_, i) => index(`#${i}`)));
  if (isWhole(direct, leaf)) return direct.tensor;
  const made = tensorNode(cx, leaf, span, { keep: true }).at(leaf.shape.map((_, i) => index(`#${i}`)));
  if (made.kind !== "read") throw new Error("a node is read by a read");
  return made.tensor;
}

function isWhole(expr: Expr, leaf: TensorValue): expr is Extract<Expr, { kind: "read" }> {
  return (
    expr.kind === "read" &&
    expr.indices.length === leaf.shape.length &&
    expr.indices.every((e, i) => e.kind === "index" && e.name === `#${i}`)
  );
}

function shapeOfValue(value: Value): Shape {
  switch (value.kind) {
    case "tensor":
      return { kind: "tensor", element: value.element, shape: value.shape };
    case "tuple":
    case "list":
      return { kind: value.kind, items: value.items.map(shapeOfValue) };
    case "struct":
      return {
        kind: "struct",
        name: value.decl?.name ?? "",
        fields: [...value.fields].map(([name, v]) => ({ name, shape: shapeOfValue(v) })),
      };
    case "function":
      throw new Error("a result that is a function");
  }
}
