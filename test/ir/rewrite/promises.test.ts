/** What delta elimination and segment form promise, on the programs that people write. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { operationsOf } from "../../../src/ir/cost.ts";
import { type Comprehension, definitions, type Graph, type Node, sizeOf } from "../../../src/ir/ir.ts";
import { valuesUsed } from "../../../src/ir/traverse.ts";
import { load } from "../../../src/index.ts";

function graphOf(text: string, name: string, dims: Record<string, number>): Graph {
  const module = load(text);
  expect(module.diagnostics).toEqual([]);
  return module.compile(name, { dims }).graph;
}

/** The nodes of a graph as text, without their types. */
function linesOf(text: string, name: string, dims: Record<string, number>): string[] {
  const module = load(text);
  expect(module.diagnostics).toEqual([]);
  const lines = module.compile(name, { dims }).print("ir").split("\n").slice(1, -2);
  return lines.map((line) => line.trim().replace(/: [a-z0-9<>]+\[[^\]]*\]/g, ""));
}

/** The nodes that depend on a parameter, however indirectly. */
function dependingOn(graph: Graph, param: string): Node[] {
  const reached = new Set([param]);
  return graph.nodes.filter((node) => {
    if (![...valuesUsed(node)].some((name) => reached.has(name))) return false;
    for (const { name } of definitions(node)) reached.add(name);
    return true;
  });
}

const cluster = readFileSync(new URL("../../../examples/cluster.fec", import.meta.url), "utf8");

describe("the backward program of FEC's clustering", () => {
  const [n, d] = [98, 6];
  const backward = (o: number): { graph: Graph; nodes: Node[] } => {
    const graph = graphOf(cluster, "cluster_vjp", { b: 1, h: 1, n, o, d });
    return { graph, nodes: dependingOn(graph, "ct") };
  };

  it("has no value of n × o elements", () => {
    const { nodes } = backward(16);
    const sizes = nodes.flatMap(definitions).map((v) => sizeOf(v.shape));
    expect(nodes.length).toBeGreaterThan(10);
    expect(Math.max(...sizes)).toBe(n * d);
  });

  it("reads no value of n × o elements", () => {
    const { graph, nodes } = backward(16);
    const wide = graph.nodes.flatMap(definitions).filter((v) => sizeOf(v.shape) >= n * 16);
    expect(wide.map((v) => v.name)).toEqual(["dot", "m"]);
    const used = new Set(nodes.flatMap((node) => [...valuesUsed(node)]));
    expect(wide.filter((v) => used.has(v.name))).toEqual([]);
  });

  it("costs O(n·d): more centers add only what is done once for each center", () => {
    const cost = (o: number): number =>
      backward(o).nodes.reduce((total, node) => total + operationsOf(node), 0);
    expect((cost(64) - cost(8)) / (64 - 8)).toBeLessThan(12 * d);
    expect(cost(8)).toBeLessThan(60 * n * d);
  });

  it("keeps the assignment: the backward pass has no argmax of its own", () => {
    const { graph } = backward(16);
    const positions = graph.nodes.filter((node) => (node as Comprehension).reduction?.op === "argmax");
    expect(positions).toHaveLength(1);
  });
});

describe("segment form", () => {
  it("counts and sums over a cluster in one look at each point", () => {
    const text = `
      fn sums(v: f32[n, d], a: idx[o][n]) -> (i32[o], f32[o, d]) =
        (for j -> count[i] a[i] == j, for j, k -> sum[i] if a[i] == j then v[i, k] else 0.0)`;
    expect(linesOf(text, "sums", { n: 9, d: 2, o: 4 })).toEqual([
      "%sums = for j<4. sum i<9 at j = %a[i]. 1",
      "%sums.1 = for j<4, k<2. sum i<9 at j = %a[i]. %v[i, k]",
    ]);
  });

  it("is the gradient of a gather", () => {
    const text = `
      fn rows(e: f32[v, d], t: idx[v][n]) -> f32[n, d] = for i -> e[t[i]]
      fn back(e: f32[v, d], t: idx[v][n], ct: f32[n, d]) -> f32[v, d] = vjp(rows)(e, t)(ct)`;
    expect(linesOf(text, "back", { v: 9, d: 3, n: 4 })).toEqual([
      "%d_e.1 = for i2<9, i3<3. sum i<4 at i2 = %t[i]. %ct[i, i3]",
    ]);
  });

  it("is found behind a one-hot mask, forward and backward", () => {
    const text = `
      fn pick(t: idx[v][n], w: f32[v, d]) -> f32[n, d] = for i, k -> sum[j] f32(t[i] == j) * w[j, k]
      fn back(t: idx[v][n], w: f32[v, d], ct: f32[n, d]) -> f32[v, d] = vjp(pick)(t, w)(ct)`;
    expect(linesOf(text, "pick", { v: 7, n: 5, d: 2 })).toEqual(["%pick = for i<5, k<2. %w[%t[i], k]"]);
    expect(linesOf(text, "back", { v: 7, n: 5, d: 2 })).toEqual([
      "%d_w.1 = for j1<7, k1<2. sum i<5 at j1 = %t[i]. %ct[i, k1]",
    ]);
  });
});

