import { stripVTControlCharacters } from "node:util";
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFolder } from "../folder.ts";
import { fecit } from "./capture.ts";

describe("the command line", () => {
  it("without a command shows the help and is wrong", async () => {
    const { code, out, err } = await fecit([]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toContain("Usage: fecit [options] [command]");
  });

  it.each(["check", "fmt", "run", "inspect", "bench", "summary", "throughput", "doctor", "explain", "tour"])(
    "%s --help has an example",
    async (command) => {
      const { code, out, err } = await fecit([command, "--help"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain(`Example:\n  fecit ${command}`);
    },
  );

  it("prints its version", async () => {
    expect(await fecit(["--version"])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    });
  });

  it("suggests a command", async () => {
    expect(await fecit(["chek"])).toMatchInlineSnapshot(`
      {
        "code": 2,
        "err": "error: unknown command 'chek'
        = help: did you mean \`check\`?
      ",
        "out": "",
      }
    `);
  });

  it("suggests an option", async () => {
    expect(await fecit(["check", "--jsn", "a.fec"])).toMatchInlineSnapshot(`
      {
        "code": 2,
        "err": "error: unknown option '--jsn'
        = help: did you mean \`--json\`?
      ",
        "out": "",
      }
    `);
  });

  it("says which argument is missing", async () => {
    expect(await fecit(["run", "a.fec"])).toMatchInlineSnapshot(`
      {
        "code": 2,
        "err": "error: missing required argument 'function'
        = help: \`fecit run --help\` shows what there is
      ",
        "out": "",
      }
    `);
  });

  it("knows the stages that can be traced", async () => {
    const words = ["check", "examples/cluster.fec"];
    expect(await fecit(words, undefined, { FECIT_TRACE: "chekc" })).toMatchInlineSnapshot(`
      {
        "code": 2,
        "err": "error: FECIT_TRACE: there is no stage chekc
        = help: did you mean check?
      ",
        "out": "",
      }
    `);
    const { err } = await fecit([...words, "--trace", "check"]);
    expect(err).toContain("── check the program with its types\nfn dot[d](x: f32[d], y: f32[d]) -> f32\n");
  });
});

describe("explain", () => {
  it("explains a code, however it is written", async () => {
    const { code, out } = await fecit(["explain", "error[e0203]"]);
    expect(code).toBe(0);
    expect(out).toMatch(/^E0203: shapes do not agree\n\n\w/);
  });

  it("lists all codes", async () => {
    const { out } = await fecit(["explain"]);
    expect(out).toMatch(/^E0101 {2}unexpected character\n/);
  });

  it("has a catalogue for tools", async () => {
    const { out } = await fecit(["explain", "E0101", "--json"]);
    expect(JSON.parse(out)).toMatchObject({ E0101: { title: "unexpected character" } });
  });

  it("does not know every code", async () => {
    expect(await fecit(["explain", "E0999"])).toMatchObject({ code: 2, out: "" });
  });
});

describe("tour", () => {
  it("goes through every stage and finds the gradient right", async () => {
    const { code, out, err } = await fecit(["tour"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toContain("they agree");
    expect(out).toContain("fecit check");
  });
});

describe.skipIf(!existsSync("dist/cli.js"))("the built command", () => {
  it("runs", () => {
    const out = execFileSync(process.execPath, ["bin/fecit.js", "explain", "E0101"], { encoding: "utf8" });
    expect(out).toContain("unexpected character");
  });

  it("ends quietly when nobody reads on", () => {
    const { status, stderr } = spawnSync(
      "sh",
      ["-c", `"${process.execPath}" bin/fecit.js explain --json | head -c 1 > /dev/null`],
      { encoding: "utf8" },
    );
    expect({ status, stderr: stripVTControlCharacters(stderr) }).toEqual({ status: 0, stderr: "" });
  });
});

it("work whose progress nobody hears any more has not come to its end", async () => {
  await inFolder((folder) => {
    const status = join(folder, "status");
    const words =
      "run examples/kmeans.fec kmeans x=normal c=normal --dim n=9,d=2,o=3,steps=2 --device software";
    const run = `"${process.execPath}" --import tsx src/cli/bin.ts ${words}`;
    spawnSync("sh", ["-c", `{ ${run}; echo $? > "${status}"; } 2>&1 >/dev/null | true`]);
    expect(readFileSync(status, "utf8")).toBe("141\n");
  });
});

describe.skipIf(!existsSync("/dev/full"))("a full disk", () => {
  it("is said in a line, without a stack", () => {
    const script = `"${process.execPath}" --import tsx src/cli/bin.ts explain --json > /dev/full`;
    const { status, stderr } = spawnSync("sh", ["-c", script], { encoding: "utf8" });
    expect({ status, stderr: stripVTControlCharacters(stderr) }).toEqual({
      status: 1,
      stderr:
        "error: stdout can't be written: the disk is full\n  = help: make room, or choose another place\n",
    });
  });

  it("is the end where stderr is full too", () => {
    const script = `"${process.execPath}" --import tsx src/cli/bin.ts explain --json > /dev/full 2>&1`;
    expect(spawnSync("sh", ["-c", script], { encoding: "utf8" }).status).toBe(1);
  });
});
