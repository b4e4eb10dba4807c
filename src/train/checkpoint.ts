/**
 * Checkpoints: parameters, the optimiser's moments and the state of a run in one safetensors file. Parameters go by their official
 * names, so that a checkpoint is also a file of weights.
 *
 *     norm.weight f32[320]   optimizer.m.norm.weight f32[320]   optimizer.v.norm.weight f32[320]   metadata: step 1200 …
 */
import { readFile } from "node:fs/promises";
import { FormatError, type NumberArray } from "../formats/array.ts";
import { readSafetensors, writeSafetensors } from "../formats/safetensors.ts";
import { CheckpointError } from "./checkpoint-error.ts";
import { readState, stateMetadata, type TrainingState } from "./checkpoint-state.ts";
import { reasonOf } from "./file-reason.ts";
import { writeWholeFile } from "./whole-file.ts";

export type Arrays = ReadonlyMap<string, NumberArray>;

export interface Checkpoint {
  /** By official names. */
  readonly parameters: Arrays;
  /** By the name of the moment (`m`, `v`), then by the parameter's name. */
  readonly optimizer: ReadonlyMap<string, Arrays>;
  /** Null for a file of weights that no run has written. */
  readonly state: TrainingState | null;
}

const optimizerName = /^optimizer\.([^.]+)\.(.+)$/;

/** Writes a checkpoint; whoever reads the file meanwhile, or after a crash, finds the old or the new one. Throws `CheckpointError`. */
export async function writeCheckpoint(file: string, checkpoint: Checkpoint): Promise<void> {
  const { parameters, optimizer, state } = checkpoint;
  const arrays = new Map(parameters);
  for (const [moment, values] of optimizer) {
    for (const [name, array] of values) arrays.set(`optimizer.${moment}.${name}`, array);
  }
  try {
    await writeWholeFile(file, writeSafetensors(arrays, state === null ? {} : stateMetadata(state)));
  } catch (error) {
    throw new CheckpointError(
      file,
      "file",
      `it can't be written: ${reasonOf(error)}`,
      [],
      "make room, or choose another place",
    );
  }
}

/** Reads a checkpoint, or any safetensors file of weights. Throws `CheckpointError`. */
export async function readCheckpoint(file: string): Promise<Checkpoint> {
  const { arrays, metadata } = await readArrays(file);
  const parameters = new Map<string, NumberArray>();
  const optimizer = new Map<string, Map<string, NumberArray>>();
  for (const [name, array] of arrays) {
    const [, moment, parameter] = optimizerName.exec(name) ?? [];
    if (moment === undefined || parameter === undefined) {
      parameters.set(name, array);
      continue;
    }
    const values = optimizer.get(moment) ?? new Map<string, NumberArray>();
    optimizer.set(moment, values.set(parameter, array));
  }
  return { parameters, optimizer, state: readState(metadata, file) };
}

async function readArrays(file: string): Promise<ReturnType<typeof readSafetensors>> {
  try {
    return readSafetensors(await readFile(file));
  } catch (error) {
    if (error instanceof FormatError) {
      throw new CheckpointError(file, "file", error.message, error.notes, error.help);
    }
    throw new CheckpointError(file, "file", `it can't be read: ${reasonOf(error)}`, [], "check the path");
  }
}
