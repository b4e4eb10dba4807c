/**
 * Places blocks of memory in pages so that blocks that are alive at once never overlap: largest first, each
 * in the tightest gap.
 *
 *     a: 8 bytes, steps 0–1    b: 4 bytes, steps 1–2    c: 8 bytes, steps 2–3
 *     page 0:  [ a, later c | b ]
 *
 * Largest first is the greedy by size of Pisarchyk and Lee, "Efficient memory management for deep neural net
 * inference" (2020).
 */
import { type Lifetime, livesMeet } from "./lifetimes.ts";

/** A block to be placed. */
export interface Block {
  readonly name: string;
  readonly bytes: number;
  /** Null when it is alive all the time. */
  readonly life: Lifetime | null;
  /** The names of blocks that must lie in other pages. */
  readonly apart: ReadonlySet<string>;
}

/** Where a block lies. */
export interface Placed {
  readonly page: number;
  readonly offset: number;
  readonly bytes: number;
}

/** Where all blocks lie. */
export interface Packing {
  /** Bytes of each page. */
  readonly pages: readonly number[];
  readonly placed: ReadonlyMap<string, Placed>;
}

interface PlacedBlock extends Block {
  readonly offset: number;
}

/** Offsets and page sizes are multiples of this: a binding of any device may start there. */
export const alignment = 256;

/** Bytes, rounded up to the alignment. */
export function aligned(bytes: number): number {
  return Math.ceil(bytes / alignment) * alignment;
}

/**
 * Packs blocks into as few pages of at most `capacity` bytes as the greedy order finds. Each block fits a
 * page by itself.
 */
export function pack(blocks: readonly Block[], capacity: number): Packing {
  const pages: PlacedBlock[][] = [];
  const placed = new Map<string, Placed>();
  const largestFirst = blocks
    .map((block, order) => ({ block, order }))
    .sort((a, b) => b.block.bytes - a.block.bytes || a.order - b.order)
    .map(({ block }) => block);
  for (const block of largestFirst) {
    const page = pages.findIndex((others) => offsetIn(others, block, capacity) !== null);
    const number = page === -1 ? pages.push([]) - 1 : page;
    const others = pages[number] ?? [];
    const offset = offsetIn(others, block, capacity) ?? 0;
    others.push({ ...block, offset });
    placed.set(block.name, { page: number, offset, bytes: block.bytes });
  }
  const ends = pages.map((page) => Math.max(...page.map(({ offset, bytes }) => offset + aligned(bytes))));
  return { pages: ends, placed };
}

/**
 * The start of the smallest gap of a page in which a block fits, or null when it may not lie in that page.
 */
function offsetIn(page: readonly PlacedBlock[], block: Block, capacity: number): number | null {
  if (page.some((other) => other.apart.has(block.name) || block.apart.has(other.name))) return null;
  const meeting = page
    .filter((other) => other.life === null || block.life === null || livesMeet(other.life, block.life))
    .sort((a, b) => a.offset - b.offset);
  const size = aligned(block.bytes);
  let best: { readonly offset: number; readonly gap: number } | null = null;
  let free = 0;
  for (const { offset, bytes } of meeting) {
    const gap = offset - free;
    if (gap >= size && (best === null || gap < best.gap)) best = { offset: free, gap };
    free = Math.max(free, offset + aligned(bytes));
  }
  if (best !== null) return best.offset;
  return free + size <= capacity ? free : null;
}
