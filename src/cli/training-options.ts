/**
 * Options that the commands of training share, and what their texts are.
 *
 *     --model fec_mini --weights runs/a/best.safetensors --batch 64 --lr 0.003
 */
import { existsSync } from "node:fs";
import { relative } from "node:path";
import { Option } from "commander";
import { ArgumentError } from "../host-value.ts";
import { loadModel, type Model, modelNames, type ModelOptions } from "../model.ts";
import { datasetNames } from "../train/data/open.ts";
import { type NumberSetting, problemWith } from "../train/settings.ts";
import { deviceOption } from "./device.ts";
import { exit, Failure } from "./failure.ts";
import { pathOf, type Terminal } from "./terminal.ts";

/** A number that is a setting of training; `flag` as in `--lr <rate>`. Refused when it is none or out of its range. */
export function settingOption(flag: string, setting: NumberSetting, description: string): Option {
  const name = flag.split(" ")[0]!;
  return new Option(flag, description).argParser((text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    const problem = problemWith(setting, value);
    if (problem === null) return value;
    throw new Failure(exit.commandWrong, `${name} ${text}: ${problem}`, {
      help: `as in \`${name} ${examples[setting]}\``,
    });
  });
}

const examples: Readonly<Record<NumberSetting, string>> = {
  size: "32",
  epochs: "4",
  batch: "32",
  learningRate: "0.003",
  warmUp: "100",
  weightDecay: "0.05",
  labelSmoothing: "0.1",
  dropPath: "0.1",
  cropPadding: "2",
  seed: "7",
};

/** `--device` of commands that run models, which the interpreter would take hours for. */
export function modelDeviceOption(terminal: Terminal): Option {
  const option = deviceOption(terminal).argParser((text) => {
    if (text.trim() !== "" && text !== "interpreter") return text;
    throw new Failure(exit.commandWrong, `--device ${text}: models run on adapters only`, {
      help: "as in `--device software`, which every machine has",
    });
  });
  option.description = "auto, gpu, software, or part of an adapter's name";
  return option;
}

/** `--model`. */
export function modelOption(): Option {
  return new Option("--model <name>", modelNames.join(", "));
}

/** The model of a name, compiled as `options` say. A name that there is not is refused with the nearest one. */
export function modelNamed(name: string, options: ModelOptions = {}): Model {
  try {
    return loadModel(name, options);
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const [message, help] = error.message.split("; ");
    throw new Failure(exit.commandWrong, `--model ${name}: ${message}`, { help: help ?? null });
  }
}

/** A positive number of something that may be a fraction. */
export function parsePositive(option: string): (text: string) => number {
  return (text) => {
    const value = text.trim() === "" ? Number.NaN : Number(text);
    if (value > 0 && value < Infinity) return value;
    throw new Failure(exit.commandWrong, `${option} ${text}: a number above 0 is expected`, {
      help: `as in \`${option} 5\``,
    });
  };
}

/** A data set as `openDataset` takes it: its name, or the whole path of a folder. What is neither stays, for the message. */
export function dataPath(terminal: Terminal, data: string): string {
  const path = pathOf(terminal, data);
  return !datasetNames.includes(data) && existsSync(path) ? path : data;
}

/** A path as one would write it from here. */
export function shownPath(terminal: Terminal, path: string): string {
  const short = relative(terminal.directory, path);
  return short === "" || short.startsWith("..") ? path : short;
}
