/**
 * The device that a command runs on: `--device auto|gpu|software|interpreter|PART OF A NAME`.
 *
 *     fecit: on llvmpipe (LLVM 15.0.6, 256 bits), a software driver
 *
 * The runtime is loaded when a device is opened, so that other commands start without it.
 */
import { Option } from "commander";
import type { Device } from "../device.ts";
import {
  type FusionLevel,
  fusionLevels,
  type LayoutChoice,
  layoutChoices,
  type MemoryChoice,
  memoryChoices,
} from "../fusion/plan.ts";
import { closest } from "../lang/suggest.ts";
import type { AdapterDescription } from "../runtime/adapter.ts";
import { exit, Failure } from "./failure.ts";
import type { Terminal } from "./terminal.ts";

/** `--device`; FECIT_DEVICE is what it is when it is not given. */
export function deviceOption(terminal: Terminal): Option {
  const chosen = terminal.environment["FECIT_DEVICE"] ?? "";
  return new Option("--device <name>", "auto, gpu, software, interpreter, or part of an adapter's name")
    .default(chosen === "" ? "auto" : chosen)
    .argParser((text) => {
      if (text.trim() !== "") return text;
      throw new Failure(exit.commandWrong, "--device: a name is expected", { help: "as in `--device gpu`" });
    });
}

/** `--fuse off|map|full`. */
export function fuseOption(): Option {
  return new Option(
    "--fuse <level>",
    "off: a kernel a node; map: elementwise chains; full: everything that pays",
  )
    .default("full")
    .argParser((text): FusionLevel => {
      const level = fusionLevels.find((name) => name === text);
      if (level !== undefined) return level;
      const near = closest(text, fusionLevels);
      throw new Failure(exit.commandWrong, `--fuse ${text}: there is no such level`, {
        help: near === null ? `levels are ${fusionLevels.join(", ")}` : `did you mean ${near}?`,
      });
    });
}

/** `--memory speed|balanced|least`. */
export function memoryOption(): Option {
  return choiceOption<MemoryChoice>(
    "memory",
    "speed: nothing is computed again to save memory; balanced: what saves most, for little time; least: as much as can be " +
      "(default: balanced for a step of training, else speed)",
    memoryChoices,
  );
}

/** `--layout chosen|row-major`. */
export function layoutOption(): Option {
  return choiceOption<LayoutChoice>(
    "layout",
    "chosen: intermediates lie in memory as it suits the kernels; row-major: in the order of their axes",
    layoutChoices,
  ).default("chosen");
}

/** An option of one of several words. */
function choiceOption<Choice extends string>(
  name: string,
  description: string,
  choices: readonly Choice[],
): Option {
  return new Option(`--${name} <choice>`, description).argParser((text): Choice => {
    const choice = choices.find((one) => one === text);
    if (choice !== undefined) return choice;
    const near = closest(text, choices);
    throw new Failure(exit.commandWrong, `--${name} ${text}: there is no such choice`, {
      help: near === null ? `choices are ${choices.join(", ")}` : `did you mean ${near}?`,
    });
  });
}

/** How kernels are to be made. */
export interface KernelChoices {
  readonly fuse: FusionLevel;
  readonly layout?: LayoutChoice;
  readonly memory?: MemoryChoice;
}

/** What `--fuse`, `--layout` and `--memory` say, without what is not said. */
export function kernelOptions({ fuse, layout, memory }: KernelChoices): KernelChoices {
  return { fuse, ...(layout === undefined ? {} : { layout }), ...(memory === undefined ? {} : { memory }) };
}

/** Opens the device of a choice, says once which it is, and closes it when the step is done or has failed. */
export async function onDevice<T>(
  terminal: Terminal,
  choice: string,
  step: (device: Device) => Promise<T>,
): Promise<T> {
  const { openDevice } = await import("../node.ts");
  const device = await openDevice({
    adapter: choice,
    environment: terminal.environment,
    onWarning: (message) => terminal.err(`fecit: ${message}\n`),
    onAdapter: (adapter) => terminal.err(`fecit: on ${adapterInWords(adapter)}\n`),
  });
  try {
    return await step(device);
  } finally {
    device.close();
  }
}

/** Refuses an adapter on which nothing runs: its times would mean nothing. */
export function requireRunning({ name, kind }: AdapterDescription): void {
  if (kind !== "null") return;
  throw new Failure(exit.deviceCannot, `${name} runs nothing: there is nothing to time`, {
    help: "as in `--device software`, which every machine has",
  });
}

/** An adapter's name and what it is. */
export function adapterInWords({ name, kind }: AdapterDescription): string {
  const kinds = { hardware: "a GPU", software: "a software driver", null: "which runs nothing" } as const;
  return `${name}, ${kinds[kind]}`;
}
