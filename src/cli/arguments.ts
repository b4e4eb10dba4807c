/**
 * The arguments of `run`, `NAME=VALUE`: a number, `true`, `@FILE`, or how it is to be made (`normal`, `init`,
 * …).
 *
 * First their shapes tell the function's dimensions; then, compiled, the shapes tell what is still to be
 * made.
 */
import { type ArrayType, type NumberArray } from "../formats/array.ts";
import { readNpy } from "../formats/npy.ts";
import { readSafetensors } from "../formats/safetensors.ts";
import { ArgumentError, showShape, tensorsOf, type Value, valueOf } from "../host-value.ts";
import { isFloat } from "../ir/ir.ts";
import { keyOfSeed } from "../lang/elaborate/init.ts";
import { type Shape, shapeLeaves } from "../lang/elaborate/shape.ts";
import { closest } from "../lang/suggest.ts";
import { showType, type Type } from "../lang/types.ts";
import type { Compiled } from "../module.ts";
import { matchCheckpoint, some } from "./checkpoint.ts";
import { splitAdvice } from "./device-failure.ts";
import { exit, Failure, fileFailure } from "./failure.ts";
import { isFolder, readBytes } from "./files.ts";
import { generate, isMadeBy, madeBy, type MadeBy } from "./generate.ts";
import type { Terminal } from "./terminal.ts";

/** What is given for one argument. */
export type Given =
  | { readonly kind: "number"; readonly value: number }
  | { readonly kind: "boolean"; readonly value: boolean }
  | { readonly kind: "made"; readonly by: MadeBy | "init" }
  /**
   * `shape` is as far as the file tells it: bounds are not known. The arrays are by the paths of the shape's
   * leaves.
   */
  | {
      readonly kind: "file";
      readonly file: string;
      readonly shape: Shape;
      readonly arrays: ReadonlyMap<string, NumberArray>;
    };

/** `x=@x.npy alpha=1.5` as a map. */
export function splitArguments(words: readonly string[]): Map<string, string> {
  const given = new Map<string, string>();
  for (const word of words) {
    const at = word.indexOf("=");
    const name = word.slice(0, at);
    if (at < 1 || at === word.length - 1) {
      throw new Failure(exit.commandWrong, `\`${word}\` is not NAME=VALUE`, {
        help: "as in `x=@x.npy`, `v=normal`, `alpha=1.5`; options begin with `--`",
      });
    }
    if (given.has(name))
      throw new Failure(exit.commandWrong, `${name} is given twice`, { help: "give it once" });
    given.set(name, word.slice(at + 1));
  }
  return given;
}

interface NamedType {
  readonly name: string;
  readonly type: string;
}

/** Every name given must be known, and every one that is known must be given. */
export function matchNames(given: Iterable<string>, params: readonly NamedType[], owner: string): void {
  const names = params.map((p) => p.name);
  const words = new Set(given);
  for (const name of words) {
    if (names.includes(name)) continue;
    const near = closest(name, names);
    const list = names.length === 0 ? "it has no arguments" : `its arguments are ${names.join(", ")}`;
    throw new Failure(exit.commandWrong, `\`${owner}\` has no argument \`${name}\``, {
      help: near === null ? list : `did you mean \`${near}\`?`,
    });
  }
  const missing = params.filter((p) => !words.has(p.name));
  if (missing.length === 0) return;
  const are = missing.length === 1 ? "an argument is" : "arguments are";
  throw new Failure(exit.commandWrong, `${are} not given: ${missing.map((p) => p.name).join(", ")}`, {
    notes: missing.map((p) => `${p.name}: ${p.type}`),
    help: `give ${missing.length === 1 ? "it" : "them"}, as in \`${missing.map(exampleOf).join(" ")}\``,
  });
}

const exampleOf = ({ name, type }: NamedType): string => `${name}=${exampleFor(type)}`;

