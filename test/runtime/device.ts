/**
 * The device of the tests: what FECIT_DEVICE names, else a software driver, which every machine has that has
 * installed the development dependencies.
 */
import { afterAll, beforeAll } from "vitest";
import type { Device } from "../../src/runtime/device.ts";
import { openNodeDevice } from "../../src/runtime/node.ts";

/** A device for the tests of a file: opened before them and closed after. */
export function deviceOfTests(): () => Device {
  let device: Device | null = null;
  beforeAll(async () => {
    device = await openTestDevice();
  });
  afterAll(() => device?.close());
  return () => {
    if (device === null) throw new Error("the device is open inside tests only");
    return device;
  };
}

export function openTestDevice(): Promise<Device> {
  return openNodeDevice({ adapter: process.env["FECIT_DEVICE"] ?? "software" });
}
