/**
 * SwiftShader, a Vulkan driver that runs on the processor, out of the package @sparticuz/chromium or an
 * installed Chromium: for machines with no driver at all. It needs no installation and no rights: three files
 * in a cache folder.
 *
 *     const found = await loadSwiftShader();      // { folder: "~/.cache/fecit/swiftshader-147.0.0" }, or why there is none
 */
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { brotliDecompress } from "node:zlib";
import { cacheFolders, isOwnFolder } from "./node-cache-folder.ts";
import { tarFiles } from "./node-tar.ts";

/** The loader, the driver, and the file that names the driver to the loader. */
const loaderFile = "libvulkan.so.1";
const driverFile = "libvk_swiftshader.so";
const manifestFile = "vk_swiftshader_icd.json";
const files = [loaderFile, driverFile, manifestFile] as const;

/** Where packages of browsers keep the same files. */
const browserFolders = ["/usr/lib/chromium", "/usr/lib/chromium-browser", "/opt/google/chrome"] as const;

/** dlopen's RTLD_NODELETE on Linux: the library stays although Node closes what is no add-on of it. */
const keepLoaded = 0x1000;

/** SwiftShader in this process, or why it is not there. */
export type SwiftShader =
  | { readonly kind: "loaded"; readonly folder: string }
  | { readonly kind: "missing"; readonly reason: string };

/**
 * Finds or unpacks SwiftShader and makes it this process's only Vulkan driver. To be called before the first
 * adapter is asked for, and only where no other driver works: it is slower than any.
 */
export async function loadSwiftShader(): Promise<SwiftShader> {
  if (process.platform !== "linux" || process.arch !== "x64")
    return {
      kind: "missing",
      reason: `it is there for Linux on x64 only, this is ${process.platform} on ${process.arch}`,
    };
  const folder = await swiftShaderFolder();
  if (folder === null)
    return {
      kind: "missing",
      reason: "neither the package @sparticuz/chromium nor a Chromium is installed",
    };
  const manifest = join(folder, manifestFile);
  process.env["VK_ICD_FILENAMES"] = manifest;
  process.env["VK_DRIVER_FILES"] = manifest;
  try {
    const flags = constants.dlopen.RTLD_NOW | constants.dlopen.RTLD_GLOBAL | keepLoaded;
    process.dlopen({ exports: {} }, join(folder, loaderFile), flags);
  } catch (error) {
    // Node expects an add-on; the library is loaded all the same, and Dawn finds it by its name.
    const message = error instanceof Error ? error.message : String(error);
    if (!message.includes("did not self-register"))
      return { kind: "missing", reason: `it can't be loaded: ${message}` };
  }
  return { kind: "loaded", folder };
}

async function swiftShaderFolder(): Promise<string | null> {
  const found = findPackage();
  if (found === null) return browserFolders.find(isComplete) ?? null;
  for (const parent of cacheFolders()) {
    const folder = join(parent, `swiftshader-${found.version}`);
    if (!(await isOwnFolder(parent))) continue;
    if (isComplete(folder) || (await unpack(found.archive, folder))) return folder;
  }
  return browserFolders.find(isComplete) ?? null;
}

function isComplete(folder: string): boolean {
  return files.every((file) => existsSync(join(folder, file)));
}

function findPackage(): { readonly archive: string; readonly version: string } | null {
  const require = createRequire(import.meta.url);
  let folder: string;
  try {
    folder = dirname(require.resolve("@sparticuz/chromium"));
  } catch {
    // It is not installed: it is a development dependency.
    return null;
  }
  const archiveIn = (parent: string): string => join(parent, "bin", "swiftshader.tar.br");
  while (!existsSync(archiveIn(folder)) && folder !== dirname(folder)) folder = dirname(folder);
  if (!existsSync(archiveIn(folder))) return null;
  const { version } = require(join(folder, "package.json")) as { readonly version: string };
  return { archive: archiveIn(folder), version };
}

/**
 * Unpacks aside and renames, so that a folder of that name is always whole. False when the place can't be
 * written.
 */
async function unpack(archive: string, folder: string): Promise<boolean> {
  try {
    const aside = await mkdtemp(`${folder}.`);
    try {
      const contents = tarFiles(await promisify(brotliDecompress)(await readFile(archive)));
      for (const file of files) await writeFile(join(aside, file), contents.get(file) ?? "", { mode: 0o755 });
      await rename(aside, folder);
    } finally {
      await rm(aside, { recursive: true, force: true });
    }
    return true;
  } catch {
    // Another process may have been first.
    return isComplete(folder);
  }
}
