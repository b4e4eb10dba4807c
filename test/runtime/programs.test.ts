/** Every program with expectations, and its gradients, on the device: how it is compiled changes nothing that comes out. */
import { describe, expect, it } from "vitest";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { shuffled } from "../fusion/shuffled.ts";
import { randomSource } from "../programs/random-source.ts";
import { suites } from "../programs/suites.ts";
import { caseGraphs, ways } from "./case-graphs.ts";
import { deviceOfTests } from "./device.ts";
import { type DeviceRun, problemsOnDevice } from "./on-device.ts";

const device = deviceOfTests();

const anyOrder: DeviceRun & { readonly title: string } = {
  title: "--fuse full, values in any order",
  fuse: "full",
  shape: kernelShapeFor("software"),
  layout: (plan) => shuffled(plan, randomSource(4)),
};

describe.each([...ways, anyOrder])("$title", (way) => {
  // All programs of a suite at once: drivers compile shaders side by side.
  it.each(suites())("$name, of $file", { timeout: 300_000 }, async ({ cases }) => {
    const found = await Promise.all(
      cases.flatMap(caseGraphs).map(async ({ title, graph, inputs, expected }) => {
        const problems = await problemsOnDevice(device(), graph, inputs, { ...way, expected });
        return problems.map((problem) => `${title}: ${problem}`);
      }),
    );
    expect(found.flat()).toEqual([]);
  });
});
