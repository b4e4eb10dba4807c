/** Options that several commands have: `--dim b=2,n=49`, `--seed 7`. */
import { Option } from "commander";
import type { FunctionInfo, Program } from "../lang/program.ts";
import { closest } from "../lang/suggest.ts";
import { largestDim } from "../module.ts";
import { exit, Failure } from "./failure.ts";

/** What `--reassociate` does, for `--help`. */
export const reassociateHelp =
  "take sums before linear maps, factor them, and order products of products, where that is cheaper; moves roundings";

/** `--dim`, which may be given several times. */
export function dimOption(description: string): Option {
  return new Option("--dim <dims>", description)
    .argParser(collectDims)
    .default(new Map<string, number>(), "none");
}

/** `b=2,n=49`; given again, the option adds to what it had. */
function collectDims(text: string, before: ReadonlyMap<string, number>): Map<string, number> {
  const dims = new Map(before);
  for (const part of text.split(",")) {
    const found = /^\s*([A-Za-z_]\w*)\s*=\s*(\d{1,15}(?:e\+?\d{1,2})?)\s*$/i.exec(part);
    if (found === null) {
      throw new Failure(exit.commandWrong, `--dim ${text}: \`${part.trim()}\` is not NAME=NUMBER`, {
        help: "as in `--dim b=2,n=49`; a dimension is a whole number from 0",
      });
    }
    const [, name, value] = found as unknown as [string, string, string];
    if (Number(value) > largestDim) {
      throw new Failure(exit.commandWrong, `--dim ${name}=${value}: a dimension is at most ${largestDim}`);
    }
    const other = dims.get(name);
    if (other !== undefined && other !== Number(value)) {
      throw new Failure(exit.commandWrong, `--dim gives ${name} twice, as ${other} and as ${value}`, {
        help: "give it once",
      });
    }
    dims.set(name, Number(value));
  }
  return dims;
}

/** The function of that name in the main file; which there are, when there is none. */
export function functionNamed(program: Program, name: string): FunctionInfo {
  const top = program.main.exports.get(name);
  if (top?.kind === "function") return top;
  const names = [...program.main.exports.values()].filter((t) => t.kind === "function").map((t) => t.name);
  const near = closest(name, names);
  const what =
    top === undefined ? `has no function \`${name}\`` : `has \`${name}\` as a ${top.kind}, not as a function`;
  const list = names.length === 0 ? "it declares no functions" : `its functions are ${names.join(", ")}`;
  throw new Failure(exit.commandWrong, `${program.main.file.name} ${what}`, {
    help: near === null ? list : `did you mean \`${near}\`?`,
  });
}

/** Every dimension given must be one of the function's. */
export function knowDims(info: FunctionInfo, dims: ReadonlyMap<string, number>): void {
  const known = [...info.dims.keys()];
  for (const name of dims.keys()) {
    if (known.includes(name)) continue;
    const near = closest(name, known);
    const list = known.length === 0 ? "it has none" : `its dimensions are ${known.join(", ")}`;
    throw new Failure(exit.commandWrong, `--dim ${name}: \`${info.name}\` has no such dimension`, {
      help: near === null ? list : `did you mean ${near}?`,
    });
  }
}

/** Every dimension of the function must be known by now. */
export function needDims(info: FunctionInfo, dims: ReadonlyMap<string, number>): void {
  const missing = [...info.dims.keys()].filter((name) => !dims.has(name));
  if (missing.length === 0) return;
  const are = missing.length === 1 ? "dimension is" : "dimensions are";
  throw new Failure(exit.commandWrong, `the ${are} not given: ${missing.join(", ")}`, {
    help: `give ${missing.length === 1 ? "it" : "them"}: \`--dim ${missing.join("=…,")}=…\``,
  });
}

/** A seed: a whole number from 0. */
export function parseSeed(text: string): number {
  const seed = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(seed)) return seed;
  throw new Failure(exit.commandWrong, `--seed ${text}: a whole number from 0 to 2^53 - 1 is expected`, {
    help: "as in `--seed 7`",
  });
}

/** A whole number from 1. */
export function parseCount(option: string): (text: string) => number {
  return (text) => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= 1 && count <= largestDim) return count;
    throw new Failure(exit.commandWrong, `${option} ${text}: a whole number from 1 is expected`, {
      help: `as in \`${option} 8\``,
    });
  };
}
