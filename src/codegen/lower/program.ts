/**
 * A plan as a program: its groups as kernels, each written once, its loops as repeated steps with copies of what they carry.
 *
 *     %c1 = loop t<9 carries %c = %c0 { … %next … }     ⟶     copy c0 → c · loop t<9 { … · copy next → c }
 */
import type { AxisOrder, Group, Plan, PlanStep } from "../../fusion/plan.ts";
import {
  type Carry,
  definitions,
  i32,
  type Loop,
  type Node,
  sizeOf,
  type ValueName,
  type ValueType,
} from "../../ir/ir.ts";
import type { Kernel } from "../kernel.ts";
import type { Offset, Program, ProgramStep, ProgramValue } from "../program.ts";
import { turnValue } from "../../fusion/turns.ts";
import { typesOf } from "../../fusion/value-types.ts";
import { inPlaceResults, overwritesOf, type Update } from "../../fusion/overwrite.ts";
import { groupKey } from "./group-key.ts";
import { type KernelShape, type LoweredGroup, lowerGroup } from "./kernel.ts";
import { choiceKey, type ShapeChoices, withChoice } from "../tuner.ts";

/** What is lowered, beside the program: which group each dispatch came from. */
export interface LoweredProgram {
  readonly program: Program;
  /** The groups in the order of their first dispatch, with the kernel of each. */
  readonly groups: readonly {
    readonly group: Group;
    readonly kernel: number;
    readonly values: readonly ValueName[];
  }[];
}

/** The values of a plan, and where they lie. */
interface PlanValues {
  readonly types: ReadonlyMap<ValueName, ValueType>;
  /** Of the tensors that hold a loop's turns, how many those are. */
  readonly iotas: ReadonlyMap<ValueName, number>;
  readonly updated: readonly { readonly result: ValueName; readonly param: ValueName }[];
  /** The results that kernels write into the memory of a parameter. */
  readonly inPlace: ReadonlyMap<ValueName, ValueName>;
  /** The value in whose memory a value lies. */
  readonly memoryOf: (value: ValueName) => ValueName;
}

function valuesOf(plan: Plan, updates: readonly Update[]): PlanValues {
  const { graph } = plan;
  const types = typesOf(graph);
  const iotas = new Map<ValueName, number>();
  collectLoopValues(graph.nodes, types, iotas);
  const updated = updates.map(({ result, param }) => ({
    result: graph.results[result]!,
    param: graph.params[param]!.name,
  }));
  const inPlace = inPlaceResults(plan, overwritesOf(graph, updates));
  return { types, iotas, updated, inPlace, memoryOf: (value) => inPlace.get(value) ?? value };
}

/** A kernel of a plan that can be written in other shapes. */
export interface ShapedKernel {
  readonly group: Group;
  readonly write: (shape: KernelShape) => LoweredGroup;
  readonly typeOf: (value: ValueName) => ValueType;
}

/** The kernels of a plan, equal ones once, in order. */
export function kernelsToShape(plan: Plan, updates: readonly Update[] = []): readonly ShapedKernel[] {
  const { types, memoryOf } = valuesOf(plan, updates);
  const typeOf = (value: ValueName): ValueType => types.get(value)!;
  const kernels = new Map<string, ShapedKernel>();
  const visit = (steps: readonly PlanStep[]): void => {
    for (const step of steps) {
      if (step.kind === "loop") visit(step.steps);
      else if (!isEmpty(step.group)) {
        const { group } = step;
        const write = (shape: KernelShape): LoweredGroup => lowerGroup(group, types, memoryOf, shape);
        const { text } = groupKey(group, types, memoryOf);
        if (!kernels.has(text)) kernels.set(text, { group, write, typeOf });
      }
    }
  };
  visit(plan.steps);
  return [...kernels.values()];
}

/** Does it make nothing? */
function isEmpty(group: Group): boolean {
  const made = group.phases.flatMap((phase) => phase.nodes.flatMap(definitions));
  return made.every((value) => sizeOf(value.shape) === 0);
}

/** Writes the program of a plan, its kernels in the shapes that were chosen for them before. */
export function lowerProgram(
  plan: Plan,
  shape: KernelShape,
  updates: readonly Update[] = [],
  choices: ShapeChoices | null = null,
): LoweredProgram {
  const { graph } = plan;
  const { types, iotas, updated, inPlace, memoryOf } = valuesOf(plan, updates);
  const kernels: Kernel[] = [];
  const groups: { group: Group; kernel: number; values: readonly ValueName[] }[] = [];
  const written = new Map<string, { readonly kernel: number; readonly places: readonly number[] }>();
  const dispatch = (group: Group): ProgramStep[] => {
    if (isEmpty(group)) return [];
    // Nodes of another layer have other names; the kernel is the same.
    const key = groupKey(group, types, memoryOf);
    let known = written.get(key.text);
    if (known === undefined) {
      const own = lowerGroup(group, types, memoryOf, shape);
      const choice = choices?.find(choiceKey(own.kernel)) ?? null;
      const { kernel, values } =
        choice === null ? own : lowerGroup(group, types, memoryOf, withChoice(shape, choice));
      known = { kernel: kernels.push(kernel) - 1, places: values.map((value) => key.values.indexOf(value)) };
      written.set(key.text, known);
    }
    const values = known.places.map((place) => key.values[place]!);
    groups.push({ group, kernel: known.kernel, values });
    return [{ kind: "dispatch", kernel: known.kernel, values }];
  };
  const lowerSteps = (steps: readonly PlanStep[]): ProgramStep[] =>
    steps.flatMap((step) =>
      step.kind === "group" ? dispatch(step.group) : lowerLoop(step.loop, lowerSteps(step.steps), types),
    );

  const steps = lowerSteps(plan.steps);
  for (const { result, param } of updated) {
    if (!inPlace.has(result) && result !== param)
      steps.push(copy(result, param, sizeOf(types.get(param)!.shape)));
  }
  const inputs = graph.params.map((param) => param.name);
  const overwritten = new Map(updated.map(({ result, param }) => [result, param]));
  const outputs = graph.results.map((name) => overwritten.get(name) ?? name);
  const orders = new Map(groups.flatMap(({ group }) => [...group.orders]));
  const values = programValues(types, iotas, orders, steps, inputs, outputs);
  return {
    program: {
      name: graph.name,
      kernels,
      values,
      steps,
      inputs,
      outputs,
      updated: [
        ...new Set(updated.filter(({ result, param }) => result !== param).map(({ param }) => param)),
      ],
    },
    groups,
  };
}

