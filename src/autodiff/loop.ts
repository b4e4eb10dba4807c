/**
 * Derivatives of loops.
 *
 * Forward, the tangents are carried beside the values. Backward, a second loop runs over the turns in reverse: the values
 * carried into each turn were stacked by the first loop, the turn's floats are computed again from them, and its integers,
 * which feed indices and masks, are stacked too, for a near tie computed again could come out differently.
 */
import { forward } from "./jvp.ts";
import type { Cotangent, Workspace } from "./transpose.ts";
import { reverse, sumOf, zerosLike } from "./vjp.ts";
import { apply, index, integer, read } from "../ir/build.ts";
import {
  type Carry,
  definitions,
  type Expr,
  isFloat,
  type Loop,
  type Node,
  type Stack,
  type ValueName,
  type ValueType,
} from "../ir/ir.ts";
import { axesOver } from "../ir/names.ts";
import { mapExpressions, namesIn, renameNodes } from "../ir/rename.ts";
import { type RangeContext, withVariable } from "../ir/ranges.ts";
import { rewriteExpr } from "../ir/substitute.ts";
import { valuesUsed } from "../ir/traverse.ts";

/** Emits a loop's tangents: the loop once more, with the tangents carried too. */
export function jvpOfLoop(
  ws: Workspace,
  loop: Loop,
  tangentOf: (name: ValueName) => ValueName | null,
): [ValueName, ValueName | null][] {
  const floats = loop.carries.filter((c) => isFloat(c.element.scalar));
  const captured = capturedBy(loop).filter((name) => tangentOf(name) !== null);
  if (captured.length === 0 && floats.every((c) => tangentOf(c.init) === null)) return [];
  const { copy, names } = copyOfLoop(ws, loop);
  const params = copy.carries.filter((c) => isFloat(c.element.scalar));
  const tangentParams = params.map((c) => declare(ws, `t_${c.param}`, c.element, c.shape));
  const body: Node[] = [...copy.body];
  const inner: Workspace = { ...ws, outer: insideOf(ws, loop), emit: (node) => body.push(node) };
  const at = [...params.map((c) => c.param), ...captured];
  const seeds = [...tangentParams, ...captured.map((name) => tangentOf(name)!)];
  const stacks = loop.stacks.filter((s) => isFloat(s.element.scalar));
  const of = [...params.map((c) => c.next), ...stacks.map((s) => names(s.value))];
  const tangents = forward(inner, copy.body, at, seeds, of).map(
    (t, i) => t ?? zerosLike(inner, of[i]!, `t_${of[i]!}`),
  );
  const carries = params.map((c, i): Carry => ({
    param: tangentParams[i]!,
    next: tangents[i]!,
    init: tangentOf(floats[i]!.init) ?? zerosLike(ws, c.init, `t_${c.init}`),
    result: declare(ws, `t_${floats[i]!.result}`, c.element, c.shape),
    element: c.element,
    shape: c.shape,
  }));
  const stacked = stacks.map((s, i): Stack => ({
    ...s,
    value: tangents[params.length + i]!,
    result: declare(ws, `t_${s.result}`, s.element, [loop.count, ...s.shape]),
  }));
  ws.emit({ ...copy, carries: [...copy.carries, ...carries], stacks: stacked, body });
  return [
    ...floats.map((c, i): [ValueName, ValueName] => [c.result, carries[i]!.result]),
    ...stacks.map((s, i): [ValueName, ValueName] => [s.result, stacked[i]!.result]),
  ];
}

/** Emits the reverse loop. The values that each turn began with come from a copy of the loop that stacks them. */
export function vjpOfLoop(
  ws: Workspace,
  loop: Loop,
  total: (name: ValueName) => ValueName | null,
  isActive: (name: ValueName) => boolean,
): Cotangent[] {
  const floats = loop.carries.filter((c) => isFloat(c.element.scalar));
  const captured = capturedBy(loop).filter(isActive);
  const history = stackHistory(ws, loop);
  const body: Node[] = [];
  const inner: Workspace = { ...ws, outer: insideOf(ws, loop), emit: (node) => body.push(node) };
  const turn = apply("sub", integer(loop.count - 1), index(loop.index));
  const { nodes, names } = replayTurn(ws, loop, history, turn, inner);

  const arriving = floats.map((c) => declare(ws, `d_${c.param}`, c.element, c.shape));
  const stackSeeds = loop.stacks.flatMap((s) => {
    const cotangent = total(s.result);
    return cotangent === null ? [] : [{ of: names(s.value), seed: sliceAt(inner, cotangent, turn) }];
  });
  const of = [...floats.map((c) => names(c.next)), ...stackSeeds.map((s) => s.of)];
  const at = [...floats.map((c) => names(c.param)), ...captured];
  const found = reverse(inner, nodes, of, [...arriving, ...stackSeeds.map((s) => s.seed)], at);
  const carries = floats.map((c, i): Carry => ({
    param: arriving[i]!,
    init: total(c.result) ?? zerosLike(ws, c.result, `d_${c.result}`),
    next: found[i] ?? zerosLike(inner, arriving[i]!, `d_${c.param}`),
    result: declare(ws, `d_${c.init}`, c.element, c.shape),
    element: c.element,
    shape: c.shape,
  }));
  const sums = captured.map((name, i): Carry | null => {
    const part = found[floats.length + i];
    if (part == null) return null;
    const { element, shape } = ws.types.get(name)!;
    const param = declare(ws, `d_${name}`, element, shape);
    return {
      param,
      init: zerosLike(ws, name, `d_${name}`),
      next: sumOf(inner, name, [param, part]),
      result: declare(ws, `d_${name}`, element, shape),
      element,
      shape,
    };
  });
  ws.emit({
    kind: "loop",
    index: loop.index,
    count: loop.count,
    carries: [...carries, ...sums.filter((s) => s !== null)],
    stacks: [],
    body,
    origin: loop.origin,
  });
  const toInit = floats.map((c, i): Cotangent => ({ to: c.init, value: carries[i]!.result }));
  const toCaptured = captured.flatMap((to, i): Cotangent[] =>
    sums[i] == null ? [] : [{ to, value: sums[i]!.result }],
  );
  return [...toInit, ...toCaptured];
}

