/** The public face, as a program that uses the package sees it. Nothing else is imported. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "tsdown";
import { describe, expect, expectTypeOf, it } from "vitest";
import {
  ArgumentError,
  type Compiled,
  CompileError,
  format,
  type Graph,
  interpret,
  load,
  type LoadOptions,
  type Module,
  parseGraph,
  printGraph,
  renderDiagnostics,
  type Tensor,
  tensor,
  type Value,
  verifyGraph,
} from "../src/index.ts";
import { inFolder } from "./folder.ts";

const verified: LoadOptions = { verify: true };

const source = `
use nn.{Linear, linear}

struct Net[i, o] {
  layer: Linear[i, o]
  scales: [Scale[o]; 2]
  steps: i32
}
struct Scale[o] { by: f32[o] ~ uniform(1.0, 2.0) }

## Twice.
fn double(x: f32[n]) -> f32[n] = for i -> 2.0 * x[i]
fn apply(p: Net[i, o], x: f32[i]) -> (f32[o], idx[o]) {
  let y = fold y = linear(p.layer, x) for s in p.scales -> y * s.by
  (y, argmax[k] y[k])
}
fn choose(yes: bool, a: (f32, f32), at: idx[n], x: f32[n]) -> f32 =
  if yes then x[at] else { let (u, v) = a
 u + v }
fn tree(p: T) -> T = tree_map(fn (x) -> 3.0 * x, p)
`;

/** An error's message; the error must be of that class. */
function messageOf(kind: typeof ArgumentError | typeof CompileError, action: () => unknown): string {
  try {
    action();
  } catch (error) {
    expect(error).toBeInstanceOf(kind);
    return (error as Error).message;
  }
  throw new Error("nothing was thrown");
}

const net: Value = {
  layer: { weight: tensor([2, 1], [1, -2]), bias: tensor([2], [0.5, 0]) },
  scales: [{ by: tensor([2], [2, 1]) }, { by: tensor([2], [3, 1]) }],
  steps: 4,
};

describe("load", () => {
  const module = load(source, verified);

  it("describes the functions of a program", () => {
    expect(module.diagnostics).toEqual([]);
    expect(module.functions[0]).toEqual({
      name: "double",
      doc: "Twice.",
      dims: ["n"],
      params: [{ name: "x", type: "f32[n]" }],
      result: "f32[n]",
    });
  });

  it("has mistakes as data, and throws them when something is to be compiled", () => {
    const wrong = load({ name: "a.fec", text: "fn f(x: f32) -> f32 = y\n" });
    expect(wrong.diagnostics).toHaveLength(1);
    const message = messageOf(CompileError, () => wrong.compile("f"));
    expect(message).toBe(renderDiagnostics(wrong.diagnostics));
    expect(message).toContain("a.fec:1:");
  });

  it("reads other files through a loader", () => {
    const loader = { load: (path: string) => ({ name: path, text: "fn g(x: f32) -> f32 = 5.0 * x\n" }) };
    const { compile } = load("use ./g.{g}\nfn f(x: f32) -> f32 = g(x)\n", { loader });
    expect(compile("f").interpret(2)).toEqual([10]);
  });

  it("tells a tracer what each stage made", () => {
    const stages: string[] = [];
    load(source, { trace: (stage) => stages.push(stage.name) }).compile("double", { dims: { n: 2 } });
    expect(stages).toEqual(["check", "ir", "vjp", "simplify"]);
  });
});

