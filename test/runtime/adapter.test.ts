/**
 * The choice of an adapter, each in a process of its own.
 */
import { execFile } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { isSoftwareName } from "../../src/runtime/adapter.ts";
import { driverAdvice, parseOsRelease } from "../../src/runtime/node-advice.ts";

const script = fileURLToPath(new URL("open.mjs", import.meta.url));
const hasSwiftShader = process.platform === "linux" && process.arch === "x64";

interface Opened {
  readonly name?: string;
  readonly heard?: readonly string[];
  readonly kind?: string;
  readonly sum?: readonly number[];
  readonly error?: string;
  readonly message?: string;
  readonly tried?: readonly string[];
}

/** What a process says that opens the adapter of a choice. */
async function open(choice: string, environment: Readonly<Record<string, string>> = {}): Promise<Opened> {
  // Whoever opened SwiftShader in this process has left where its driver is.
  const { VK_DRIVER_FILES: _driver, VK_ICD_FILENAMES: _older, ...own } = process.env;
  const env = { ...own, FECIT_DEVICE: "", ...environment };
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script, choice], {
    env,
  });
  return JSON.parse(stdout) as Opened;
}

/** No driver of the system is visible to the Vulkan loader. */
const noDrivers = { VK_DRIVER_FILES: "/nonexistent", VK_ICD_FILENAMES: "/nonexistent" } as const;

describe("the choice of an adapter", () => {
  test("auto finds one, says which, and computes", async () => {
    const opened = await open("auto");
    expect(opened).toMatchObject({ sum: [5, 7, 9] });
    expect(opened.heard).toEqual([opened.name]);
  });

  test("null checks without running", async () => {
    expect(await open("null", noDrivers)).toMatchObject({ name: "null backend", kind: "null", sum: [] });
  });

  test.runIf(hasSwiftShader)("SwiftShader is unpacked on first use where there is no driver", async () => {
    const cache = mkdtempSync(join(tmpdir(), "fecit-cache-"));
    try {
      const environment = { ...noDrivers, XDG_CACHE_HOME: cache };
      // Several at once, and once more when it is there.
      const first = await Promise.all([open("auto", environment), open("software", environment)]);
      for (const opened of [...first, await open("swiftshader", { XDG_CACHE_HOME: cache })])
        expect(opened).toMatchObject({ name: "SwiftShader", kind: "software", sum: [5, 7, 9] });
      const [folder = "", ...others] = readdirSync(join(cache, "fecit"));
      expect(others).toEqual([]);
      expect(readdirSync(join(cache, "fecit", folder)).sort()).toEqual([
        "libvk_swiftshader.so",
        "libvulkan.so.1",
        "vk_swiftshader_icd.json",
      ]);
    } finally {
      rmSync(cache, { recursive: true, force: true });
    }
  });

  test.runIf(hasSwiftShader)("a cache that can't be written is replaced by a temporary folder", async () => {
    expect(await open("swiftshader", { XDG_CACHE_HOME: "/dev/null" })).toMatchObject({ sum: [5, 7, 9] });
  });

  test("a name that no adapter has is an error that says which there are", async () => {
    const { error, message, tried } = await open("no such adapter", noDrivers);
    expect(error).toBe("AdapterError");
    expect(tried).toEqual([
      "the system's drivers: Dawn found none",
      "SwiftShader: it was not asked for, by `software` or its name",
    ]);
    expect(message).toMatch(
      /^no adapter for the device choice "no such adapter"\n {2}tried the system's drivers/,
    );
  });

  test("a GPU is not replaced by a software driver", async () => {
    expect(await open("gpu", noDrivers)).toMatchObject({ error: "AdapterError" });
  });

  test("drivers of the processor are known by their names", () => {
    const names = [
      "llvmpipe (LLVM 15.0.6, 256 bits)",
      "SwiftShader Device (Subzero)",
      "Microsoft Basic Render Driver",
    ];
    expect(names.filter(isSoftwareName)).toEqual(names);
    expect(["NVIDIA H200", "Apple M1 Max", "Intel(R) UHD Graphics 620"].filter(isSoftwareName)).toEqual([]);
  });
});

describe("advice", () => {
  test.each([
    ['ID=debian\nVERSION_ID="12"', "bookworm-backports"],
    ['ID=debian\nVERSION_ID="13"', "`sudo apt-get install mesa-vulkan-drivers libvulkan1`"],
    ['ID=neon\nID_LIKE="ubuntu debian"', "apt-get install mesa"],
    ["ID=fedora", "dnf"],
    ["ID=nixos", "lavapipe"],
  ])("of %j names its packages", (release, expected) => {
    expect(driverAdvice("linux", parseOsRelease(release))).toContain(expected);
  });

  test("is there for every system", () => {
    expect(driverAdvice("darwin")).toContain("Metal");
    expect(driverAdvice("win32")).toContain("Direct3D");
    expect(driverAdvice("aix")).toContain("Linux, macOS or Windows");
  });
});
