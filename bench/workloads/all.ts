/** All workloads in the order of the tables. */
import { adamw } from "./adamw.ts";
import { clustering, clusteringGradient, clusteringsOfLargeMaps } from "./clustering.ts";
import { matmul } from "./matmul.ts";
import { perceptron } from "./perceptron.ts";
import { groupNorm, softmax } from "./rows.ts";
import { training } from "./training.ts";
import type { Workload } from "./workload.ts";

export const workloads: readonly Workload[] = [
  matmul,
  perceptron,
  softmax,
  groupNorm,
  clustering,
  clusteringGradient,
  ...clusteringsOfLargeMaps,
  adamw,
  training,
];

/** The workload of a name. */
export function workloadOf(id: string): Workload {
  const found = workloads.find((workload) => workload.id === id);
  if (found === undefined)
    throw new Error(`there is no workload ${id}; there are ${workloads.map((w) => w.id).join(", ")}`);
  return found;
}
