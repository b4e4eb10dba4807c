import { describe, expect, it } from "vitest";
import { inFolder } from "../folder.ts";
import { fecit } from "./capture.ts";

/** The adapter of the tests, as FECIT_DEVICE names it. */
const device = process.env["FECIT_DEVICE"] ?? "software";

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
        ceilings: null,
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
    expect(out).toContain("No adapter for `--device no such adapter`; `fecit doctor` shows which there are.");
  });

  it("measures an adapter's ceilings, and knows them from then on", async () => {
    await inFolder(async (folder) => {
      const environment = { XDG_CACHE_HOME: folder };
      const doctor = (...words: string[]): ReturnType<typeof fecit> =>
        fecit(["doctor", "--device", device, ...words], undefined, environment);
      expect((await doctor()).out).toContain("measured ceilings: none; `fecit doctor --measure`");
      const { code, out, err } = await doctor("--measure");
      expect(code).toBe(0);
      expect(err).toMatch(/^fecit: measuring .*, a few seconds\nfecit: kept in .*\.json\n$/);
      const lines =
        /\n {2}measured ceilings, on \d{4}-\d\d-\d\d:\n {4}dispatch \S+ µs, round trip \S+ µs\n {4}copy +\S+ GB\/s/;
      expect(out).toMatch(lines);
      expect((await doctor()).out).toBe(out);
      const { adapters } = JSON.parse((await doctor("--json")).out) as { adapters: { ceilings: object }[] };
      expect(adapters[0]!.ceilings).toMatchObject({
        fmaGflops: expect.any(Number) as number,
        measuredOn: expect.any(String) as string,
      });
    });
  });

  it("has nothing to measure where nothing runs", async () => {
    const { code, out, err } = await fecit(["doctor", "--device", "null", "--measure"]);
    expect(code).toBe(0);
    expect(err).toBe("fecit: null backend runs nothing: there is nothing to measure\n");
    expect(out).not.toContain("measured ceilings");
  });
});
