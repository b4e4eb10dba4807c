import { describe, expect, it } from "vitest";
import { fecit } from "./capture.ts";

const limits = { maxStorageBuffersPerShaderStage: expect.any(Number) as number };

describe("doctor", () => {
  it("describes an adapter with its limits", async () => {
    const { code, out } = await fecit(["doctor", "--device", "null", "--json"]);
    expect(code).toBe(0);
    const found = JSON.parse(out) as { adapters: unknown[]; node: string };
    expect(found.node).toBe(process.version);
    expect(found.adapters).toEqual([
      {
        choice: "null",
        adapter: expect.objectContaining({
          name: "null backend",
          kind: "null",
          limits: expect.objectContaining(limits) as object,
        }) as object,
        tried: [],
        help: null,
      },
    ]);
  });

  it("says it in words", async () => {
    const { code, out } = await fecit(["doctor", "--device", "null"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^Node v\d+.* on \w+, \w+\n\nnull: null backend, which runs nothing\n {2}driver/);
    expect(out).toMatch(/\n {2}binding {4}\S+ .*, \d+ in a kernel\n/);
  });

  it("says what was tried and what to install where there is none: exit code 3", async () => {
    const { code, out } = await fecit(["doctor", "--device", "no such adapter"]);
    expect(code).toBe(3);
    expect(out).toContain("no such adapter: none\n");
    expect(out).toMatch(/\n {2}help: \S/);
    expect(out).toContain("No adapter: programs run with `--device interpreter` only.");
  });
});
