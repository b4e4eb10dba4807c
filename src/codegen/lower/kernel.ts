/** A group of the plan as a kernel: its grid over the workgroups, its phases in order with barriers between. */
import type { Group } from "../../fusion/plan.ts";
import type { Comprehension, ValueName, ValueType } from "../../ir/ir.ts";
import { hasColumns, withoutColumns } from "../../fusion/columns.ts";
import { emptyContext, withVariable } from "../../ir/ranges.ts";
import { dropBarriers } from "../barriers.ts";
import { deepenLoops, groupTerms } from "../deepen.ts";
import { workgroup } from "../build.ts";
import { fetchAhead } from "../fetch-ahead.ts";
import { fillAhead } from "../fill-ahead.ts";
import { jamLoops } from "../jam.ts";
import { loadEarly } from "../load-early.ts";
import { mergeLoops } from "../merge-loops.ts";
import { spreadLoads } from "../spread.ts";
import { storeEarly } from "../store-early.ts";
import { vectorise } from "../vectorise.ts";
import type { Kernel, WorkgroupArray } from "../kernel.ts";
import { arraysTouched, contains } from "../traverse.ts";
import { type Emission, freshVariableName, type Point, variable } from "./emission.ts";
import { type BlockShape, shapeAtLevel } from "./block.ts";
import { collapseAxes } from "./collapse.ts";
import { operationsIn } from "./length.ts";
import { lowerPhase } from "./phase.ts";
import { placeValues } from "./memory.ts";
import { split } from "./points.ts";
import { splitByResidues } from "./residues.ts";
import { waySharing } from "./share.ts";
import { bind, freshName, kernelName, openScopes, write } from "./scopes.ts";
import type { View } from "./view.ts";

/** What kernels are shaped for. It changes no result but by rounding. */
export interface KernelShape {
  /** Invocations of a workgroup where points are dealt over all of them. */
  readonly invocations: number;
  /** Where there would be fewer workgroups than this, they have fewer invocations, down to 8. */
  readonly leastWorkgroups?: number;
  /** Invocations of a workgroup that owns a region, at most. */
  readonly regionInvocations: number;
  /** So many invocations keep the device busy. */
  readonly busyInvocations: number;
  /** About so many evaluations of a reduction's body stand in its loop (64 if it is not given). */
  readonly bodiesInLoop?: number;
  /** So many sums of reductions inside a reduction are kept at once (16 if it is not given): the more, the fewer loads a sum. */
  readonly nestedSums?: number;
  /** So many turns of a segment sum that adds in memory are written side by side (4 if it is not given): what they load, they wait for together. */
  readonly turnsOfSegments?: number;
  /** A kernel with more operations in its text is written with fewer bodies in its loops and smaller blocks: drivers take long over long texts. */
  readonly longestText?: number;
  /** Loops that add to many sums take so many turns at once (1 if it is not given). */
  readonly turnsAtOnce?: number;
  /** Axes that a kernel goes through together are one axis to it. */
  readonly collapsesAxes?: boolean;
  /** The driver is kept from writing out loops. */
  readonly keepsLoops?: boolean;
  /** The driver stores an element of an array of vectors in device memory alone, as Vulkan's software drivers do. */
  readonly storesElements?: boolean;
  /** What a region reads later is fetched into the processor's caches before. */
  readonly fetchesAhead?: boolean;
  /** How contractions are dealt in blocks; not at all without it. */
  readonly block?: BlockShape;
  /** The size of the adapter's subgroups, where all have one size. */
  readonly subgroup?: number;
}

export interface LoweredGroup {
  readonly kernel: Kernel;
  /** The value that each buffer of the kernel stands for. */
  readonly values: readonly ValueName[];
}

/**
 * Writes a kernel. `types` has all values of the graph; `memoryOf` names the value in whose memory a value lies (itself, but for results
 * that are updated in place).
 */
export function lowerGroup(
  planned: Group,
  known: ReadonlyMap<ValueName, ValueType>,
  memoryOf: (value: ValueName) => ValueName,
  shape: KernelShape,
): LoweredGroup {
  const given = { group: planned, types: known };
  const byResidues = shape.block === undefined ? null : splitByResidues(given);
  if (byResidues !== null) {
    const { isInBlocks, ...lowered } = lowerView(byResidues, memoryOf, shape);
    if (isInBlocks) return lowered;
  }
  return lowerView(given, memoryOf, shape);
}

interface LoweredInBlocks extends LoweredGroup {
  /** Are there phases whose points are dealt in blocks? */
  readonly isInBlocks: boolean;
}

