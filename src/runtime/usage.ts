/**
 * The flags of buffers and mappings by their numbers in the WebGPU specification: outside of browsers there
 * are no globals of them.
 */

/** What a buffer may be used for; GPUBufferUsage. */
export const bufferUsage = {
  mapRead: 0x0001,
  copySource: 0x0004,
  copyDestination: 0x0008,
  uniform: 0x0040,
  storage: 0x0080,
  queryResolve: 0x0200,
} as const;

/** How a buffer is mapped; GPUMapMode. */
export const mapMode = { read: 1 } as const;

/** Where a binding is visible; GPUShaderStage. */
export const computeStage = 0x4;
