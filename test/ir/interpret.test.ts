import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  InterpretError,
  type InterpretOptions,
  type LoopFunction,
  type TensorData,
  interpret,
  tensor,
  zeros,
} from "../../src/ir/interpret.ts";
import { loopNest } from "../../src/ir/interpret-codegen.ts";
import { type Comprehension, type ElementType, type Graph, bool, f32, i32, u32 } from "../../src/ir/ir.ts";
import { parseGraph } from "../../src/ir/parse.ts";
import { printExpr } from "../../src/ir/print.ts";
import { evaluate, integerExpr, points, sizes, variables } from "./arbitrary.ts";

const inputs: Record<string, TensorData> = {
  x: tensor(f32, [4], [3, -1, 4, 1]),
  m: tensor(f32, [2, 3], [1, 2, 3, 4, 5, 6]),
  at: tensor({ scalar: "i32", bound: 3 }, [4], [2, 0, 2, 1]),
  n: tensor(i32, [3], [5, -7, 2147483647]),
  u: tensor(u32, [2], [4294967295, 2]),
  p: tensor(bool, [4], [1, 0, 1, 0]),
  nan: tensor(f32, [4], [1, NaN, 5, NaN]),
};
const params = "%x: f32[4], %m: f32[2, 3], %at: idx<3>[4], %n: i32[3], %u: u32[2], %p: bool[4], %nan: f32[4]";

/** The values of the results, by the program of their nodes. */
function run(nodes: string, results = "%y", options: InterpretOptions = {}): number[][] {
  const graph = parseGraph(`graph g(${params}) -> (${results}) { ${nodes} }`);
  return Object.values(interpret(graph, inputs, options)).map(({ data }) => [...data]);
}

