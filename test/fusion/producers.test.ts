/** Long sums over what a contraction gives, such as the statistics of a normalisation: made by the kernel that makes what they sum. */
import { describe, expect, it } from "vitest";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import type { Group, Plan } from "../../src/fusion/plan.ts";
import { verdictsOf } from "../../src/fusion/verdicts.ts";
import { valuesUsed } from "../../src/ir/traverse.ts";
import { loadModel } from "../../src/model.ts";
import { graphOf, groupsOf, planOf } from "./plans.ts";

/** A driver that runs subgroups as vectors of a processor. */
const { target } = kernelShapeFor("software", 8);

const programs = `use norm.{GroupNorm, group_norm}

fn projected(w: f32[o, c], p: GroupNorm[o], x: f32[b, c, h, v]) -> f32[b, o, h, v] = for i -> {
  let y[r, m, n] = sum[q] w[r, q] * x[i, q, m, n]
  group_norm[1](p, y)
}

fn farthest(w: f32[o, c], x: f32[b, c, n]) -> (f32[b, o, n], f32[b]) {
  let y[i, r, m] = sum[q] w[r, q] * x[i, q, m]
  (y, for i -> max[r, m] y[i, r, m] ^ 2)
}

fn perceptron(w: f32[o, c], u: f32[c, o], x: f32[b, c, n]) -> f32[b, c, n] {
  let y[i, r, m] = tanh(sum[q] w[r, q] * x[i, q, m])
  for i, q, m -> sum[r] u[q, r] * y[i, r, m]
}
`;

const planned = (name: string, dims: Readonly<Record<string, number>>): Plan =>
  planOf(graphOf(programs, name, dims), "full", target);

const nodesIn = ({ phases }: Group): string[] => phases.flatMap(({ nodes }) => nodes.map(({ name }) => name));

describe("what a contraction gives, and sums over all of an image", () => {
  it.each([
    { of: "stage 1", o: 32, c: 96, h: 56, v: 56 },
    { of: "stage 2", o: 64, c: 96, h: 28, v: 28 },
    { of: "stage 3", o: 196, c: 192, h: 14, v: 14 },
    { of: "stage 4", o: 320, c: 192, h: 7, v: 7 },
  ])("are one kernel for 8 images: $of", ({ o, c, h, v }) => {
    const plan = planned("projected", { b: 8, o, c, h, v });
    expect(groupsOf(plan).map(nodesIn)).toHaveLength(1);
    const joined = verdictsOf(plan).filter(({ producer, fused }) => producer === "y" && fused);
    expect(joined.length).toBeGreaterThan(0);
    for (const { reason } of joined) expect(reason).toMatch(/as one, .* as two, by estimate; 8 regions/);
  });

  it("are one kernel whatever is summed", () => {
    expect(groupsOf(planned("farthest", { b: 8, o: 64, c: 96, n: 784 }))).toHaveLength(1);
  });

  it("are several for one image, which leaves workgroups idle", () => {
    const groups = groupsOf(planned("projected", { b: 1, o: 32, c: 96, h: 56, v: 56 }));
    expect(groups[0]!.owner).toBe("invocation");
    expect(groups.length).toBeGreaterThan(1);
  });

  it("are several in a program of many nodes, of whose kernels a driver could not keep all", () => {
    const graph = graphOf(programs, "projected", { b: 8, o: 64, c: 96, h: 28, v: 28 });
    const owners = (mostNodesWithBlocks: number): string[] =>
      groupsOf(planOf(graph, "full", { ...target, mostNodesWithBlocks })).map(({ owner }) => owner);
    expect(owners(graph.nodes.length)).toEqual(["workgroup"]);
    expect(owners(graph.nodes.length - 1)[0]).toBe("invocation");
  });

  it("are several where a region's points are too few for a block", () => {
    const groups = groupsOf(planned("farthest", { b: 512, o: 64, c: 512, n: 16 }));
    expect(groups[0]!.owner).toBe("invocation");
  });
});

describe("contractions after one another", () => {
  it("are kernels of their own, whose blocks can be large", () => {
    const groups = groupsOf(planned("perceptron", { b: 8, o: 256, c: 32, n: 3136 }));
    expect(groups.map(({ owner }) => owner)).toEqual(["invocation", "invocation"]);
  });
});

/** The parts of the model, in the order in which they are computed. */
const order = [
  "stem",
  ...[3, 4, 5, 2].flatMap((count, s) => [
    ...(s === 0 ? [] : [`pool${s}`]),
    ...Array.from({ length: count }, (_, t) => `stage${s + 1}.${t}`),
  ]),
];

describe("the forward pass of FEC, 8 images of 224 × 224", () => {
  it("has at most six kernels a block", { timeout: 60_000 }, () => {
    const { graph } = loadModel("fec_small").forward({ b: 8, h: 224, w: 224 });
    const kernels = new Map<string, number>();
    for (const { phases, inlined } of groupsOf(planOf(graph, "full", target))) {
      const nodes = [...phases.flatMap((phase) => phase.nodes), ...inlined.values()];
      const parts = nodes.flatMap((node) =>
        [...valuesUsed(node)].flatMap((value) => /^p\.(stem|pool\d|stage\d\.\d)/.exec(value)?.[1] ?? []),
      );
      // The kernel of a part's last sum may begin the next part.
      const part = order.find((name) => parts.includes(name)) ?? "other";
      kernels.set(part, (kernels.get(part) ?? 0) + 1);
    }
    const ofBlocks = [...kernels].filter(([part]) => part.startsWith("stage"));
    expect(ofBlocks).toHaveLength(14);
    expect(ofBlocks.filter(([, count]) => count > 6)).toEqual([]);
  });
});
