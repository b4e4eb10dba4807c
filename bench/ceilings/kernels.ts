/** The kernels of the ceilings: copies and sums over a large buffer, multiplications and additions without memory, and nothing. */
import type { AdapterDescription } from "../../src/runtime/adapter.ts";
import { declarations, type HandKernel, unrolled } from "../hand/program.ts";

/** x to y, as vectors: one for each lane, 16 for each lane with its neighbours beside it, and four in a row for each lane. */
export function copyKernels(elements: number): readonly HandKernel[] {
  const declared = declarations({ x: "vec4f", y: "var vec4f" });
  const vectors = elements / 4;
  const columns = vectors / 64 / 64;
  const single = `${declared}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.y * ${columns * 64} + id.x;
  y[i] = x[i];
}`;
  const strip = `${declared}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  for (var j = 0u; j < 16; j++) {
    let i = group.x * 1024 + j * 64 + lane.x;
    y[i] = x[i];
  }
}`;
  const own = `${declared}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = 4 * id.x;
  ${unrolled(4, (j) => `y[i + ${j}] = x[i + ${j}];`)}
}`;
  return [
    { code: own, buffers: ["x", "y"], workgroups: [vectors / 256, 1, 1] },
    { code: single, buffers: ["x", "y"], workgroups: [columns, 64, 1] },
    { code: strip, buffers: ["x", "y"], workgroups: [vectors / 1024, 1, 1] },
  ];
}

/** The sum of x: each lane along a row of its own, which suits processors, and lanes side by side, which suits GPUs. */
export function readKernels(elements: number): readonly HandKernel[] {
  const workgroups = elements / 4 / 64 / 64;
  const text = (start: string, stride: number): string => `${declarations({ x: "vec4f", y: "var f32" })}
@compute @workgroup_size(64)
fn main(@builtin(local_invocation_id) lane: vec3u, @builtin(workgroup_id) group: vec3u) {
  var i = group.x * 4096 + ${start};
  var sum = vec4f();
  for (var j = 0u; j < 64; j++) { sum += x[i]; i += ${stride}; }
  y[group.x * 64 + lane.x] = dot(sum, vec4f(1.0));
}`;
  return [text("lane.x * 64", 1), text("lane.x", 64)].map((code) => ({
    code,
    buffers: ["x", "y"],
    workgroups: [workgroups, 1, 1],
  }));
}

/** A few vectors of a lane, each the last one's multiple plus something: as many as fit into a processor's registers. */
export function registerKernel({ kind }: AdapterDescription): {
  readonly kernel: HandKernel;
  readonly elements: number;
  readonly operations: number;
} {
  const [vectors, repeated, turns] = [3, 8, 1024];
  const workgroups = kind === "software" ? 128 : 16384;
  const code = `${declarations({ y: "var f32" })}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(0.999 + f32(id.x & 1) * 1e-4);
  let offset = vec4f(f32(id.x & 3));
  ${unrolled(vectors, (i) => `var v${i} = vec4f(f32(id.x) + ${i}.0);`)}
  for (var i = 0u; i < ${turns}; i++) {
    ${unrolled(repeated, () => unrolled(vectors, (i) => `v${i} = fma(v${i}, factor, offset);`))}
  }
  y[id.x] = dot(${unrolled(vectors, (i) => `v${i}`, " + ")}, vec4f(1.0));
}`;
  return {
    kernel: { code, buffers: ["y"], workgroups: [workgroups, 1, 1] },
    elements: workgroups * 64,
    operations: 2 * 4 * vectors * repeated * turns * workgroups * 64,
  };
}

/** One workgroup that writes nothing, which the compiler can't know. */
export const nothingKernel: HandKernel = {
  code: `${declarations({ y: "var f32" })}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x > 4000000) { y[0] = 1.0; }
}`,
  buffers: ["y"],
  workgroups: [1, 1, 1],
};
