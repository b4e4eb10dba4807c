/**
 * The runtime in a real browser: bundled, served from 127.0.0.1, run on the browser's WebGPU.
 */
import { type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import type { Browser, Page } from "playwright-core";
import { build } from "vite";
import { afterAll, beforeAll, expect, test } from "vitest";
import type * as Entry from "./browser-entry.ts";
import { openChromium } from "./chromium.ts";
import { elementwise, program, total, value, vectorAdd, dispatch } from "./programs.ts";

let browser: Browser | null = null;
let server: Server | null = null;
let page: Page;

async function bundle(): Promise<string> {
  const entry = fileURLToPath(new URL("browser-entry.ts", import.meta.url));
  const result = await build({
    configFile: false,
    logLevel: "silent",
    build: { write: false, lib: { entry, formats: ["es"] } },
  });
  const outputs = Array.isArray(result)
    ? result.flatMap(({ output }) => output)
    : "output" in result
      ? result.output
      : [];
  return outputs.map((output) => (output.type === "chunk" ? output.code : "")).join("\n");
}

beforeAll(async () => {
  const code = await bundle();
  const script = 'import * as fecit from "/entry.js"; globalThis.fecit = fecit;';
  const html = `<!doctype html><title>fecit</title><script type="module">${script}</script>`;
  const pages: Readonly<Record<string, readonly [string, string]>> = {
    "/": ["text/html", html],
    "/entry.js": ["text/javascript", code],
  };
  server = createServer((request, response) => {
    const [type, text] = pages[request.url ?? ""] ?? ["text/plain", ""];
    response.setHeader("content-type", type).end(text);
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  browser = await openChromium();
  if (browser === null)
    throw new Error("no Chromium: install the development dependencies, or set CHROME_PATH");
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
});

afterAll(async () => {
  await browser?.close();
  server?.close();
});

interface Window {
  readonly fecit: Readonly<Record<string, (...args: readonly unknown[]) => unknown>>;
}

/** Calls a function of the entry in the page. */
async function inPage<Name extends keyof typeof Entry>(
  name: Name,
  ...args: Parameters<(typeof Entry)[Name]>
): Promise<Awaited<ReturnType<(typeof Entry)[Name]>>> {
  return page.evaluate(
    ({ name: called, args: given }) => {
      const { fecit } = globalThis as unknown as Window;
      return fecit[called]?.(...given) as never;
    },
    { name, args },
  );
}

test("a program gives in the browser what it gives in Node, and leaves nothing", async () => {
  const result = await inPage("run", vectorAdd(100), [
    Array.from({ length: 100 }, (_, i) => i),
    Array.from({ length: 100 }, (_, i) => 2 * i),
  ]);
  expect(result.outputs).toEqual([Array.from({ length: 100 }, (_, i) => 3 * i)]);
  expect(result.tensorBytes).toBe(0);
  expect(result.adapter).not.toBe("");
});

test("a kernel over more buffers than the browser binds is packed", async () => {
  const names = Array.from({ length: 20 }, (_, i) => `x${i}`);
  const sum = program(
    "sum",
    [...names.map((name) => value(name, [3], "input")), value("y", [3], "output")],
    [elementwise("sum", 3, names, "y", total)],
    [dispatch(0, ...names, "y")],
  );
  const { outputs } = await inPage(
    "run",
    sum,
    names.map((_, i) => [i, 2 * i, 1]),
  );
  expect(outputs).toEqual([[190, 380, 20]]);
});

test("errors are typed there, too", async () => {
  expect(await inPage("failure", vectorAdd(2 ** 40), [[], []])).toMatch(
    /^LimitError: program vector_add, tensor %x/,
  );
  expect(await inPage("failure", vectorAdd(2), [[1, 2]])).toMatch(
    /^TensorError: program vector_add: 2 arguments/,
  );
});