/**
 * Every loop's turn is a tensor that kernels read; all turns stand in a constant, from which it is copied. What is carried may lie aside
 * before it is.
 */
function collectLoopValues(
  nodes: readonly Node[],
  types: Map<ValueName, ValueType>,
  iotas: Map<ValueName, number>,
): void {
  for (const node of nodes) {
    if (node.kind !== "loop") continue;
    for (const carry of node.carries) {
      const { element, shape } = carry;
      types.set(asideValue(carry), { name: asideValue(carry), element, shape });
    }
    iotas.set(turnsValue(node), node.count);
    types.set(turnsValue(node), { name: turnsValue(node), element: i32, shape: [node.count] });
    collectLoopValues(node.body, types, iotas);
  }
}

function asideValue(carry: Carry): ValueName {
  return `next ${carry.param}`;
}

function turnsValue(loop: Loop): ValueName {
  return `turns ${loop.index}`;
}

const start: Offset = { constant: 0, turn: null, perTurn: 0 };

function copy(
  from: ValueName,
  to: ValueName,
  length: number,
  fromOffset = start,
  toOffset = start,
): ProgramStep {
  return { kind: "copy", from, to, length, fromOffset, toOffset };
}

function lowerLoop(
  loop: Loop,
  body: readonly ProgramStep[],
  types: ReadonlyMap<ValueName, ValueType>,
): ProgramStep[] {
  const each = (size: number): Offset => ({ constant: 0, turn: loop.index, perTurn: size });
  const lengthOf = (name: ValueName): number => sizeOf(types.get(name)!.shape);
  const moved = loop.carries.filter((carry) => carry.next !== carry.param);
  // Where one carried value is the next of another, all are copied aside before any is overwritten.
  const crossed = moved.filter((carry) => loop.carries.some((other) => other.param === carry.next));
  return [
    ...loop.carries.map((carry) => copy(carry.init, carry.param, lengthOf(carry.param))),
    {
      kind: "loop",
      turn: loop.index,
      count: loop.count,
      steps: [
        copy(turnsValue(loop), turnValue(loop), 1, each(1)),
        ...body,
        ...loop.stacks.map((stack) => {
          const size = sizeOf(stack.shape);
          return copy(stack.value, stack.result, size, start, each(size));
        }),
        ...crossed.map((carry) => copy(carry.next, asideValue(carry), lengthOf(carry.param))),
        ...moved.map((carry) =>
          copy(crossed.includes(carry) ? asideValue(carry) : carry.next, carry.param, lengthOf(carry.param)),
        ),
      ],
    },
    ...loop.carries.map((carry) => copy(carry.param, carry.result, lengthOf(carry.param))),
  ];
}

/** The values that the steps name, and all inputs and outputs. */
function programValues(
  types: ReadonlyMap<ValueName, ValueType>,
  iotas: ReadonlyMap<ValueName, number>,
  orders: ReadonlyMap<ValueName, AxisOrder>,
  steps: readonly ProgramStep[],
  inputs: readonly ValueName[],
  outputs: readonly ValueName[],
): ProgramValue[] {
  const named = new Set<ValueName>([...inputs, ...outputs]);
  const visit = (step: ProgramStep): void => {
    if (step.kind === "dispatch") for (const value of step.values) named.add(value);
    else if (step.kind === "loop") step.steps.forEach(visit);
    else [step.from, step.to].forEach((value) => named.add(value));
  };
  steps.forEach(visit);
  const isInput = new Set(inputs);
  const isOutput = new Set(outputs);
  return [...named].map((name) => {
    const { element, shape } = types.get(name)!;
    const count = iotas.get(name);
    const order = orders.get(name);
    const role = isInput.has(name)
      ? "input"
      : count !== undefined
        ? "constant"
        : isOutput.has(name)
          ? "output"
          : "intermediate";
    return {
      name,
      element,
      shape,
      ...(order === undefined ? {} : { order }),
      role,
      data: count === undefined ? null : Int32Array.from({ length: count }, (_, t) => t),
    };
  });
}
