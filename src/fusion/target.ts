/**
 * What the planner takes a device for. These are round numbers of a kind of device, the same for every adapter of the kind, so that a
 * program is planned alike on all of them. They decide what is worth it, never what is right.
 */
export interface Target {
  /** Seconds that a dispatch costs by itself. */
  readonly launch: number;
  /** Bytes of device memory a second. */
  readonly bandwidth: number;
  /** The cache that all workgroups share is so many times as fast; infinitely where computing is slower in any case. */
  readonly cacheSpeed: number;
  /** Scalar operations a second, all invocations together. */
  readonly operations: number;
  /** What a load in a reduction costs beside an operation: it mostly hits a cache. */
  readonly loadCost: number;
  /** What a load costs, beside one of its own for each invocation, that is the same for all invocations of a region. */
  readonly uniformLoad: number;
  /** Tensors whose neighbouring elements are read by different workgroups move so much more memory: lines of it, for elements. */
  readonly scatter: number;
  /** So many invocations load together, as one subgroup. */
  readonly lanes: number;
  /**
   * So many elements side by side they load in the time of one: those of a line of the cache. Each further line takes as long again. What an
   * invocation loads at once, as `blockColumns`, takes so many times as long where it does not lie together.
   */
  readonly lineElements: number;
  /**
   * So many points share a load of a contraction, where its points are dealt in blocks: over all workgroups, or within a region whose
   * invocations are one vector. In other regions it is a tile.
   */
  readonly blockSharing: number;
  /**
   * What a load of a contraction's operand costs that is staged in workgroup memory, beside one from the cache; 1 where nothing is
   * staged, since workgroup memory is no nearer than the cache.
   */
  readonly stagedLoad: number;
  /** The points of a block that one invocation computes. */
  readonly blockPoints: number;
  /**
   * So many neighbouring columns of a block are one invocation's, which loads them at once where they lie together; 1 where it gains more
   * by loading several turns at once.
   */
  readonly blockColumns: number;
  /** The part by which kernels must be faster with a value in another order, by estimate, for it to be put in that. */
  readonly layoutGain: number;
  /**
   * Which turns the invocations that share a reduction take: with true, neighbours take neighbouring turns, so that what they load
   * together lies together; otherwise each takes turns that follow one another, and loads four at once.
   */
  readonly interleaves: boolean;
  /**
   * Whether the invocations of a region are one vector, which exchanges values without memory. A reduction of one result in a region is
   * then shared by them as it stands, otherwise it is cut into parts for them.
   */
  readonly exchanges: boolean;
  /**
   * Whether the invocations of a region that is no one vector share the turns of a reduction of one result, through workgroup memory. A long
   * reduction of few results then has a workgroup for each.
   */
  readonly sharesTurns: boolean;
  /** Whether contractions in a region are dealt in blocks, if its invocations are one vector, and worth joining kernels for. */
  readonly blocksInRegions: boolean;
  /**
   * They are not in a program of more nodes than this: the texts of blocks are long, and such a driver keeps only so many compiled kernels.
   */
  readonly mostNodesWithBlocks: number;
  /** Whether the invocations of a region are lanes of one vector, which takes as long over one of them as over all. */
  readonly isVector: boolean;
  /** So many invocations at work keep the device busy; with fewer, both rates fall in proportion. */
  readonly busyInvocations: number;
  /** So do so many workgroups. */
  readonly busyWorkgroups: number;
  /** Invocations of a workgroup that owns a region, at most. */
  readonly regionInvocations: number;
  /** Bytes of workgroup memory that a kernel may use. */
  readonly workgroupBytes: number;
  /** So many stored nodes a kernel holds at most: drivers take long over long kernels. */
  readonly nodes: number;
  /**
   * Buffers that a kernel should not exceed when kernels are joined for no reason but their number: as many as every device binds, or as
   * a known adapter does.
   */
  readonly buffers: number;
}

/** Where invocations exchange values, they share the turns of an axis that has at least so many for each. */
export const fewestTurnsShared = 2;

/** Shorter reductions every invocation of a workgroup takes by itself, where sharing them would cost barriers. */
export const fewestTurnsThroughMemory = 64;

/** A middling GPU. */
export const hardwareTarget: Target = {
  launch: 10e-6,
  bandwidth: 2e11,
  cacheSpeed: 4,
  operations: 2e12,
  loadCost: 2,
  uniformLoad: 1,
  scatter: 8,
  lanes: 32,
  lineElements: 16,
  blockSharing: 4,
  stagedLoad: 0.5,
  blockPoints: 32,
  blockColumns: 1,
  layoutGain: 0.2,
  interleaves: true,
  exchanges: false,
  sharesTurns: true,
  blocksInRegions: false,
  mostNodesWithBlocks: 1000,
  isVector: false,
  busyInvocations: 2048,
  busyWorkgroups: 8,
  regionInvocations: 256,
  workgroupBytes: 16384,
  nodes: 40,
  buffers: 8,
};

/** A large GPU with memory of its own: a handful of workgroups leaves most of it idle. */
export const discreteTarget: Target = {
  ...hardwareTarget,
  launch: 5e-6,
  bandwidth: 1e12,
  operations: 2e13,
  busyInvocations: 65536,
  busyWorkgroups: 128,
  lineElements: 32,
  blockSharing: 8,
  workgroupBytes: 49152,
};

/** A driver that runs on a CPU of a few cores: computing is dear, memory near. */
export const softwareTarget: Target = {
  launch: 20e-6,
  bandwidth: 6e9,
  cacheSpeed: Infinity,
  operations: 12e9,
  loadCost: 7,
  uniformLoad: 1,
  scatter: 8,
  lanes: 8,
  lineElements: 2,
  blockSharing: 12,
  stagedLoad: 1,
  blockPoints: 64,
  blockColumns: 4,
  layoutGain: 0.05,
  interleaves: false,
  exchanges: false,
  sharesTurns: false,
  blocksInRegions: false,
  mostNodesWithBlocks: 1000,
  isVector: true,
  busyInvocations: 16,
  busyWorkgroups: 4,
  regionInvocations: 8,
  workgroupBytes: 16384,
  nodes: 28,
  buffers: 8,
};
