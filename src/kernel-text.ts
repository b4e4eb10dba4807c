/**
 * The WGSL of a program's dispatches as a device of given limits would run it, with the head that names nodes and source lines.
 *
 *     kernelTexts(compiled.kernels(), limits)        // ["// kernel cluster_0\n// computes …\n@group(0) @binding(0) …", …]
 *
 * Nothing is opened: limits come from an adapter's description, or are those of the portable target.
 */
import { bindKernel } from "./codegen/bindings.ts";
import type { LoweredProgram } from "./codegen/lower/program.ts";
import type { ShapeChoices } from "./codegen/tuner.ts";
import { calibrated, type MeasuredRates } from "./fusion/calibrate.ts";
import type { Group } from "./fusion/plan.ts";
import type { Comprehension } from "./ir/ir.ts";
import { type AdapterShape, kernelShapeFor, withWorkgroupMemory } from "./codegen/shapes.ts";
import { printWgsl } from "./codegen/wgsl.ts";
import type { AdapterDescription, DeviceLimits } from "./runtime/adapter.ts";
import { type MemoryPlan, planMemory } from "./runtime/memory-plan.ts";

/** What kernels are made for: an adapter's description has it. */
export type KernelTarget = Pick<AdapterDescription, "kind" | "limits"> &
  Partial<Pick<AdapterDescription, "subgroupSizes" | "vendor">> & {
    /** What was measured of the adapter; without it the planner goes by what is usual of its kind. */
    readonly rates?: MeasuredRates | null;
    /** Shapes of kernels that were found by measurement. */
    readonly choices?: ShapeChoices | null;
  };

/**
 * A GPU as most are, for looking at kernels without one: the least of WebGPU's limits but for the sizes of buffers, so that
 * large programs can be looked at.
 */
export const portableKernelTarget: KernelTarget = {
  kind: "hardware",
  limits: {
    maxStorageBufferBindingSize: 2 ** 40,
    maxBufferSize: 2 ** 40,
    maxComputeWorkgroupStorageSize: 16384,
    maxComputeInvocationsPerWorkgroup: 256,
    maxComputeWorkgroupSizeX: 256,
    maxComputeWorkgroupSizeY: 256,
    maxComputeWorkgroupSizeZ: 64,
    maxComputeWorkgroupsPerDimension: 65535,
    maxStorageBuffersPerShaderStage: 8,
    maxUniformBufferBindingSize: 65536,
  },
};

/** Kernels are not joined for their number beyond so many buffers, however many an adapter binds. */
const mostBuffers = 32;

/** The shape of kernels for a target; what only checks validity is taken for a GPU. */
export function kernelShapeOf({ kind, limits, subgroupSizes, vendor, rates }: KernelTarget): AdapterShape {
  const [fewest, most] = subgroupSizes ?? [];
  const subgroup = fewest !== undefined && fewest === most ? fewest : null;
  const usual = kernelShapeFor(kind === "software" ? "software" : gpuKindOf(vendor), subgroup);
  const buffers = Math.min(limits.maxStorageBuffersPerShaderStage, mostBuffers);
  const fitting = withWorkgroupMemory(usual, limits.maxComputeWorkgroupStorageSize);
  const shape = { ...fitting, target: { ...fitting.target, buffers } };
  return rates == null ? shape : { ...shape, target: calibrated(shape.target, rates) };
}

/** WebGPU does not say how large an adapter is, nor how near its caches; its vendor tells. */
function gpuKindOf(vendor: string | undefined): "hardware" | "discrete" | "cached" {
  if (vendor === "nvidia") return "discrete";
  return vendor === "apple" ? "cached" : "hardware";
}

/** The nodes that a group's kernel computes: those of its phases, then those that are inlined into them; each once. */
export function nodesOf(group: Group): readonly Comprehension[] {
  return [...new Set([...group.phases.flatMap((phase) => phase.nodes), ...group.inlined.values()])];
}

/**
 * The WGSL of every dispatch in order, those of loops once.
 *
 * @throws {LimitError} when a tensor is larger than a binding. @throws {BindingError} when a kernel has too many buffers.
 */
export function kernelTexts({ program, groups }: LoweredProgram, limits: DeviceLimits): string[] {
  const plan = planMemory(program, limits);
  return groups.flatMap(({ group, kernel: number, values }) => {
    const shared = program.kernels[number];
    if (shared === undefined) return [];
    // Layers that are computed alike share a kernel; the head names the nodes of this one.
    const nodes = nodesOf(group);
    const origins = nodes.flatMap(({ origin }) => (origin === null ? [] : [origin]));
    const kernel = { ...shared, nodes: nodes.map(({ name }) => name), origins };
    const pages = values.map((name) => plan.places.get(name)?.page ?? 0);
    const written = new Set(pages.filter((_, i) => kernel.buffers[i]?.access !== "read"));
    const isWritable = (page: number): boolean => written.has(page) || isSharedAndWritten(plan, page);
    const most = limits.maxStorageBuffersPerShaderStage;
    return [printWgsl(bindKernel(kernel, most, (buffer) => pages[buffer] ?? 0, isWritable))];
  });
}

/** A page that several kernels share is bound for writing by all if any writes it. */
function isSharedAndWritten(plan: MemoryPlan, number: number): boolean {
  const page = plan.pages[number];
  return page !== undefined && page.isWritten && (page.role === "intermediate" || page.role === "staged");
}
