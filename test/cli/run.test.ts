import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { NumberArray } from "../../src/formats/array.ts";
import { readNpy, writeNpy } from "../../src/formats/npy.ts";
import { readSafetensors, writeSafetensors } from "../../src/formats/safetensors.ts";
import { inFolder } from "../folder.ts";
import { fecit, type Outcome } from "./capture.ts";

const program = `
use nn.{Linear, linear}

struct Net[i, h, o, l] {
  @name("stem") first: Linear[i, h]
  rest: [Linear[h, o]; l]
}

fn scale(x: f32[n], by: f32) -> f32[n] = for i -> by * x[i]
fn net(p: Net[i, h, o, l], x: f32[i]) -> f32[l, o] = {
  let y = linear(p.first, x)
  for j, k -> fold s = 0.0 for q in p.rest -> s + linear(q, y)[k]
}
fn pick(x: f32[n, d], a: idx[n][m], flag: bool) -> (f32[m, d], bool) = (for j, k -> x[a[j], k], flag)
fn draw[n](k: key) -> f32[n] = for i: n -> uniform(split(k, i))
fn identity(p: Net[i, h, o, l]) -> Net[i, h, o, l] = p
fn half(x: f32[2 * n]) -> f32[n] = for i -> x[2 * i]
fn both(t: (f32[n], f32)) -> f32[n] {
  let (a, b) = t
  for i -> a[i] * b
}
fn many(p: [Linear[h, h]; l], x: f32[h]) -> f32[h] = fold y = x for q in p -> linear(q, y)
fn next(a: i32) -> i32 = a + 1
`;

/** \`fecit run p.fec …\` on the interpreter, with files beside it. */
function run(words: readonly string[], files: Readonly<Record<string, Uint8Array>> = {}): Promise<Outcome> {
  return inFolder((folder) => runIn(folder, words, files));
}

function runIn(
  folder: string,
  words: readonly string[],
  files: Readonly<Record<string, Uint8Array>> = {},
  on = "interpreter",
): Promise<Outcome> {
  writeFileSync(join(folder, "p.fec"), program);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes);
  return fecit(["run", "p.fec", ...words, "--device", on], folder);
}

const f32 = (shape: readonly number[], ...numbers: number[]): NumberArray => ({
  type: "f32",
  shape,
  data: Float32Array.from(numbers),
});

