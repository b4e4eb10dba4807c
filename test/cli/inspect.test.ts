import { describe, expect, it } from "vitest";
import { parseGraph } from "../../src/ir/parse.ts";
import { fecit } from "./capture.ts";

const assign = ["inspect", "examples/cluster.fec", "assign"];
const dims = ["--dim", "n=3,o=2", "--dim", "d=4"];

describe("inspect", () => {
  it("shows a function with the types that were inferred", async () => {
    expect(await fecit([...assign, "--stage", "typed"])).toMatchInlineSnapshot(`
      {
        "code": 0,
        "err": "",
        "out": "fn assign[n, d, o](x: f32[n, d], c: f32[o, d]) -> (f32[n, o], idx[o][n])
        12  let m: f32[n, o]
            i: n, j: o
        13  let a: idx[o][n]
            i: n, j: o
      ",
      }
    `);
  });

  it("shows tensor IR, which reads back", async () => {
    const { code, out, err } = await fecit([...assign, ...dims]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(parseGraph(out).results).toHaveLength(2);
  });

  it("shows the IR of the vjp", async () => {
    const { out } = await fecit([...assign, ...dims, "--stage", "vjp"]);
    expect(parseGraph(out).results).toHaveLength(2);
    expect(out).toContain("graph assign_vjp(");
  });

  it("gives nodes as data", async () => {
    const { out } = await fecit([...assign, ...dims, "--json"]);
    const found = JSON.parse(out) as { nodes: Record<string, unknown>[]; text: string };
    expect(found).toMatchObject({ function: "assign", dims: { n: 3, o: 2, d: 4 }, stage: "ir" });
    expect(found.nodes.map((node) => node["op"])).toContain("argmax");
    expect(found.nodes.at(-1)).toMatchObject({ type: "idx<2>", shape: [3], source: { line: 13 } });
    expect(parseGraph(found.text).nodes).toHaveLength(found.nodes.length);
  });

  it("gives lets as data", async () => {
    const { out } = await fecit([...assign, "--stage", "typed", "--json"]);
    expect((JSON.parse(out) as { nodes: unknown }).nodes).toEqual([
      { name: "m", type: "f32", shape: ["n", "o"], op: "let", reads: [], source: { line: 12, column: 7 } },
      { name: "a", type: "idx[o]", shape: ["n"], op: "let", reads: [], source: { line: 13, column: 7 } },
    ]);
  });

  it.each([
    ["a function that there is not", ["examples/cluster.fec", "asign"]],
    ["dimensions that are not given", ["examples/cluster.fec", "assign", "--dim", "n=3"]],
    ["a dimension that there is not", ["examples/cluster.fec", "assign", ...dims, "--dim", "q=3"]],
    ["a dimension that is no number", ["examples/cluster.fec", "assign", "--dim", "n=x"]],
    ["a dimension with two values", ["examples/cluster.fec", "assign", ...dims, "--dim", "n=4"]],
    ["a stage of the back end", ["examples/cluster.fec", "assign", "--stage", "wgsl"]],
    ["a stage that there is not", ["examples/cluster.fec", "assign", "--stage", "typd"]],
  ])("refuses %s", async (_, words) => {
    const { code, out, err } = await fecit(["inspect", ...words]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatchSnapshot();
  });
});
