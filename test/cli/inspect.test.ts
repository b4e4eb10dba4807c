import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseGraph } from "../../src/ir/parse.ts";
import { inFolder } from "../folder.ts";
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
    const { code, out, err } = await fecit([...assign, ...dims, "--stage", "ir"]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(parseGraph(out).results).toHaveLength(2);
  });

  it("shows the IR of the vjp", async () => {
    const { out } = await fecit([...assign, ...dims, "--stage", "vjp"]);
    expect(parseGraph(out).results).toHaveLength(2);
    expect(out).toContain("graph assign_vjp(");
  });

  it("gives nodes as data", async () => {
    const { out } = await fecit([...assign, ...dims, "--stage", "ir", "--json"]);
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
    ["the interpreter as a device", ["examples/cluster.fec", "assign", ...dims, "--device", "interpreter"]],
    ["a stage that there is not", ["examples/cluster.fec", "assign", "--stage", "typd"]],
    ["to time what has no kernels", ["examples/cluster.fec", "assign", "--stage", "ir", "--measure"]],
  ])("refuses %s", async (_, words) => {
    const { code, out, err } = await fecit(["inspect", ...words]);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatchSnapshot();
  });
});

const cluster = ["inspect", "examples/cluster.fec", "cluster", "--dim", "n=9,o=4,d=3"];

