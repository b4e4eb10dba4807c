/** Divisions that four points side by side share. */
import { describe, expect, it } from "vitest";
import { add, apply, integer, invocation, local, mul } from "../../src/codegen/build.ts";
import { divisorOf } from "../../src/codegen/divisors.ts";
import type { KernelExpr } from "../../src/codegen/kernel.ts";
import { kernelShapeFor } from "../../src/codegen/shapes.ts";
import { checkedIn, count, textsOf } from "./checked.ts";

const shape = kernelShapeFor("software", 8);

describe("what divides an integer", () => {
  const four = mul(invocation, integer(4));
  const known = new Map([["k", 2]]);
  it.each<[string, KernelExpr, number]>([
    ["a multiple of four", four, 4],
    ["two after it", add(four, integer(2)), 2],
    ["one after it", add(four, integer(1)), 1],
    ["a local that is known", local("k", "i32"), 2],
    ["twice that", mul(local("k", "i32"), integer(2)), 4],
    ["a local that is not", local("n", "i32"), 1],
    ["the smaller of two", apply("min", four, integer(196)), 4],
    ["what is left of it", apply("remainder", four, integer(24)), 4],
    ["what is left of it by an odd number", apply("remainder", four, integer(25)), 1],
    ["a part of it", apply("quotient", four, integer(2)), 1],
  ])("is known of %s", (_, expr, divisor) => expect(divisorOf(expr, known)).toBe(divisor));
});

describe("points side by side", () => {
  const texts = (width: number): string =>
    textsOf(
      checkedIn(
        shape,
        `graph f(%x: f32[4, 64, ${width}], %s: f32[64]) -> (%y) {
  %y: f32[64, ${4 * width}] = for b<64, i<${4 * width}. exp(%x[i // ${width}, b, i % ${width}] * %s[b])
}`,
      ),
    );

  it("share a division by a multiple of four, and load four at once", () => {
    const text = texts(24);
    expect(count(text, "let floor_div")).toBe(1);
    expect(text).toMatch(/let \(.*\) = device x\[/);
  });

  it("have one each by an odd number", () => {
    const text = texts(25);
    expect(count(text, "let floor_div")).toBeGreaterThan(1);
    expect(text).not.toMatch(/let \(.*\) = device x\[/);
  });
});
