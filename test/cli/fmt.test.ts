import { lstatSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFolder } from "../folder.ts";
import { fecit } from "./capture.ts";

const loose = "fn f(x:f32)->f32=x*2.0 # twice\n";
const canonical = "fn f(x: f32) -> f32 = x * 2.0  # twice\n";

describe("fmt", () => {
  it("writes the canonical layout and names what it changed", async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "a.fec"), loose);
      writeFileSync(join(folder, "b.fec"), canonical);
      expect(await fecit(["fmt", "a.fec", "b.fec"], folder)).toEqual({ code: 0, out: "a.fec\n", err: "" });
      expect(readFileSync(join(folder, "a.fec"), "utf8")).toBe(canonical);
      expect(readdirSync(folder)).toEqual(["a.fec", "b.fec"]);
    });
  });

  it("--check changes nothing", async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "a.fec"), loose);
      const { code, out } = await fecit(["fmt", "--check", "a.fec"], folder);
      expect({ code, out }).toEqual({ code: 1, out: "a.fec: not in the canonical layout\n" });
      expect(readFileSync(join(folder, "a.fec"), "utf8")).toBe(loose);
      writeFileSync(join(folder, "a.fec"), canonical);
      expect(await fecit(["fmt", "--check", "a.fec"], folder)).toEqual({ code: 0, out: "", err: "" });
    });
  });

  it("leaves a program with mistakes alone", async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "a.fec"), "fn f(x:f32 = x\n");
      const { code, out, err } = await fecit(["fmt", "a.fec"], folder);
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(err).toContain("error[E01");
      expect(readFileSync(join(folder, "a.fec"), "utf8")).toBe("fn f(x:f32 = x\n");
    });
  });

  it("follows a symbolic link", async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "a.fec"), loose);
      symlinkSync("a.fec", join(folder, "link.fec"));
      await fecit(["fmt", "link.fec"], folder);
      expect(lstatSync(join(folder, "link.fec")).isSymbolicLink()).toBe(true);
      expect(readFileSync(join(folder, "a.fec"), "utf8")).toBe(canonical);
    });
  });

  it("tells tools what it did", async () => {
    await inFolder(async (folder) => {
      writeFileSync(join(folder, "a.fec"), loose);
      const { out } = await fecit(["fmt", "--json", "a.fec"], folder);
      expect(JSON.parse(out)).toEqual({ files: [{ file: "a.fec", changed: true }], diagnostics: [] });
    });
  });
});