function lowerView(
  given: View,
  memoryOf: (value: ValueName) => ValueName,
  shape: KernelShape,
): LoweredInBlocks {
  const { group, types } = shape.collapsesAxes === true ? collapseAxes(given) : given;
  const { bodiesInLoop = 64, longestText = Infinity } = shape;
  const most = group.owner === "workgroup" ? longestText : onePhase * longestText;
  let written = group;
  let levels = group.phases.map(() => 0);
  let writesRuns = shape.subgroup !== undefined && group.owner === "workgroup";
  let turnsAtOnce = shape.turnsAtOnce ?? 1;
  for (;;) {
    const { kernel, single, values, lengths, runs, isDeep, isInBlocks } = lowerWith(
      written,
      types,
      memoryOf,
      shape,
      levels,
      writesRuns,
      turnsAtOnce,
    );
    const fits = operationsIn(kernel.body) <= most;
    if (!fits && isDeep) {
      turnsAtOnce >>= 1;
      continue;
    }
    if (!fits && writesRuns && (runs > 0 || hasColumns(group))) {
      writesRuns = false;
      written = withoutColumns(group);
      levels = written.phases.map(() => 0);
      continue;
    }
    // The longest phase is written shorter, until it fits or can't be.
    const [longest] = [...levels.keys()]
      .filter((i) => levels[i]! < shortestLevel && bodiesInLoop >> (2 * levels[i]!) > 1)
      .sort((a, b) => lengths[b]! - lengths[a]!);
    if (longest === undefined || fits) {
      const fetches = shape.fetchesAhead === true && group.owner === "workgroup" ? fetchAhead(single()) : [];
      return { kernel: { ...kernel, body: [...fetches, ...kernel.body] }, values, isInBlocks };
    }
    levels[longest]! += 1;
  }
}

/** A kernel of one phase has its text in one piece, which costs compilers more than the same in several: it has this part of the length. */
const onePhase = 0.72;

/** At each level a phase has a quarter of the bodies in its loops that it has at the one before, and half the nested sums and rows of blocks. */
const shortestLevel = 4;

/** Sums of reductions inside a reduction that are kept at once in any phase. */
const fewestNestedSums = 16;

/** A kernel as it is written at some levels of its phases. */
interface LoweredAtLevels extends LoweredInBlocks {
  /** The kernel with loads and stores of single elements only, a turn of its loops at a time. */
  readonly single: () => Kernel;
  /** Operations in the text of each phase. */
  readonly lengths: readonly number[];
  /** Loops that are written out because their turns are a run in memory. */
  readonly runs: number;
  /** Are there loops that take several turns at once? */
  readonly isDeep: boolean;
}

