/**
 * The WGSL of a kernel: one shader module whose entry point is `main`, to be read by people too.
 *
 *     kernel row_sum<…>(read x, write y) { … }   ⟶   @group(0) @binding(0) var<storage, read> x: array<f32>; … fn main(…) { … }
 *
 * Names are the program's. Kernels that differ in their number of workgroups or in the offsets of packed buffers have one text.
 */
import { wgslFunctionsOf } from "../ir/wgsl-functions.ts";
import type { BoundKernel } from "./bindings.ts";
import type { BuiltinName, Kernel, Statement } from "./kernel.ts";
import { blocksOf, isLaneValue } from "./traverse.ts";
import { printStatements } from "./wgsl-statement.ts";
import { wgslHeader } from "./wgsl-header.ts";
import { memoryOf } from "./wgsl-memory.ts";
import { type Names, wgslNames } from "./wgsl-names.ts";

/** What every device can dispatch in one direction. */
const workgroupsInARow = 65535;

export interface WgslOptions {
  /** Say in comments what the kernel computes and where it comes from; true unless given. Without, equal kernels have equal texts. */
  readonly header?: boolean;
}

/** The workgroups to dispatch in each direction; no less than `workgroups` (below 2³¹) together, and perhaps a few more. */
export function dispatchShape(workgroups: number): readonly [number, number, number] {
  const rows = Math.ceil(workgroups / workgroupsInARow);
  return [rows <= 1 ? workgroups : Math.ceil(workgroups / rows), Math.max(rows, 1), 1];
}

/** The text of a kernel's shader. Its entry point is `main`, its bindings are those of `bound`, in group 0. */
export function printWgsl(bound: BoundKernel, options: WgslOptions = {}): string {
  const { kernel } = bound;
  const names = wgslNames([
    "main",
    "offsets",
    "workgroup_id",
    "workgroup_index",
    "local_invocation_id",
    "invocation_index",
    "subgroup_invocation_id",
    "zero",
  ]);
  const memory = memoryOf(bound, names);
  nameLocals(kernel.body, names);
  const used = new Set<BuiltinName>();
  if (dispatchShape(kernel.workgroups)[1] > 1) used.add("workgroup");
  const body = printStatements(kernel.body, {
    names,
    memory,
    isSoftware: kernel.keepsLoops === true,
    builtin: (name) => {
      used.add(name);
      return name === "zero" ? name : `${name}_index`;
    },
    unknownZero: () => {
      if (kernel.keepsLoops !== true) return null;
      used.add("zero");
      return "zero";
    },
  });
  const main = [...entry(kernel, used), ...indented(memory.offsets), ...indented(body), "}"].join("\n");
  const sections = [
    ...(options.header === false ? [] : [wgslHeader(kernel)]),
    ...(kernel.subgroup === undefined ? [] : ["enable subgroups;"]),
    memory.declarations.join("\n"),
    ...wgslFunctionsOf(main),
    main,
  ];
  return `${sections.filter((section) => section !== "").join("\n\n")}\n`;
}

/** The head of `main`, and the numbers of the workgroup and the invocation where they are used. */
function entry(kernel: Kernel, used: ReadonlySet<BuiltinName>): string[] {
  // Where a workgroup is one subgroup, an invocation's number is that of its lane, so that broadcasts find it. Elsewhere it is the place in
  // the workgroup's only direction: the index over all three takes drivers that run on a CPU out of their stride.
  const [builtin, type, number] =
    kernel.subgroup === undefined
      ? ["local_invocation_id", "vec3<u32>", "local_invocation_id.x"]
      : ["subgroup_invocation_id", "u32", "subgroup_invocation_id"];
  const parameters = [
    ...(used.has("workgroup") || used.has("zero") ? ["@builtin(workgroup_id) workgroup_id: vec3<u32>"] : []),
    ...(used.has("invocation") ? [`@builtin(${builtin}) ${builtin}: ${type}`] : []),
  ];
  return [
    `@compute @workgroup_size(${kernel.invocations})`,
    `fn main(${parameters.join(", ")}) {`,
    ...indented(used.has("workgroup") ? workgroupIndex(kernel.workgroups) : []),
    // No dispatch has a third direction.
    ...indented(used.has("zero") ? ["let zero = i32(workgroup_id.z);"] : []),
    ...indented(used.has("invocation") ? [`let invocation_index = i32(${number});`] : []),
  ];
}

/** The number of the workgroup. Where it is folded over two directions there may be more of them than the kernel has. */
function workgroupIndex(workgroups: number): string[] {
  const [width, rows] = dispatchShape(workgroups);
  if (rows === 1) return ["let workgroup_index = i32(workgroup_id.x);"];
  return [
    `let workgroup_index = i32(workgroup_id.y * ${width}u + workgroup_id.x);`,
    `if (workgroup_index >= ${workgroups}) { return; }`,
  ];
}

/** Gives the program's locals their names before any other needs one. */
function nameLocals(statements: readonly Statement[], names: Names): void {
  for (const statement of statements) {
    if (statement.kind === "for") names.of("local", statement.index);
    if (statement.kind === "let" || statement.kind === "var" || isLaneValue(statement))
      names.of("local", statement.name);
    if (statement.kind === "loads") for (const name of statement.names) names.of("local", name);
    if (statement.kind === "array") names.of("array", statement.name);
    for (const block of blocksOf(statement)) nameLocals(block, names);
  }
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
