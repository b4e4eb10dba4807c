/** A target by what was measured, and what kernels are then estimated to take. */
import { expect, test } from "vitest";
import { calibrated, type MeasuredRates } from "../../src/fusion/calibrate.ts";
import type { FusionLevel, PlanStep } from "../../src/fusion/plan.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { softwareTarget, type Target } from "../../src/fusion/target.ts";
import { graphOf, prepared } from "../programs/compile.ts";

const rates: MeasuredRates = { dispatchUs: 30, copyGBs: 2, fmaGflops: 40, globalLoadNs: 0.5 };

test("rates take the place of the kind's, all else stays", () => {
  const target = calibrated(softwareTarget, rates);
  expect(target).toEqual({
    ...softwareTarget,
    launch: expect.closeTo(30e-6) as number,
    bandwidth: 2e9,
    operations: 1e10,
    loadCost: expect.closeTo(5) as number,
  });
});

test("a load costs no less than an operation", () => {
  expect(calibrated(softwareTarget, { ...rates, globalLoadNs: 1e-9 }).loadCost).toBe(1);
});

/** The estimates of a plan's kernels, those of loops once. */
function secondsOf(steps: readonly PlanStep[]): number[] {
  return steps.flatMap((step) => (step.kind === "group" ? [step.group.seconds] : secondsOf(step.steps)));
}

test.each<FusionLevel>(["off", "map", "full"])("every kernel has an estimate, fused %s", (level) => {
  const text = `
fn scale(x: f32[n]) -> f32[n] = for i -> 2.0 * x[i] + sum[k] x[k]
fn settle(x: f32[n]) -> f32[n] = fold y = x for t: 100 -> for i -> y[i] / (1.0 + sum[k] y[k] ^ 2)
`;
  const estimate = (name: string, target: Target): number[] =>
    secondsOf(planGraph(prepared(graphOf(text, name, { n: 100_000 })), level, target).steps);
  for (const name of ["scale", "settle"]) {
    const own = estimate(name, softwareTarget);
    expect(own.length).toBeGreaterThan(0);
    for (const seconds of own) expect(seconds).toBeGreaterThan(softwareTarget.launch);
    const slow = estimate(name, { ...softwareTarget, bandwidth: 1e6, operations: 1e6 });
    expect(slow.reduce((a, b) => a + b)).toBeGreaterThan(100 * own.reduce((a, b) => a + b));
  }
});
