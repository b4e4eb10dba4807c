/**
 * What an adapter is and what of it a device is asked for: everything it can do that fecit has a use for.
 *
 *     { name: "llvmpipe (LLVM 15.0.6, 256 bits)", vendor: "mesa", driver: "Mesa 25.0.7", kind: "software", … }
 */
/// <reference types="@webgpu/types" />

/** The limits that programs and kernels are planned by, by their names in WebGPU. */
export const limitNames = [
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupStorageSize",
  "maxComputeInvocationsPerWorkgroup",
  "maxComputeWorkgroupSizeX",
  "maxComputeWorkgroupSizeY",
  "maxComputeWorkgroupSizeZ",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBuffersPerShaderStage",
  "maxUniformBufferBindingSize",
] as const;

/** The limits of a device, in WebGPU's units: bytes, invocations, bindings. */
export type DeviceLimits = Readonly<Record<(typeof limitNames)[number], number>>;

/** The optional features that are asked for where an adapter has them. */
const featureNames = ["timestamp-query", "shader-f16", "subgroups"] as const;

/** A feature of WebGPU that fecit has a use for. */
export type DeviceFeature = (typeof featureNames)[number];

/** An adapter in words and numbers. */
export interface AdapterDescription {
  readonly name: string;
  readonly vendor: string;
  /** The hardware in WebGPU's words: the same however the adapter was chosen. */
  readonly device: string;
  /** The driver and its version, where it says so. */
  readonly driver: string;
  /** `null` runs nothing and checks everything: for tests of validity. */
  readonly kind: "hardware" | "software" | "null";
  readonly features: readonly DeviceFeature[];
  readonly limits: DeviceLimits;
  /** The fewest and the most lanes of a subgroup; null without the feature. */
  readonly subgroupSizes: readonly [number, number] | null;
}

/** Drivers that run on the processor, by what they call themselves. */
const softwareNames = /llvmpipe|lavapipe|swiftshader|softpipe|basic render|\bwarp\b|software/i;

/** Is an adapter of this name a driver that runs on the processor? */
export function isSoftwareName(name: string): boolean {
  return softwareNames.test(name);
}

/**
 * Describes an adapter; `name` is the system's name of it where that is known better than the adapter says.
 */
export function describeAdapter(adapter: GPUAdapter, name: string | null = null): AdapterDescription {
  const { info } = adapter;
  const shown =
    name ??
    [info.description, info.device, `${info.vendor} ${info.architecture}`.trim()].find((t) => t !== "");
  const words = [shown, info.description, info.device, info.architecture].join(" ");
  const isSoftware = info.isFallbackAdapter || isSoftwareName(words);
  const features = featureNames.filter((feature) => adapter.features.has(feature));
  return {
    name: shown ?? "unnamed adapter",
    vendor: info.vendor,
    device: info.device,
    driver: info.description,
    kind: /null.backend/i.test(words) ? "null" : isSoftware ? "software" : "hardware",
    features,
    limits: readLimits(adapter.limits),
    subgroupSizes: features.includes("subgroups") ? subgroupSizes(info) : null,
  };
}

/** What to ask an adapter for: all of the limits and features above that it has. */
export function deviceRequest(description: AdapterDescription): GPUDeviceDescriptor {
  return {
    label: "fecit",
    requiredLimits: { ...description.limits },
    requiredFeatures: [...description.features],
  };
}

function subgroupSizes(info: GPUAdapterInfo): readonly [number, number] | null {
  const { subgroupMinSize: fewest, subgroupMaxSize: most } = info;
  return fewest === undefined || most === undefined ? null : [fewest, most];
}

function readLimits(limits: GPUSupportedLimits): DeviceLimits {
  return Object.fromEntries(limitNames.map((name) => [name, limits[name]])) as Record<
    (typeof limitNames)[number],
    number
  >;
}
