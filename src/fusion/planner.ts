/**
 * The planner: what is inlined, what is joined, what is cut, and in what order it runs.
 *
 * Cutting a reduction changes what can be joined, so it plans again with the cuts made, until none is called for.
 */
import {
  type Comprehension,
  definitions,
  type Graph,
  type Node,
  sizeOf,
  type ValueName,
  type ValueType,
} from "../ir/ir.ts";
import { type NameSupply, namesFor } from "../ir/names.ts";
import { cutCentred, sumsOfMeans } from "./centred.ts";
import type { Again } from "./clone.ts";
import { cutNode, isSearch } from "./cut.ts";
import { divisionsOf, type History, sharedAsItStands, worthKeeping, worthSharing } from "./divide.ts";
import { timeOf } from "./draft.ts";
import { decideInlining, type Inlining } from "./inline.ts";
import { withChosenLayout } from "./layout.ts";
import { mergeNodes, type Merging, neededOutside } from "./merge.ts";
import { planOff } from "./off.ts";
import { type Overwrites, overwritesOf, type Update } from "./overwrite.ts";
import { groupOf } from "./phases.ts";
import type { Decision, FusionLevel, LayoutChoice, MemoryChoice, Plan, PlanStep } from "./plan.ts";
import { hardwareTarget, type Target } from "./target.ts";
import { repeatDecisions, thriftFor } from "./thrift.ts";
import { withTurnsAsValues } from "./turns.ts";

/** Plans again at most so many times. */
const mostRounds = 12;

/** The plan of a graph whose derivatives have been taken; `updates` are its results that are to overwrite parameters. */
export function planGraph(
  graph: Graph,
  level: FusionLevel,
  target: Target = hardwareTarget,
  memory: MemoryChoice = "speed",
  updates: readonly Update[] = [],
  layout: LayoutChoice = "chosen",
): Plan {
  const flat = withTurnsAsValues(graph);
  if (level === "off") return planOff(flat, target);
  const suited =
    flat.nodes.length > target.mostNodesWithBlocks ? { ...target, blocksInRegions: false } : target;
  const types = new Map<ValueName, ValueType>(graph.params.map((param) => [param.name, param]));
  const planned = planBlock(flat.nodes, new Set(graph.results), {
    level,
    target: suited,
    memory,
    overwrites: overwritesOf(graph, updates),
    types,
    names: namesFor(flat),
  });
  const plan: Plan = {
    graph: { ...flat, nodes: planned.nodes },
    steps: planned.steps,
    decisions: planned.decisions,
    reorderings: [],
  };
  return level === "full" && layout === "chosen" ? withChosenLayout(plan, suited) : plan;
}

interface Around {
  readonly level: FusionLevel;
  readonly target: Target;
  readonly memory: MemoryChoice;
  readonly overwrites: Overwrites;
  readonly types: ReadonlyMap<ValueName, ValueType>;
  readonly names: NameSupply;
}

interface PlannedBlock {
  readonly nodes: readonly Node[];
  readonly steps: readonly PlanStep[];
  readonly decisions: readonly Decision[];
}

