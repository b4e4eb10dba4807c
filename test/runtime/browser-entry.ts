/**
 * What the page of the browser test loads: the runtime's browser entry, behind functions that take and give
 * plain data.
 *
 *     await fecit.run(program, [[1, 2], [3, 4]])   →   { adapter: "google swiftshader", outputs: [[4, 6]], memory: 0 }
 */
import type { Program } from "../../src/codegen/program.ts";
import { openBrowserDevice } from "../../src/runtime/browser.ts";

export interface BrowserRun {
  readonly adapter: string;
  readonly outputs: readonly (readonly number[])[];
  /** Bytes of tensors that are left when the scope of the run has ended. */
  readonly tensorBytes: number;
}

/** Runs a program once on the browser's adapter. */
export async function run(program: Program, args: readonly (readonly number[])[]): Promise<BrowserRun> {
  const device = await openBrowserDevice();
  try {
    const executable = await device.load(program);
    const outputs = await device.scope(async () => {
      const tensors = await executable.run(args);
      return Promise.all(tensors.map(async (tensor) => [...(await tensor.read())]));
    });
    return { adapter: device.adapter.name, outputs, tensorBytes: device.memory().tensors };
  } finally {
    device.close();
  }
}

/** The name and message of the error that a run ends with. */
export async function failure(program: Program, args: readonly (readonly number[])[]): Promise<string> {
  return run(program, args).then(
    () => "no error",
    (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : String(error)),
  );
}