describe("index equations", () => {
  const back = (forward: string, type: string, result: string): string =>
    `${forward}\nfn back(x: ${type}, ct: ${result}) -> ${type} = vjp(f)(x)(ct)`;

  it("turn the gradient of a strided, padded convolution into a gather over few taps", () => {
    const text = back(
      "fn f(x: f32[n]) -> f32[(n + 1) // 2] = for i -> sum[k: 3] x[2 * i + k - 1 | 0.0]",
      "f32[n]",
      "f32[(n + 1) // 2]",
    );
    expect(linesOf(text, "back", { n: 40 })).toEqual([
      "%d_x.1 = for i1<40. sum i in i1 // 2 .. min((i1 + 1) // 2 + 1, 20). %ct[i]",
    ]);
  });

  it("undo flattening, splitting, repeating and reversing", () => {
    const flat = back(
      "fn f(x: f32[h, w]) -> f32[h * w] = for i: h * w -> x[i // w, i % w]",
      "f32[h, w]",
      "f32[h * w]",
    );
    expect(linesOf(flat, "back", { h: 3, w: 4 })).toEqual(["%d_x.1 = for i0<3, i1<4. %ct[4 * i0 + i1]"]);
    const split = `fn f[h, w](x: f32[h * w]) -> f32[h, w] = for i, j -> x[w * i + j]
      fn back[h, w](x: f32[h * w], ct: f32[h, w]) -> f32[h * w] = vjp(f[h, w])(x)(ct)`;
    expect(linesOf(split, "back", { h: 3, w: 4 })).toEqual([
      "%d_x.1 = for i0<12. let t0 = i0 // 4; %ct[t0, i0 - 4 * t0]",
    ]);
    const repeated = back("fn f(x: f32[n]) -> f32[2 * n] = for i -> x[i // 2]", "f32[n]", "f32[2 * n]");
    expect(linesOf(repeated, "back", { n: 5 })).toEqual([
      "%d_x.1 = for i1<5. sum i in 2 * i1 .. 2 * i1 + 2. %ct[i]",
    ]);
    const reversed = back("fn f(x: f32[n]) -> f32[n] = for i: n -> x[n - 1 - i]", "f32[n]", "f32[n]");
    expect(linesOf(reversed, "back", { n: 5 })).toEqual(["%d_x.1 = for i0<5. %ct[4 - i0]"]);
  });
});

describe("one reduction for a maximum and its place", () => {
  it("reads a value at its own argmax as the best value", () => {
    const text = `
      fn best(m: f32[n, o]) -> (f32[n], idx[o][n]) {
        let a[i] = argmax[j] 2.0 * m[i, j]
        (for i -> 2.0 * m[i, a[i]], a)
      }`;
    expect(linesOf(text, "best", { n: 4, o: 3 })).toEqual([
      "%a, %best = for i<4. argmax j<3. 2.0 * %m[i, j]",
    ]);
  });

  it("finds the place of a maximum once for its value and its gradient", () => {
    const text = `
      fn spread(x: f32[n]) -> f32[n] { let top = max[i] x[i]
        for i -> x[i] - top }
      fn back(x: f32[n], ct: f32[n]) -> (f32[n], f32[n]) = (spread(x), vjp(spread)(x)(ct))`;
    const reductions = linesOf(text, "back", { n: 5 }).filter((line) => /\b(max|argmax) /.test(line));
    expect(reductions).toEqual(["%top_at, %top = argmax i<5. %x[i]"]);
  });
});

