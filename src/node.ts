/**
 * The part of the public face that needs Node: opening an adapter of this machine. Everything else is in "fecit".
 *
 *     import { load } from "fecit";
 *     import { openDevice } from "fecit/node";
 *
 *     const device = await openDevice();                    // a GPU, else a software driver; FECIT_DEVICE chooses another
 */
import { type Device, type Knowledge, withCompiler } from "./device.ts";
import type { AdapterDescription } from "./runtime/adapter.ts";
import { openChoices } from "./runtime/node-choices.ts";
import { ceilingsOf } from "./runtime/node-ceilings.ts";
import { type NodeDeviceOptions, openNodeDevice } from "./runtime/node.ts";

export type { NodeDeviceOptions };

/**
 * Opens an adapter of this machine.
 *
 * @throws {AdapterError} when there is none of the choice: with what was tried and how to install a driver.
 */
export async function openDevice(options: NodeDeviceOptions = {}): Promise<Device> {
  const device = await openNodeDevice(options);
  return withCompiler(device, knowledgeOf(device.adapter, options));
}

/** What was measured of an adapter before; nothing where it is not wanted. */
function knowledgeOf(
  adapter: AdapterDescription,
  { measured, onWarning: warn = () => {}, environment = process.env }: NodeDeviceOptions,
): Knowledge {
  if (!(measured ?? environment["FECIT_MEASURED"] !== "off")) return {};
  return { rates: ceilingsOf(adapter, environment), choices: openChoices(adapter, { environment, warn }) };
}
