/**
 * Opens an adapter in Node, by Dawn.
 *
 *     const device = await openNodeDevice({ onAdapter: ({ name, kind }) => console.error(`device: ${name} (${kind})`) });
 */
import type { AdapterDescription } from "./adapter.ts";
import { type Device, openDevice } from "./device.ts";
import { chooseAdapter } from "./node-adapters.ts";
import type { Environment } from "./node-cache-folder.ts";
import { openPatience, patienceWith } from "./node-patience.ts";

/** How a device is opened in Node. */
export interface NodeDeviceOptions {
  /**
   * Which adapter: `auto` (a GPU, else a software driver), `gpu`, `software`, `swiftshader`, `null` (runs
   * nothing, checks everything), or part of an adapter's name. The default is the environment variable
   * FECIT_DEVICE, else `auto`.
   */
  readonly adapter?: string;
  /** Hears which adapter was taken, before anything runs on it. */
  readonly onAdapter?: (adapter: AdapterDescription) => void;
  /**
   * Whether programs are planned by what was measured of the adapter before (`fecit doctor --measure`), and kernels written as tuning
   * found them; what tuning finds is then kept. The default is no with `off` in the environment variable FECIT_MEASURED, else yes.
   */
  readonly measured?: boolean;
  /** Hears of files of the cache that can't be used (default: nobody does). */
  readonly onWarning?: (message: string) => void;
  /** The variables of the process, by which the cache is found (default: `process.env`). */
  readonly environment?: Environment;
}

/**
 * Opens a device on the adapter of the choice.
 *
 * @throws {AdapterError} when there is no such adapter: with what was tried and how to install a driver.
 */
export async function openNodeDevice(options: NodeDeviceOptions = {}): Promise<Device> {
  const choice = options.adapter ?? process.env["FECIT_DEVICE"] ?? "auto";
  const { adapter, name } = await chooseAdapter(choice === "" ? "auto" : choice);
  const device = await openDevice(adapter, name, ({ kind }) => openPatience(patienceWith(kind)));
  options.onAdapter?.(device.adapter);
  return device;
}
