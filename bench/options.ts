/** The command line of the measurements: `npm run bench -- --help`. */
import { Command, InvalidArgumentError } from "commander";
import { systems, type SystemName } from "./measurement.ts";
import { workloads } from "./workloads/all.ts";

export interface Options {
  readonly workloads: readonly string[];
  readonly systems: readonly SystemName[];
  /** Timed calls of each, over all rounds. */
  readonly runs: number;
  /** How often the systems take turns on a workload. */
  readonly rounds: number;
  readonly device?: string;
  /** Seconds for a process. */
  readonly timeout: number;
  readonly fec: boolean;
  readonly model: string;
  readonly large: boolean;
  readonly python: string;
  readonly keepCache?: true;
  readonly out: string;
  readonly from?: string;
  readonly writeDocs?: true;
}

export function readOptions(args: readonly string[]): Options {
  const ids = workloads.map(({ id }) => id);
  const names = Object.keys(systems) as SystemName[];
  return new Command("npm run bench --")
    .description(
      "Measures fecit beside other systems and hand-written kernels, on one adapter, and prints the tables.",
    )
    .option("--workloads <list>", `of ${ids.join(", ")}; none with an empty list`, listOf(ids), ids)
    .option(
      "--systems <list>",
      `of ${names.join(", ")}; onnx-web takes most of a minute to start`,
      listOf(names),
      names.filter((name) => name !== "onnx-web"),
    )
    .option("--runs <n>", "timed calls of each, at least 10", countFrom(10), 12)
    .option("--rounds <n>", "how often the systems take turns", countFrom(1), 2)
    .option("--device <name>", "gpu, software, or part of an adapter's name")
    .option("--timeout <seconds>", "for each process, and three times that for a model", countFrom(1), 300)
    .option("--fec", "measure FEC as a whole, beside PyTorch, and no workloads unless they are named", false)
    .option("--model <name>", "the model of --fec", "fec_small")
    .option("--no-large", "with --fec: leave out the image of 800 × 1344")
    .option("--python <command>", "a Python that has PyTorch", "python3")
    .option("--keep-cache", "use the driver's cache of shaders; first calls are then not cold")
    .option("--out <file>", "where measurements are written, a line of JSON each", "bench/results.jsonl")
    .option("--from <file>", "measure nothing: print the tables of such a file")
    .option("--write-docs", "put the tables into docs/performance.md")
    .addHelpText("after", "\nExample:\n  npm run bench -- --workloads W1,W5 --systems ours,hand,jax")
    .parse(args, { from: "user" })
    .opts<Options>();
}

/** A list of names, each of those that there are. */
function listOf<Name extends string>(known: readonly Name[]): (text: string) => readonly Name[] {
  return (text) =>
    text
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "")
      .map((name) => {
        const found = known.find((k) => k.toLowerCase() === name.toLowerCase());
        if (found === undefined)
          throw new InvalidArgumentError(`there is no ${name}; there are ${known.join(", ")}.`);
        return found;
      });
}

function countFrom(least: number): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (!Number.isInteger(count) || count < least)
      throw new InvalidArgumentError(`a whole number from ${least} on is needed.`);
    return count;
  };
}
