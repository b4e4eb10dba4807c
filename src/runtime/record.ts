/**
 * Records a prepared program into command encoders and submits them.
 *
 *     dispatch, dispatch, copy, dispatch   →   pass { dispatch, dispatch }, copy, pass { dispatch }, one submission
 */
/// <reference types="@webgpu/types" />
import type { Offset } from "../codegen/program.ts";
import type { PreparedCopy, PreparedDispatch, PreparedStep } from "./prepare.ts";

/** The buffers under one recording. */
export interface RecordedMemory {
  /** By page. */
  readonly pages: readonly GPUBuffer[];
  /** By number of dispatch. */
  readonly bindGroups: readonly GPUBindGroup[];
}

/** A copy between buffers around the program's steps: staged inputs before, staged outputs after. */
export interface StagingCopy {
  readonly from: { readonly buffer: GPUBuffer; readonly offset: number };
  readonly to: { readonly buffer: GPUBuffer; readonly offset: number };
  readonly bytes: number;
}

/** How a program is recorded. */
export interface RecordOptions {
  readonly label: string;
  /** So many dispatches at most go into one submission. */
  readonly dispatchesPerSubmit: number;
  /** When set, every dispatch has a pass of its own, with these timestamps. */
  readonly timestamps: ((dispatch: PreparedDispatch) => GPUComputePassTimestampWrites) | null;
  readonly before: readonly StagingCopy[];
  readonly after: readonly StagingCopy[];
}

/**
 * A program's first submission has no more dispatches than this, each further one twice as many as the one before: the device begins while
 * the rest is being recorded.
 */
const firstDispatches = 16;

/** Records all steps and submits them; what was submitted runs in order. */
export function submitSteps(
  device: GPUDevice,
  steps: readonly PreparedStep[],
  memory: RecordedMemory,
  { label, dispatchesPerSubmit, timestamps, before, after }: RecordOptions,
): void {
  let encoder = device.createCommandEncoder({ label });
  let pass: GPUComputePassEncoder | null = null;
  let pipeline: GPUComputePipeline | null = null;
  let dispatches = 0;
  let most = Math.min(firstDispatches, dispatchesPerSubmit);
  const turns = new Map<string, number>();

  const endPass = (): void => {
    pass?.end();
    pass = null;
    pipeline = null;
  };
  const submit = (): void => {
    endPass();
    device.queue.submit([encoder.finish()]);
    dispatches = 0;
    most = Math.min(2 * most, dispatchesPerSubmit);
  };
  const dispatch = (step: PreparedDispatch): void => {
    if (dispatches === most) {
      submit();
      encoder = device.createCommandEncoder({ label });
    }
    if (timestamps !== null) endPass();
    pass ??= encoder.beginComputePass(
      timestamps === null ? { label } : { label, timestampWrites: timestamps(step) },
    );
    if (pipeline !== step.compiled.pipeline) pass.setPipeline(step.compiled.pipeline);
    pipeline = step.compiled.pipeline;
    pass.setBindGroup(0, memory.bindGroups[step.number]);
    pass.dispatchWorkgroups(...step.workgroups);
    dispatches++;
  };
  const copy = ({ from, to, bytes, fromOffset, toOffset }: PreparedCopy): void => {
    const [source, target] = [memory.pages[from.page], memory.pages[to.page]];
    if (bytes === 0 || source === undefined || target === undefined) return;
    endPass();
    const fromByte = from.offset + byteOffset(fromOffset, turns);
    encoder.copyBufferToBuffer(source, fromByte, target, to.offset + byteOffset(toOffset, turns), bytes);
  };
  const walk = (step: PreparedStep): void => {
    switch (step.kind) {
      case "dispatch":
        return dispatch(step);
      case "copy":
        return copy(step);
      case "loop":
        for (let turn = 0; turn < step.count; turn++) {
          turns.set(step.turn, turn);
          step.steps.forEach(walk);
        }
        turns.delete(step.turn);
        return;
    }
  };
  const stage = ({ from, to, bytes }: StagingCopy): void => {
    encoder.copyBufferToBuffer(from.buffer, from.offset, to.buffer, to.offset, bytes);
  };

  before.forEach(stage);
  steps.forEach(walk);
  endPass();
  after.forEach(stage);
  submit();
}

function byteOffset({ constant, turn, perTurn }: Offset, turns: ReadonlyMap<string, number>): number {
  return 4 * (constant + (turn === null ? 0 : perTurn * (turns.get(turn) ?? 0)));
}

/** How many dispatches the steps make, turns of loops included. */
export function countDispatches(steps: readonly PreparedStep[]): number {
  return steps.reduce((total, step) => {
    switch (step.kind) {
      case "dispatch":
        return total + 1;
      case "copy":
        return total;
      case "loop":
        return total + step.count * countDispatches(step.steps);
    }
  }, 0);
}
