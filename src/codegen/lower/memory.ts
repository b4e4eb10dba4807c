/** Where a kernel's values lie: in buffers, whose elements may be in another order than their axes, and in workgroup memory. */
import type { AxisOrder, Group } from "../../fusion/plan.ts";
import {
  type Comprehension,
  definitions,
  type ScalarType,
  sizeOf,
  type ValueName,
  type ValueType,
} from "../../ir/ir.ts";
import { valuesUsed } from "../../ir/traverse.ts";
import type { KernelBuffer, WorkgroupArray } from "../kernel.ts";
import type { Storage } from "./emission.ts";
import { kernelType } from "./expression.ts";
import { kernelName } from "./scopes.ts";

/** Where the values of a kernel lie. */
export interface Memory {
  readonly storages: ReadonlyMap<ValueName, Storage>;
  readonly buffers: readonly KernelBuffer[];
  /** The value of each buffer. */
  readonly values: readonly ValueName[];
  readonly arrays: readonly WorkgroupArray[];
}

/** An array for every value that the kernel reads or stores. */
export function placeValues(
  group: Group,
  types: ReadonlyMap<ValueName, ValueType>,
  memoryOf: (value: ValueName) => ValueName,
  nameFor: (hint: string) => string,
): Memory {
  const storages = new Map<ValueName, Storage>();
  const arrays: WorkgroupArray[] = [];
  const buffers = new Map<
    ValueName,
    { name: string; read: boolean; written: boolean; type: ScalarType; length: number }
  >();
  const onDevice = (value: ValueName, use: "read" | "written"): void => {
    const { element, shape } = types.get(value)!;
    const home = memoryOf(value);
    let buffer = buffers.get(home);
    if (buffer === undefined) {
      const length = sizeOf(shape);
      buffer = { name: nameFor(kernelName(home)), read: false, written: false, type: element.scalar, length };
      buffers.set(home, buffer);
    }
    buffer[use] = true;
    storages.set(value, {
      space: "device",
      array: buffer.name,
      type: kernelType(element.scalar),
      strides: stridesOf(shape, group.orders.get(value)),
    });
  };
  for (const node of group.phases.flatMap((phase) => phase.nodes)) {
    for (const { name, element, shape } of definitions(node)) {
      const placement = group.placements.get(name);
      if (placement === "device") onDevice(name, "written");
      if (placement === "device" && node.keys.length > 0) onDevice(name, "read");
      if (placement !== "workgroup") continue;
      const grid = group.gridOf.get(node.name) ?? [];
      const inner = shape.map((size, i) => (grid.includes(node.axes[i]!.name) ? null : size));
      const length = sizeOf(inner.filter((n) => n !== null));
      const array = { name: nameFor(kernelName(name)), type: kernelType(element.scalar), length };
      arrays.push(array);
      storages.set(name, {
        space: "workgroup",
        array: array.name,
        type: array.type,
        strides: stridesOf(inner),
      });
    }
  }
  for (const value of valuesRead(group)) {
    if (group.inlined.has(value) || group.placements.get(value) === "register") continue;
    if (storages.get(value)?.space !== "workgroup") onDevice(value, "read");
  }
  return {
    storages,
    arrays,
    values: [...buffers.keys()],
    buffers: [...buffers.values()].map(({ name, read, written, type, length }) => ({
      name,
      type: kernelType(type),
      length,
      access: written ? (read ? "read_write" : "write") : "read",
    })),
  };
}

/** Every value that a read in the kernel names: of nodes in phases, and of those inlined into them, that are not of this phase alone. */
function valuesRead(group: Group): Set<ValueName> {
  const found = new Set<ValueName>();
  const seen = new Set<Comprehension>();
  const visit = (node: Comprehension, own: ReadonlySet<ValueName>): void => {
    for (const value of valuesUsed(node)) {
      const inner = group.inlined.get(value);
      if (inner !== undefined) {
        if (!seen.has(inner)) visit(inner, own);
        seen.add(inner);
      } else if (!own.has(value)) found.add(value);
    }
  };
  for (const phase of group.phases) {
    const own = new Set(phase.nodes.flatMap((node) => definitions(node).map(({ name }) => name)));
    seen.clear();
    for (const node of phase.nodes) visit(node, own);
  }
  return found;
}

/** Elements between neighbours along each axis, with the axes in an order, or row-major; null for an axis that an array does not have. */
function stridesOf(
  shape: readonly (number | null)[],
  order: AxisOrder = [...shape.keys()],
): (number | null)[] {
  const strides = shape.map((): number | null => null);
  let stride = 1;
  for (const axis of [...order].reverse()) {
    const size = shape[axis] ?? null;
    if (size === null) continue;
    strides[axis] = stride;
    stride *= size;
  }
  return strides;
}