/** Plans the nodes of a graph or of a loop's body. `kept` are the values that are used by name after it. */
function planBlock(given: readonly Node[], kept: ReadonlySet<ValueName>, around: Around): PlannedBlock {
  const { level, target, overwrites } = around;
  const history: History = new Map();
  const wanted = new Map<ValueName, string>();
  const repeats = new Map<ValueName, Again>();
  const thrift = thriftFor(around.memory);
  let nodes = given;
  for (let round = 0; ; round++) {
    const types = new Map(around.types);
    for (const node of nodes) for (const value of definitions(node)) types.set(value.name, value);
    const sizes = new Map([...types].map(([name, { shape }]) => [name, sizeOf(shape)]));
    const inlining = decideInlining(nodes, kept, wanted, level, target, sizes);
    const merging = mergeNodes(nodes, inlining, kept, sizes, level === "full", target, {
      repeats,
      overwrites,
    });
    const drafts = merging.steps.flatMap((step) => (step.kind === "draft" ? [step.draft] : []));
    const isLast = level !== "full" || round === mostRounds;
    const atHand = isLast ? [] : worthKeeping(drafts, inlining, target);
    const toShare = isLast ? [] : worthSharing(drafts, inlining, target);
    const divisions = isLast
      ? new Map<never, never>()
      : divisionsOf(drafts, inlining, sizes, history, target);
    if (divisions.size + atHand.length + toShare.length === 0) {
      const spared = isLast ? null : thrift.spare(merging, inlining, around, kept, sizes);
      if (spared === null) {
        const planned = finish(nodes, inlining, merging, kept, sizes, { ...around, types });
        return { ...planned, decisions: [...planned.decisions, ...repeatDecisions(repeats, inlining)] };
      }
      nodes = spared.nodes;
      for (const one of spared.again) {
        repeats.set(one.name, one);
        const [reason, kind] = [wanted.get(one.of), history.get(one.of)];
        if (reason !== undefined) wanted.set(one.name, reason);
        else if (one.isReduction) wanted.set(one.name, "it is computed again as it was at first");
        if (kind !== undefined) history.set(one.name, kind);
      }
      continue;
    }
    for (const name of atHand) wanted.set(name, "its readers share a workgroup, which keeps it at hand");
    for (const name of toShare) wanted.set(name, sharedAsItStands);
    const sums = sumsOfMeans(nodes, (name) => divisions.get(name)?.cuts);
    const parts = new Map<Node, Comprehension>();
    nodes = nodes.flatMap((node): Node[] => {
      const division = node.kind === "comprehension" ? divisions.get(node.name) : undefined;
      if (node.kind !== "comprehension" || division === undefined) return [node];
      const sum = sums.get(node.name);
      const partOfSum = sum && parts.get(sum);
      const made =
        partOfSum === undefined
          ? cutNode(node, division.cuts, around.names)
          : cutCentred(node, partOfSum, division.cuts, around.names);
      const part = made[0]!;
      parts.set(node, part);
      history.set(part.name, division.kind);
      // Inlined into the sum over the parts, it would not be what it was cut for.
      wanted.set(
        part.name,
        division.kind === "crossing"
          ? "it is the part of one region in a sum over the grid"
          : "it is a part of a long reduction, which invocations share",
      );
      for (const { name } of made.slice(1)) history.set(name, "shared");
      if (isSearch(node))
        wanted.set(node.name, "the position of the best is looked up once, in the part that has it");
      return [...made];
    });
  }
}

function finish(
  nodes: readonly Node[],
  inlining: Inlining,
  merging: Merging,
  kept: ReadonlySet<ValueName>,
  sizes: ReadonlyMap<ValueName, number>,
  around: Around,
): PlannedBlock {
  const decisions = [...inlining.decisions, ...merging.decisions];
  const isNeededBy = neededOutside(merging, kept);
  const loops = new Map<Node, Node>();
  const steps = merging.steps.map((step): PlanStep => {
    if (step.kind === "draft") {
      const isNeeded = isNeededBy(step.draft);
      const group = groupOf(step.draft, inlining.inlined, isNeeded, around.target);
      const seconds = timeOf(step.draft, sizes, isNeeded, around.target);
      return { kind: "group", group: { ...group, orders: new Map(), seconds } };
    }
    const { loop } = step;
    const inner = new Map(around.types);
    for (const { param, element, shape } of loop.carries) inner.set(param, { name: param, element, shape });
    const leaving = new Set([
      ...loop.carries.map((carry) => carry.next),
      ...loop.stacks.map((stack) => stack.value),
    ]);
    const body = planBlock(loop.body, leaving, {
      ...around,
      memory: "speed",
      overwrites: new Map(),
      types: inner,
    });
    decisions.push(...body.decisions);
    const planned = { ...loop, body: body.nodes };
    loops.set(loop, planned);
    return { kind: "loop", loop: planned, steps: body.steps };
  });
  return { nodes: nodes.map((node) => loops.get(node) ?? node), steps, decisions };
}
