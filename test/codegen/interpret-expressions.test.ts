/** Scalar arithmetic in kernels is that of the tensor IR: random expressions have one value in both. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { integer, invocation, local, quotient, remainder, workgroup } from "../../src/codegen/build.ts";
import { runKernel } from "../../src/codegen/interpret.ts";
import { elementsOf } from "../../src/codegen/interpret-scalar.ts";
import type { Kernel, KernelExpr, KernelType } from "../../src/codegen/kernel.ts";
import { printKernel } from "../../src/codegen/print.ts";
import { undecidedIndices, verifyKernel } from "../../src/codegen/verify.ts";
import { apply, cast, index } from "../../src/ir/build.ts";
import { interpret } from "../../src/ir/interpret.ts";
import { type Expr, type ScalarType, typeOf } from "../../src/ir/ir.ts";
import { operands, postorder } from "../../src/ir/traverse.ts";
import { integerExpr, sizes, typedExpr, variables } from "../ir/arbitrary.ts";
import { randomSource } from "../programs/random-source.ts";
import { kernelOf, storeDevice } from "./row-sum.ts";

const kernelType = (type: ScalarType): KernelType => (type === "f16" ? "f32" : type);

/** Without what a kernel has no literals for, without reads, and without f16. */
function plain(root: Expr): Expr {
  const done = new Map<Expr, Expr>();
  const of = (expr: Expr): Expr => done.get(expr)!;
  for (const expr of postorder(root)) {
    switch (expr.kind) {
      case "const":
        done.set(expr, {
          ...expr,
          type: kernelType(expr.type),
          value: Number.isNaN(expr.value) ? 0.5 : expr.value,
        });
        break;
      case "read":
        done.set(
          expr,
          cast(
            kernelType(expr.element.scalar),
            expr.indices[0] === undefined ? index("k") : of(expr.indices[0]),
          ),
        );
        break;
      case "apply":
        done.set(expr, { ...expr, type: kernelType(expr.type), args: expr.args.map(of) });
        break;
      case "select":
        done.set(expr, { kind: "select", condition: of(expr.condition), yes: of(expr.yes), no: of(expr.no) });
        break;
      case "index":
        done.set(expr, expr);
    }
  }
  return of(root);
}

/** The same expression of a kernel, index variables as locals. */
function kernelExpr(root: Expr): KernelExpr {
  const done = new Map<Expr, KernelExpr>();
  for (const expr of postorder(root)) {
    const below = operands(expr).map((operand) => done.get(operand)!);
    if (expr.kind === "index") done.set(expr, local(expr.name, "i32"));
    else if (expr.kind === "const") done.set(expr, { ...expr, type: kernelType(expr.type) });
    else if (expr.kind === "select")
      done.set(expr, { kind: "select", condition: below[0]!, yes: below[1]!, no: below[2]! });
    else if (expr.kind === "apply")
      done.set(
        expr,
        expr.fn === "stop_gradient"
          ? below[0]!
          : { kind: "apply", fn: expr.fn, type: kernelType(expr.type), args: below },
      );
  }
  return done.get(root)!;
}

/** A kernel that gives the value of an expression at every point of its variables. */
function kernelFor(expr: Expr): Kernel {
  const [rows, columns, lanes] = sizes;
  const type = kernelType(typeOf(expr));
  const values = [quotient(workgroup, integer(columns)), remainder(workgroup, integer(columns)), invocation];
  return kernelOf({
    workgroups: rows * columns,
    invocations: lanes,
    buffers: [{ name: "y", type, length: rows * columns * lanes, access: "write" }],
    body: [
      ...variables.map((name, i) => ({ kind: "let" as const, name, value: values[i]! })),
      storeDevice(
        "y",
        kernelExpr(
          apply(
            "add",
            apply(
              "mul",
              apply(
                "add",
                apply("mul", index("i"), { kind: "const", type: "i32", value: columns }),
                index("j"),
              ),
              { kind: "const", type: "i32", value: lanes },
            ),
            index("k"),
          ),
        ),
        kernelExpr(expr),
      ),
    ],
  });
}

it("expressions of all types have the values that the tensor IR gives them", () => {
  fc.assert(
    fc.property(fc.oneof(typedExpr.map(plain), integerExpr), fc.nat(), (body, seed) => {
      const kernel = kernelFor(body);
      expect(
        verifyKernel(kernel).filter((problem) => !problem.includes("literal")),
        printKernel(kernel),
      ).toEqual([]);
      expect(undecidedIndices(kernel)).toEqual([]);

      const [{ type, length }] = kernel.buffers as [Kernel["buffers"][0]];
      const found = elementsOf(type, "f64", length);
      runKernel(kernel, [found], { precision: "f64", random: randomSource(seed).next });

      const axes = variables.map((name, n) => ({ name, size: sizes[n]! }));
      const element = { scalar: type, bound: null };
      const node = {
        kind: "comprehension" as const,
        name: "y",
        element,
        axes,
        reduction: null,
        keys: [],
        body,
        origin: null,
      };
      const expected = interpret({ name: "g", params: [], nodes: [node], results: ["y"] }, {});
      expect([...found], printKernel(kernel)).toEqual([...expected["y"]!.data]);
    }),
    { numRuns: 120 },
  );
});