describe.each([{ checked: false }, { checked: true }])("interpret, with %j", (options) => {
  it.each<[string, number[]]>([
    ["%y: f32[4] = for i<4. 2.0 * %x[i] + f32(i)", [6, -1, 10, 5]],
    ["%y: f32[3, 2] = for j<3, i<2. %m[i, j]", [1, 4, 2, 5, 3, 6]],
    ["%y: f32[] = sum i<2, j<3. %m[i, j]", [21]],
    ["%y: f32[2] = for i<2. prod j<3. %m[i, j]", [6, 120]],
    ["%y: f32[2, 2] = for i<2, j<2. sum k<3. %m[i, k] * %m[j, k]", [14, 32, 32, 77]],
    ["%y: f32[4] = for i<4. %m[0, %at[i]]", [3, 1, 3, 2]],
    ["%y: f32[4] = for i<4. if i >= 1 then %x[i - 1] else 0.0", [0, 3, -1, 4]],
    ["%y: f32[3] = for q<3. sum y in q * 4 // 3 .. ((q + 1) * 4 + 2) // 3. %x[y]", [2, 3, 5]],
    ["%y: i32[] = sum i<3. %n[i]", [2147483645]],
    ["%y: i32[] = sum i<3. %n[i] * %n[i]", [75]],
    ["%y: u32[] = sum i<2. %u[i]", [1]],
    ["%y: i32[] = prod i<3. %n[i]", [-2147483613]],
    ["%y: i32[] = argmax i<4. %x[i]", [2]],
    ["%y: i32[] = argmin i in 1 .. 4. %x[i] * %x[i]", [1]],
    ["%y: i32[] = argmax i in 2 .. 4. -inf", [2]],
    ["%y: i32[] = argmax i in 2 .. 2. %x[i]", [0]],
    ["%y: i32[] = argmax i<4. %nan[i]", [1]],
    ["%y: f32[] = max i<4. %nan[i]", [NaN]],
    ["%y: f32[] = max i in 3 .. 2. %x[i]", [-Infinity]],
    ["%y: i32[] = min i in 3 .. 2. %n[i]", [2147483647]],
    ["%y: bool[] = any i<4. %p[i]", [1]],
    ["%y: bool[2] = for i<2. all j<2. %p[2 * j] and i == 0", [1, 0]],
    ["%y: bool[] = all i<0. false", [1]],
    ["%y: f32[0, 3] = for i<0, j<3. 1.0", []],
    ["%y: f32[3] = for j<3. sum i<4 at j = %at[i]. %x[i]", [-1, 1, 7]],
    ["%y: f32[2, 3] = for k<2, j<3. sum i<4 at j = %at[i] + k. %x[i]", [-1, 1, 7, 0, -1, 1]],
    ["%y: f32[2, 2] = for j<2, k<2. sum i<4 at j = %at[i] - 1, k = i // 2. %x[i]", [0, 1, 3, 4]],
    [
      "%y: f32[4] = for i<4. let t0 = exp(%x[i]); if %x[i] > 2.0 then t0 else t0 / (t0 + 0.0)",
      [Math.exp(3), 1, Math.exp(4), 1],
    ],
    ["%y: u32[] = u32(%n[1]) + mul_high(%u[0], %u[1])", [4294967290]],
    ["%y: i32[] = i32(%u[0])", [-1]],
    ["%y: f32[2] = for i<2. if i == 0 then -0.0 else -inf", [-0, -Infinity]],
  ])("%s", (nodes, expected) => expect(run(nodes, "%y", options)).toEqual([expected]));

  it("gives the best value beside its place", () => {
    expect(
      run("%y: i32[2], %best: f32[2] = for i<2. argmax j<3. 0.0 - %m[i, j]", "%y, %best", options),
    ).toEqual([
      [0, 0],
      [-1, -4],
    ]);
    expect(run("%y: i32[], %best: f32[] = argmax i<4. %nan[i]", "%y, %best", options)).toEqual([[1], [NaN]]);
    expect(run("%y: i32[], %best: f32[] = argmin i<0. 1.0", "%y, %best", options)).toEqual([[0], [Infinity]]);
  });

  it("runs loops, with what they carry and stack", () => {
    const loop = `%init: f32[] = 1.0
      %last: f32[], %hist: f32[4] = loop t<4 carry (%c = %init -> %next) stack (%c) { %next: f32[] = %c * 2.0 + f32(t) * %x[t] }`;
    expect(run(loop, "%last, %hist", options)).toEqual([[16 - 4 + 16 + 3], [1, 2, 3, 14]]);
    expect(run("%r: f32[4] = loop t<0 carry (%c = %x -> %c) { }", "%r", options)).toEqual([[3, -1, 4, 1]]);
  });

  it("has the values of random integer expressions", () => {
    fc.assert(
      fc.property(integerExpr, (body) => {
        const axes = variables.map((name, n) => ({ name, size: sizes[n]! }));
        const node: Comprehension = {
          kind: "comprehension",
          name: "y",
          element: i32,
          axes,
          reduction: null,
          keys: [],
          body,
          origin: null,
        };
        const graph: Graph = { name: "g", params: [], nodes: [node], results: ["y"] };
        expect([...interpret(graph, {}, options)["y"]!.data], printExpr(body)).toEqual(
          points.map((point) => evaluate(body, point)),
        );
      }),
      { numRuns: 200 },
    );
  });
});

describe("selects", () => {
  it("that share work between their sides compute it once, and in a chain without growing", () => {
    const lines = Array.from(
      { length: 40 },
      (_, n) => `let t${n + 1} = if t${n} > ${n}.5 then t${n} + 1.0 else t${n} * 2.0;`,
    ).join(" ");
    const graph = parseGraph(
      `graph g(%x: f32[4]) -> (%y) { %y: f32[4] = for i<4. let t0 = exp(%x[i]); ${lines} t40 }`,
    );
    expect(loopNest(graph.nodes[0] as Comprehension, () => [4], false).source.length).toBeLessThan(8000);
  });

  it("that guard the same read in two places may read it beyond both", () => {
    const guarded = "for i<4. (if i > 0 then %x[i - 1] else 0.0) + (if i > 1 then %x[i - 1] * 2.0 else 0.0)";
    for (const checked of [false, true])
      expect(run(`%y: f32[4] = ${guarded}`, "%y", { checked })).toEqual([[0, 3, -3, 12]]);
  });
});

