/**
 * How many points an invocation computes side by side along each axis of a phase.
 *
 *     sum k. %x[i, k] * %w[j, k]      4 × 4: eight loads serve sixteen products
 *
 * An axis is worth a tile when something that is read does not depend on it. Nothing here affects what is computed.
 */
import type { Emission, Instance } from "./emission.ts";
import { readsOfMemory } from "./reads.ts";

/** What a tile is chosen for. */
export interface TileRequest {
  /** The phase's variables with the sizes of their axes. */
  readonly variables: readonly { readonly name: string; readonly size: number }[];
  readonly instances: readonly Instance[];
  /** So many tiles there should at least be, to keep all invocations busy. */
  readonly leastTiles: number;
  /** No tile may stick out over the end of its axis. */
  readonly isExact: boolean;
}

/** Points along each variable's axis. */
export function chooseTile(emission: Emission, request: TileRequest): number[] {
  const { variables, instances, leastTiles, isExact } = request;
  const { reads, loopBounds, tested } = readsOfMemory(emission, instances);
  const inLoops = reads.filter((read) => read.inReduction);
  const factors = variables.map(() => 1);
  let tiles = variables.reduce((product, { size }) => product * size, 1);
  let open = inLoops.length > 0 ? 2 : 1;
  for (let i = variables.length - 1; i >= 0 && open > 0; i--) {
    const { name, size } = variables[i]!;
    const relevant = inLoops.length > 0 ? inLoops : reads;
    const isReused = relevant.some((read) => !read.variables.has(name));
    const isUsed = reads.some((read) => read.variables.has(name));
    // Points whose loops or conditions differ have little to share.
    if (
      !isReused ||
      !isUsed ||
      loopBounds.has(name) ||
      tested.has(name) ||
      (inLoops.length === 0 && i !== variables.length - 1)
    )
      continue;
    const factor = factorFor(size, Math.floor(tiles / leastTiles), isExact ? 1 : 1.15);
    if (factor === 1) continue;
    factors[i] = factor;
    tiles = Math.ceil(tiles / factor);
    open -= 1;
  }
  return factors;
}

/** At most 4, at most `most`, and such that the tiles cover at most `waste` times the axis. */
function factorFor(size: number, most: number, waste: number): number {
  for (const factor of [4, 3, 2]) {
    if (factor > most || factor > size) continue;
    if ((Math.ceil(size / factor) * factor) / size <= waste) return factor;
  }
  return 1;
}
