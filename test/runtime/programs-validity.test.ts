/**
 * Every program with expectations, and its gradients, loads and runs on Dawn's null backend, which computes nothing and finds every fault
 * in a shader or a call: with the limits that WebGPU promises everywhere, and with all that an adapter has.
 */
/// <reference types="@webgpu/types" />
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compileGraph } from "../../src/codegen/compile.ts";
import { limitNames } from "../../src/runtime/adapter.ts";
import { type Device, openDevice } from "../../src/runtime/device.ts";
import { chooseAdapter } from "../../src/runtime/node-adapters.ts";
import { suites } from "../programs/suites.ts";
import { caseGraphs, ways } from "./case-graphs.ts";

const kinds = [
  { limits: "the default limits", isDefault: true, ways },
  // Where only more is allowed, the longest kernels have all the faults that there are.
  { limits: "the adapter's limits", isDefault: false, ways: ways.slice(-1) },
];

describe.each(kinds)("with $limits", ({ isDefault, ways: tested }) => {
  let device: Device;
  beforeAll(async () => {
    const { adapter } = await chooseAdapter("null");
    device = await openDevice(isDefault ? await withDefaultLimits(adapter) : adapter);
  });
  afterAll(() => device.close());

  it("opens a device", () => {
    const { maxStorageBuffersPerShaderStage, maxComputeWorkgroupStorageSize } = device.adapter.limits;
    const found = [maxStorageBuffersPerShaderStage, maxComputeWorkgroupStorageSize];
    if (isDefault) expect(found).toEqual([8, 16384]);
    else expect(found[1]).toBeGreaterThanOrEqual(16384);
  });

  describe.each(tested)("$title", ({ fuse, shape }) => {
    it.each(suites())("$name, of $file", async ({ cases }) => {
      const faults = await Promise.all(
        cases.flatMap(caseGraphs).map(async ({ title, graph, inputs }) => {
          const { program } = compileGraph(graph, { fuse, shape, updates: [] });
          try {
            const executable = await device.load(program);
            const outputs = await executable.run(
              graph.params.map(({ name }) => Float64Array.from(inputs[name]!.data)),
            );
            await device.finished();
            outputs.forEach((output) => output.free());
            executable.free();
            return [];
          } catch (error) {
            return [`${title}: ${error instanceof Error ? error.message : String(error)}`];
          }
        }),
      );
      expect(faults.flat()).toEqual([]);
    });
  });
});

/** The adapter, as if it had no more than every adapter has. */
async function withDefaultLimits(adapter: GPUAdapter): Promise<GPUAdapter> {
  const { adapter: other } = await chooseAdapter("null");
  const device = await other.requestDevice();
  const limits = Object.fromEntries(limitNames.map((name) => [name, device.limits[name]]));
  device.destroy();
  const requestDevice = (): Promise<GPUDevice> => adapter.requestDevice();
  return { features: new Set(), info: adapter.info, limits, requestDevice } as unknown as GPUAdapter;
}
