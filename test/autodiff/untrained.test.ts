/** Parameters that no gradient reaches, as against those whose gradient is zero. */
import { describe, expect, it } from "vitest";
import { differentiateTraining } from "../../src/autodiff/untrained.ts";
import { simplify } from "../../src/ir/rewrite/simplify.ts";
import type { Specialised } from "../../src/lang/elaborate/specialise.ts";
import { carriedBy, trainingStep } from "../../src/training-step.ts";
import { compileFunction, programOf, verified } from "../programs/compile.ts";

const struct = "struct P {\n  a: f32[3]\n  b: f32[3]\n}\n";

function untrainedIn(loss: string, rest = ""): string[] {
  const text = `${struct}${rest}
fn loss(p: P, x: f32[3]) -> f32 = ${loss}
fn f(p: P, x: f32[3]) -> P = grad(loss)(p, x)`;
  const { graph } = compileFunction(programOf(text), "f", { dims: new Map() });
  return [...differentiateTraining(graph).untrained];
}

describe("a gradient does not reach", () => {
  it.each([
    ["what is not used", "sum[i] p.a[i] * x[i]"],
    ["what only chooses", "p.a[argmax[i] p.b[i] * x[i]]"],
    ["what only decides", "sum[i] if p.b[i] > 0.0 then p.a[i] else x[i]"],
    ["what is stopped", "sum[i] p.a[i] * stop_gradient(p.b[i])"],
  ])("%s", (_, loss) => expect(untrainedIn(loss)).toEqual(["p.b"]));
});

describe("a gradient reaches", () => {
  it.each([
    ["what is multiplied by 0", "sum[i] p.a[i] + 0.0 * p.b[i]"],
    ["what a branch that is not taken uses", "sum[i] if x[i] > 1e9 then p.b[i] else p.a[i]"],
    ["what a loop uses in its turns", "fold s = p.a[0] for t: 300 -> 0.5 * s + 0.01 * p.b[t % 3]"],
    ["what another value that is chosen depends on", "(max[i] p.b[i]) + sum[i] p.a[i]"],
  ])("%s", (_, loss) => expect(untrainedIn(loss)).toEqual([]));
});

it("a parameter is trained if one of several gradients reaches it", () => {
  const text = `${struct}
fn one(p: P) -> f32 = sum[i] p.a[i] ^ 2
fn other(p: P) -> f32 = sum[i] p.b[i] ^ 2
fn f(p: P) -> (P, P) = (grad(one)(p), grad(other)(p))`;
  const { graph } = compileFunction(programOf(text), "f", { dims: new Map() });
  expect([...differentiateTraining(graph).untrained]).toEqual([]);
});

describe("a step of training", () => {
  const text = `use optim.{Moments, adamw, ema}
struct P {
  w: f32[3]
  inner: Q
}
struct Q {
  w: f32[3]
}
fn loss(p: P, x: f32[3]) -> f32 = sum[i] p.w[argmax[k] p.inner.w[k] * x[k]] * x[i]
fn f(p: P, s: Moments[P], average: P, lr: f32, x: f32[3]) -> (P, Moments[P], P, f32) {
  let (l, g) = value_and_grad(loss)(p, x)
  let (next, moments) = adamw(p, g, s, 0, lr, 0.9, 0.999, 1e-8, 0.1, false)
  (next, moments, ema(average, next, 0.9), l)
}`;
  const compiled = (): Specialised => compileFunction(programOf(text), "f", { dims: new Map() });

  it("carries its parameters, and what else is a struct of its results, each tensor for a parameter", () => {
    expect(carriedBy(compiled())).toEqual([
      { param: "p.w", result: 0, of: "p.w" },
      { param: "p.inner.w", result: 1, of: "p.inner.w" },
      { param: "s.m.w", result: 2, of: "p.w" },
      { param: "s.m.inner.w", result: 3, of: "p.inner.w" },
      { param: "s.v.w", result: 4, of: "p.w" },
      { param: "s.v.inner.w", result: 5, of: "p.inner.w" },
      { param: "average.w", result: 6, of: "p.w" },
      { param: "average.inner.w", result: 7, of: "p.inner.w" },
    ]);
  });

  it("returns what is carried for a parameter without a gradient as it is", () => {
    const { graph } = trainingStep(compiled());
    const simple = verified(simplify(verified(graph)));
    const params = new Set(simple.params.map(({ name }) => name));
    expect(simple.results.map((name) => (params.has(name) ? name : null))).toEqual([
      null,
      "p.inner.w",
      null,
      "s.m.inner.w",
      null,
      "s.v.inner.w",
      null,
      "average.inner.w",
      null,
    ]);
  });
});
