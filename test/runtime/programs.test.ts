/** Every program with expectations, and its gradients, on the device: how it is compiled changes nothing that comes out. */
import { describe, expect, it } from "vitest";
import { suites } from "../programs/suites.ts";
import { caseGraphs, ways } from "./case-graphs.ts";
import { deviceOfTests } from "./device.ts";
import { problemsOnDevice } from "./on-device.ts";

const device = deviceOfTests();

describe.each(ways)("$title", (way) => {
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
