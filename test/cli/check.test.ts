import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { inFolder } from "../folder.ts";
import { fecit, type Outcome } from "./capture.ts";

/** `fecit check` on files of these contents. */
async function check(
  files: Readonly<Record<string, string | Uint8Array>>,
  ...options: string[]
): Promise<Outcome> {
  return inFolder((folder) => {
    for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
    return fecit(["check", ...options], folder);
  });
}

const wrong = "fn f(w: f32[o, c], x: f32[d]) -> f32[o] =\n  for i -> sum[k] w[i, k] * x[k]\n";

describe("check", () => {
  it("says that a program is right, on stderr", async () => {
    expect(await check({ "a.fec": "fn f(x: f32) -> f32 = x\n" }, "a.fec")).toEqual({
      code: 0,
      out: "",
      err: "a.fec: 1 function, no mistakes\n",
    });
  });

  it("shows a mistake where it is", async () => {
    const { code, out, err } = await check({ "a.fec": wrong }, "a.fec");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("error[E0203]: shapes do not agree");
    expect(err).toContain("a.fec:2:");
  });

  it("counts the mistakes of all files", async () => {
    const { err } = await check({ "a.fec": wrong, "b.fec": "fn g() -> f32 = y\n" }, "a.fec", "b.fec");
    expect(err).toContain("a.fec:2:");
    expect(err).toContain("b.fec:1:");
  });

  it("gives diagnostics as data: lines and columns from 1, the end exclusive", async () => {
    const { code, out, err } = await check(
      { "a.fec": "fn g(x: f32) -> f32 =\n  y + x\n" },
      "a.fec",
      "--json",
    );
    expect({ code, err }).toEqual({ code: 1, err: "" });
    const found = JSON.parse(out) as { diagnostics: Record<string, unknown>[] };
    expect(found.diagnostics).toEqual([
      {
        code: "E0301",
        severity: "error",
        message: expect.any(String) as string,
        file: "a.fec",
        line: 2,
        column: 3,
        endLine: 2,
        endColumn: 4,
        help: found.diagnostics[0]?.["help"],
      },
    ]);
  });

  it("gives an empty list when nothing is wrong", async () => {
    const { code, out } = await check({ "a.fec": "fn f(x: f32) -> f32 = x\n" }, "a.fec", "--json");
    expect({ code, found: JSON.parse(out) as unknown }).toEqual({ code: 0, found: { diagnostics: [] } });
  });

  it("finds the files beside a program, and reports on a shared one once", async () => {
    const files = {
      "a.fec": "use ./c.{h}\nfn f(x: f32) -> f32 = h(x)\n",
      "b.fec": "use ./c.{h}\nfn g(x: f32) -> f32 = h(x)\n",
      "c.fec": "fn h(x: f32) -> f32 = x\nfn bad() -> f32 = y\n",
    };
    const { code, err } = await check(files, "a.fec", "b.fec");
    expect(code).toBe(1);
    expect(err.match(/c\.fec:2:/g)).toHaveLength(1);
  });
});

describe("files that are no programs", () => {
  it("are among the diagnostics as data", async () => {
    const { code, out } = await check({}, "nope.fec", "--json");
    const place = { line: 1, column: 1, endLine: 1, endColumn: 1 };
    expect({ code, found: JSON.parse(out) as unknown }).toEqual({
      code: 1,
      found: {
        diagnostics: [
          {
            code: null,
            severity: "error",
            message: "nope.fec can't be read: there is no such file",
            file: "nope.fec",
            ...place,
            help: "check the path",
          },
        ],
      },
    });
  });

  it("one whose ending is left out", async () => {
    expect((await check({ "lr.fec": "" }, "lr")).err).toContain("did you mean lr.fec?");
  });

  it("one that is used, with the path that was tried", async () => {
    const { err } = await check({ "a.fec": "use ./nofile.{x}\n" }, "a.fec");
    expect(err).toContain("there is no file nofile.fec");
  });

  it("a missing one, with the name that may be meant", async () => {
    expect(await check({ "cluster.fec": "" }, "clutser.fec")).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "error: clutser.fec can't be read: there is no such file
        = help: did you mean cluster.fec?
      ",
        "out": "",
      }
    `);
  });

  it("a directory", async () => {
    const outcome = await inFolder((folder) => {
      mkdirSync(join(folder, "models"));
      return fecit(["check", "models"], folder);
    });
    expect(outcome).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "error: models can't be read: it is a directory, a file is expected
        = help: name a file in it
      ",
        "out": "",
      }
    `);
  });

  it("binary data", async () => {
    expect(await check({ "a.fec": Uint8Array.of(0x7f, 0x45, 0, 1) }, "a.fec")).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "error: a.fec is not a program: it holds binary data
        = help: a program is a text in UTF-8, with the ending .fec
      ",
        "out": "",
      }
    `);
  });

  it("another encoding", async () => {
    expect(await check({ "a.fec": Uint8Array.of(0x66, 0xe9, 0x0a) }, "a.fec")).toMatchInlineSnapshot(`
      {
        "code": 1,
        "err": "error: a.fec is not a program: it is not in UTF-8
        = help: a program is a text in UTF-8, with the ending .fec
      ",
        "out": "",
      }
    `);
  });

  it("goes on with the others", async () => {
    const { code, err } = await check({ "a.fec": "fn f(x: f32) -> f32 = x\n" }, "nope.fec", "a.fec");
    expect(code).toBe(1);
    expect(err).toContain("a.fec: 1 function, no mistakes");
  });
});
