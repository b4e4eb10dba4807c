/** Statements, expressions and literals in the printed text. */
import { beforeAll, describe, expect, it } from "vitest";

import {
  add,
  apply,
  cast,
  constant,
  integer,
  invocation,
  less,
  load,
  local,
  quotient,
  remainder,
  select,
  truth,
} from "../../src/codegen/build.ts";
import type { KernelExpr, Statement } from "../../src/codegen/kernel.ts";
import { printWgsl } from "../../src/codegen/wgsl.ts";
import { bindAlone, dispatch, openDevice, problemsOf } from "./device.ts";
import { barrier, floats, kernelOf, loop, storeDevice } from "./row-sum.ts";

let nullDevice: GPUDevice;
let device: GPUDevice;
beforeAll(async () => {
  nullDevice = await openDevice("null");
  device = await openDevice();
});

/** The statements of `main`, without the heading and the last brace. */
function mainOf(...body: readonly Statement[]): string {
  const buffers = [floats("x", 64, "read"), floats("y", 64, "read_write")];
  const text = printWgsl(bindAlone(kernelOf({ workgroups: 1, invocations: 64, buffers, body })));
  const lines = text.slice(text.indexOf("fn main(")).trimEnd().split("\n");
  return lines.slice(1, -1).join("\n");
}

function branch(condition: KernelExpr, then: readonly Statement[], other: readonly Statement[]): Statement {
  return { kind: "if", condition, then, else: other };
}

const x = load("device", "x", invocation, "f32");
const storeY = (value: KernelExpr): Statement => storeDevice("y", invocation, value);

describe("statements", () => {
  it("are loops, branches, variables and arrays", () => {
    const k = local("k", "i32");
    expect(
      mainOf(
        { kind: "array", name: "tile", type: "f32", length: 4 },
        { kind: "let", name: "half", value: quotient(invocation, integer(2)) },
        loop("k", integer(0), integer(4), [
          {
            kind: "store",
            space: "private",
            array: "tile",
            index: k,
            value: apply("mul", x, cast("f32", add(k, integer(-1)))),
          },
        ]),
        branch(
          less(invocation, integer(7)),
          [storeY(load("private", "tile", remainder(invocation, integer(4)), "f32"))],
          [storeDevice("y", local("half", "i32"), constant("f32", 1))],
        ),
      ),
    ).toMatchInlineSnapshot(`
      "  let invocation_index = i32(local_invocation_id.x);
        var tile: array<f32, 4>;
        let half = invocation_index / 2;
        for (var k: i32 = 0; k < 4; k++) {
          tile[k] = x[invocation_index] * f32(k - 1);
        }
        if (invocation_index < 7) {
          y[invocation_index] = tile[invocation_index % 4];
        } else {
          y[half] = 1.0;
        }"
    `);
  });

  it("evaluate the bound of a loop once", () => {
    const end: Statement = { kind: "var", name: "end", type: "i32", init: integer(8) };
    const grow: Statement = { kind: "assign", name: "end", value: integer(0) };
    expect(mainOf(end, loop("k", integer(0), local("end", "i32"), [grow], 2))).toMatchInlineSnapshot(`
      "  var end: i32 = 8;
        let t0 = end;
        for (var k: i32 = 0; k < t0; k += 2) {
          end = 0;
        }"
    `);
  });

  it("cover device memory with a barrier where it is exchanged, and only there", () => {
    const exchanged = mainOf(
      storeY(x),
      barrier,
      storeDevice("y", invocation, load("device", "y", add(invocation, integer(-1)), "f32")),
    );
    expect(exchanged).toContain("storageBarrier()");
    expect(mainOf(storeY(x), barrier, storeY(x))).not.toContain("storageBarrier()");
  });
});

