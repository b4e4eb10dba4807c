/**
 * How many points an invocation computes side by side along each axis of a phase.
 *
 *     sum k. %x[i, k] * %w[j, k]      4 × 4: eight loads serve sixteen products
 *     %x[i, j] + %b[i]                along j, 4: four elements are loaded and stored at once, and %b once
 *
 * An axis is worth a tile when something that is read does not depend on it, and when neighbours along it are neighbours in memory.
 * Nothing here affects what is computed.
 */
import type { Emission, Instance } from "./emission.ts";
import type { PhaseReads, ReadOfMemory } from "./reads.ts";

/** What a tile is chosen for. */
export interface TileRequest {
  /** The phase's variables with the sizes of their axes. */
  readonly variables: readonly { readonly name: string; readonly size: number }[];
  readonly instances: readonly Instance[];
  /** What they read. */
  readonly phaseReads: PhaseReads;
  /** So many tiles there should at least be, to keep all invocations busy. */
  readonly leastTiles: number;
  /** No tile may stick out over the end of its axis. */
  readonly isExact: boolean;
}

/** Reductions of so many turns are short. */
const fewTurns = 16;

/** A tile whose points share a smaller part of what they read is not worth its text, and puts neighbouring invocations further apart. */
const leastShared = 1 / 8;

/** At most so many axes have tiles. */
const mostAxes = 2;

/** Points along each variable's axis. */
export function chooseTile(emission: Emission, request: TileRequest): number[] {
  const { variables, instances, leastTiles, isExact } = request;
  const { reads, loopBounds, tested, turns } = request.phaseReads;
  const inLoops = reads.filter((read) => read.inReduction);
  // What short reductions read counts no more than what is read beside them.
  const relevant = inLoops.length > 0 && turns > fewTurns ? inLoops : reads;
  const factors = variables.map(() => 1);
  let tiles = variables.reduce((product, { size }) => product * size, 1);
  let open = mostAxes;
  for (let i = variables.length - 1; i >= 0 && open > 0; i--) {
    const { name, size } = variables[i]!;
    // Points whose loops or conditions differ have little to share.
    if (loopBounds.has(name) || tested.has(name)) continue;
    const isReused = sharedPart(reads, name) >= leastShared;
    const isVector = size % 4 === 0 && areNeighbours(emission, instances, relevant, name);
    if (!isReused && !isVector) continue;
    const factor = factorFor(size, Math.floor(tiles / leastTiles), isExact ? 1 : 1.15);
    if (factor === 1) continue;
    factors[i] = factor;
    tiles = Math.ceil(tiles / factor);
    open -= 1;
  }
  return factors;
}

/** What the points of tiles load, a point, in loads of an element by each invocation. */
export function loadsOfTiles(
  emission: Emission,
  { variables, instances, phaseReads }: TileRequest,
  factors: readonly number[],
): number {
  const { reads } = phaseReads;
  return reads.reduce((total, read) => {
    if (!variables.some(({ name }) => read.variables.has(name))) return total + read.times * sharedLoad;
    const loads = variables.reduce((product, { name }, i) => {
      const factor = factors[i]!;
      if (!read.variables.has(name)) return product / factor;
      const isVector =
        factor === 4 && read.strides.get(name) === 1 && areNeighbours(emission, instances, reads, name);
      return isVector ? product * vectorLoad : product;
    }, read.times);
    return total + loads;
  }, 0);
}

/** What a load costs beside one of an element by each invocation: the same element in all, and an element of a vector of four. */
export const sharedLoad = 1 / 4;
const vectorLoad = 1 / 2;

/** The part of what is read that does not depend on the variable, and so is shared by points along it; 0 where nothing depends on it. */
function sharedPart(reads: readonly ReadOfMemory[], name: string): number {
  const timesOf = (some: readonly ReadOfMemory[]): number =>
    some.reduce((total, { times }) => total + times, 0);
  const own = timesOf(reads.filter((read) => read.variables.has(name)));
  const all = timesOf(reads);
  return own === 0 ? 0 : 1 - own / all;
}

/** Are neighbours along the variable neighbours in memory, in what is read and in what is stored? */
function areNeighbours(
  emission: Emission,
  instances: readonly Instance[],
  reads: readonly ReadOfMemory[],
  name: string,
): boolean {
  const strides = [
    ...reads.map((read) => read.strides.get(name)),
    ...instances.map((instance) => storedStride(emission, instance, name)),
  ];
  return (
    strides.includes(1) && strides.every((stride) => stride === undefined || stride === 1 || stride === 0)
  );
}

/** Elements between neighbours along the variable in what the instance stores; undefined when it does not store by it. */
export function storedStride(emission: Emission, instance: Instance, name: string): number | undefined {
  const storage = emission.storages.get(instance.node.name);
  const axis = instance.indices.findIndex((index) => index?.kind === "index" && index.name === name);
  return storage === undefined || axis < 0 ? undefined : (storage.strides[axis] ?? undefined);
}

/** At most 4, at most `most`, and such that the tiles cover at most `waste` times the axis. */
function factorFor(size: number, most: number, waste: number): number {
  for (const factor of [4, 3, 2]) {
    if (factor > most || factor > size) continue;
    if ((Math.ceil(size / factor) * factor) / size <= waste) return factor;
  }
  return 1;
}
