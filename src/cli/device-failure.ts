/**
 * Errors of the runtime, of code generation and of the data's readers as what they are on the command line: a message with help.
 *
 *     error: no adapter for the device choice "gpu"
 *       = tried llvmpipe (vulkan): it was not asked for
 *       = help: for a GPU install its vendor's Vulkan driver; …
 */
import { BindingError } from "../codegen/bindings.ts";
import { ArgumentError } from "../host-value.ts";
import {
  AdapterError,
  CommandError,
  DeviceLostError,
  LimitError,
  OutOfMemoryError,
  ShaderError,
  TensorError,
} from "../runtime/errors.ts";
import { CheckpointError } from "../train/checkpoint-error.ts";
import { DataError } from "../train/data/data-error.ts";
import { exit, type ExitCode, Failure } from "./failure.ts";

/** A class of errors, whose fault they are, and how they read. */
interface ErrorRule {
  readonly is: (error: Error) => boolean;
  readonly code: ExitCode;
  /** What to do, where the message does not end with it after a semicolon. */
  readonly help?: string;
}

const rules: readonly ErrorRule[] = [
  { is: (error) => error instanceof LimitError, code: exit.deviceCannot },
  { is: (error) => error instanceof OutOfMemoryError, code: exit.deviceCannot },
  { is: (error) => error instanceof DeviceLostError, code: exit.deviceCannot },
  { is: (error) => error instanceof ShaderError, code: exit.deviceCannot },
  { is: (error) => error instanceof CommandError, code: exit.deviceCannot },
  {
    is: (error) => error instanceof BindingError,
    code: exit.deviceCannot,
    help: "fuse less: `--fuse map`, or choose an adapter that binds more",
  },
  { is: (error) => error instanceof TensorError, code: exit.inputWrong },
  { is: (error) => error instanceof ArgumentError, code: exit.inputWrong },
];

/** The failure that an error means for its user; null for one that should never be seen. */
export function failureOf(error: unknown): Failure | null {
  if (!(error instanceof Error)) return null;
  if (error instanceof AdapterError)
    return new Failure(exit.deviceCannot, `no adapter for the device choice "${error.choice}"`, {
      notes: error.tried.map((line) => `tried ${line}`),
      help: `${error.advice}; or run with \`--device interpreter\`, where a command has it`,
    });
  if (error instanceof DataError || error instanceof CheckpointError)
    return new Failure(exit.inputWrong, error.message, error);
  const rule = rules.find(({ is }) => is(error));
  if (rule === undefined) return null;
  const [text, ...rest] = error.message.split("\n").filter((line) => line.trim() !== "");
  const { message, advice } = splitAdvice(text ?? error.name);
  return new Failure(rule.code, message, { notes: rest, help: rule.help ?? advice });
}

/** The runtime's messages end with what to do, after a semicolon; one in brackets is that of a list, `[f32[2]; 3]`. */
export function splitAdvice(text: string): { readonly message: string; readonly advice: string | null } {
  const at = text.search(/; (?![^[\]]*\])/);
  return at < 0
    ? { message: text, advice: null }
    : { message: text.slice(0, at), advice: text.slice(at + 2) };
}
