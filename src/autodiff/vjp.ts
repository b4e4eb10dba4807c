/** Reverse mode: nodes in reverse, each giving cotangents to what it reads. */
import { add } from "./arithmetic.ts";
import { vjpOfCustom } from "./custom.ts";
import { vjpOfLoop } from "./loop.ts";
import { type Cotangent, transpose, type Workspace } from "./transpose.ts";
import { index, read, zeroOf } from "../ir/build.ts";
import {
  type Axis,
  type Comprehension,
  definitions,
  type Expr,
  isFloat,
  type Node,
  type ValueName,
  type ValueType,
} from "../ir/ir.ts";
import { axesOver } from "../ir/names.ts";
import { valuesUsed } from "../ir/traverse.ts";

/** The values that depend on `at` through floats, `at` included. */
export function activeValues(
  nodes: readonly Node[],
  at: readonly ValueName[],
  types: ReadonlyMap<ValueName, ValueType>,
): Set<ValueName> {
  const active = new Set(at);
  for (const node of nodes) {
    // A custom derivative depends on its arguments only.
    const used = node.kind === "custom" ? node.args : valuesUsed(node);
    if (![...used].some((name) => active.has(name))) continue;
    for (const d of definitions(node)) {
      const type = types.get(d.name) ?? d;
      if (isFloat(type.element.scalar)) active.add(d.name);
    }
  }
  return active;
}

/**
 * Emits the cotangents of the values `at`, given those of the values `of`, and gives their names: one for each of `at`, null
 * where it is zero everywhere. `nodes` are all nodes between them, in order; what none of `at` reaches is skipped.
 */
export function reverse(
  ws: Workspace,
  nodes: readonly Node[],
  of: readonly ValueName[],
  seeds: readonly ValueName[],
  at: readonly ValueName[],
): (ValueName | null)[] {
  const active = activeValues(nodes, at, ws.types);
  const arriving = new Map<ValueName, ValueName[]>();
  const send = ({ to, value }: Cotangent): void => {
    if (active.has(to)) arriving.set(to, [...(arriving.get(to) ?? []), value]);
  };
  of.forEach((to, i) => send({ to, value: seeds[i]! }));
  // What is differentiated with respect to is where the sweep ends: its own node is not looked into.
  const ends = new Set(at);
  const total = (name: ValueName): ValueName | null => {
    const values = arriving.get(name) ?? [];
    if (values.length === 0) return null;
    const sum = sumOf(ws, name, values);
    arriving.set(name, [sum]);
    return sum;
  };
  for (const node of [...nodes].reverse()) {
    if (!definitions(node).some((d) => arriving.has(d.name) && !ends.has(d.name))) continue;
    for (const cotangent of cotangentsOf(ws, node, total, (name) => active.has(name))) send(cotangent);
  }
  return at.map(total);
}

function cotangentsOf(
  ws: Workspace,
  node: Node,
  total: (name: ValueName) => ValueName | null,
  isActive: (name: ValueName) => boolean,
): Cotangent[] {
  switch (node.kind) {
    case "comprehension": {
      const result = node.reduction?.bestValue ?? node.name;
      const cotangent = total(result);
      return cotangent === null ? [] : transpose(ws, node, cotangent, isActive);
    }
    case "loop":
      return vjpOfLoop(ws, node, total, isActive);
    case "custom":
      return vjpOfCustom(ws, node, total);
    case "vjp":
    case "jvp":
      throw new Error("derivatives are expanded innermost first");
  }
}

/** Emits the sum of values of one shape; a single one is itself. */
export function sumOf(ws: Workspace, like: ValueName, values: readonly ValueName[]): ValueName {
  if (values.length === 1) return values[0]!;
  const { element, shape } = ws.types.get(values[0]!)!;
  const axes = axesOver(shape, ws.outer.variables.keys());
  const indices = axes.map((a) => index(a.name));
  const body = values.map((v) => read(v, element, indices)).reduce(add);
  return emitMap(ws, `d_${like}`, axes, body);
}

/** Emits zeros of a value's type and shape. */
export function zerosLike(ws: Workspace, like: ValueName, hint: string): ValueName {
  const { element, shape } = ws.types.get(like)!;
  return emitMap(ws, hint, axesOver(shape, ws.outer.variables.keys()), zeroOf(element.scalar));
}

/** Emits a node without reduction. */
function emitMap(ws: Workspace, hint: string, axes: readonly Axis[], body: Expr): ValueName {
  const type =
    body.kind === "read"
      ? body.element.scalar
      : body.kind === "const" || body.kind === "apply"
        ? body.type
        : "f32";
  const node: Comprehension = {
    kind: "comprehension",
    name: ws.names.fresh(hint),
    element: { scalar: type, bound: null },
    axes,
    reduction: null,
    keys: [],
    body,
    origin: null,
  };
  ws.types.set(node.name, { name: node.name, element: node.element, shape: axes.map((a) => a.size) });
  ws.emit(node);
  return node.name;
}
