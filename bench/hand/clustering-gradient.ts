/**
 * W6 by hand: the forward pass of W5 again, then the cotangents of f, v, α and β, as 8 lanes of 7 points each. The names are those
 * of the equations:
 *
 *     ds_n = ⟨ct_n, g_a(n)⟩      dz_n = s_n (1 - s_n) ds_n      dα = Σ dz_n c_n      dβ = Σ dz_n
 *     dg_m = Σ_{n in m} s_n ct_n / (1 + size_m)                 dv_n = dg_a(n) + Σ_m pool_mn dg_m
 *
 * α and β are sums over all groups: a second kernel of one lane adds the groups' parts up.
 */
import { similarityScale } from "../workloads/clustering.ts";
import {
  channels,
  entryText,
  forwardText,
  groups,
  lanes,
  membership,
  pointOf,
  points,
  sharedText,
  side,
  strips,
} from "./clustering.ts";
import { declarations, type HandProgram, unrolled } from "./program.ts";

export function clusteringGradientProgram(): HandProgram {
  const size = groups * channels * points;
  return {
    kernels: [
      {
        code: gradientText,
        buffers: ["f", "v", "ct", "d_f", "d_v", "partial"],
        workgroups: [groups, 1, 1],
      },
      { code: sumText, buffers: ["partial", "d_alpha", "d_beta"], workgroups: [1, 1, 1] },
    ],
    sizes: { d_f: size, d_v: size, partial: 2 * groups, d_alpha: 1, d_beta: 1 },
    results: ["d_f", "d_v", "d_alpha", "d_beta"],
  };
}

/** Which windows the point `n` is in, times their weight. */
const poolText = (i: number): string => `
  let n${i} = ${lanes * i} + lane;
  let row${i} = n${i} / ${side};
  let column${i} = n${i} % ${side};
  let pool${i} = vec4f(
    f32(row${i} <= 3 && column${i} <= 3), f32(row${i} <= 3 && column${i} >= 3),
    f32(row${i} >= 3 && column${i} <= 3), f32(row${i} >= 3 && column${i} >= 3)) / 16.0;`;

/** The cotangents of scores, for one of a lane's points. */
const scoreText = (i: number): string => `
  let d_z${i} = dot(member${i}, d_s${i}) * s${i} * (1.0 - s${i});
  let own${i} = dot(member${i}, cosine${i});
  let d_cosine${i} = d_z${i} * ${similarityScale.alpha};
  d_scale += vec2f(d_z${i} * own${i}, d_z${i});
  d_length += member${i} * (d_cosine${i} * own${i});
  center_weight[${lanes * i} + lane] = d_cosine${i} * scale${i};`;

const gradientText = `${declarations({
  f: "f32",
  v: "f32",
  ct: "f32",
  d_f: "var f32",
  d_v: "var f32",
  partial: "var vec2f",
})}${sharedText}
var<workgroup> d_centers: array<vec4f, ${channels}>;
var<workgroup> similarity: array<f32, ${lanes * strips}>;
var<workgroup> center_weight: array<f32, ${lanes * strips}>;
var<workgroup> lengths: array<vec4f, ${lanes}>;
var<workgroup> scales: array<vec2f, ${lanes}>;
var<workgroup> inverse_size: vec4f;${entryText(lanes)}${forwardText(
  (i) => `similarity[${lanes * i} + lane] = s${i};`,
  "if (channel == 0) { inverse_size = 1.0 / size; }",
)}
  ${unrolled(strips, (i) => `var d_s${i} = vec4f();`)}
  for (var channel = 0u; channel < ${channels}; channel++) {
    let representative = representatives[channel];
    let at = first + channel * ${points} + lane;
    let last = first + channel * ${points} + ${points - 1};
    ${unrolled(strips, (i) => `d_s${i} = fma(vec4f(ct[${pointOf(i)}]), representative, d_s${i});`)}
  }
  var d_length = vec4f();
  var d_scale = vec2f();
  ${unrolled(strips, scoreText)}
  lengths[lane] = d_length;
  scales[lane] = d_scale;
  workgroupBarrier();
  var total_length = vec4f();
  for (var i = 0u; i < ${lanes}; i++) { total_length += lengths[i]; }
  if (lane == 0) {
    var total = vec2f();
    for (var i = 0u; i < ${lanes}; i++) { total += scales[i]; }
    partial[group.x] = total;
  }
  let over_size = inverse_size;
  for (var q = 0u; q < ${channels / lanes}; q++) {
    let channel = q * ${lanes} + lane;
    let at = first + channel * ${points};
    var d_g = vec4f();
    var d_unit = vec4f();
    for (var row = 0u; row < ${side}; row++) {
      ${unrolled(
        side,
        (i) => `{
        let n = row * ${side} + ${i};
        let member = ${membership("nearest[n]")};
        d_g = fma(member, vec4f(ct[at + n] * similarity[n]), d_g);
        d_unit = fma(member, vec4f(f[at + n] * center_weight[n]), d_unit);
      }`,
      )}
    }
    representatives[channel] = d_g * over_size;
    d_centers[channel] = (d_unit - centers[channel] * centerScale * total_length) * centerScale;
    centers[channel] = centers[channel] * centerScale;
  }
  workgroupBarrier();
  ${unrolled(
    strips,
    (i) => `${poolText(i)}
  let center_part${i} = member${i} * (d_cosine${i} * scale${i});
  let own_part${i} = d_cosine${i} * own${i} * scale${i} * scale${i};
  let value_part${i} = member${i} + pool${i};`,
  )}
  for (var channel = 0u; channel < ${channels}; channel++) {
    let center = centers[channel];
    let d_center = d_centers[channel];
    let d_g = representatives[channel];
    let at = first + channel * ${points} + lane;
    ${unrolled(6, storeText)}
    if (lane == 0) {
      let last = at + ${points - 1};
      ${storeText(6)}
    }
  }
}`;

function storeText(i: number): string {
  const at = pointOf(i);
  return `d_f[${at}] = dot(center_part${i}, center) + dot(pool${i}, d_center) - f[${at}] * own_part${i};
    d_v[${at}] = dot(value_part${i}, d_g);`;
}

const sumText = `${declarations({ partial: "vec2f", d_alpha: "var f32", d_beta: "var f32" })}
@compute @workgroup_size(1)
fn main() {
  var sum = vec2f();
  for (var i = 0u; i < ${groups}; i += 4) {
    sum += partial[i] + partial[i + 1] + partial[i + 2] + partial[i + 3];
  }
  d_alpha[0] = sum.x;
  d_beta[0] = sum.y;
}`;
