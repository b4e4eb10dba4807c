/**
 * What must hold of the kernels of every program: whatever a device is taken for and however kernels are shaped, they are valid, no
 * two invocations race, and the results are those of the tensor IR.
 *
 *     verdictOnKernels(program)      // null, or e.g. "vjp of f, full, …: 3.1 instead of 2.9 at [0, 1]"
 */
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { runProgram } from "../../src/codegen/interpret-program.ts";
import type { KernelShape } from "../../src/codegen/lower/kernel.ts";
import { lowerProgram } from "../../src/codegen/lower/program.ts";
import type { StagingShape } from "../../src/codegen/lower/stage.ts";
import { defaultLimits, verifyKernel } from "../../src/codegen/verify.ts";
import type { FusionLevel, MemoryChoice } from "../../src/fusion/plan.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { hardwareTarget, softwareTarget, type Target } from "../../src/fusion/target.ts";
import type { Graph } from "../../src/ir/ir.ts";
import { simplify } from "../../src/ir/rewrite/simplify.ts";
import { shuffled } from "../fusion/shuffled.ts";
import { differences, type Tolerance } from "../programs/closeness.ts";
import { compileFunction, type Inputs, programOf, run, unsimplified, verified } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { type RandomSource, randomSource } from "../programs/random-source.ts";
import type { Program } from "./properties.ts";

/** How a graph was made into kernels. */
export interface Making {
  readonly level: FusionLevel;
  readonly memory: MemoryChoice;
  readonly target: Target;
  readonly shape: KernelShape;
  /** Values lie in memory in random orders, by this seed; as the planner wants it without. */
  readonly shuffle: number | null;
}

/** Sums in another order differ by rounding, more so where large terms cancel. */
const rounding: Tolerance = { relative: 1e-7, floor: 1e-8 };

/** A dispatch goes into two directions where its workgroups are too many for one. */
const limits = { ...defaultLimits, workgroups: 2 ** 31 - 1 };

/** What is wrong with the kernels of a program; null when nothing is. */
export function verdictOnKernels(program: Program): string | null {
  const { graph } = compileFunction(programOf(program.text), program.main, { dims: program.dims });
  const makings = Array.from({ length: 8 }, (_, i) => randomMaking(i, randomSource(program.seed + 7919 * i)));
  const random = randomSource(program.seed ^ 0x1b873593);
  const plain = unsimplified(graph);
  const vjp = unsimplified(vjpGraph(graph));
  const inputs = randomInputs(vjp.params, random);
  for (const [f, form] of [plain, verified(simplify(plain)), vjp, verified(simplify(vjp))].entries()) {
    const expected = run(form, inputs);
    for (const making of makings.slice(2 * f, 2 * f + 2)) {
      const problem = thrown(() => problemOf(form, making, inputs, expected, random));
      if (problem !== null) return `${form.name}, ${describe(making)}: ${problem}`;
    }
  }
  return null;
}

/** What is found, or what is thrown on the way. */
function thrown(find: () => string | null): string | null {
  try {
    return find();
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  }
}

function problemOf(
  graph: Graph,
  { level, memory, target, shape, shuffle }: Making,
  inputs: Inputs,
  expected: ReturnType<typeof run>,
  random: RandomSource,
): string | null {
  const plan = planGraph(graph, level, target, memory);
  const laidOut = shuffle === null ? plan : shuffled(plan, randomSource(shuffle));
  const { program } = lowerProgram(laidOut, shape);
  const invalid = program.kernels.flatMap((kernel) =>
    verifyKernel(kernel, limits).map((problem) => `${kernel.name}: ${problem}`),
  );
  if (invalid.length > 0) return invalid.join("; ");
  const values = runProgram(program, inputs, { precision: "f64", random: random.next });
  const found = differences(
    graph.results.map((name) => values[name]!),
    expected,
    graph.results,
    rounding,
  );
  return found.length > 0 ? found.join("; ") : null;
}

function randomMaking(number: number, random: RandomSource): Making {
  return {
    level: number % 2 === 0 ? "map" : "full",
    memory: number % 4 < 2 ? "least" : "speed",
    target: randomTarget(random),
    shape: {
      invocations: 1 + random.below(64),
      regionInvocations: random.choose([1 + random.below(64), 4, 16, 32]),
      busyInvocations: 1 + random.below(64),
      bodiesInLoop: random.choose([1, 8, 64]),
      ...(number % 3 === 0 ? randomLanes(random) : randomBlock(random)),
      turnsAtOnce: random.choose([1, 2, 4]),
      collapsesAxes: random.choose([true, false]),
      keepsLoops: random.choose([true, false]),
    },
    shuffle: number % 4 === 3 ? null : random.below(2 ** 30),
  };
}

/** Regions of one subgroup, dealt in rows of lanes or in blocks; or none. */
function randomLanes({ choose: of }: RandomSource): Partial<KernelShape> {
  if (of([true, false])) return {};
  const block = {
    lanes: 8,
    laneRows: 1,
    rows: of([1, 4, 16]),
    columns: of([1, 2, 4]),
    workgroups: 1,
    laneLoad: of([0, 2]),
    sharedLoad: of([0, 2]),
    scatteredLoad: 4,
  };
  return { regionInvocations: 8, subgroup: 8, ...(of([true, false]) ? { block } : {}) };
}

/** Contractions in blocks, whose lanes broadcast to one another where a workgroup is one subgroup. */
function randomBlock(random: RandomSource): Partial<KernelShape> {
  const { choose: of } = random;
  const [lanes, laneRows] = [of([1, 2, 4, 8]), of([1, 1, 2, 3])];
  const block = {
    lanes,
    laneRows,
    rows: of([1, 4, 16]),
    columns: of([1, 2, 4]),
    workgroups: of([1, 64]),
    laneLoad: of([0, 2]),
    sharedLoad: of([0, 2]),
    scatteredLoad: 4,
    ...(of([true, false]) ? { staging: randomStaging(random) } : {}),
  };
  return of([true, false]) ? { block, subgroup: lanes } : { block };
}

/** Operands staged in workgroup memory, of which there may be too little, wherever there is a contraction or where it seems worth it. */
function randomStaging({ choose: of }: RandomSource): StagingShape {
  const [load, barrier] = [of([0, 1]), of([0, 0, 4])];
  return {
    turns: of([1, 2, 3, 8, 16]),
    bytes: of([64, 1024, 16384]),
    leastWorkgroups: 1,
    load,
    fill: load,
    barrier,
  };
}

/** Devices on which nothing fuses, everything does, or values spill out of workgroup memory. */
function randomTarget({ choose: of }: RandomSource): Target {
  const base = of([hardwareTarget, softwareTarget]);
  return {
    ...base,
    launch: of([0, base.launch, base.launch, 1]),
    operations: of([1e3, base.operations, 1e13]),
    busyInvocations: of([1, 64, 4096]),
    busyWorkgroups: of([1, base.busyWorkgroups]),
    exchanges: of([true, false]),
    sharesTurns: of([true, false]),
    regionInvocations: of([1, 16, 256]),
    workgroupBytes: of([0, 16, 256, 16384]),
    nodes: of([2, base.nodes, 200]),
    buffers: of([1, 8, 100]),
  };
}

function describe({ level, memory, target, shape, shuffle }: Making): string {
  const layout = shuffle === null ? "" : `, orders shuffled by ${shuffle}`;
  return `${level}, memory ${memory}${layout}, target ${JSON.stringify(target)}, shape ${JSON.stringify(shape)}`;
}