describe("expressions", () => {
  it("write what is shared once", () => {
    const moved = apply("sub", x, constant("f32", 0.1));
    expect(mainOf(storeY(apply("mul", moved, moved)))).toMatchInlineSnapshot(`
      "  let invocation_index = i32(local_invocation_id.x);
        let t0 = x[invocation_index] - 0.1;
        y[invocation_index] = t0 * t0;"
    `);
  });

  it("stay short when the tree would be exponential", () => {
    let sum = x;
    for (let n = 0; n < 200; n++) sum = apply("add", sum, sum);
    expect(mainOf(storeY(sum)).length).toBeLessThan(200 * 30);
  });

  it("break what is nested too deep", async () => {
    let deep = x;
    for (let n = 0; n < 3000; n++) deep = apply("add", constant("f32", n), deep);
    const buffers = [floats("x", 64, "read"), floats("y", 64, "write")];
    const bound = bindAlone(kernelOf({ workgroups: 1, invocations: 64, buffers, body: [storeY(deep)] }));
    expect(await problemsOf(nullDevice, bound)).toEqual([]);
    const widest = Math.max(
      ...printWgsl(bound)
        .split("\n")
        .map((line) => line.length),
    );
    expect(widest).toBeLessThan(250);
  });

  it("do not share between statements what a store may change", () => {
    const y = load("device", "y", integer(0), "f32");
    const twice = apply("mul", y, y);
    expect(mainOf(storeDevice("y", integer(0), twice), storeDevice("y", integer(0), twice)))
      .toMatchInlineSnapshot(`
      "  let t0 = y[0];
        y[0] = t0 * t0;
        let t1 = y[0];
        y[0] = t1 * t1;"
    `);
  });

  it("need few parentheses, and keep those that change the order of floats", () => {
    const [a, b] = [local("a", "f32"), local("b", "f32")];
    const named = (name: string): Statement => ({ kind: "let", name, value: x });
    const expressions = [
      apply("sub", apply("sub", a, b), a),
      apply("sub", a, apply("sub", b, a)),
      apply("mul", apply("add", a, b), apply("div", a, b)),
      apply("neg", apply("neg", a)),
      apply("add", a, constant("f32", -1.5)),
      select(
        apply("and", apply("lt", a, b), apply("not", apply("gt", b, constant("f32", 0)))),
        apply("abs", apply("mul", a, b)),
        constant("f32", 1e-7),
      ),
    ];
    expect(mainOf(named("a"), named("b"), ...expressions.map(storeY))).toMatchInlineSnapshot(`
      "  let invocation_index = i32(local_invocation_id.x);
        let a = x[invocation_index];
        let b = x[invocation_index];
        y[invocation_index] = a - b - a;
        y[invocation_index] = a - (b - a);
        y[invocation_index] = (a + b) * (a / b);
        y[invocation_index] = -(-a);
        y[invocation_index] = a - 1.5;
        y[invocation_index] = select(1e-7, abs(a * b), (a < b) & (!(b > 0.0)));"
    `);
  });

  it("are no templates where a bracket might open one", async () => {
    const bound = bindAlone(
      kernelOf({
        workgroups: 1,
        buffers: [floats("y", 8, "read_write")],
        body: [
          { kind: "let", name: "a", value: load("device", "y", invocation, "f32") },
          {
            kind: "let",
            name: "flag",
            value: select(
              apply("lt", local("a", "f32"), constant("f32", 1)),
              apply("gt", local("a", "f32"), constant("f32", 2)),
              apply("lt", local("a", "f32"), constant("f32", 3)),
            ),
          },
          storeY(select(local("flag", "bool"), constant("f32", 1), constant("f32", 0))),
        ],
      }),
    );
    expect(await problemsOf(nullDevice, bound)).toEqual([]);
  });

  it("of constants alone are left to the device, where they may be infinite", async () => {
    const overflow: readonly KernelExpr[] = [
      apply("div", constant("f32", 1), constant("f32", 0)),
      apply("mul", constant("f32", 1e38), constant("f32", 1e38)),
      cast("f32", apply("add", integer(1), apply("mul", constant("i32", 2 ** 30), constant("i32", 4)))),
      {
        kind: "apply",
        fn: "add",
        type: "f32",
        args: [
          select(truth(true), constant("f32", 3e38), constant("f32", 0)),
          { kind: "select", condition: truth(true), yes: constant("f32", 3e38), no: constant("f32", 0) },
        ],
      },
      cast("f32", apply("floor_div", integer(1), integer(0))),
    ];
    const buffers = [floats("y", 64, "write")];
    const body = overflow.map((value, n) => storeDevice("y", integer(n), value));
    const bound = bindAlone(kernelOf({ workgroups: 1, invocations: 1, buffers, body }));
    const [memory] = await dispatch(device, bound, [new Uint32Array(64)], () => ({ page: 0, offset: 0 }));
    expect([...new Float32Array(memory!.buffer)].slice(0, 5)).toEqual([Infinity, Infinity, 1, Infinity, 0]);
  });

  it("raise to whole powers by multiplication", () => {
    const power = (exponent: number): Statement =>
      storeY(apply("pow", apply("neg", x), constant("f32", exponent)));
    expect(mainOf(power(2), power(5), power(-1), power(0), power(0.5))).toMatchInlineSnapshot(`
      "  let invocation_index = i32(local_invocation_id.x);
        let t0 = -x[invocation_index];
        y[invocation_index] = t0 * t0;
        let t1 = -x[invocation_index];
        let t2 = t1 * t1;
        y[invocation_index] = t2 * t2 * t1;
        y[invocation_index] = 1.0 / (-x[invocation_index]);
        y[invocation_index] = 1.0;
        y[invocation_index] = fecit_pow(-x[invocation_index], 0.5);"
    `);
  });
});

