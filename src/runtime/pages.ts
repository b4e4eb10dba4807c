/**
 * The buffers under a program's pages: those that its executable keeps from loading on, and the caller's,
 * which a call brings.
 *
 *     kept: constants, intermediates, staged copies, offsets      brought: inputs, outputs
 */
import type { Program } from "../codegen/program.ts";
import type { ValueName } from "../ir/ir.ts";
import { type MemoryPlan, bytesOf } from "./memory-plan.ts";
import type { StagingCopy } from "./record.ts";
import type { OwnedBuffer, Session } from "./session.ts";
import { bufferUsage } from "./usage.ts";

/** What an executable holds of its pages. */
export interface KeptPages {
  /** By page number; null where the buffer is the caller's. */
  readonly pages: readonly (OwnedBuffer | null)[];
  /** What the uniform bindings hold; null when there is none. */
  readonly offsets: OwnedBuffer | null;
  readonly free: () => void;
}

/**
 * Allocates what the executable keeps, and uploads constants and offsets.
 *
 * @throws {OutOfMemoryError | DeviceLostError}
 */
export async function allocateKept(
  session: Session,
  program: Program,
  plan: MemoryPlan,
  offsets: Uint32Array<ArrayBuffer>,
): Promise<KeptPages> {
  const label = `program ${program.name}`;
  const { storage, uniform, copySource, copyDestination } = bufferUsage;
  const kept = plan.pages.flatMap(({ role }, page) => (role === "input" || role === "output" ? [] : [page]));
  const requests = kept.map((page) => ({
    label: `${label}, ${plan.pages[page]?.role} memory`,
    size: plan.pages[page]?.bytes ?? 0,
    usage: storage | copySource | copyDestination,
  }));
  const withOffsets =
    offsets.length === 0
      ? requests
      : [
          ...requests,
          { label: `${label}, offsets`, size: offsets.byteLength, usage: uniform | copyDestination },
        ];
  const owned = await session.allocate("executables", withOffsets, `loading ${label}`);

  const byPage = new Map(kept.map((page, i) => [page, owned[i]]));
  const pages = plan.pages.map((_, page) => byPage.get(page) ?? null);
  for (const { name, role, data } of program.values) {
    const place = plan.places.get(name);
    const target = place === undefined ? null : (pages[place.page] ?? null);
    if (role !== "constant" || data === null || place === undefined || target === null) continue;
    session.device.queue.writeBuffer(target.buffer, place.offset, ownBytes(data));
  }
  const offsetBuffer = owned[requests.length] ?? null;
  if (offsetBuffer !== null) session.device.queue.writeBuffer(offsetBuffer.buffer, 0, offsets);
  return { pages, offsets: offsetBuffer, free: () => owned.forEach(session.release) };
}

/** The queue takes no memory that is shared between threads. */
function ownBytes(data: Float32Array | Int32Array | Uint32Array): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

/** The buffer of every page, with those of a call's inputs and outputs. */
export function pageBuffers(
  plan: MemoryPlan,
  kept: KeptPages,
  brought: ReadonlyMap<ValueName, OwnedBuffer>,
): readonly OwnedBuffer[] {
  const byPage = new Map<number, OwnedBuffer>();
  for (const [name, buffer] of brought) {
    const place = plan.places.get(name);
    if (place !== undefined && isBrought(plan, place.page)) byPage.set(place.page, buffer);
  }
  return plan.pages.flatMap((_, page) => kept.pages[page] ?? byPage.get(page) ?? []);
}

function isBrought(plan: MemoryPlan, page: number): boolean {
  const role = plan.pages[page]?.role;
  return role === "input" || role === "output";
}

/**
 * The copies around a call for inputs and outputs that don't lie in their caller's buffers: staged ones, and
 * constants that are outputs.
 */
export function stagingCopies(
  program: Program,
  plan: MemoryPlan,
  brought: ReadonlyMap<ValueName, OwnedBuffer>,
  pages: readonly OwnedBuffer[],
): { readonly before: readonly StagingCopy[]; readonly after: readonly StagingCopy[] } {
  const inputs = new Set(program.inputs);
  const updated = new Set(program.updated);
  const before: StagingCopy[] = [];
  const after: StagingCopy[] = [];
  for (const { name, shape } of program.values) {
    const place = plan.places.get(name);
    const buffer = brought.get(name)?.buffer;
    const page = place === undefined ? undefined : pages[place.page]?.buffer;
    if (place === undefined || buffer === undefined || page === undefined || page === buffer) continue;
    const bytes = bytesOf(shape);
    const [own, inPage] = [
      { buffer, offset: 0 },
      { buffer: page, offset: place.offset },
    ];
    if (inputs.has(name)) before.push({ from: own, to: inPage, bytes });
    if (!inputs.has(name) || updated.has(name)) after.push({ from: inPage, to: own, bytes });
  }
  return { before, after };
}
