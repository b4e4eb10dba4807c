/** The text of a plan, and its decisions as the plan has them in the end. */
import { describe, expect, it } from "vitest";
import { planGraph } from "../../src/fusion/planner.ts";
import { printPlan } from "../../src/fusion/print.ts";
import { verdictsOf } from "../../src/fusion/verdicts.ts";
import { parseGraph } from "../../src/ir/parse.ts";

const softmax = parseGraph(`graph softmax(%x: f32[6, 4]) -> (%y) {
  %m : f32[6] = for i<6. max k<4. %x[i, k]
  %e : f32[6, 4] = for i<6, k<4. exp(%x[i, k] - %m[i])
  %s : f32[6] = for i<6. sum k<4. %e[i, k]
  %y : f32[6, 4] = for i<6, k<4. %e[i, k] / %s[i]
}`);

describe("printPlan", () => {
  it("without fusion has a kernel for every node", () => {
    expect(printPlan(planGraph(softmax, "off"))).toMatchInlineSnapshot(`
      "kernel m over points, dealt to invocations
        phase 0, 6 points
          m[6] → device

      kernel e over points, dealt to invocations
        phase 0, 6 × 4 points
          e[6, 4] → device

      kernel s over points, dealt to invocations
        phase 0, 6 points
          s[6] → device

      kernel y over points, dealt to invocations
        phase 0, 6 × 4 points
          y[6, 4] → device
      "
    `);
  });

  it("names kernels, phases, barriers, where values live, and why", () => {
    const text = printPlan(planGraph(softmax, "full"));
    expect(text).toMatch(/^kernel y over /);
    expect(text).toMatch(/\n {2}phase 0, .*points\n/);
    expect(text).toMatch(/\n {4}y\[6, 4\] → device\n/);
    expect(text).toMatch(/\ndecisions\n(?: {2}\S+ (?:with|apart from) \S+ \(\w+\): .+\n)+$/);
  });

  it("shows loops with what they repeat", () => {
    const text = printPlan(
      planGraph(
        parseGraph(`graph g(%x: f32[3]) -> (%r) {
  %r: f32[3] = loop t<9 carry (%c = %x -> %n) {
    %n: f32[3] = for i<3. %c[i] * 2.0
  }
}`),
        "full",
      ),
    );
    expect(text).toContain("loop t<9\n  kernel n over points");
  });
});

describe("verdictsOf", () => {
  it("has one decision for each producer and consumer", () => {
    const plan = planGraph(softmax, "full");
    const verdicts = verdictsOf(plan);
    const pairs = verdicts.map(({ producer, consumer }) => `${producer} ${consumer}`);
    expect([...pairs].sort()).toEqual(
      [...new Set(plan.decisions.map((d) => `${d.producer} ${d.consumer}`))].sort(),
    );
    for (const { fused, placement, reason } of verdicts) {
      expect(reason).not.toBe("");
      if (placement === "inline" || placement === "workgroup") expect(fused).toBe(true);
    }
  });

  it("is apart on the device without fusion", () => {
    for (const { fused, placement } of verdictsOf(planGraph(softmax, "off")))
      expect({ fused, placement }).toEqual({ fused: false, placement: "device" });
  });
});