describe("run", () => {
  it("takes dimensions from the arguments and prints the result", async () => {
    const { code, out, err } = await run(["scale", "x=@x.npy", "by=2"], {
      "x.npy": writeNpy(f32([3], 1, 2.5, -3)),
    });
    expect({ code, err }).toEqual({ code: 0, err: "" });
    expect(out).toMatchInlineSnapshot(`
      "scale: f32[3]
      [ 2   5  -6]
      "
    `);
  });

  it("shows the ends of long axes", async () => {
    expect((await run(["scale", "x=arange", "by=1", "--dim", "n=100"])).out).toMatchInlineSnapshot(`
      "scale: f32[100]
      [ 0   1   2  …  97  98  99]
      "
    `);
  });

  it("draws by the seed and the argument's name", async () => {
    const words = ["pick", "x=normal", "a=uniform", "flag=true", "--dim", "n=3,d=2", "--dim", "m=4"];
    const [first, same, other] = [await run(words), await run(words), await run([...words, "--seed", "1"])];
    expect(first.code).toBe(0);
    expect(same).toEqual(first);
    expect(other.out).not.toBe(first.out);
  });

  it("takes a number as a key", async () => {
    const [a, b] = [await run(["draw", "k=7", "--dim", "n=3"]), await run(["draw", "k=8", "--dim", "n=3"])];
    expect(a.code).toBe(0);
    expect(a.out).not.toBe(b.out);
  });

  it("prints one object for tools, and writes results by position", async () => {
    await inFolder(async (folder) => {
      const words = [
        "pick",
        "x=arange",
        "a=arange",
        "flag=0",
        "--dim",
        "n=2,d=2,m=3",
        "--out",
        "out",
        "--json",
      ];
      const { code, out } = await runIn(folder, words);
      expect(code).toBe(0);
      expect(JSON.parse(out)).toEqual({
        adapter: "interpreter",
        results: [
          { name: "pick.0", dtype: "f32", shape: [3, 2], file: join("out", "0.npy") },
          { name: "pick.1", dtype: "bool", shape: [], file: join("out", "1.npy") },
        ],
        kernels: 0,
        compileMs: expect.any(Number) as number,
        runMs: expect.any(Number) as number,
      });
      expect(readdirSync(join(folder, "out")).sort()).toEqual(["0.npy", "1.npy"]);
      expect(readNpy(readFileSync(join(folder, "out", "0.npy")))).toEqual(f32([3, 2], 0, 1, 2, 3, 0, 1));
    });
  });

  it("reads a struct by paths and checkpoint names, draws one, and writes one", async () => {
    const arrays = new Map([
      ["stem.weight", f32([1, 1], 2)],
      ["first.bias", f32([1], 1)],
      ["rest.0.weight", f32([1, 1], 10)],
      ["rest.0.bias", f32([1], 0.5)],
    ]);
    const { out, err } = await run(["net", "p=@w.safetensors", "x=ones"], {
      "w.safetensors": writeSafetensors(arrays),
    });
    expect({ out, err }).toEqual({ out: "net: f32[1, 1]\n[[30.5]]\n", err: "" });
    await inFolder(async (folder) => {
      const words = ["identity", "p=init", "--dim", "i=2,h=3,o=1,l=2", "--seed", "3", "--out", "."];
      expect((await runIn(folder, words)).code).toBe(0);
      const written = readSafetensors(readFileSync(join(folder, "0.safetensors"))).arrays;
      expect([...written.keys()]).toEqual([
        "first.weight",
        "first.bias",
        "rest.0.weight",
        "rest.0.bias",
        "rest.1.weight",
        "rest.1.bias",
      ]);
      expect(written.get("rest.1.weight")?.data).not.toEqual(written.get("rest.0.weight")?.data);
    });
  });

  it("runs the vjp, with cotangents as further arguments", async () => {
    const { code, out } = await run(["scale", "x=ones", "by=3", "ct=ones", "--vjp", "--dim", "n=2"]);
    expect({ code, out }).toEqual({ code: 0, out: "d_x: f32[2]\n[3  3]\nd_by: f32 = 2\n" });
  });
});

/** The adapter of the tests, as FECIT_DEVICE names it. */
const device = process.env["FECIT_DEVICE"] ?? "software";

