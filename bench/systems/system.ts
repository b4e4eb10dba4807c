/** A system under measurement: it takes a workload and its inputs, and gives a call that can be repeated. */
import type { SystemName } from "../measurement.ts";
import type { Call } from "../timing.ts";
import type { Arrays, Workload } from "../workloads/workload.ts";

export interface Prepared {
  /** One call: inputs are where the system computes, results stay there and are waited for. */
  readonly call: Call;
  /** The results of one more call, flat, in the order of the workload's. A system may leave out some at the end, where it says so. */
  readonly results: () => Promise<readonly ArrayLike<number>[]>;
  /** It leaves out results, so only those that it gives are compared. */
  readonly isPartial?: boolean;
}

/** Null when the system has no form of the workload. */
export type System = (workload: Workload, inputs: Arrays) => Promise<Prepared | null>;

/** The systems; those of the peers are plain JavaScript, since their types are not installed with this package. */
const files: Readonly<Record<SystemName, string>> = {
  hand: "hand.ts",
  ours: "fecit.ts",
  reassociated: "fecit-reassociated.ts",
  off: "fecit-off.ts",
  jax: "jax.mjs",
  tfjs: "tensorflow.mjs",
  onnx: "onnx.mjs",
  "onnx-web": "onnx-web.mjs",
};

export async function loadSystem(name: SystemName): Promise<System> {
  const loaded = (await import(new URL(files[name], import.meta.url).href)) as { readonly prepare: System };
  return loaded.prepare;
}
