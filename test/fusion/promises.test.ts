/**
 * What fusion promises of the programs that it was made for, at the sizes that the published FEC models have at 224 × 224 pixels: the
 * number of kernels, and that no matrix of points × centers reaches memory.
 */
import { readFileSync } from "node:fs";
import { describe, expect, it, test } from "vitest";
import { verdictsOf } from "../../src/fusion/verdicts.ts";
import { definitions } from "../../src/ir/ir.ts";
import { isFloat } from "../../src/ir/ir.ts";
import { postorder, valuesUsed } from "../../src/ir/traverse.ts";
import { prepared } from "../programs/compile.ts";
import { compileCase, suites } from "../programs/suites.ts";
import { vjpGraph } from "../../src/autodiff/differentiate.ts";
import { levels } from "../codegen/levels.ts";
import { graphOf, groupsOf, nodesOf, planOf, storedValues } from "./plans.ts";

function example(name: string): string {
  return readFileSync(new URL(`../../examples/${name}.fec`, import.meta.url), "utf8");
}

const cluster = example("cluster");
const attention = example("attention");
const kmeans = example("kmeans");

/** Heads, points, centers and channels of a clustering; those of the poolings have one head and a quarter of the points for centers. */
const sizes = [
  { of: "stage 1, small", h: 4, n: 3136, o: 16, d: 24 },
  { of: "stage 1, base", h: 4, n: 3136, o: 16, d: 32 },
  { of: "stage 1, large", h: 6, n: 3136, o: 16, d: 32 },
  { of: "stage 2, small", h: 4, n: 784, o: 16, d: 24 },
  { of: "stage 2, base", h: 4, n: 784, o: 16, d: 32 },
  { of: "stage 2, large", h: 6, n: 784, o: 16, d: 32 },
  { of: "stage 3, small", h: 8, n: 196, o: 4, d: 24 },
  { of: "stage 3, base", h: 8, n: 196, o: 4, d: 32 },
  { of: "stage 3, large", h: 12, n: 196, o: 4, d: 32 },
  { of: "stage 4, small", h: 8, n: 49, o: 4, d: 24 },
  { of: "stage 4, base", h: 8, n: 49, o: 4, d: 32 },
  { of: "stage 4, large", h: 12, n: 49, o: 4, d: 32 },
  { of: "pooling 1, small", h: 1, n: 3136, o: 784, d: 64 },
  { of: "pooling 1, base", h: 1, n: 3136, o: 784, d: 128 },
  { of: "pooling 2, small", h: 1, n: 784, o: 196, d: 196 },
  { of: "pooling 2, base", h: 1, n: 784, o: 196, d: 320 },
  { of: "pooling 3, small", h: 1, n: 196, o: 49, d: 320 },
  { of: "pooling 3, base", h: 1, n: 196, o: 49, d: 512 },
] as const;

describe("the clustering of 8 images", () => {
  it.each(sizes)("is one kernel: $of", ({ h, n, o, d }) => {
    const plan = planOf(graphOf(cluster, "cluster_batch", { b: 8, h, n, o, d }));
    expect(groupsOf(plan)).toHaveLength(1);
  });

  it.each(sizes)("is at most two kernels backward, the second a sum over the grid: $of", ({ h, n, o, d }) => {
    const plan = planOf(graphOf(cluster, "cluster_vjp", { b: 8, h, n, o, d }));
    const groups = groupsOf(plan);
    expect(groups.map(({ name }) => name).slice(2)).toEqual([]);
    for (const { phases } of groups.slice(1))
      for (const { nodes } of phases) expect(nodes.flatMap((node) => node.axes)).toEqual([]);
  });
});

describe.each([8, 1])("the clustering of %i images, forward and backward", (b) => {
  it.each(sizes)("stores nothing of points × centers: $of", ({ h, n, o, d }) => {
    // The second pooling has as many channels as centers: one more tells points × channels from points × centers.
    const dims = { b, h, n, o, d: d === o ? d + 1 : d };
    for (const name of ["cluster_batch", "cluster_vjp"]) {
      const stored = storedValues(planOf(graphOf(cluster, name, dims)));
      const dense = stored.filter(({ shape }) => shape.includes(n) && shape.includes(o));
      expect(dense.map((value) => value.name)).toEqual([]);
    }
  });
});

test("what backward needs of the points is computed in the phase that compares them, beside the comparison", () => {
  const graph = graphOf(cluster, "cluster_vjp", { b: 8, h: 8, n: 49, o: 4, d: 24 });
  const [group] = groupsOf(planOf(graph));
  const nearest = group!.phases.find(({ nodes }) =>
    nodes.some(({ reduction }) => reduction?.op === "argmax"),
  );
  // The squared lengths, which lie in memory from here on.
  const lengths = nearest!.nodes.filter(
    ({ name, reduction }) => reduction?.op === "sum" && name.startsWith("dot"),
  );
  expect(lengths.map(({ name }) => group!.placements.get(name))).toContain("workgroup");
});