describe("run on a device", () => {
  const functions: readonly (readonly [title: string, words: string[]])[] = [
    ["a map", ["scale", "x=normal", "by=2", "--dim", "n=70"]],
    ["a struct and a fold", ["net", "p=init", "x=normal", "--dim", "i=3,h=4,o=2,l=2"]],
    ["integers and booleans", ["pick", "x=normal", "a=uniform", "flag=true", "--dim", "n=3,d=2,m=5"]],
    ["random numbers", ["draw", "k=7", "--dim", "n=9"]],
    ["a vjp", ["both", "t=normal", "ct=normal", "--vjp", "--dim", "n=5"]],
  ];
  for (const fuse of ["off", "map", "full"])
    it.each(functions)(`--fuse ${fuse}: %s as the interpreter has it`, async (_, words) => {
      await inFolder(async (folder) => {
        const expected = await runIn(folder, [...words, "--out", "expected"]);
        expect(expected.code).toBe(0);
        const found = await runIn(folder, [...words, "--fuse", fuse, "--out", "found"], {}, device);
        expect({ code: found.code, out: found.out }).toEqual({
          code: 0,
          out: expected.out.replaceAll("expected", "found"),
        });
        for (const file of readdirSync(join(folder, "expected"))) {
          const [own, others] = ["found", "expected"].map((name) => numbersIn(join(folder, name, file)));
          expect(own).toHaveLength(others!.length);
          own!.forEach((x, i) => expect(x).toBeCloseTo(others![i]!, 4));
        }
      });
    });

  it("prints one object for tools", async () => {
    const { code, out, err } = await inFolder((folder) =>
      runIn(folder, ["scale", "x=ones", "by=3", "--dim", "n=2", "--json"], {}, device),
    );
    expect(code).toBe(0);
    const found = JSON.parse(out) as { adapter: string };
    expect(found).toEqual({
      adapter: expect.any(String) as string,
      results: [{ name: "scale", dtype: "f32", shape: [2], values: [3, 3], file: null }],
      kernels: 1,
      compileMs: expect.any(Number) as number,
      runMs: expect.any(Number) as number,
    });
    expect(err.match(new RegExp(`fecit: on .*`, "g"))).toEqual([expect.stringContaining(found.adapter)]);
  });

  it("takes the device from the environment", async () => {
    const words = ["run", "examples/cluster.fec", "dot", "x=ones", "y=ones", "--dim", "d=3"];
    expect(await fecit(words, undefined, { FECIT_DEVICE: "interpreter" })).toEqual({
      code: 0,
      out: "dot: f32 = 3\n",
      err: "",
    });
    const { code, out, err } = await fecit(words, undefined, { FECIT_DEVICE: device });
    expect({ code, out }).toEqual({ code: 0, out: "dot: f32 = 3\n" });
    expect(err).toContain("fecit: on ");
  });

  it("prints what fusion and code generation made, when asked to", async () => {
    const { err } = await inFolder((folder) =>
      runIn(folder, ["scale", "x=ones", "by=3", "--dim", "n=2", "--trace", "fuse,wgsl"], {}, device),
    );
    expect(err).toContain("── fuse which nodes share a kernel, and why\nkernel scale over points");
    expect(err).toMatch(/── wgsl the kernels' texts\n\/\/ kernel scale\n[^]*@compute @workgroup_size/);
  });

  it("has no adapter of a name that none has: exit code 3, and what to do", async () => {
    const words = ["run", "examples/cluster.fec", "dot", "x=ones", "y=ones", "--dim", "d=3"];
    const { code, out, err } = await fecit([...words, "--device", "no such adapter"]);
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain('error: no adapter for the device choice "no such adapter"\n');
    expect(err).toContain("run with `--device interpreter`");
  });

  it("refuses a tensor that the device can't bind, before it allocates any", async () => {
    const words = ["run", "examples/cluster.fec", "dot", "x=ones", "y=ones", "--dim", "d=40000000"];
    const { code, out, err } = await fecit([...words, "--device", "null"]);
    expect({ code, out }).toEqual({ code: 3, out: "" });
    expect(err).toContain("needs maxStorageBufferBindingSize of 160000000");
    expect(err).toContain("= help: make the tensor or the batch smaller");
  });
});

/** The numbers of a result's file. */
function numbersIn(path: string): number[] {
  const bytes = readFileSync(path);
  const arrays = path.endsWith(".npy") ? [readNpy(bytes)] : [...readSafetensors(bytes).arrays.values()];
  return arrays.flatMap(({ data }) => Array.from(data as ArrayLike<number>));
}

describe("run refuses", () => {
  it.each<[string, string[]]>([
    ["a word that is no argument", ["scale", "x"]],
    ["an argument that there is not", ["scale", "x=ones", "bye=2"]],
    ["an argument given twice", ["scale", "x=ones", "x=zeros"]],
    ["too few arguments", ["scale", "x=ones"]],
    ["a value that there is not", ["scale", "x=norml", "by=2"]],
    ["a number for a tensor", ["scale", "x=1", "by=2", "--dim", "n=2"]],
    ["a fraction for an index", ["draw", "k=0.5", "--dim", "n=2"]],
    ["normal integers", ["pick", "x=ones", "a=normal", "flag=true", "--dim", "n=1,d=1,m=1"]],
    ["a tensor from `init`", ["scale", "x=init", "by=1", "--dim", "n=2"]],
    ["a missing cotangent", ["scale", "x=ones", "by=3", "--vjp", "--dim", "n=2"]],
    ["a cotangent too many", ["scale", "x=ones", "by=3", "ct=ones", "ct1=ones", "--vjp", "--dim", "n=2"]],
    ["a dimension that no index reaches", ["scale", "x=ones", "by=3", "--dim", "n=9999999999"]],
    ["a dimension that is missing", ["scale", "x=ones", "by=3"]],
    ["a seed that is no number", ["scale", "x=ones", "by=3", "--seed", "-1"]],
    ["the wrong kind of file", ["scale", "x=@x.txt", "by=3"]],
    ["a directory for a file", ["scale", "x=@.", "by=3"]],
    ["a tensor of PyTorch's", ["scale", "x=@x.pt", "by=3"]],
    ["a checkpoint of PyTorch's", ["net", "p=@net.pth", "x=ones"]],
    ["a tuple of tensors from `init`", ["both", "t=init", "--dim", "n=2"]],
    ["the vjp of integers", ["next", "a=1", "ct=1", "--vjp"]],
    ["a folder without a name", ["next", "a=1", "--out", ""]],
    ["a level of fusion that there is not", ["next", "a=1", "--fuse", "ful"]],
  ])("%s", async (_, words) => {
    const { code, out, err } = await run(words);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toMatchSnapshot();
  });

  const good = writeNpy(f32([3], 1, 2, 3));
  it.each<[string, string[], Record<string, Uint8Array>]>([
    ["a file that is missing", ["scale", "x=@x.npy", "by=1"], {}],
    [
      "a file that is cut short",
      ["scale", "x=@x.npy", "by=1"],
      { "x.npy": good.subarray(0, good.length - 5) },
    ],
    ["a shape that does not fit", ["pick", "x=@x.npy", "a=zeros", "flag=true"], { "x.npy": good }],
    ["an odd number for pairs", ["half", "x=@x.npy", "--dim", "n=2"], { "x.npy": good }],
    [
      "integers for floats",
      ["scale", "x=@x.npy", "by=1"],
      { "x.npy": writeNpy({ type: "i64", shape: [1], data: Float64Array.of(1) }) },
    ],
    [
      "an index outside its range",
      ["pick", "x=ones", "a=@a.npy", "flag=true", "--dim", "n=3,d=1"],
      { "a.npy": writeNpy({ type: "i64", shape: [2], data: Float64Array.of(0, 3) }) },
    ],
    [
      "an index that no i32 is",
      ["pick", "x=ones", "a=@a.npy", "flag=true", "--dim", "n=3,d=1"],
      { "a.npy": writeNpy({ type: "i64", shape: [1], data: Float64Array.of(2 ** 40) }) },
    ],
    [
      "a checkpoint that lacks tensors",
      ["net", "p=@w.safetensors", "x=ones"],
      { "w.safetensors": writeSafetensors(new Map([["stem.weigth", f32([1, 1], 2)]])) },
    ],
    ["an odd number for pairs of a size not given", ["half", "x=@x.npy"], { "x.npy": good }],
    [
      "a checkpoint of one struct for a list",
      ["many", "p=@w.safetensors", "x=ones"],
      {
        "w.safetensors": writeSafetensors(
          new Map([
            ["weight", f32([1, 1], 2)],
            ["bias", f32([1], 1)],
          ]),
        ),
      },
    ],
    [
      "a list of another length",
      ["many", "p=@w.safetensors", "x=ones", "--dim", "l=2"],
      {
        "w.safetensors": writeSafetensors(
          new Map([
            ["0.weight", f32([1, 1], 2)],
            ["0.bias", f32([1], 1)],
          ]),
        ),
      },
    ],
    ["a checkpoint that is none", ["net", "p=@w.safetensors", "x=ones"], { "w.safetensors": good }],
  ])("%s", async (_, words, files) => {
    const { code, out, err } = await run(words, files);
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toMatchSnapshot();
  });

  it("takes exponents for dimensions", async () => {
    expect((await run(["scale", "x=ones", "by=1", "--dim", "n=3e0"])).out).toContain("f32[3]");
  });

  it("makes the folders of --out, or says that none can be made", async () => {
    await inFolder(async (folder) => {
      expect((await runIn(folder, ["next", "a=1", "--out", "a/b"])).code).toBe(0);
      expect(readdirSync(join(folder, "a", "b"))).toEqual(["0.npy"]);
      mkdirSync(join(folder, "c"));
      const inFile = await runIn(folder, ["next", "a=1", "--out", "p.fec/c"]);
      expect(inFile).toMatchObject({ code: 1, err: expect.stringContaining("not a directory") as string });
    });
    if (!existsSync("/proc/self")) return;
    const nowhere = await run(["next", "a=1", "--out", "/proc/foo"]);
    expect(nowhere).toMatchObject({
      code: 1,
      err: expect.stringContaining("/proc/foo can't be written") as string,
    });
  });

  it("dimensions for which there is no memory", async () => {
    const { code, err } = await run([
      "pick",
      "x=ones",
      "a=zeros",
      "flag=1",
      "--dim",
      "n=2000000000,d=2000000000,m=1",
    ]);
    expect(code).toBe(3);
    expect(err).toContain("there is not enough memory");
  });
});
