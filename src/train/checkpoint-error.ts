/**
 * What is wrong with a checkpoint.
 *
 *     error: runs/a/latest.safetensors: the file is cut short
 *       = 96 bytes of data are expected, found 20
 *       = help: go on from another checkpoint, best.safetensors perhaps
 */

/** `file`: it can't be read as a checkpoint; `names`, `shapes`: it is one of another model; `state`: its metadata are wrong. */
export type CheckpointFault = "file" | "names" | "shapes" | "state";

/** A checkpoint that can't be written or read: one line, facts, and what to do. */
export class CheckpointError extends Error {
  override readonly name = "CheckpointError";
  constructor(
    readonly file: string,
    readonly fault: CheckpointFault,
    readonly problem: string,
    readonly notes: readonly string[],
    readonly help: string,
  ) {
    super(`${file}: ${problem}`);
  }
}