describe("the clustering of one image", () => {
  it.each(sizes)("says why, where it is divided over more kernels: $of", ({ h, n, o, d }) => {
    const plan = planOf(graphOf(cluster, "cluster_batch", { b: 1, h, n, o, d }));
    const apart = verdictsOf(plan).filter(({ fused }) => !fused);
    if (groupsOf(plan).length > 1) expect(apart.length).toBeGreaterThan(0);
    for (const { reason } of apart) expect(reason).not.toBe("");
  });
});

describe("other classics are one kernel", () => {
  it.each([
    ["attention", attention, "attention", { n: 196, m: 196, d: 32, e: 32 }],
    ["attention of a batch", attention, "attention_batch", { b: 8, h: 8, n: 196, m: 196, d: 32, e: 32 }],
    ["a step of k-means", kmeans, "lloyd", { n: 1024, o: 16, d: 8 }],
    ["a step of k-means for each of a batch", lloyds(), "lloyds", { b: 8, n: 1024, o: 16, d: 8 }],
    ["group norm of a batch", groupNorms(), "norms", { b: 64, c: 32, h: 28, w: 28 }],
  ])("%s", (_, text, name, dims) => {
    expect(groupsOf(planOf(graphOf(text, name, dims))).map((group) => group.name)).toHaveLength(1);
  });
});

function lloyds(): string {
  return `${kmeans}
fn lloyds(x: f32[b, n, d], c: f32[b, o, d]) -> f32[b, o, d] = for i -> lloyd(x[i], c[i])
`;
}

function groupNorms(): string {
  return `use norm.{GroupNorm, group_norm}
fn norms(p: GroupNorm[c], x: f32[b, c, h, w]) -> f32[b, c, h, w] = for i -> group_norm[1](p, x[i])
`;
}

/** The graphs of all programs with expectations, and of their gradients. */
function* everyGraph() {
  for (const { name, cases } of suites())
    for (const of of cases) {
      const { specialised, derivative } = compileCase(of);
      yield { title: `${name}, ${of.title}`, graph: prepared(specialised.graph) };
      if (derivative !== null)
        yield { title: `${name}, ${of.title}, gradients`, graph: prepared(vjpGraph(specialised.graph)) };
    }
}

test("an integer that hangs on floating numbers is computed at one place", () => {
  const twice: string[] = [];
  for (const { title, graph } of everyGraph()) {
    const plan = planOf(graph);
    const inlined = new Set(
      groupsOf(plan).flatMap((group) => [...group.inlined.values()].map(({ name }) => name)),
    );
    for (const node of nodesOf(plan)) {
      const readsFloats = postorder(node.body).some((e) => e.kind === "read" && isFloat(e.element.scalar));
      if (isFloat(node.element.scalar) || !readsFloats || !inlined.has(node.name)) continue;
      const names = definitions(node).map(({ name }) => name);
      const readers = nodesOf(plan).filter((other) => names.some((name) => valuesUsed(other).has(name)));
      if (readers.length > 1) twice.push(`${title}: ${node.name}`);
    }
  }
  expect(twice).toEqual([]);
});

test("every value that passes between kernels has a decision, and every decision a reason", () => {
  const silent: string[] = [];
  for (const { title, graph } of everyGraph()) {
    const plan = planOf(graph);
    const verdicts = verdictsOf(plan);
    for (const { producer, consumer, reason } of verdicts)
      if (reason.trim() === "") silent.push(`${title}: ${producer} → ${consumer}`);
    const told = new Set(verdicts.map(({ producer, consumer }) => `${producer} → ${consumer}`));
    const producers = new Map(
      nodesOf(plan).flatMap((node) => definitions(node).map(({ name }) => [name, node.name] as const)),
    );
    for (const node of nodesOf(plan))
      for (const used of valuesUsed(node)) {
        const producer = producers.get(used);
        const isStored = groupsOf(plan).some((group) =>
          group.phases.some((phase) => phase.nodes.includes(node)),
        );
        if (producer !== undefined && isStored && !told.has(`${producer} → ${node.name}`))
          silent.push(`${title}: ${producer} → ${node.name} is not told`);
      }
  }
  expect(silent).toEqual([]);
});

test("the kernels of the examples, at each level", () => {
  const counts = suites()
    .filter(({ file }) => file.startsWith("examples/"))
    .flatMap(({ name, cases }) =>
      cases.map((of) => {
        const graph = prepared(compileCase(of).specialised.graph);
        const numbers = levels.map((level) => groupsOf(planOf(graph, level)).length);
        return `${name} ${of.title}: ${numbers.join(" · ")}`;
      }),
    );
  expect(counts.join("\n")).toMatchSnapshot();
});
