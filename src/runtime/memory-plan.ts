/**
 * Where each value of a program lives: the pages of device memory and every value's place in them.
 *
 *     x input, w input, h and g intermediate, y output
 *     page 0: x (the caller's)   page 1: w (the caller's)   page 2: y   page 3: h, later g
 *
 * An input or output is a page of its own, since its buffer comes from the caller or goes to it. Constants
 * share pages, and so do intermediates, whose places are used again when their lifetimes are disjoint.
 */
import type { Program, ProgramStep, ProgramValue } from "../codegen/program.ts";
import { type ValueName, sizeOf } from "../ir/ir.ts";
import { LimitError } from "./errors.ts";
import { type Lifetime, lifetimesOf, livesMeet } from "./lifetimes.ts";
import { type Block, type Placed, aligned, alignment, pack } from "./packing.ts";

/** The limits of a device that shape a plan. */
export interface PlanLimits {
  /** The bytes that one binding can hold. */
  readonly maxStorageBufferBindingSize: number;
  /** The bytes that one buffer can hold. */
  readonly maxBufferSize: number;
  /** The bindings of storage that one kernel can have. */
  readonly maxStorageBuffersPerShaderStage: number;
}

/**
 * Whose a page is. `input` and `output` hold one value in a buffer that is the caller's. The executable
 * allocates the others: `constant`, `intermediate`, and `staged`, which holds copies of inputs and outputs
 * that would take too many bindings.
 */
export type PageRole = "input" | "output" | "constant" | "intermediate" | "staged";

/** A piece of device memory, one buffer. */
export interface Page {
  readonly role: PageRole;
  readonly bytes: number;
  /** Does a kernel write any of it? */
  readonly isWritten: boolean;
}

/** Where a program's values live, and how much memory that takes. */
export interface MemoryPlan {
  readonly pages: readonly Page[];
  /** The place of every value that a step touches or the caller sees. */
  readonly places: ReadonlyMap<ValueName, Placed>;
  /** The inputs and outputs that are copied into and out of `staged` pages. */
  readonly staged: ReadonlySet<ValueName>;
  /** The sum of the intermediates' bytes, as if none shared memory. */
  readonly unsharedBytes: number;
  /** The bytes of the pages of intermediates. */
  readonly intermediateBytes: number;
  /** The most bytes of intermediates that are alive at once: no plan has less. */
  readonly liveBytes: number;
  /** The bytes of all pages, the caller's inputs and outputs included. */
  readonly peakBytes: number;
}

/** Bytes of a value in device memory: 4 for each element, and never none, since a binding can't be empty. */
export function bytesOf(shape: readonly number[]): number {
  return 4 * Math.max(1, sizeOf(shape));
}

/** `%h: f32[8, 64]`, as messages name a value. */
function describeValue(value: ProgramValue): string {
  return `tensor %${value.name} of ${value.element.scalar}[${value.shape.join(", ")}]`;
}

/** The most bytes of a page: what one binding can hold whole. */
function pageCapacity(limits: PlanLimits): number {
  return (
    Math.floor(Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize) / alignment) * alignment
  );
}

/**
 * Plans a program's memory; nothing is allocated.
 *
 * @throws {LimitError} when a value is larger than a binding can be.
 */
export function planMemory(program: Program, limits: PlanLimits): MemoryPlan {
  const capacity = pageCapacity(limits);
  for (const value of program.values) requireFits(program, value, limits, capacity);

  const lives = lifetimesOf(program);
  const written = writtenValues(program);
  const apart = copyPartners(program);
  const roles = rolesOf(program);
  const staged = stagedValues(program, roles, limits.maxStorageBuffersPerShaderStage, capacity);

  const pages: Page[] = [];
  const places = new Map<ValueName, Placed>();
  const addOwn = (value: ProgramValue, role: "input" | "output"): void => {
    const bytes = bytesOf(value.shape);
    places.set(value.name, { page: pages.length, offset: 0, bytes });
    pages.push({ role, bytes, isWritten: written.has(value.name) });
  };
  const addShared = (values: readonly ProgramValue[], role: PageRole, isShared: boolean): void => {
    const { pages: sizes, placed } = pack(
      values.map((value) => blockOf(value, isShared ? (lives.get(value.name) ?? null) : null, apart)),
      capacity,
    );
    const first = pages.length;
    for (const [name, place] of placed) places.set(name, { ...place, page: first + place.page });
    sizes.forEach((bytes, number) => {
      const holds = values.filter(({ name }) => placed.get(name)?.page === number);
      pages.push({ role, bytes, isWritten: holds.some(({ name }) => written.has(name)) });
    });
  };

  const withRole = (role: PageRole): ProgramValue[] =>
    program.values.filter((value) => roles.get(value.name) === role && !staged.has(value.name));
  for (const value of withRole("input")) addOwn(value, "input");
  for (const value of withRole("output")) addOwn(value, "output");
  addShared(withRole("constant"), "constant", false);
  const stagedOnes = program.values.filter(({ name }) => staged.has(name));
  // Apart, so that what is only read can be bound as such.
  addShared(
    stagedOnes.filter(({ name }) => !written.has(name)),
    "staged",
    false,
  );
  addShared(
    stagedOnes.filter(({ name }) => written.has(name)),
    "staged",
    false,
  );
  const intermediates = withRole("intermediate").filter(({ name }) => lives.has(name));
  addShared(intermediates, "intermediate", true);

  const sum = (list: readonly number[]): number => list.reduce((total, n) => total + n, 0);
  const callerBytes = stagedOnes.map(({ shape }) => bytesOf(shape));
  return {
    pages,
    places,
    staged,
    unsharedBytes: sum(intermediates.map(({ shape }) => aligned(bytesOf(shape)))),
    intermediateBytes: sum(pages.filter(({ role }) => role === "intermediate").map(({ bytes }) => bytes)),
    liveBytes: mostAlive(intermediates, lives),
    peakBytes: sum(pages.map(({ bytes }) => bytes)) + sum(callerBytes),
  };
}

