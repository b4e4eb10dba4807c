/**
 * The compute pipelines of a device: each text is compiled once, whatever programs and kernels it occurs in.
 *
 *     const { pipeline, layout } = await pipelines.get("row_sum", shader);
 */
/// <reference types="@webgpu/types" />
import { ShaderError } from "./errors.ts";
import type { Session } from "./session.ts";
import type { Shader } from "./shader.ts";
import { computeStage } from "./usage.ts";

/** A shader that can be dispatched. */
export interface CompiledShader {
  readonly pipeline: GPUComputePipeline;
  readonly layout: GPUBindGroupLayout;
}

/** The compiled shaders of a device. */
export interface Pipelines {
  /** The pipeline of a shader, compiled when its text is new. @throws {ShaderError | DeviceLostError} */
  readonly get: (kernel: string, shader: Shader) => Promise<CompiledShader>;
}

/** The pipelines of a session; none is compiled yet. */
export function openPipelines(session: Session): Pipelines {
  const compiled = new Map<string, Promise<CompiledShader>>();
  const layouts = new Map<string, GPUBindGroupLayout>();
  const layoutOf = (kinds: readonly GPUBufferBindingType[]): GPUBindGroupLayout => {
    const key = kinds.join(" ");
    const known = layouts.get(key);
    if (known !== undefined) return known;
    const entries = kinds.map((type, binding) => ({ binding, visibility: computeStage, buffer: { type } }));
    const layout = session.device.createBindGroupLayout({ label: key, entries });
    layouts.set(key, layout);
    return layout;
  };
  const get = (kernel: string, shader: Shader): Promise<CompiledShader> => {
    const kinds = bindingKinds(shader);
    const key = `${kinds.join(" ")}\n${shader.code}`;
    const known = compiled.get(key);
    if (known !== undefined) return known;
    const made = compile(session, kernel, shader, layoutOf(kinds));
    compiled.set(key, made);
    // A failure is told to whoever asked, and is tried again by the next.
    made.catch(() => compiled.delete(key));
    return made;
  };
  return { get };
}

function bindingKinds(shader: Shader): readonly GPUBufferBindingType[] {
  const storage = shader.bindings.map(({ access }) => (access === "read" ? "read-only-storage" : "storage"));
  return shader.offsetSlots > 0 ? [...storage, "uniform"] : storage;
}

async function compile(
  session: Session,
  kernel: string,
  { code }: Shader,
  layout: GPUBindGroupLayout,
): Promise<CompiledShader> {
  const running = `compiling kernel ${kernel}`;
  session.requireAlive(running);
  const { device } = session;
  // The scope keeps the fault from being reported twice: the messages below say more.
  device.pushErrorScope("validation");
  const shaderModule = device.createShaderModule({ label: kernel, code });
  const popped = device.popErrorScope();
  try {
    const { messages } = await shaderModule.getCompilationInfo();
    const fault = messages.find(({ type }) => type === "error");
    if (fault !== undefined)
      throw new ShaderError(kernel, fault.message, excerpt(code, fault.lineNum, fault.linePos));
    const pipelineLayout = device.createPipelineLayout({ label: kernel, bindGroupLayouts: [layout] });
    const pipeline = await session.wait(
      device.createComputePipelineAsync({
        label: kernel,
        layout: pipelineLayout,
        compute: { module: shaderModule },
      }),
    );
    return { pipeline, layout };
  } catch (error) {
    if (error instanceof ShaderError) throw error;
    const known = await session.explain(running, error);
    throw known.name === "DeviceLostError" ? known : new ShaderError(kernel, known.message, "");
  } finally {
    await popped.catch(() => null);
  }
}

/** The lines around a fault, with a caret under it; line and column from 1, 0 where they are not known. */
function excerpt(code: string, line: number, column: number): string {
  if (line === 0) return "";
  const lines = code.split("\n");
  const first = Math.max(1, line - 2);
  const shown = lines.slice(first - 1, line + 1).map((text, i) => {
    const number = String(first + i).padStart(5);
    const caret = first + i === line ? `\n${" ".repeat(8 + Math.max(0, column - 1))}^` : "";
    return `${number} | ${text}${caret}`;
  });
  return shown.join("\n");
}
