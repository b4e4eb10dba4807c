/**
 * W5 by hand, one kernel: a workgroup takes one group, 32 channels of 7 × 7 points with centers from 2 × 2 overlapping windows. All
 * four centers of a channel are one vec4f. Centers and representatives are in workgroup memory.
 *
 *     centers ─ barrier ─ similarities, nearest centers ─ barrier ─ representatives ─ barrier ─ output
 */
import type { AdapterDescription } from "../../src/runtime/adapter.ts";
import { similarityScale } from "../workloads/clustering.ts";
import { declarations, type HandProgram, unrolled } from "./program.ts";

export const [groups, channels, side, points] = [2048, 32, 7, 49] as const;

/** On a processor 8 lanes, one vector, hold 7 points each in registers; on a GPU each of 64 lanes has one point. */
export function clusteringProgram(adapter: AdapterDescription): HandProgram {
  const code = adapter.kind === "software" ? eightLanes() : lanePerPoint;
  return {
    kernels: [{ code, buffers: ["f", "v", "out"], workgroups: [groups, 1, 1] }],
    sizes: { out: groups * channels * points },
    results: ["out"],
  };
}

/** Adds the row `row` of a channel up by windows: `upper` and `lower` hold (left, right). The elements stay in e0 … e6. */
const poolRow = (source: string): string => `
  let at = first + channel * ${points} + row * ${side};
  ${unrolled(side, (i) => `let e${i} = ${source}[at + ${i}];`, " ")}
  let halves = vec2f(e0 + e1 + e2 + e3, e3 + e4 + e5 + e6);
  upper += select(vec2f(), halves, row <= 3);
  lower += select(vec2f(), halves, row >= 3);`;

/** (1, 0, 0, 0) for the center 0, and so on. */
export const membership = (center: string): string => `vec4f(vec4u(${center}) == vec4u(0, 1, 2, 3))`;

/** The means of f over the windows, for one channel. */
export const centersText = `
  var upper = vec2f();
  var lower = vec2f();
  for (var row = 0u; row < ${side}; row++) {${poolRow("f")}
  }
  centers[channel] = vec4f(upper, lower) / 16.0;`;

/** The representatives of one channel: members and the center's own value, over 1 + their number. */
export const representativesText = `
  var upper = vec2f();
  var lower = vec2f();
  var sum = vec4f();
  var size = vec4f(1.0);
  for (var row = 0u; row < ${side}; row++) {${poolRow("v")}
    ${unrolled(
      side,
      (i) =>
        `{ let member = ${membership(`nearest[row * ${side} + ${i}]`)}; size += member; sum = fma(vec4f(e${i}), member, sum); }`,
    )}
  }
  representatives[channel] = (sum + vec4f(upper, lower) / 16.0) / size;`;

/** The first of the largest of four, and the similarity to it. `number` is put behind the names. */
export const nearestText = (score: string, number: string | number): string => `
  var center${number} = 0u;
  var best${number} = ${score}.x;
  ${[1, 2, 3]
    .map(
      (m) =>
        `if (${score}[${m}] > best${number}) { best${number} = ${score}[${m}]; center${number} = ${m}u; }`,
    )
    .join("\n  ")}
  let s${number} = 1.0 / (1.0 + exp(-best${number}));`;

const { alpha, beta } = similarityScale;

/** Lane l has the points l, l + 8, …, l + 48; the last is there for lane 0 only, and the others look at it as well. */
export const lanes = 8;
export const strips = 7;
export const pointOf = (i: number): string => (i < 6 ? `at + ${lanes * i}` : "last");

