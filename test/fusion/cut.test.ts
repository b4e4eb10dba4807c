/** Reductions in parts: the nodes of the parts and of the whole give what the one gave. */
import { describe, expect, test } from "vitest";
import { cutNode, divisorUpTo } from "../../src/fusion/cut.ts";
import { planGraph } from "../../src/fusion/planner.ts";
import { discreteTarget } from "../../src/fusion/target.ts";
import type { Comprehension, Graph } from "../../src/ir/ir.ts";
import { namesFor } from "../../src/ir/names.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { run, verified } from "../programs/compile.ts";
import { randomInputs } from "../programs/inputs.ts";
import { randomSource } from "../programs/random-source.ts";

/** Where the best of `m` is, of which three after one another are equal, and what it is. */
const search = (op: string, m: number): Graph =>
  verified(
    parseGraph(`graph f(%x: f32[7, ${m}]) -> (%a, %best) {
      %a: idx<${m}>[7], %best: f32[7] = for n<7. ${op} m<${m}. floor(3.0 * %x[n, m // 3])
    }`),
  );

describe("a search", () => {
  test.each([
    ["argmax", 12, 3],
    ["argmax", 12, 12],
    ["argmin", 24, 4],
  ])("%s of %d in %d parts finds the first best", (op, m, parts) => {
    const graph = search(op, m);
    const [node] = graph.nodes as readonly Comprehension[];
    const nodes = cutNode(node!, [{ axis: 0, parts }], namesFor(graph));
    const inputs = randomInputs(graph.params, randomSource(m));
    expect(nodes).toHaveLength(3);
    expect(run(verified({ ...graph, nodes }), inputs)).toEqual(run(graph, inputs));
  });

  test("over sums is cut for a GPU where it has few points, and over what is at hand is not", () => {
    const sums = "%s: f32[20000, 96] = for n<20000, m<96. sum k<64. %x[n, k] * %c[m, k]";
    const namesOf = (before: string, body: string): readonly string[] => {
      const graph = verified(
        parseGraph(`graph f(%x: f32[20000, 64], %c: f32[96, 64]) -> (%a) {
          ${before}
          %a: idx<96>[20000] = for n<20000. argmax m<96. ${body}
        }`),
      );
      return planGraph(graph, "full", discreteTarget).graph.nodes.map((node) =>
        node.kind === "comprehension" ? node.name : "",
      );
    };
    expect(namesOf(sums, "%s[n, m]")).toContain("a_which");
    expect(namesOf("", "%x[n, 0] * %c[m, 0]")).not.toContain("a_which");
  });
});

test("the largest divisor up to a number", () => {
  expect([divisorUpTo(49, 8), divisorUpTo(61, 10), divisorUpTo(24, 100), divisorUpTo(24, 0.5)]).toEqual([
    7, 1, 24, 1,
  ]);
});