describe("what a node does not need is not in it", () => {
  it("computes invariant parts once", () => {
    const text = "fn scaled(x: f32[n, m], s: f32[n]) -> f32[n, m] = for i, j -> x[i, j] * exp(s[i])";
    expect(linesOf(text, "scaled", { n: 4, m: 9 })).toEqual([
      "%scaled_part = for i<4. exp(%s[i])",
      "%scaled = for i<4, j<9. %x[i, j] * %scaled_part[i]",
    ]);
  });

  it("computes a value without the axes on which it does not depend", () => {
    const text =
      "fn norms(x: f32[n]) -> f32[n, n] { let s[i, j] = sqrt(x[i] + 1.0)\n for i: n, j: n -> s[i, j] + s[j, i] }";
    const lines = linesOf(text.replace("s[i, j] = ", "s[i: n, j: n] = "), "norms", { n: 4 });
    expect(lines[0]).toMatch(/= for i<4\. sqrt\(%x\[i\] \+ 1\.0\)$/);
    expect(lines).toHaveLength(2);
  });

  it("computes what a loop gathers before it, unless all turns together need few of the elements", () => {
    const text = `fn walk(x: f32[n, 3], a: idx[n], b: f32[2]) -> f32[2] = {
        let s[i] = sum[k] exp(x[i, k])
        fold y = b for t: 70 -> for j -> tanh(y[j] + s[a])
      }`;
    const isSummedInside = (n: number): boolean =>
      /loop .*\n.*sum k/.test(linesOf(text, "walk", { n }).join("\n"));
    expect(isSummedInside(139)).toBe(false);
    expect(isSummedInside(140)).toBe(true);
  });

  it("computes equal nodes once", () => {
    const text = `
      fn total(x: f32[n]) -> f32 = sum[i] x[i] * x[i]
      fn twice(x: f32[n]) -> f32 = total(x) + sqrt(total(x))`;
    expect(linesOf(text, "twice", { n: 4 })).toHaveLength(2);
  });
});

it("group norm's backward pass takes two sums over an image, and none again of what is 0", () => {
  const text = `use norm.{GroupNorm, group_norm}
fn f(p: GroupNorm[c], x: f32[c, h, w]) -> f32[c, h, w] = group_norm[1](p, x)`;
  const { graph } = load(text)
    .compile("f", { dims: { c: 4, h: 6, w: 6 } })
    .vjp();
  const sums = dependingOn(graph, graph.params.at(-1)!.name).filter(
    (node) => node.kind === "comprehension" && node.axes.length === 0 && node.reduction !== null,
  );
  expect(sums.flatMap(definitions).map(({ name }) => name)).toEqual(["d_scale", "d_mu"]);
});

describe("a value that depends on an axis by its quotient", () => {
  const text = (at: string): string =>
    `fn f(x: f32[4, 5], w: f32[5, 3]) -> f32[12, 3] = for n: 12, q -> sum[r] x[${at}, r] * w[r, q]`;

  it("is computed once for each quotient", () => {
    expect(linesOf(text("n // 3"), "f", {})[0]).toMatch(/for \w+<4, \w+<3\. sum/);
  });

  it("is computed at each point where that does not divide its axis, or where the axis stands otherwise too", () => {
    expect(linesOf(text("n // 5"), "f", {})[0]).toMatch(/for \w+<12, \w+<3\. sum/);
    expect(linesOf(text("(n // 3 + n) // 4"), "f", {})[0]).toMatch(/for \w+<12, \w+<3\. sum/);
  });
});

describe("a reduction", () => {
  it("over what is also a value of its own reads that", () => {
    const text = `fn f(x: f32[a, b]) -> (f32[a, b], f32[b]) {
  let d = for i, j -> tanh(x[i, j]) * exp(x[i, j])
  (d, for j: b -> sum[i: a] tanh(x[i, j]) * exp(x[i, j]))
}`;
    const [, total] = linesOf(text, "f", { a: 3, b: 5 });
    expect(total).toMatch(/sum \w+<3\. %d\[i, j\]$/);
  });

  it("over products of two numbers reads them: they cost no more than a read", () => {
    const text = `fn f(x: f32[a], y: f32[b]) -> (f32[a, b], f32[b]) =
  (for i: a, j: b -> x[i] * y[j], for j: b -> sum[i: a] x[i] * y[j])`;
    expect(linesOf(text, "f", { a: 3, b: 5 }).filter((line) => /sum .*%f\[/.test(line))).toEqual([]);
  });

  it("over equal values takes each once", () => {
    const sum = linesOf("fn f(x: f32[a]) -> f32 = sum[i: 4 * a] x[i // 4]", "f", { a: 3 });
    expect(sum.join("\n")).toMatch(/sum \w+<3\. 4\.0 \* %x\[\w+\]/);
    const most = linesOf("fn f(x: f32[a]) -> f32 = max[i: 4 * a] x[i // 4]", "f", { a: 3 });
    expect(most.join("\n")).toMatch(/max \w+<3\. %x\[\w+\]/);
    const place = linesOf("fn f(x: f32[a]) -> i32 = argmax[i: 4 * a] x[i // 4]", "f", { a: 3 });
    expect(place.join("\n")).toMatch(/argmax \w+<12\. /);
  });
});
