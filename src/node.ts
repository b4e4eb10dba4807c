/**
 * The part of the public face that needs Node: opening an adapter of this machine. Everything else is in "fecit".
 *
 *     import { load } from "fecit";
 *     import { openDevice } from "fecit/node";
 *
 *     const device = await openDevice();                    // a GPU, else a software driver; FECIT_DEVICE chooses another
 */
import { type Device, withCompiler } from "./device.ts";
import { type NodeDeviceOptions, openNodeDevice } from "./runtime/node.ts";

export type { NodeDeviceOptions };

/**
 * Opens an adapter of this machine.
 *
 * @throws {AdapterError} when there is none of the choice: with what was tried and how to install a driver.
 */
export async function openDevice(options: NodeDeviceOptions = {}): Promise<Device> {
  return withCompiler(await openNodeDevice(options));
}