/** What W5 and W6 have in common, up to the representatives. `keep` and `keepChannel` say what else W6 remembers. */
export function forwardText(keep: (i: number) => string = () => "", keepChannel = ""): string {
  return `
  let first = group.x * ${channels * points};
  for (var q = 0u; q < ${channels / lanes}; q++) { let channel = q * ${lanes} + lane;${centersText} }
  workgroupBarrier();
  var square = vec4f();
  ${unrolled(strips, (i) => `var length${i} = 0.0; var dot${i} = vec4f();`)}
  for (var channel = 0u; channel < ${channels}; channel++) {
    let center = centers[channel];
    square = fma(center, center, square);
    let at = first + channel * ${points} + lane;
    let last = first + channel * ${points} + ${points - 1};
    ${unrolled(
      strips,
      (i) =>
        `{ let e = f[${pointOf(i)}]; length${i} = fma(e, e, length${i}); dot${i} = fma(vec4f(e), center, dot${i}); }`,
    )}
  }
  let centerScale = 1.0 / max(sqrt(square), vec4f(1e-12));
  ${unrolled(
    strips,
    (i) => `
  let scale${i} = 1.0 / max(sqrt(length${i}), 1e-12);
  let cosine${i} = dot${i} * centerScale * scale${i};
  let score${i} = cosine${i} * ${alpha} + ${beta};${nearestText(`score${i}`, i)}
  let member${i} = ${membership(`center${i}`)}${i < 6 ? "" : " * select(0.0, 1.0, lane == 0)"};
  nearest[${lanes * i} + lane] = center${i};
  ${keep(i)}`,
  )}
  workgroupBarrier();
  for (var q = 0u; q < ${channels / lanes}; q++) {
    let channel = q * ${lanes} + lane;${representativesText}
    ${keepChannel}
  }
  workgroupBarrier();`;
}

export const sharedText = `
var<workgroup> centers: array<vec4f, ${channels}>;
var<workgroup> representatives: array<vec4f, ${channels}>;
var<workgroup> nearest: array<u32, ${lanes * strips}>;`;

export const entryText = (workgroup: number): string => `
@compute @workgroup_size(${workgroup})
fn main(@builtin(local_invocation_id) own: vec3u, @builtin(workgroup_id) group: vec3u) {
  let lane = own.x;`;

const declared = declarations({ f: "f32", v: "f32", out: "var f32" });

const eightLanes = (): string => `${declared}${sharedText}${entryText(lanes)}${forwardText()}
  ${unrolled(strips, (i) => `let weight${i} = member${i} * s${i};`)}
  for (var channel = 0u; channel < ${channels}; channel++) {
    let representative = representatives[channel];
    let at = first + channel * ${points} + lane;
    ${unrolled(6, (i) => `out[${pointOf(i)}] = dot(representative, weight${i});`)}
    if (lane == 0) { out[at + ${points - 1}] = dot(representative, weight6); }
  }
}`;

const lanePerPoint = `${declared}
var<workgroup> centers: array<vec4f, ${channels}>;
var<workgroup> representatives: array<vec4f, ${channels}>;
var<workgroup> nearest: array<u32, 64>;${entryText(64)}
  let first = group.x * ${channels * points};
  if (lane < ${channels}) { let channel = lane;${centersText} }
  workgroupBarrier();
  var square = vec4f();
  var length = 0.0;
  var product = vec4f();
  let point = min(lane, ${points - 1});
  for (var channel = 0u; channel < ${channels}; channel++) {
    let center = centers[channel];
    square = fma(center, center, square);
    let e = f[first + channel * ${points} + point];
    length = fma(e, e, length);
    product = fma(vec4f(e), center, product);
  }
  let cosine = product / max(sqrt(square), vec4f(1e-12)) / max(sqrt(length), 1e-12);
  let score = cosine * ${alpha} + ${beta};${nearestText("score", "")}
  nearest[lane] = center;
  workgroupBarrier();
  if (lane < ${channels}) { let channel = lane;${representativesText} }
  workgroupBarrier();
  if (lane < ${points}) {
    let weight = ${membership("center")} * s;
    for (var channel = 0u; channel < ${channels}; channel++) {
      out[first + channel * ${points} + lane] = dot(representatives[channel], weight);
    }
  }
}`;