describe("compile", () => {
  const module = load(source, verified);

  it("takes dimensions, or the shapes of arguments", () => {
    const byDims = module.compile("double", { dims: { n: 3 } });
    const byShapes = module.compile("double", { args: [byDims.params[0]!.shape] });
    expect(byShapes.dims).toEqual({ n: 3 });
    expect(byShapes.graph).toEqual(byDims.graph);
  });

  it("runs on structs, lists, integers and tuples", () => {
    const compiled = module.compile("apply", { dims: { i: 1, o: 2 } });
    expect(compiled.params.map((p) => p.type)).toEqual(["Net { layer, scales, steps }", "f32[1]"]);
    const [y, best] = compiled.interpret(net, tensor([1], [1]));
    expect((y as Tensor).data).toEqual(Float64Array.of(9, -2));
    expect(best).toBe(0);
    const choose = module.compile("choose", { dims: { n: 2 } });
    expect(choose.interpret(false, [1, 2], 1, tensor([2], [5, 6]))).toEqual([3]);
    expect(choose.interpret(true, [1, 2], 1, tensor([2], [5, 6]))).toEqual([6]);
  });

  it("takes a type parameter from an argument's shape", () => {
    const { params } = module.compile("apply", { dims: { i: 1, o: 2 } });
    const { shape } = params[0]!;
    const scales = shape.kind === "struct" ? shape.fields[1]!.shape : shape;
    const tree = module.compile("tree", { args: [scales] });
    expect(tree.interpret([{ by: tensor([2], [1, 2]) }, { by: tensor([2], [3, 4]) }])).toEqual([
      [{ by: tensor([2], [3, 6]) }, { by: tensor([2], [9, 12]) }],
    ]);
  });

  it("says what is wrong with a request", () => {
    expect(messageOf(CompileError, () => module.compile("duble"))).toContain("did you mean `double`?");
    expect(messageOf(CompileError, () => module.compile("double"))).toContain("n is not given");
    expect(messageOf(ArgumentError, () => module.compile("double", { dims: { m: 1 } }))).toBe(
      "fn double has no dimension m; there are n",
    );
    expect(messageOf(ArgumentError, () => module.compile("double", { dims: { n: 1.5 } }))).toContain(
      "found 1.5",
    );
  });

  it("names the argument that does not fit", () => {
    const { interpret: run } = module.compile("apply", { dims: { i: 1, o: 2 } });
    const x = tensor([1], [1]);
    const struct = net as Record<string, Value>;
    const bad = (p: unknown, y: Value = x): string => messageOf(ArgumentError, () => run(p as Value, y));
    expect(bad(net, tensor([2], [1, 2]))).toBe("x: expected f32[1], found f32[2]");
    expect(bad(net, tensor([1], [1], "i32"))).toBe("x: expected f32[1], found i32[1]");
    expect(bad(net, 1)).toBe("x: expected f32[1], found the number 1");
    expect(bad(net, [1])).toContain("x: expected f32[1], found an array of 1 items");
    expect(bad({ ...struct, steps: 0.5 })).toContain("p.steps: expected a whole number");
    expect(bad({ ...struct, steps: undefined })).toBe("p.steps: expected i32, found nothing");
    expect(bad({ ...struct, step: 1 })).toBe("p: Net has no field step; did you mean steps?");
    expect(bad({ ...struct, scales: [] })).toBe("p.scales: expected 2 items, found 0");
    expect(bad({ layer: struct["layer"], steps: 1 })).toContain(
      "p.scales is missing; expected [Scale { by }; 2]",
    );
    expect(messageOf(ArgumentError, () => run(net))).toBe("apply takes 2 arguments (p, x), 1 given");
    const choose = module.compile("choose", { dims: { n: 2 } });
    expect(messageOf(ArgumentError, () => choose.interpret(true, [1, 2], 2, tensor([2], [5, 6])))).toBe(
      "at: expected a whole number from 0 to 1 for idx[2], found 2; an idx[2] is a place on an axis of size 2, counted from 0",
    );
  });
});