describe("literals", () => {
  const values = [
    0,
    -0,
    1,
    0.1,
    -2.5,
    1 / 3,
    16777217,
    1e-7,
    1e21,
    3.4028234663852886e38,
    1.1754943508222875e-38,
    7.0064923e-46,
    Infinity,
    -Infinity,
    1e300,
  ];

  it("of floats are read back as they are", async () => {
    const buffers = [floats("y", values.length, "write")];
    const body = values.map((value, n) => storeDevice("y", integer(n), constant("f32", value)));
    const bound = bindAlone(kernelOf({ workgroups: 1, invocations: 1, buffers, body }));
    const [memory] = await dispatch(device, bound, [new Uint32Array(values.length)], () => ({
      page: 0,
      offset: 0,
    }));
    const isSubnormal = (value: number): boolean => value !== 0 && Math.abs(value) < 1.17e-38;
    const found = [...new Float32Array(memory!.buffer)];
    values.forEach((value, n) =>
      expect(found[n], String(value)).toBe(isSubnormal(value) ? found[n] : Math.fround(value)),
    );
    expect(printWgsl(bound)).toContain("y[3] = 0.1;");
  });

  it("of integers reach the ends of their ranges", async () => {
    const buffers = [
      { name: "i", type: "i32", length: 3, access: "write" },
      { name: "u", type: "u32", length: 1, access: "write" },
    ] as const;
    const lowest = constant("i32", -2147483648);
    const body = [
      storeDevice("i", integer(0), lowest),
      storeDevice("i", integer(1), apply("add", apply("mul", invocation, integer(3)), lowest)),
      storeDevice("i", integer(2), integer(2147483647)),
      storeDevice("u", integer(0), constant("u32", 4294967295)),
    ];
    const bound = bindAlone(kernelOf({ workgroups: 1, invocations: 1, buffers, body }));
    const pages = [new Uint32Array(3), new Uint32Array(1)];
    const [i, u] = await dispatch(device, bound, pages, (page) => ({ page, offset: 0 }));
    expect([...new Int32Array(i!.buffer), ...u!]).toEqual([-2147483648, -2147483648, 2147483647, 4294967295]);
  });
});