it("an unrolled fold of 2000 turns runs", () => {
  const turns = Array.from({ length: 2000 }, (_, n) => `let t${n + 1} = t${n} * 0.5 + sin(t${n});`).join(" ");
  const [values] = run(`%y: f32[4] = for i<4. let t0 = exp(%x[i]); ${turns} t2000`);
  expect(Math.sin(values![0]!)).toBeCloseTo(values![0]! / 2, 12);
});

describe("checked", () => {
  it("names the read that is out of bounds", () => {
    const broken = "%y: f32[2] = for i<2. sum j<3. %m[j, i]";
    expect(() => run(broken, "%y", { checked: true })).toThrow(
      new InterpretError("%y: %m is read outside axis 0 of size 2, at j = 2"),
    );
    expect(run(broken)).toHaveLength(1);
  });
});

describe("what cannot be run", () => {
  const graph = parseGraph("graph g(%x: f32[2], %a: idx<3>[1]) -> (%y) { %y: f32[] = %x[0] }");
  const idx3: ElementType = { scalar: "i32", bound: 3 };
  const x = zeros(f32, [2]);
  const a = zeros(idx3, [1]);
  it.each<[string, Record<string, TensorData>]>([
    ["the input %x: f32[2] is missing", { a }],
    ["the input for %x: f32[2] has shape [3]", { x: zeros(f32, [3]), a }],
    ["the input for %x: f32[2] has elements of type i32", { x: zeros(i32, [2]), a }],
    ["the input for %x: f32[2] has 1 elements, not 2", { x: { ...x, data: new Float64Array(1) }, a }],
    [
      "the input for %x: f32[2] is held in a Int32Array, not a Float64Array",
      { x: { ...x, data: new Int32Array(2) }, a },
    ],
    ["the input for %a: idx<3>[1] holds 3, which is no idx<3>", { x, a: tensor(idx3, [1], [3]) }],
  ])("%s", (message, given) => expect(() => interpret(graph, given)).toThrow(new InterpretError(message)));

  it("a derivative that has not been taken", () => {
    const untaken = parseGraph("graph g(%x: f32[]) -> (%d) { %d: f32[] = vjp (%x) at (%x) with (%x) }");
    expect(() => interpret(untaken, { x: zeros(f32, []) })).toThrow(
      "differentiate first: %d is a vjp that has not been taken",
    );
  });
});

describe("compilation", () => {
  it("is shared by nodes of the same form", () => {
    const cache = new Map<string, LoopFunction>();
    run("%a: f32[4] = for i<4. exp(%x[i]) %y: f32[4] = for j<4. exp(%a[j])", "%y", { cache });
    expect(cache.size).toBe(1);
  });

  it("computes invariant parts outside loops, and reads at flat offsets", () => {
    const { nodes } = parseGraph(
      "graph g(%x: f32[2, 3], %s: f32[]) -> (%y) { %y: f32[2] = for i<2. sum k<3. exp(%s) * %x[i, k] }",
    );
    expect(loopNest(nodes[0] as Comprehension, (name) => (name === "x" ? [2, 3] : []), false).source)
      .toBe(`return function (out, best, r0, r1, fail) {
let o = 0;
const v1 = r0[0];
const v2 = Math.exp(v1);
for (let i0 = 0; i0 < 2; i0++) {
let acc = 0;
const v3 = (Math.imul(i0, 3)) | 0;
red: for (let i1 = 0; i1 < 3; i1++) {
const v4 = (v3 + i1) | 0;
const v5 = r1[v4];
const v6 = (v2 * v5);
acc = (acc + v6);
}
out[o++] = acc;
}
};`);
  });
});
