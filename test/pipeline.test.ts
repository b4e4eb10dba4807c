import { describe, expect, it } from "vitest";
import { parseGraph } from "../src/ir/parse.ts";
import { noFiles } from "../src/lang/check.ts";
import { type Compilation, pipeline, type Request, runPipeline, unchecked } from "../src/pipeline.ts";

const text = "fn f(x: f32[n]) -> f32 = sum[i] x[i] ^ 2.0\n";

function start(request: Partial<Request> = {}): Compilation {
  const asked = {
    function: "f",
    dims: new Map([["n", 3]]),
    args: [],
    types: new Map(),
    derivatives: [],
    reassociate: false,
    training: false,
    kernels: null,
    ...request,
  };
  return { ...unchecked({ name: "a.fec", text }, noFiles), request: asked };
}

/** What each stage printed. */
function traced(from: Compilation): Map<string, string> {
  const made = new Map<string, string>();
  runPipeline(from, { verify: true, trace: (stage, print) => made.set(stage.name, print()) });
  return made;
}

describe("the pipeline", () => {
  it("has a stage for each thing that is made", () => {
    expect(pipeline.map((stage) => stage.name)).toEqual([
      "check",
      "ir",
      "vjp",
      "simplify",
      "reassociate",
      "fuse",
      "wgsl",
    ]);
  });

  it("prints what each stage made", () => {
    const made = traced(start({ derivatives: ["vjp"] }));
    expect(made.get("check")).toBe("fn f[n](x: f32[n]) -> f32\n  1  i: n\n");
    expect(made.get("ir")).toContain("vjp (%f) at (%x) with (%ct)");
    expect(made.get("vjp")).not.toContain("vjp (");
    expect(parseGraph(made.get("simplify")!).results).toHaveLength(1);
  });

  it("stops where it is told to, and goes on from there without checking again", () => {
    const checked = runPipeline(start(), { until: "check" });
    expect(checked.compiled).toBeNull();
    const done = runPipeline(checked);
    expect(done.program).toBe(checked.program);
    expect(done.compiled?.graph.name).toBe("f");
  });

  it("stops after a stage that finds a mistake", () => {
    const made = traced(start({ dims: new Map() }));
    expect([...made.keys()]).toEqual(["check", "ir"]);
    expect(runPipeline(start({ dims: new Map() })).diagnostics.map((d) => d.code)).toEqual(["E0501"]);
  });

  it("places a shape that does not fit at its parameter", () => {
    const f32 = { scalar: "f32", bound: null } as const;
    const { diagnostics } = runPipeline(start({ args: [{ kind: "tensor", element: f32, shape: [4] }] }));
    expect(diagnostics.map((d) => [d.code, d.primary.text])).toEqual([
      ["E0506", "the axis of x has 4 where n is 3"],
    ]);
    expect(diagnostics[0]!.primary.span.start).toBe(text.indexOf("x: f32"));
  });

  it("keeps the order of parameters and results through every stage", () => {
    const { compiled } = runPipeline(start({ derivatives: ["vjp", "jvp"] }), { verify: true });
    expect(compiled?.params.flatMap((p) => p.values)).toEqual(compiled?.graph.params.map((p) => p.name));
    expect(compiled?.params.map((p) => p.name)).toEqual(["x", "ct", "t_x", "t_ct"]);
    expect(compiled?.results.flatMap((r) => r.values)).toEqual(compiled?.graph.results);
  });
});