function exampleFor(type: string): string {
  if (/^f(32|16)$/.test(type)) return "1.0";
  if (/^f(32|16)\[/.test(type)) return "normal";
  // Tuples and lists of tensors: integers can't be normal.
  if (/^[([]/.test(type) && !/[A-Z]/.test(type))
    return /i32|u32|bool|idx|key/.test(type) ? "uniform" : "normal";
  return /^(i32|u32|bool|idx|key)/.test(type) ? "uniform" : "init";
}

const number = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i;
const special: ReadonlyMap<string, number> = new Map([
  ["inf", Infinity],
  ["+inf", Infinity],
  ["-inf", -Infinity],
  ["nan", NaN],
]);

/** Understands what is given for an argument of a type; reads its file. */
export function understand(terminal: Terminal, name: string, text: string, type: Type): Given {
  if (text.startsWith("@")) return readGiven(terminal, name, text.slice(1), type);
  if (text === "true" || text === "false") return { kind: "boolean", value: text === "true" };
  if (number.test(text) || special.has(text))
    return { kind: "number", value: special.get(text) ?? Number(text) };
  if (text === "init" || isMadeBy(text)) return { kind: "made", by: text };
  const near = closest(text, madeBy);
  throw new Failure(exit.commandWrong, `${name}=${text}: \`${text}\` is not a value`, {
    help:
      near === null
        ? `a value is a number, @FILE, or one of ${madeBy.join(", ")}`
        : `did you mean \`${near}\`?`,
  });
}

/** The shape of what is given, as far as it is known before compiling; null where it is to be made. */
export function shapeOfGiven(given: Given, type: Type): Shape | null {
  switch (given.kind) {
    case "file":
      return given.shape;
    case "number":
    case "boolean":
      return isKey(type) ? { kind: "tensor", element: { scalar: "u32", bound: null }, shape: [2] } : null;
    case "made":
      return null;
  }
}

/** The value for a parameter of a compiled function. */
export function valueFor(given: Given, compiled: Compiled, name: string, shape: Shape, seed: number): Value {
  switch (given.kind) {
    case "file":
      return valueOfFile(given, name, shape);
    case "boolean":
    case "number":
      return literalFor(given.value, name, shape);
    case "made":
      if (given.by !== "init") return generate(given.by, shape, name, seed);
      if (!holdsStruct(shape)) {
        throw new Failure(
          exit.commandWrong,
          `${name}=init: ${name} is ${showShape(shape)}, and only structs say how they are drawn`,
          {
            help: `as in \`${name}=${exampleFor(showShape(shape))}\``,
          },
        );
      }
      return orFailure(exit.inputWrong, () => compiled.init(name, seed));
  }
}

function holdsStruct(shape: Shape): boolean {
  if (shape.kind === "tuple" || shape.kind === "list") return shape.items.some(holdsStruct);
  return shape.kind === "struct";
}

function literalFor(value: number | boolean, name: string, shape: Shape): Value {
  if (typeof value === "number" && isKeyShape(shape)) {
    if (Number.isSafeInteger(value) && value >= 0) {
      const { data } = keyOfSeed(value);
      return { type: "u32", shape: [2], data };
    }
    throw new Failure(exit.commandWrong, `${name}=${value}: the number of a key is a whole number from 0`, {
      help: `as in \`${name}=7\``,
    });
  }
  if (shape.kind !== "tensor" || shape.shape.length > 0) {
    throw new Failure(exit.commandWrong, `${name}=${value}: ${name} is ${showShape(shape)}, not one number`, {
      help: `as in \`${name}=${exampleFor(showShape(shape))}\`, or \`${name}=@FILE\``,
    });
  }
  const isTruth = shape.element.scalar === "bool" && (value === 0 || value === 1);
  const literal = isTruth ? value === 1 : value;
  return orFailure(exit.commandWrong, () => {
    tensorsOf(literal, shape, name);
    return literal;
  });
}

function readGiven(terminal: Terminal, name: string, file: string, type: Type): Given {
  const isTensor = type.kind === "tensor";
  const ending = isTensor ? ".npy" : ".safetensors";
  const expected = `a ${ending} file is expected for ${showType(type)}`;
  if (isFolder(terminal, file)) {
    throw new Failure(exit.commandWrong, `${name}=@${file}: it is a directory, ${expected}`, {
      help: `name a file in it, as in \`${name}=@${file.replace(/\/+$/, "")}/${name}${ending}\``,
    });
  }
  if (/\.(pt|pth)$/i.test(file)) {
    throw new Failure(exit.commandWrong, `${name}=@${file}: it is a file of PyTorch's, ${expected}`, {
      help: isTensor
        ? `save it in Python: \`numpy.save("${name}.npy", torch.load("${file}").numpy())\``
        : `save it in Python: \`safetensors.torch.save_file(torch.load("${file}"), "${name}.safetensors")\``,
    });
  }
  if (!file.toLowerCase().endsWith(ending)) {
    throw new Failure(exit.commandWrong, `${name}=@${file}: ${expected}`, {
      help: isTensor
        ? "write it with `numpy.save(path, array)`"
        : "write it with `safetensors.numpy.save_file(arrays, path)`",
    });
  }
  const bytes = readBytes(terminal, file);
  try {
    if (isTensor) {
      const array = readNpy(bytes);
      const shape: Shape = { kind: "tensor", element: { scalar: "f32", bound: null }, shape: array.shape };
      return { kind: "file", file, shape, arrays: new Map([["", array]]) };
    }
    const { shape, arrays, unused } = matchCheckpoint(type, readSafetensors(bytes).arrays, file);
    if (unused.length > 0) {
      terminal.err(`fecit: ${file}: not used: ${some(unused)}\n`);
    }
    return { kind: "file", file, shape, arrays };
  } catch (error) {
    throw error instanceof Failure ? error : fileFailure(file, error, "read");
  }
}

function valueOfFile(given: Extract<Given, { kind: "file" }>, name: string, shape: Shape): Value {
  const tensors = shapeLeaves(shape).flatMap(({ path: own, leaf }) => {
    const path = own === "" ? name : `${name}.${own}`;
    const array = given.arrays.get(own);
    if (array === undefined)
      throw new Failure(exit.inputWrong, `${given.file} lacks ${own}: ${showShape(leaf)}`);
    if (!fits(array.type, leaf)) {
      throw new Failure(
        exit.inputWrong,
        `${given.file}: ${path} has elements of type ${array.type}, ${showShape(leaf)} is expected`,
        {
          help: `convert it, as in \`array.astype("${numpyTypes[leaf.element.scalar]}")\``,
        },
      );
    }
    return orFailure(
      exit.inputWrong,
      () => {
        if (leaf.shape.join() !== array.shape.join()) {
          throw new ArgumentError(
            `${path}: expected ${showShape(leaf)}, found the shape [${array.shape.join(", ")}]`,
          );
        }
        return tensorsOf({ type: leaf.element.scalar, shape: array.shape, data: array.data }, leaf, path);
      },
      given.file,
    );
  });
  return valueOf(shape, tensors.values());
}

const numpyTypes = { f32: "<f4", f16: "<f2", i32: "<i4", u32: "<u4", bool: "?" } as const;

/** May an array of a file stand for this tensor? Floats for floats, integers for integers. */
function fits(type: ArrayType, { element: { scalar } }: Extract<Shape, { kind: "tensor" }>): boolean {
  if (isFloat(scalar)) return ["f64", "f32", "f16", "bf16"].includes(type);
  return scalar === "bool" ? type === "bool" : /^[iu]\d/.test(type);
}

function isKey(type: Type): boolean {
  return showType(type) === "key";
}

function isKeyShape(shape: Shape): boolean {
  return (
    shape.kind === "tensor" &&
    shape.element.scalar === "u32" &&
    shape.shape.length === 1 &&
    shape.shape[0] === 2
  );
}

function orFailure<T>(code: 1 | 2, step: () => T, file: string | null = null): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof ArgumentError)) throw error;
    const { message, advice } = splitAdvice(error.message);
    throw new Failure(code, file === null ? message : `${file}: ${message}`, { help: advice });
  }
}
