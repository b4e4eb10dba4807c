/**
 * Hand-written softmax of rows, group normalisation and AdamW. On a processor a lane has a row, or a stretch of one, to itself and
 * vectors run along it; on a GPU the lanes of a workgroup lie side by side, so that they read neighbouring memory.
 */
import type { AdapterDescription } from "../../src/runtime/adapter.ts";
import { adamwRecipe } from "../workloads/adamw.ts";
import { declarations, type HandProgram } from "./program.ts";

/** The softmax of `m` rows of `n`. */
export function softmaxProgram(adapter: AdapterDescription, m: number, n: number): HandProgram {
  const isSoftware = adapter.kind === "software";
  return {
    kernels: [
      {
        code:
          declarations({ x: "vec4f", y: "var vec4f" }) + (isSoftware ? rowPerLane(n) : rowPerWorkgroup(n)),
        buffers: ["x", "y"],
        workgroups: [isSoftware ? m / 8 : m, 1, 1],
      },
    ],
    sizes: { y: m * n },
    results: ["y"],
  };
}

/** Exponentials are written once, as they are, and scaled in place: reading them again costs less than computing them again. */
const rowPerLane = (n: number): string => `
@compute @workgroup_size(8)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let first = id.x * ${n / 4};
  var most = x[first];
  for (var j = 0u; j < ${n / 4}; j += 4) {
    most = max(max(most, max(x[first + j], x[first + j + 1])), max(x[first + j + 2], x[first + j + 3]));
  }
  let largest = max(max(most.x, most.y), max(most.z, most.w));
  var sum = vec4f();
  for (var j = 0u; j < ${n / 4}; j += 2) {
    let e = exp(x[first + j] - largest);
    let f = exp(x[first + j + 1] - largest);
    sum += e + f;
    y[first + j] = e;
    y[first + j + 1] = f;
  }
  let factor = 1.0 / (sum.x + sum.y + sum.z + sum.w);
  for (var j = 0u; j < ${n / 4}; j += 2) {
    y[first + j] *= factor;
    y[first + j + 1] *= factor;
  }
}`;

/** A lane keeps four elements in a register from the first read to the only write: n is 4 times the lanes. */
const rowPerWorkgroup = (n: number): string => `
var<workgroup> partial: array<f32, ${n / 4}>;
@compute @workgroup_size(${n / 4})
fn main(@builtin(local_invocation_id) own: vec3u, @builtin(workgroup_id) row: vec3u) {
  let lane = own.x;
  let v = x[row.x * ${n / 4} + lane];
  partial[lane] = max(max(v.x, v.y), max(v.z, v.w));
  workgroupBarrier();
  for (var half = ${n / 8}u; half > 0; half /= 2) {
    if (lane < half) { partial[lane] = max(partial[lane], partial[lane + half]); }
    workgroupBarrier();
  }
  let e = exp(v - partial[0]);
  workgroupBarrier();
  partial[lane] = e.x + e.y + e.z + e.w;
  workgroupBarrier();
  for (var half = ${n / 8}u; half > 0; half /= 2) {
    if (lane < half) { partial[lane] += partial[lane + half]; }
    workgroupBarrier();
  }
  y[row.x * ${n / 4} + lane] = e / partial[0];
}`;

/**
 * Group normalisation with one group: sums of every channel, then each channel adds up those of its image again. `partial` has a
 * pair (Σ x, Σ x²) for each lane of the first kernel.
 */
export function groupNormProgram(
  adapter: AdapterDescription,
  [b, c, n]: readonly [number, number, number],
): HandProgram {
  const lanes = adapter.kind === "software" ? 8 : 64;
  const strip = `for (var j = lane; j < ${n / 4}; j += ${lanes}) {
    let v = x[group.x * ${n / 4} + j];`;
  const entry = `@compute @workgroup_size(${lanes})
fn main(@builtin(local_invocation_id) own: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = own.x;`;
  const sums = `${declarations({ x: "vec4f", partial: "var vec2f" })}
${entry}
  var sum = vec4f();
  var squares = vec4f();
  ${strip}
    sum += v;
    squares = fma(v, v, squares);
  }
  partial[group.x * ${lanes} + lane] = vec2f(sum.x + sum.y + sum.z + sum.w, dot(squares, vec4f(1.0)));
}`;
  const scale = `${declarations({ x: "vec4f", partial: "vec2f", gain: "f32", bias: "f32", y: "var vec4f" })}
var<workgroup> shares: array<vec2f, ${lanes}>;
${entry}
  let image = group.x / ${c};
  let channel = group.x % ${c};
  var share = vec2f();
  for (var j = lane; j < ${c * lanes}; j += ${lanes}) { share += partial[image * ${c * lanes} + j]; }
  shares[lane] = share;
  workgroupBarrier();
  var total = vec2f();
  for (var i = 0u; i < ${lanes}; i++) { total += shares[i]; }
  let mean = total.x / ${c * n}.0;
  let variance = total.y / ${c * n}.0 - mean * mean;
  let factor = gain[channel] / sqrt(variance + 1e-5);
  let offset = bias[channel] - mean * factor;
  ${strip}
    y[group.x * ${n / 4} + j] = fma(v, vec4f(factor), vec4f(offset));
  }
}`;
  return {
    kernels: [
      { code: sums, buffers: ["x", "partial"], workgroups: [b * c, 1, 1] },
      { code: scale, buffers: ["x", "partial", "gain", "bias", "y"], workgroups: [b * c, 1, 1] },
    ],
    sizes: { partial: 2 * b * c * lanes, y: b * c * n },
    results: ["y"],
  };
}

/** One lane, four parameters. */
export function adamwProgram(n: number): HandProgram {
  const { rate, beta1, beta2, epsilon, decay, step } = adamwRecipe;
  const names = { p: "vec4f", g: "vec4f", m: "vec4f", v: "vec4f" };
  const nextNames = { next_p: "var vec4f", next_m: "var vec4f", next_v: "var vec4f" };
  const workgroups = Math.ceil(n / 4 / 64);
  const code = `${declarations({ ...names, ...nextNames })}
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let i = id.x;
  if (i >= ${n / 4}) { return; }
  let mean = ${beta1} * m[i] + ${1 - beta1} * g[i];
  let square = ${beta2} * v[i] + ${1 - beta2} * g[i] * g[i];
  next_m[i] = mean;
  next_v[i] = square;
  let root = sqrt(square * ${1 / (1 - beta2 ** step)}) + ${epsilon};
  next_p[i] = p[i] * ${1 - rate * decay} - mean * ${rate / (1 - beta1 ** step)} / root;
}`;
  const buffers = [...Object.keys(names), ...Object.keys(nextNames)];
  return {
    kernels: [{ code, buffers, workgroups: [workgroups, 1, 1] }],
    sizes: { next_p: n, next_m: n, next_v: n },
    results: ["next_p", "next_m", "next_v"],
  };
}
