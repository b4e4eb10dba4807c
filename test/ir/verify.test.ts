import { describe, expect, it } from "vitest";
import type { Graph, Node } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { assertValid, verifyGraph } from "../../src/ir/verify.ts";

const problemsOf = (nodes: string, results = "()"): string[] =>
  verifyGraph(
    parseGraph(
      `graph g(%x: f32[8], %s: f32[], %h: f16[8], %at: idx<8>[4], %n: i32[4], %u: u32[4]) -> ${results} { ${nodes} }`,
    ),
  );

describe("a well-formed graph", () => {
  it.each([
    "%y: f32[8] = for i<8. %x[i] * %s",
    "%a: idx<8>[], %best: f32[] = argmax i<8. %x[i]",
    "%a: idx<8>[4] = for i<4. clamp(%n[i], 0, 7)",
    "%a: idx<3>[4] = for i<4. if %n[i] > 0 then 2 else 0",
    "%a: idx<8>[] = max i<4. %at[i]",
    "%y: f32[4] = for j<4. sum i<4 at j = %n[i]. %x[%at[i]]",
    "%r: f32[], %hist: f32[3, 8] = loop t<3 carry (%c = %s -> %next) stack (%v) { %next: f32[] = %c + %x[t] %v: f32[8] = for i<8. %x[i] * %next }",
    "%y: f32[] = custom (%s) of (%x) rule (%ct) -> (%d) { %d: f32[8] = for i<8. %ct }",
    "%d: f32[] = vjp (%s) at (%s) with (%s)",
    "%t: u32[4] = for i<4. shift_right(%u[i], 3u) + u32(i)",
  ])("%s", (nodes) => expect(problemsOf(nodes)).toEqual([]));
});

describe("what is wrong is said, with the node", () => {
  it.each<[string, string]>([
    ["%x: f32[] = 1.0", "%x: %x is defined twice"],
    [
      "%y: f32[9] = for i<9. %x[i]",
      "%y: the read of %x is not proved to be in bounds: axis 0 has size 8, i is 0 … 8",
    ],
    [
      "%y: f32[] = sum i<3. %x[%n[i]]",
      "%y: the read of %x is not proved to be in bounds: axis 0 has size 8, %n[i] is -Infinity … Infinity",
    ],
    ["%y: f32[] = %x[0, 0]", "%y: %x: f32[8] is read with 2 indices"],
    ["%y: f32[] = %x[j]", "%y: the index variable j is not bound here"],
    ["%y: f32[8] = for i<8, i<8. %x[i]", "%y: an index variable has two axes"],
    ["%y: f32[8] = for i<8. %x[i] * %h[i]", "%y: the arguments of mul have different types: f32, f16"],
    ["%y: f32[8] = for i<8. %x[i] // i", "%y: the arguments of floor_div have different types: f32, i32"],
    ["%y: f32[] = exp(1)", "%y: argument 1 of exp is i32, not float"],
    ["%y: f32[] = if 1 then 1.0 else 2.0", "%y: a condition is i32, not bool"],
    ["%y: f32[] = if true then 1.0 else 2", "%y: the sides of an 'if' are f32 and i32"],
    ["%y: f16[] = 1.0", "%y: the value is f32, but %y holds f16"],
    ["%y: bool[] = any i<8. %x[i]", "%y: any of a body that is f32"],
    ["%y: i32[] = argmax i<2, j<2. %x[i + j]", "%y: argmax has 2 reduction axes"],
    ["%y: idx<7>[] = argmax i<8. %x[i]", "%y: the elements are not proved to be in idx<7>"],
    ["%y: idx<7>[4] = for i<4. %at[i]", "%y: the elements are not proved to be in idx<7>"],
    ["%y: f32[4] = for j<4. max i<4 at j = %n[i]. 1.0", "%y: only a sum has keys"],
    ["%y: f32[4] = for j<4. sum i<4 at j = %n[i]. %x[j]", "%y: the index variable j is not bound here"],
    ["%y: f32[4] = for j<4. sum i<4 at k = %n[i]. %x[i]", "%y: k is keyed, but is no axis"],
    ["%y: f32[] = sum i in 0 .. 1.0. %x[0]", "%y: the upper bound of i is f32, not i32"],
    ["%y: i32[] = 3000000000", "%y: 3000000000 is no literal of type i32"],
    ["%r: f32[] = loop t<3 carry (%c = %x -> %c) { }", "%r: the value before, %x, is f32[8], not f32[]"],
    [
      "%r: f32[8] = loop t<9 carry (%c = %x -> %next) { %next: f32[8] = for i<8. %x[t] }",
      "%r: %next: the read of %x is not proved to be in bounds: axis 0 has size 8, t is 0 … 8",
    ],
    [
      "%y: f32[] = custom (%s) of (%x) rule (%ct) -> (%ct) { }",
      "%y: the cotangent of %x, %ct, is f32[], not f32[8]",
    ],
    ["%d: f32[] = vjp (%s) at (%x) with (%s)", "%d: %d is f32[], not f32[8]"],
    ["%d: idx<8>[4] = jvp (%at) at (%s) with (%s)", "%d: %at is idx<8>: it has no derivative"],
  ])("%s", (nodes, problem) => expect(problemsOf(nodes)).toEqual([problem]));

  it("names that could not be printed", () => {
    const {
      nodes: [node],
      ...rest
    } = parseGraph("graph g() -> () { %y: f32[3] = for i<3. 1.0 }");
    const renamed = {
      ...(node as Node & { kind: "comprehension" }),
      name: "a b",
      axes: [{ name: "if", size: -1 }],
    };
    expect(verifyGraph({ ...rest, nodes: [renamed] } as Graph)).toEqual([
      "%a b: 'if' is no name for an index variable",
      "%a b: 'a b' is no name for a value",
      "%a b: the shape of %a b, [-1], has a size that is no natural number",
    ]);
  });

  it("reads before the definition, and results without one", () => {
    const graph = parseGraph("graph g() -> (%z) { %y: f32[] = 1.0 %w: f32[] = %y }");
    const problems = ["%w: %y is read but not defined before", "the result %z is not defined"];
    expect(verifyGraph({ ...graph, nodes: [...graph.nodes].reverse() })).toEqual(problems);
    expect(() => assertValid({ ...graph, nodes: [...graph.nodes].reverse() })).toThrow(
      `the graph g is not well formed:\n  ${problems.join("\n  ")}`,
    );
  });
});

it("finds the same of a graph with many choices, however often it looks", () => {
  const reads = Array.from(
    { length: 80 },
    (_, k) => `%x[if i < ${k % 7} then i + ${8 - (k % 7) - 1} else i - ${k % 7}]`,
  );
  const graph = parseGraph(`graph g(%x: f32[8]) -> (%y) {
    %y: f32[8] = for i<8. if %x[i] > 0.0 then ${reads.join(" + ")} else 0.0
  }`);
  const found = [1, 2, 3].map(() => verifyGraph(graph));
  expect(found).toEqual([found[0], found[0], found[0]]);
  expect(found[0]).toEqual([]);
});
