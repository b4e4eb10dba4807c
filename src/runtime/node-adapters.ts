/**
 * The adapters that Dawn finds on this machine, and the choice among them.
 *
 *     "auto"      a GPU, else the system's software driver, else SwiftShader
 *     "software"  the same without the GPU         "gpu"  a GPU or nothing        "null"  runs nothing, checks everything
 *     "RTX"       the first whose name has these letters
 */
/// <reference types="@webgpu/types" />
import { constants } from "node:os";
import { create } from "webgpu";
import { describeAdapter, isSoftwareName } from "./adapter.ts";
import { AdapterError } from "./errors.ts";
import { driverAdvice } from "./node-advice.ts";
import { loadSwiftShader } from "./node-swiftshader.ts";

/** The adapter of a choice. */
export interface ChosenAdapter {
  readonly adapter: GPUAdapter;
  /** The system's name of it; null for the one that has none. */
  readonly name: string | null;
}

/** An adapter as Dawn lists it. */
interface ListedAdapter {
  readonly backend: string;
  readonly name: string;
}

/** Which adapters a kind of choice takes. */
const kinds = {
  auto: (): boolean => true,
  gpu: (isSoftware: boolean): boolean => !isSoftware,
  software: (isSoftware: boolean): boolean => isSoftware,
} as const;

/**
 * Finds the adapter of a choice.
 *
 * @throws {AdapterError} with what was tried and how to install a driver.
 */
export async function chooseAdapter(choice: string): Promise<ChosenAdapter> {
  const wanted = choice.toLowerCase();
  if (wanted === "null") return nullAdapter(choice);
  // Asked for by name it comes first: it is the only driver of its process.
  if (wanted === "swiftshader") return swiftShaderAdapter(choice, []);
  const mayBeSwiftShader = wanted === "auto" || wanted === "software" || "swiftshader".includes(wanted);
  if (isWithoutVulkan()) {
    const tried = ["the system's drivers: Dawn found none"];
    if (mayBeSwiftShader) return swiftShaderAdapter(choice, tried);
    throw new AdapterError(choice, [...tried, notSwiftShader], driverAdvice());
  }
  if (isKind(wanted)) {
    // Dawn's first adapter is the best one: listing the others as well makes it tell its warnings twice.
    const first = await requestAdapter([]);
    const isSoftware = first !== null && describeAdapter(first).kind === "software";
    if (first !== null && kinds[wanted](isSoftware)) return { adapter: first, name: null };
  }

  const tried: string[] = [];
  const listed = await listAdapters();
  for (const { backend, name } of listed) {
    const isWanted = isKind(wanted)
      ? kinds[wanted](isSoftwareName(name))
      : name.toLowerCase().includes(wanted);
    const adapter = isWanted ? await requestAdapter([`backend=${backend}`, `adapter=${name}`]) : null;
    if (adapter !== null) return { adapter, name };
    tried.push(`${name} (${backend}): ${isWanted ? "Dawn does not take it" : "it was not asked for"}`);
  }
  if (listed.length === 0) tried.push("the system's drivers: Dawn found none");
  if (mayBeSwiftShader) return swiftShaderAdapter(choice, tried);
  throw new AdapterError(choice, [...tried, notSwiftShader], adviceFor(wanted, listed));
}

/** What is told beside other drivers, to whom a software driver may do. */
const notSwiftShader = "SwiftShader: it was not asked for, by `software` or its name";

/** Is there no Vulkan on a system that has nothing else? Dawn would warn of it at length, each time that it is asked. */
function isWithoutVulkan(): boolean {
  if (process.platform !== "linux") return false;
  try {
    process.dlopen({ exports: {} }, "libvulkan.so.1", constants.dlopen.RTLD_LAZY);
  } catch (error) {
    // A library that is there is no add-on of Node's, which it says; then it is closed again.
    return error instanceof Error && error.message.includes("No such file or directory");
  }
  return false;
}

function isKind(choice: string): choice is keyof typeof kinds {
  return Object.hasOwn(kinds, choice);
}

function adviceFor(wanted: string, listed: readonly ListedAdapter[]): string {
  const others = listed.map(({ name }) => name).join(", ");
  if (others === "") return driverAdvice();
  return isKind(wanted) ? `${driverAdvice()}; or choose one of: ${others}` : `choose one of: ${others}`;
}

async function swiftShaderAdapter(choice: string, tried: readonly string[]): Promise<ChosenAdapter> {
  const loaded = await loadSwiftShader();
  const found = loaded.kind === "loaded" ? `SwiftShader in ${loaded.folder}` : "SwiftShader";
  if (loaded.kind === "loaded") {
    const adapter = await requestAdapter(["backend=vulkan"]);
    if (adapter !== null) return { adapter, name: "SwiftShader" };
  }
  const reason = loaded.kind === "loaded" ? "Dawn does not take it" : loaded.reason;
  throw new AdapterError(choice, [...tried, `${found}: ${reason}`], driverAdvice());
}

async function nullAdapter(choice: string): Promise<ChosenAdapter> {
  const adapter = await requestAdapter(["backend=null"]);
  if (adapter === null) throw new AdapterError(choice, ["Dawn's null backend: it gave none"], driverAdvice());
  return { adapter, name: "null backend" };
}

/**
 * What `create` gave, by its options. Dawn lives as long as these objects, and Node aborts when one is
 * collected while a device of it is in use: so they are kept for the life of the process.
 */
const instances = new Map<string, GPU>();

/** Web pages must not tell time finely; without this, timestamps are multiples of 65.5 µs here too. */
const fineTimestamps = "disable-dawn-features=timestamp_quantization";

async function requestAdapter(options: readonly string[]): Promise<GPUAdapter | null> {
  const key = [...options, process.env["VK_DRIVER_FILES"] ?? ""].join("\n");
  const gpu = instances.get(key) ?? create([...options, fineTimestamps]);
  instances.set(key, gpu);
  return gpu.requestAdapter({ powerPreference: "high-performance" });
}

/** No adapter has this name; asked for it, Dawn tells which there are. */
const noAdapter = "no adapter of this name";

/** The adapters that Dawn sees; none when it finds no driver. */
async function listAdapters(): Promise<readonly ListedAdapter[]> {
  try {
    await requestAdapter([`adapter=${noAdapter}`]);
    return [];
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const lines = message.matchAll(/backend: '([^']*)', name: '(.*)'$/gm);
    return [...lines].map(([, backend = "", name = ""]) => ({ backend, name }));
  }
}
