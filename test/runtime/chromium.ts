/**
 * A headless Chromium with WebGPU for tests: CHROME_PATH, else the one of the package @sparticuz/chromium,
 * unpacked without root and with the libraries that a bare system lacks, else the system's.
 *
 *     const browser = await openChromium();      // or null where there is none
 */
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { brotliDecompressSync } from "node:zlib";
import { type Browser, chromium } from "playwright-core";
import { tarFiles } from "../../src/runtime/node-tar.ts";

const flags = [
  "--no-sandbox",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
] as const;

interface Installed {
  readonly executablePath: string;
  /** Where it finds libraries besides the system's. */
  readonly libraries: string | null;
}

export async function openChromium(): Promise<Browser | null> {
  const found = installed() ?? unpacked() ?? system();
  if (found === null) return null;
  const { executablePath, libraries } = found;
  const env = { ...process.env, ...(libraries === null ? {} : { LD_LIBRARY_PATH: libraries }) };
  return chromium.launch({ executablePath, headless: true, args: [...flags], env });
}

function installed(): Installed | null {
  const executablePath = process.env["CHROME_PATH"] ?? "";
  return executablePath === "" ? null : { executablePath, libraries: null };
}

function system(): Installed | null {
  const executablePath = ["/usr/bin/chromium", "/usr/bin/google-chrome"].find((path) => existsSync(path));
  return executablePath === undefined ? null : { executablePath, libraries: null };
}

/** The package's own unpacking would put it in /tmp for whoever comes first, who may be another user. */
function unpacked(): Installed | null {
  if (process.platform !== "linux" || process.arch !== "x64") return null;
  const require = createRequire(import.meta.url);
  let folder = dirname(require.resolve("@sparticuz/chromium"));
  while (!existsSync(join(folder, "bin"))) folder = dirname(folder);
  const { version } = require(join(folder, "package.json")) as { readonly version: string };
  const target = join(tmpdir(), `fecit-chromium-${version}-${process.getuid?.() ?? "user"}`);
  if (!existsSync(target)) unpack(join(folder, "bin"), target);
  return { executablePath: join(target, "chromium"), libraries: join(target, "lib") };
}

/** Aside, then renamed, so that a folder of that name is always whole. */
function unpack(packed: string, target: string): void {
  const aside = mkdtempSync(`${target}.`);
  const inflate = (name: string): Buffer => brotliDecompressSync(readFileSync(join(packed, name)));
  const write = (name: string, bytes: Buffer): void => {
    mkdirSync(dirname(join(aside, name)), { recursive: true });
    writeFileSync(join(aside, name), bytes);
    chmodSync(join(aside, name), 0o755);
  };
  try {
    write("chromium", inflate("chromium.br"));
    for (const archive of ["swiftshader.tar.br", "al2023.tar.br"])
      for (const [name, bytes] of tarFiles(inflate(archive))) write(name, bytes);
    renameSync(aside, target);
  } catch (error) {
    rmSync(aside, { recursive: true, force: true });
    // Another process may have been first.
    if (!existsSync(target)) throw error;
  }
}