function requireFits(program: Program, value: ProgramValue, limits: PlanLimits, capacity: number): void {
  const needed = bytesOf(value.shape);
  if (needed <= capacity) return;
  const limit =
    limits.maxStorageBufferBindingSize <= limits.maxBufferSize
      ? "maxStorageBufferBindingSize"
      : "maxBufferSize";
  throw new LimitError(
    `program ${program.name}, ${describeValue(value)}`,
    limit,
    needed,
    limits[limit],
    "make the tensor or the batch smaller, or choose an adapter that binds more",
  );
}

/**
 * A value that the caller gets is an output whatever else it is, unless the caller gave it or it never
 * changes.
 */
function rolesOf(program: Program): ReadonlyMap<ValueName, Exclude<PageRole, "staged">> {
  const outputs = new Set(program.outputs);
  return new Map(
    program.values.map(({ name, role }) => [
      name,
      role === "intermediate" && outputs.has(name) ? "output" : role,
    ]),
  );
}

function blockOf(
  value: ProgramValue,
  life: Lifetime | null,
  apart: ReadonlyMap<ValueName, ReadonlySet<ValueName>>,
): Block {
  return {
    name: value.name,
    bytes: bytesOf(value.shape),
    life,
    apart: apart.get(value.name) ?? new Set<ValueName>(),
  };
}

/** A program's steps without its loops, each once. */
export function flatSteps(steps: readonly ProgramStep[]): readonly Exclude<ProgramStep, { kind: "loop" }>[] {
  return steps.flatMap((step) => (step.kind === "loop" ? flatSteps(step.steps) : [step]));
}

function writtenValues(program: Program): ReadonlySet<ValueName> {
  const written = new Set<ValueName>();
  for (const step of flatSteps(program.steps)) {
    if (step.kind === "copy") written.add(step.to);
    else {
      const buffers = program.kernels[step.kernel]?.buffers ?? [];
      step.values.forEach((name, i) => {
        if (buffers[i]?.access !== "read") written.add(name);
      });
    }
  }
  return written;
}

/** WebGPU copies between two buffers, never within one: the ends of a copy lie in different pages. */
function copyPartners(program: Program): ReadonlyMap<ValueName, ReadonlySet<ValueName>> {
  const partners = new Map<ValueName, Set<ValueName>>();
  const add = (a: ValueName, b: ValueName): void => {
    partners.set(a, (partners.get(a) ?? new Set()).add(b));
  };
  for (const step of flatSteps(program.steps)) {
    if (step.kind !== "copy") continue;
    add(step.from, step.to);
    add(step.to, step.from);
  }
  return partners;
}

/**
 * A kernel over more buffers than the device binds takes those that share pages as one binding a page. Where that is not enough, the
 * smallest of its inputs and outputs are staged: copied into shared pages of their own, one for what is read and one for what is written.
 */
function stagedValues(
  program: Program,
  roles: ReadonlyMap<ValueName, PageRole>,
  limit: number,
  capacity: number,
): ReadonlySet<ValueName> {
  const bytes = new Map(program.values.map(({ name, shape }) => [name, aligned(bytesOf(shape))]));
  const sizeOfRole = (role: PageRole): number =>
    program.values.reduce((sum, { name }) => sum + (roles.get(name) === role ? bytes.get(name)! : 0), 0);
  // As if no intermediates shared memory, and pages were filled but for half of each.
  const pagesOf = (role: PageRole): number => Math.ceil((2 * sizeOfRole(role)) / capacity);
  const pages = { constant: pagesOf("constant"), intermediate: pagesOf("intermediate") };
  const staged = new Set<ValueName>();
  for (const step of flatSteps(program.steps)) {
    if (step.kind !== "dispatch" || step.values.length <= limit) continue;
    const shared = (["constant", "intermediate"] as const).reduce(
      (sum, role) =>
        sum + Math.min(pages[role], step.values.filter((name) => roles.get(name) === role).length),
      0,
    );
    const own = step.values.filter((name) => roles.get(name) === "input" || roles.get(name) === "output");
    const excess = own.length + shared - limit;
    if (excess <= 0) continue;
    // Two bindings more for the two staged pages.
    const smallest = own.sort((a, b) => bytes.get(a)! - bytes.get(b)!).slice(0, excess + 2);
    for (const name of smallest) staged.add(name);
  }
  return staged;
}

/** The most bytes alive at once, over the steps at which something begins to live. */
function mostAlive(values: readonly ProgramValue[], lives: ReadonlyMap<ValueName, Lifetime>): number {
  const alive = values.flatMap((value) => {
    const life = lives.get(value.name);
    return life === undefined ? [] : [{ life, bytes: aligned(bytesOf(value.shape)) }];
  });
  const starts = new Set(alive.map(({ life }) => life.first));
  const totals = [...starts].map((first) =>
    alive
      .filter(({ life }) => livesMeet(life, { first, last: first }))
      .reduce((total, { bytes }) => total + bytes, 0),
  );
  return Math.max(0, ...totals);
}
