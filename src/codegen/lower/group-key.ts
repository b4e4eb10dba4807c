/**
 * A text that two groups share when their kernels are the same: the blocks of a deep model are planned one by one, but written once.
 *
 *     %f.3 = for … sum … %x.3[…] * %w.9[…]        and        %f.7 = for … sum … %x.7[…] * %w.22[…]
 *
 * Values are numbered in the order in which the text meets them.
 */
import type { Group } from "../../fusion/plan.ts";
import { type Comprehension, definitions, type Expr, type ValueName, type ValueType } from "../../ir/ir.ts";
import { operands, postorder } from "../../ir/traverse.ts";
import { kernelName } from "./scopes.ts";

export interface GroupKey {
  readonly text: string;
  /** The values, by their numbers. */
  readonly values: readonly ValueName[];
}

/** The key of a group. Origins are part of it: a kernel names the lines that it computes. */
export function groupKey(
  group: Group,
  types: ReadonlyMap<ValueName, ValueType>,
  memoryOf: (value: ValueName) => ValueName,
): GroupKey {
  const numbers = new Map<ValueName, number>();
  const values: ValueName[] = [];
  const parts: string[] = [];
  const inlined = new Set<Comprehension>();
  const queue: Comprehension[] = [];

  const number = (value: ValueName): string => {
    let n = numbers.get(value);
    if (n !== undefined) return `%${n}`;
    n = values.push(value) - 1;
    numbers.set(value, n);
    const node = group.inlined.get(value);
    if (node !== undefined && !inlined.has(node)) {
      inlined.add(node);
      queue.push(node);
    }
    const { element, shape } = types.get(value)!;
    const home = memoryOf(value);
    const place = group.placements.get(value) ?? (node === undefined ? "given" : "inline");
    return `%${n}:${kernelName(home)} ${element.scalar} ${element.bound} ${shape.join("x")}${group.orders.has(value) ? ` by ${group.orders.get(value)!.join()}` : ""} ${place}${home === value ? "" : ` in ${number(home)}`}`;
  };
  const expression = (root: Expr): string => {
    const ids = new Map<Expr, number>();
    const lines: string[] = [];
    for (const expr of postorder(root)) {
      const below = operands(expr).map((operand) => ids.get(operand)!);
      ids.set(expr, lines.push(`${head(expr)}(${below.join()})`) - 1);
    }
    return lines.join(";");
  };
  const head = (expr: Expr): string => {
    switch (expr.kind) {
      case "const":
        return `${expr.type} ${Object.is(expr.value, -0) ? "-0" : expr.value}`;
      case "index":
        return expr.name;
      case "read":
        return number(expr.tensor);
      case "apply":
        return `${expr.fn} ${expr.type}`;
      case "select":
        return "select";
    }
  };
  const node = (of: Comprehension): string =>
    [
      definitions(of).map(({ name }) => number(name)),
      of.axes.map(({ name, size }) => `${name}<${size}`),
      of.reduction === null
        ? ""
        : `${of.reduction.op} ${of.reduction.axes.map(({ name, lo, hi }) => `${name} ${expression(lo)} ${expression(hi)}`).join("|")}`,
      of.keys.map(({ axis, at }) => `${axis} at ${expression(at)}`),
      expression(of.body),
      of.origin === null ? "" : `${of.origin.file}:${of.origin.line}:${of.origin.column}`,
    ].join("~");

  parts.push(
    `${kernelName(group.name)} ${group.owner} ${group.lanes} ${group.sharesTurns} ${group.grid.join("x")}`,
  );
  for (const phase of group.phases) {
    parts.push(`phase ${phase.axes.join("x")} ${phase.afterBarrier}`);
    phase.nodes.forEach((of, i) => {
      const columns = phase.columnsOf[i]!.map(({ name }) => name).join();
      parts.push(`${node(of)} ${phase.axesOf[i]!.join()} ${columns} ${group.gridOf.get(of.name)?.join()}`);
    });
  }
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) parts.push(node(next));
  return { text: parts.join("\n"), values };
}