function lowerWith(
  group: Group,
  types: ReadonlyMap<ValueName, ValueType>,
  memoryOf: (value: ValueName) => ValueName,
  shape: KernelShape,
  levels: readonly number[],
  writesRuns: boolean,
  turnsAtOnce: number,
): LoweredAtLevels {
  const scopes = openScopes();
  const memory = placeValues(group, types, memoryOf, (hint) => freshName(scopes, hint));
  const emission: Emission = {
    scopes,
    storages: memory.storages,
    types,
    computed: new Map(group.inlined),
    instances: new Map(),
    taken: new Set(),
    shared: new Set(),
    uses: new Map(),
    ranges: new Map(),
    context: emptyContext,
    loops: [],
    isAhead: false,
    tile: new Map(),
    lane: new Set(),
    sharing: null,
    overwrites: false,
    stored: null,
    columns: new Set(),
    held: new Map(),
    sides: null,
    staging: null,
    exchanges: new Map(),
    tiles: [],
    nextId: 0,
    bodiesInLoop: 0,
    nestedSums: 0,
    turnsOfSegments: shape.turnsOfSegments ?? 4,
    cleared: new Set(),
    runs: writesRuns ? 0 : null,
  };
  const nodes = group.phases.flatMap((phase) => phase.nodes);
  const region = openRegion(emission, group, nodes[0]!);
  const regions = group.grid.reduce((product, n) => product * n, 1);
  const invocations = invocationsOf(group, regions, memory.arrays, shape);
  let extent = { workgroups: regions, invocations };
  const isSubgroup = shape.subgroup === invocations;
  const statements = scopes.open[0]!.statements;
  let isInBlocks = false;
  const lengths = group.phases.map((phase, i) => {
    const before = operationsIn(statements);
    emission.bodiesInLoop = Math.max(1, (shape.bodiesInLoop ?? 64) >> (2 * levels[i]!));
    emission.nestedSums = Math.max(fewestNestedSums, (shape.nestedSums ?? 0) >> levels[i]!);
    const block =
      shape.block === undefined ? null : shapeAtLevel(shape.block, levels[i]!, group.owner === "workgroup");
    if (phase.afterBarrier) write(scopes, { kind: "barrier" });
    // Nodes of earlier phases are stored by now; those of later ones are not read.
    const own = lowerPhase(
      emission,
      phase,
      { ...region, gridOf: (node) => group.gridOf.get(node.name) ?? [] },
      group.owner === "workgroup"
        ? {
            invocations,
            leastWorkgroups: 1,
            over: "workgroup",
            leastTiles: Math.min(invocations, Math.ceil(shape.busyInvocations / regions)),
            // A workgroup is one row of lanes, as it is where points are dealt in rows.
            block: isSubgroup && block?.lanes === invocations && block.laneRows === 1 ? block : null,
            isSubgroup,
            sharing: waySharing(invocations, isSubgroup, group.sharesTurns),
          }
        : {
            invocations,
            leastWorkgroups: shape.leastWorkgroups ?? 1,
            over: "all",
            leastTiles: shape.busyInvocations,
            block,
            isSubgroup: false,
            sharing: null,
          },
    );
    isInBlocks ||= own.isInBlocks;
    if (group.owner === "invocation") extent = own.extent;
    return operationsIn(statements) - before;
  });
  const stored = arraysTouched(statements).written;
  const plain: Kernel = {
    name: kernelName(group.name),
    nodes: nodes.map((node) => node.name),
    origins: [
      ...new Map(
        nodes.flatMap(({ origin }) => (origin === null ? [] : [[JSON.stringify(origin), origin] as const])),
      ).values(),
    ],
    ...extent,
    ...(shape.keepsLoops === true ? { keepsLoops: true } : {}),
    ...(shape.storesElements === true ? { storesElements: true } : {}),
    ...(contains(statements, ({ kind }) => kind === "exchange") ? { subgroup: invocations } : {}),
    buffers: memory.buffers,
    workgroupArrays: [...memory.arrays.filter(({ name }) => stored.has(name)), ...emission.tiles],
    body: statements,
  };
  const joined = jamLoops(dropBarriers(plain));
  const jammed = shape.keepsLoops === true ? mergeLoops(joined) : joined;
  const deep = turnsAtOnce > 1 ? deepenLoops(jammed, turnsAtOnce) : jammed;
  const isDeep = deep !== jammed;
  const spreadOut = (kernel: Kernel): Kernel =>
    shape.subgroup === undefined ? kernel : spreadLoads(kernel, shape.subgroup);
  const spread = spreadOut(deep);
  // What lanes load at once is also loaded so from workgroup memory where a region's blocks are.
  const shared = shape.subgroup === undefined ? emission.tiles : spread.workgroupArrays;
  const tiles = new Set(shared.map(({ name }) => name));
  const vectors = vectorise(spread, tiles);
  const grouped = turnsAtOnce > 1 ? groupTerms(vectors) : vectors;
  return {
    kernel: shape.keepsLoops === true ? storeEarly(grouped) : fillAhead(loadEarly(grouped)),
    single: () => (isDeep ? spreadOut(jammed) : spread),
    values: memory.values,
    lengths,
    runs: emission.runs ?? 0,
    isDeep,
    isInBlocks,
  };
}

/** A workgroup that owns a region has so many invocations, if it has work for them, even where fewer would keep the device busy. */
const fewestInRegion = 64;

/** And one for so many bytes of its memory, of which a processor has only enough for so many workgroups. */
const bytesOfInvocation = 64;

/** The invocations of a workgroup: as many as its largest phase has points, but no more than keep the device busy. */
function invocationsOf(
  group: Group,
  regions: number,
  arrays: readonly WorkgroupArray[],
  shape: KernelShape,
): number {
  if (group.owner === "invocation") return shape.invocations;
  if (group.lanes !== null) return Math.min(group.lanes, shape.regionInvocations);
  const most = Math.max(...group.phases.map((phase) => phase.axes.reduce((product, n) => product * n, 1)));
  const bytes = arrays.reduce((sum, { length }) => sum + 4 * length, 0);
  const fewest = Math.max(fewestInRegion, bytes / bytesOfInvocation);
  let invocations = 8;
  while (
    invocations < most &&
    invocations < shape.regionInvocations &&
    (invocations < fewest || invocations * regions < shape.busyInvocations)
  )
    invocations *= 2;
  return Math.min(invocations, shape.regionInvocations);
}

function openRegion(
  emission: Emission,
  group: Group,
  first: Comprehension,
): { point: Point; names: readonly string[] } {
  const point = new Map();
  const axes = group.gridOf.get(first.name) ?? [];
  const places = split(workgroup, group.grid);
  const names = group.grid.map((size, g) => {
    const name = freshVariableName(emission, axes[g]!);
    emission.ranges.set(name, { lo: 0, hi: size - 1 });
    emission.context = withVariable(emission.context, name, { lo: 0, hi: size - 1 });
    point.set(name, variable(emission, name, bind(emission.scopes, places[g]!, name)));
    return name;
  });
  return { point, names };
}