describe("inspect shows kernels", () => {
  it("as a table, with no adapter", async () => {
    const { code, out, err } = await fecit(cluster);
    expect({ code, err }).toEqual({ code: 0, err: "" });
    const [head, row, , total, memory] = out.split("\n");
    expect(head).toMatch(
      /^kernel +nodes +grid +size +workgroup +barriers +read +written +operations +predicted$/,
    );
    expect(row).toMatch(/^dispatch_hard +\S/);
    expect(total).toMatch(/^1 kernel, \S+( k)? operations, .* read and written$/);
    expect(memory).toMatch(/^memory: .* in all, 0 bytes of it for intermediates$/);
  });

  it("a kernel for every node without fusion", async () => {
    const [off, ir] = [
      await fecit([...cluster, "--fuse", "off", "--json"]),
      await fecit([...cluster, "--stage", "ir", "--json"]),
    ];
    const { kernels, fuse } = JSON.parse(off.out) as { kernels: unknown[]; fuse: string };
    const { nodes } = JSON.parse(ir.out) as { nodes: { source: unknown; op: string }[] };
    expect(fuse).toBe("off");
    // An argmax that keeps its best value defines two values.
    const doubles = nodes.length - kernels.length;
    expect(doubles).toBeGreaterThanOrEqual(0);
    expect(doubles).toBeLessThanOrEqual(nodes.filter(({ op }) => op.startsWith("arg")).length);
  });

  it("as data", async () => {
    const { code, out } = await fecit([...cluster, "--json"]);
    expect(code).toBe(0);
    const found = JSON.parse(out) as Record<string, unknown> & { kernels: Record<string, unknown>[] };
    expect(Object.keys(found)).toEqual([
      "function",
      "dims",
      "adapter",
      "fuse",
      "kernels",
      "buffers",
      "peakBytes",
      "intermediateBytes",
      "decisions",
    ]);
    expect(found).toMatchObject({
      function: "cluster",
      dims: { n: 9, o: 4, d: 3 },
      adapter: "none",
      fuse: "full",
    });
    const kernel = found.kernels[0]!;
    expect(kernel).toMatchObject({
      grid: [1, 1, 1],
      workgroupSize: [expect.any(Number), 1, 1],
      writes: [{ tensor: "dispatch_hard", bytes: 4 * 9 * 3 }],
    });
    expect(kernel["reads"]).toContainEqual({ tensor: "x", bytes: 4 * 9 * 3 });
    for (const name of ["a", "dot", "r", "aggregate", "size"]) expect(kernel["nodes"]).toContain(name);
    for (const number of ["barriers", "workgroupBytes", "flops"]) expect(kernel[number]).toBeGreaterThan(0);
    expect(kernel["source"]).toContainEqual({
      file: "examples/cluster.fec",
      line: 13,
      column: expect.any(Number) as number,
    });
    expect(kernel["wgsl"]).toContain("fn main(");
    expect(found["buffers"]).toContainEqual({ name: "cx", bytes: 4 * 4 * 3, role: "input" });
    expect(found["buffers"]).toContainEqual({ name: "dispatch_hard", bytes: 4 * 9 * 3, role: "output" });
    expect(found["decisions"]).toContainEqual({
      producer: "a",
      consumer: "aggregate",
      fused: true,
      placement: "workgroup",
      reason: expect.stringMatching(/./) as string,
    });
  });

  it("one decision for each pair", async () => {
    const { out } = await fecit([...cluster, "--vjp", "--json"]);
    const { function: name, decisions } = JSON.parse(out) as {
      function: string;
      decisions: { producer: string; consumer: string }[];
    };
    expect(name).toBe("cluster_vjp");
    const pairs = decisions.map(({ producer, consumer }) => `${producer} ${consumer}`);
    expect(new Set(pairs).size).toBe(pairs.length);
  });

  it.each([
    ["fused", /^kernel dispatch_hard over 1 workgroup\n {2}phase 0/],
    ["kernels", /^program cluster\(x, v, cx, cv, alpha, beta\)[^]*\nkernel dispatch_hard</],
    ["wgsl", /^\/\/ kernel dispatch_hard\n\/\/ computes [^]*@group\(0\) @binding\(0\)/],
  ])("of the stage %s as text", async (stage, expected) => {
    const { code, out } = await fecit([...cluster, "--stage", stage]);
    expect(code).toBe(0);
    expect(out).toMatch(expected);
  });

  it("for an adapter that is asked for", async () => {
    const { code, out, err } = await fecit([...cluster, "--device", "null", "--json"]);
    expect(code).toBe(0);
    expect(err).toContain("fecit: on null backend");
    expect((JSON.parse(out) as { adapter: string }).adapter).toBe("null backend");
  });

  it("with the tensors that are not row-major, unless that is asked for", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "product.fec");
      const text = `fn product(x: f32[n, n], v: f32[n, n], w: f32[n, n]) -> f32[n, n] {
  let g = for a, b -> tanh(sum[k] x[a, k] * v[k, b])
  for a, c -> sum[b] g[a, b] * w[c, b]
}
`;
      writeFileSync(file, text);
      const words = ["inspect", file, "product", "--dim", "n=512"];
      const buffersOf = async (...more: readonly string[]): Promise<{ order?: number[] }[]> =>
        (JSON.parse((await fecit([...words, "--json", ...more])).out) as { buffers: { order?: number[] }[] })
          .buffers;
      expect((await fecit(words)).out).toMatch(/\nnot row-major: g\.1 by axes 1, 0\n$/);
      expect(await buffersOf()).toContainEqual({
        name: "g.1",
        bytes: 4 * 512 * 512,
        role: "intermediate",
        order: [1, 0],
      });
      for (const buffer of await buffersOf("--layout", "row-major")) expect(buffer.order).toBeUndefined();
      const page = join(folder, "page.html");
      await fecit([...words, "--html", page]);
      expect(readFileSync(page, "utf8")).toContain("<code>g.1</code> by axes 1, 0");
    });
  });

  it("with measured times beside predicted ones, in the table, as data, and on a page", async () => {
    await inFolder(async (folder) => {
      const page = join(folder, "page.html");
      const words = [...cluster, "--measure", "--device", process.env["FECIT_DEVICE"] ?? "software"];
      const table = await fecit([...words, "--html", page, "--stage", "fused"]);
      expect(table.code).toBe(0);
      expect(readFileSync(page, "utf8")).toContain("predicted time");
      const { out } = await fecit(words);
      expect(out).toMatch(/^kernel .* predicted +measured\n/);
      const { kernels } = JSON.parse((await fecit([...words, "--json"])).out) as {
        kernels: { predictedMs: number; measuredMs: number | null }[];
      };
      for (const { predictedMs, measuredMs } of kernels) {
        expect(predictedMs).toBeGreaterThan(0);
        // Null where the adapter has no timestamps.
        expect(measuredMs ?? 0).toBeGreaterThanOrEqual(0);
      }
    });
  });

  it("measures on no adapter that runs nothing", async () => {
    expect((await fecit([...cluster, "--measure", "--device", "null"])).code).toBe(3);
  });

  it("on a page that needs nothing else", async () => {
    await inFolder(async (folder) => {
      const file = join(folder, "page.html");
      const { code, out, err } = await fecit([...cluster, "--vjp", "--html", file]);
      expect({ code, out, err }).toEqual({ code: 0, out: "", err: `fecit: ${file} written\n` });
      const page = readFileSync(file, "utf8");
      expect(page).toContain("<title>cluster_vjp · fecit</title>");
      expect(page).toContain(
        '<li class="used" data-kernels="0"><code>  let a[i] = argmax[j] m[i, j]</code></li>',
      );
      expect(page).not.toMatch(/https?:\/\/|<link|src=/);
      // What looks like a tag in WGSL is none.
      expect(page.includes("&lt;")).toBe(true);
      expect(page.match(/<(storage|uniform|workgroup|f32|i32)\b/)).toBeNull();
      const graph = await fecit([...cluster, "--stage", "ir"]);
      expect((await fecit([...cluster, "--html", file, "--stage", "ir"])).out).toBe(graph.out);
    });
  });
});