function insideOf(ws: Workspace, loop: Loop): RangeContext {
  return withVariable(ws.outer, loop.index, { lo: 0, hi: loop.count - 1 });
}

/** The outer values that a loop's body reads. */
function capturedBy(loop: Loop): ValueName[] {
  const own = new Set([
    ...loop.carries.map((c) => c.param),
    ...loop.body.flatMap((n) => definitions(n).map((d) => d.name)),
  ]);
  return [...new Set(loop.body.flatMap((n) => [...valuesUsed(n)]))].filter((name) => !own.has(name));
}

function declare(
  ws: Workspace,
  hint: string,
  element: ValueType["element"],
  shape: readonly number[],
): ValueName {
  const name = ws.names.fresh(hint);
  ws.types.set(name, { name, element, shape });
  return name;
}

/** The loop with new names for all that it defines. */
function copyOfLoop(
  ws: Workspace,
  loop: Loop,
): { readonly copy: Loop; readonly names: (name: ValueName) => ValueName } {
  const names = new Map<ValueName, ValueName>();
  for (const c of loop.carries)
    names
      .set(c.param, declare(ws, c.param, c.element, c.shape))
      .set(c.result, declare(ws, c.result, c.element, c.shape));
  for (const s of loop.stacks)
    names.set(s.result, declare(ws, s.result, s.element, [loop.count, ...s.shape]));
  for (const d of loop.body.flatMap(namesIn)) names.set(d.name, declare(ws, d.name, d.element, d.shape));
  const [copy] = renameNodes([{ ...loop, stacks: [] }], names);
  return { copy: copy as Loop, names: (name) => names.get(name) ?? name };
}

/** Emits a copy of the loop that stacks what each turn begins with, and the integers that it computes. */
function stackHistory(ws: Workspace, loop: Loop): ReadonlyMap<ValueName, ValueName> {
  const { copy, names } = copyOfLoop(ws, loop);
  const kept = [
    ...loop.carries.map((c) => ({ name: c.param, element: c.element, shape: c.shape })),
    ...loop.body.filter((n) => definitions(n).every((d) => !isFloat(d.element.scalar))).flatMap(definitions),
  ];
  const history = new Map<ValueName, ValueName>();
  const stacks = kept.map((v): Stack => {
    const result = declare(ws, `${v.name}_turns`, v.element, [loop.count, ...v.shape]);
    history.set(v.name, result);
    return { value: names(v.name), result, element: v.element, shape: v.shape };
  });
  ws.emit({ ...copy, stacks });
  return history;
}

/** Emits the nodes of one turn, computed again from its history. */
function replayTurn(
  ws: Workspace,
  loop: Loop,
  history: ReadonlyMap<ValueName, ValueName>,
  turn: Expr,
  inner: Workspace,
): { readonly nodes: Node[]; readonly names: (name: ValueName) => ValueName } {
  const names = new Map<ValueName, ValueName>();
  // What a turn begins with becomes a node of its own: the derivative is taken with respect to it.
  for (const c of loop.carries) names.set(c.param, sliceAt(inner, history.get(c.param)!, turn));
  const nodes: Node[] = [];
  for (const node of loop.body) {
    const isKept = definitions(node).every((d) => !isFloat(d.element.scalar));
    if (isKept) {
      for (const d of definitions(node)) names.set(d.name, sliceAt(inner, history.get(d.name)!, turn));
      continue;
    }
    for (const d of namesIn(node)) names.set(d.name, declare(ws, d.name, d.element, d.shape));
    const [renamed] = renameNodes([node], names);
    nodes.push(atTurn(renamed!, loop.index, turn));
  }
  for (const node of nodes) inner.emit(node);
  return { nodes, names: (name) => names.get(name) ?? name };
}

/** A node of the body at a given turn. */
function atTurn(node: Node, name: string, turn: Expr): Node {
  if (node.kind === "loop") return { ...node, body: node.body.map((n) => atTurn(n, name, turn)) };
  if (node.kind === "custom") return { ...node, rule: node.rule.map((n) => atTurn(n, name, turn)) };
  if (node.kind !== "comprehension") return node;
  return mapExpressions(node, (e) =>
    rewriteExpr(e, (x) => (x.kind === "index" && x.name === name ? turn : x)),
  );
}

/** Emits one turn's part of a stacked value. */
function sliceAt(ws: Workspace, stacked: ValueName, turn: Expr): ValueName {
  const { element, shape } = ws.types.get(stacked)!;
  const axes = axesOver(shape.slice(1), ws.outer.variables.keys());
  const name = declare(ws, stacked.replace(/_turns$/, ""), element, shape.slice(1));
  ws.emit({
    kind: "comprehension",
    name,
    element,
    axes,
    reduction: null,
    keys: [],
    body: read(stacked, element, [turn, ...axes.map((a) => index(a.name))]),
    origin: null,
  });
  return name;
}