describe("derivatives", () => {
  const apply = load(source, verified).compile("apply", { dims: { i: 1, o: 2 } });
  const x = tensor([1], [3]);

  it("gives the vjp with a cotangent for the floating result, and structs of the floating fields", () => {
    const vjp = apply.vjp();
    expect(vjp.params.map((p) => p.name)).toEqual(["p", "x", "ct"]);
    expect(vjp.results.map((p) => `${p.name}: ${p.type}`)).toEqual([
      "d_p: Net { layer, scales }",
      "d_x: f32[1]",
    ]);
    const [dp, dx] = vjp.interpret(net, x, tensor([2], [1, 10]));
    expect(dp).toMatchObject({ layer: { bias: tensor([2], [6, 10]) } });
    expect(dx).toEqual(tensor([1], [6 * 1 + 10 * -2]));
  });

  it("gives the jvp, which agrees", () => {
    const jvp = apply.jvp();
    expect(jvp.params.map((p) => p.name)).toEqual(["p", "x", "t_p", "t_x"]);
    const { steps, ...zero } = net as Record<string, Value>;
    expect(steps).toBe(4);
    const still = {
      ...zero,
      layer: { weight: tensor([2, 1], [0, 0]), bias: tensor([2], [0, 0]) },
      scales: [{ by: tensor([2], [0, 0]) }, { by: tensor([2], [0, 0]) }],
    };
    expect(jvp.interpret(net, x, still, tensor([1], [1]))).toEqual([tensor([2], [6, -2])]);
  });

  it("nests", () => {
    const cube = load("fn cube(x: f32) -> f32 = x ^ 3.0\n", verified).compile("cube");
    expect(cube.vjp().interpret(2, 1)).toEqual([12]);
    const second = cube.vjp().jvp();
    expect(second.params.map((p) => p.name)).toEqual(["x", "ct", "t_x", "t_ct"]);
    expect(second.interpret(2, 1, 1, 0)[0]).toBeCloseTo(12, 12);
  });
});

describe("init", () => {
  const module = load(source, verified);

  it("draws a struct by its fields, the same for the same seed", () => {
    const first = module.init("Scale", { dims: { o: 50 }, seed: 3 }) as { by: Tensor };
    expect(first).toEqual(module.init("Scale", { dims: { o: 50 }, seed: 3 }));
    expect(first).not.toEqual(module.init("Scale", { dims: { o: 50 }, seed: 4 }));
    expect(Math.min(...first.by.data)).toBeGreaterThanOrEqual(1);
    expect(Math.max(...first.by.data)).toBeLessThan(2);
  });

  it("draws an argument; equal fields at different places differ", () => {
    const text = source.replace("  steps: i32\n", "");
    const compiled = load(text).compile("apply", { dims: { i: 3, o: 4 } });
    const p = compiled.init("p", 1) as { layer: { bias: Tensor }; scales: [Value, Value] };
    expect(p.layer.bias.data).toEqual(new Float64Array(4));
    expect(p.scales[0]).not.toEqual(p.scales[1]);
    expect(compiled.interpret(p, tensor([3], [1, 2, 3]))).toHaveLength(2);
  });

  it("says which field has no distribution", () => {
    const compiled = module.compile("apply", { dims: { i: 1, o: 1 } });
    expect(messageOf(ArgumentError, () => compiled.init("p"))).toBe(
      "p.steps can't be drawn: it has no distribution; give its field one, as in `steps: i32 ~ zeros`",
    );
    expect(messageOf(ArgumentError, () => compiled.init("q"))).toBe(
      "apply has no parameter q; there are p, x",
    );
    expect(messageOf(ArgumentError, () => module.init("Scal", {}))).toBe(
      "there is no struct Scal; did you mean Scale?",
    );
    expect(messageOf(ArgumentError, () => module.init("Scale", {}))).toContain(
      "the dimension o of Scale is not given",
    );
  });
});

