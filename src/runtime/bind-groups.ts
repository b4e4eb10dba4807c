/**
 * The bind groups of a program, kept for the buffers that it was last run with, so that a replay makes
 * nothing.
 *
 *     run(w, batch0)   makes groups      run(w, batch1)   makes groups      run(w, batch0)   makes nothing
 */
/// <reference types="@webgpu/types" />
import type { MemoryPlan } from "./memory-plan.ts";
import type { PreparedDispatch } from "./prepare.ts";
import type { OwnedBuffer } from "./session.ts";

/** By number of dispatch. */
export type GroupList = readonly GPUBindGroup[];

/** The bind groups of a program, by the buffers under its pages. */
export interface BindGroups {
  /** The groups over these buffers, if they are kept. */
  readonly find: (pages: readonly OwnedBuffer[]) => GroupList | null;
  /** Makes and keeps the groups over these buffers. */
  readonly make: (pages: readonly OwnedBuffer[]) => GroupList;
}

/**
 * So many sets of callers' buffers are remembered: batches that are filled in turn, besides weights that
 * stay.
 */
const remembered = 4;

/**
 * The bind groups of a prepared program; none is made yet. `offsets` is the buffer of its uniform bindings.
 */
export function openBindGroups(
  device: GPUDevice,
  label: string,
  plan: MemoryPlan,
  dispatches: readonly PreparedDispatch[],
  offsets: GPUBuffer | null,
): BindGroups {
  const isExternal = plan.pages.map(({ role }) => role === "input" || role === "output");
  const own = new Map<number, GPUBindGroup>();
  const recent = new Map<string, GroupList>();
  const keyOf = (pages: readonly OwnedBuffer[]): string =>
    pages
      .filter((_, page) => isExternal[page])
      .map(({ number }) => number)
      .join(" ");

  const groupOf = (dispatch: PreparedDispatch, pages: readonly OwnedBuffer[]): GPUBindGroup => {
    const known = own.get(dispatch.number);
    if (known !== undefined) return known;
    const entries = dispatch.ranges.flatMap(({ page, offset, size }, binding): GPUBindGroupEntry[] => {
      const buffer = page === null ? offsets : pages[page]?.buffer;
      return buffer == null ? [] : [{ binding, resource: { buffer, offset, size } }];
    });
    const group = device.createBindGroup({ label, layout: dispatch.compiled.layout, entries });
    if (!dispatch.ranges.some(({ page }) => page !== null && isExternal[page]))
      own.set(dispatch.number, group);
    return group;
  };

  return {
    find: (pages) => {
      const key = keyOf(pages);
      const list = recent.get(key);
      if (list === undefined) return null;
      recent.delete(key);
      recent.set(key, list);
      return list;
    },
    make: (pages) => {
      const list = dispatches.map((dispatch) => groupOf(dispatch, pages));
      const [oldest] = recent.keys();
      if (oldest !== undefined && recent.size >= remembered) recent.delete(oldest);
      recent.set(keyOf(pages), list);
      return list;
    },
  };
}