describe("the parts", () => {
  it("print, parse, verify and run graphs, and lay programs out", () => {
    const double = load(source).compile("double", { dims: { n: 2 } });
    const graph = parseGraph(printGraph(double.graph));
    expect(verifyGraph(graph)).toEqual([]);
    const f32 = { scalar: "f32", bound: null } as const;
    const found = interpret(graph, { x: { element: f32, shape: [2], data: Float64Array.of(1, 2) } });
    expect(Object.values(found)[0]?.data).toEqual(Float64Array.of(2, 4));
    expect(double.print("ir")).toBe(printGraph(graph));
    expect(double.print("typed")).toContain("fn double[n](x: f32[n]) -> f32[n]");
    expect(double.print("vjp")).toContain("graph double_vjp(");
    expect(format({ name: "a.fec", text: "const a=1\n" }).text).toBe("const a = 1\n");
    expect(format("const a=1\n").text).toBe("const a = 1\n");
  });

  it("tell callers without types what they expect", () => {
    const f = load(source).compile("double", { dims: { n: 1 } });
    const any = (value: unknown): never => value as never;
    const bad = (action: () => unknown): string => messageOf(ArgumentError, action);
    const program = "expected a program, as a text or as { name, text }, found";
    expect(bad(() => load(any(undefined)))).toBe(`load: ${program} nothing`);
    expect(bad(() => format(any({ text: "" })))).toBe(`format: ${program} an object with text`);
    expect(bad(() => tensor([1], [1], any("f64")))).toBe(
      'tensor: expected one of the types f32, f16, i32, u32, bool, found the text "f64"',
    );
    expect(bad(() => tensor(any(1), [1]))).toBe("tensor: expected a shape, as in [2, 3], found the number 1");
    expect(bad(() => tensor([-1], [1]))).toBe(
      "tensor: expected whole numbers from 0 in the shape, found the number -1",
    );
    expect(bad(() => tensor([1], any(1)))).toBe(
      "tensor: expected an array of numbers after the shape, found the number 1",
    );
    expect(bad(() => tensor([2], any(["a", 2])))).toBe(
      'tensor: expected numbers after the shape, found the text "a"',
    );
    expect(bad(() => f.print(any("wgsl")))).toBe(
      'stage: expected one of typed, ir, vjp, found the text "wgsl"',
    );
    expect(bad(() => f.kernels({ fuse: any("ful") }))).toBe(
      'fuse: expected one of off, map, full, found the text "ful"; did you mean full?',
    );
    expect(bad(() => f.kernels({ memory: any("foo") }))).toBe(
      'memory: expected one of speed, balanced, least, found the text "foo"',
    );
    expect(bad(() => f.kernels({ layout: any(1) }))).toBe(
      "layout: expected one of chosen, row-major, found the number 1",
    );
  });

  it("are typed", () => {
    expectTypeOf(load).returns.toEqualTypeOf<Module>();
    expectTypeOf<Module["compile"]>().returns.toEqualTypeOf<Compiled>();
    expectTypeOf<Compiled["graph"]>().toEqualTypeOf<Graph>();
    expectTypeOf<Compiled["interpret"]>().parameters.toEqualTypeOf<Value[]>();
    expectTypeOf(tensor([1], [1])).toExtend<Value>();
    const double = load(source).compile("double", { dims: { n: 1 } });
    // @ts-expect-error a string is no value
    expect(() => double.interpret("x")).toThrow(ArgumentError);
  });
});

describe("in the browser", () => {
  const root = fileURLToPath(new URL("../src/index.ts", import.meta.url));

  it("reaches no Node module", () => {
    const seen = new Set<string>();
    const packages = new Set<string>();
    const visit = (path: string): void => {
      if (seen.has(path)) return;
      seen.add(path);
      const text = readFileSync(path, "utf8");
      for (const [, name] of text.matchAll(/^(?:import |[^*\n]*\bfrom )"([^"]+)";$/gm)) {
        if (name!.startsWith(".")) visit(join(dirname(path), name!));
        else packages.add(name!);
      }
    };
    visit(root);
    expect(seen.size).toBeGreaterThan(50);
    expect([...seen].filter((path) => !existsSync(path))).toEqual([]);
    expect([...packages].sort()).toEqual(["chevrotain", "picocolors"]);
  });

  it("bundles, with its packages", async () => {
    await inFolder(async (outDir) => {
      await build({
        entry: { index: root },
        outDir,
        platform: "browser",
        config: false,
        dts: false,
        logLevel: "silent",
        failOnWarn: false,
        deps: { alwaysBundle: [/.*/] },
      });
      const bundle = readFileSync(join(outDir, "index.js"), "utf8");
      expect(bundle).not.toMatch(/from\s*"(node:)?(fs|path|url|process|os)"/);
      expect(bundle).not.toMatch(/^import /m);
    });
  });
});
