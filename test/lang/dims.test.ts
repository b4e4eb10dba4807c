/** Dimensions: normal forms mean what the arithmetic means, and equations find the unknowns. */
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alwaysNonNegative, compareDims } from "../../src/lang/dim-comparison.ts";
import {
  addDims,
  type Dim,
  dimKey,
  dimNumber,
  dimVariable,
  evaluateDim,
  exactDivDims,
  floorDivDims,
  modDims,
  mulDims,
  showDim,
  subDims,
} from "../../src/lang/dims.ts";
import { Metas } from "../../src/lang/metas.ts";

type Values = ReadonlyMap<string, number>;

/** A dimension with its value computed without normal forms; null where it has none. */
interface Sample {
  readonly dim: Dim;
  readonly valueFor: (values: Values) => number | null;
}

const [n, m, k] = [dimVariable("n"), dimVariable("m"), dimVariable("k")];
const number = dimNumber;
const twice = (d: Dim): Dim => mulDims(number(2), d);

const floorMod = (a: number, b: number): number => a - b * Math.floor(a / b);

const operations: readonly {
  readonly build: (a: Dim, b: Dim) => Dim | null;
  readonly compute: (a: number, b: number) => number | null;
}[] = [
  { build: addDims, compute: (a, b) => a + b },
  { build: subDims, compute: (a, b) => a - b },
  { build: mulDims, compute: (a, b) => a * b },
  { build: floorDivDims, compute: (a, b) => (b === 0 ? null : Math.floor(a / b)) },
  { build: modDims, compute: (a, b) => (b === 0 ? null : floorMod(a, b)) },
  { build: exactDivDims, compute: (a, b) => (b === 0 || a % b !== 0 ? null : a / b) },
];

const samples: fc.Arbitrary<Sample> = fc.letrec<{ sample: Sample }>((tie) => ({
  sample: fc.oneof(
    { depthSize: "small" },
    fc.integer({ min: -4, max: 9 }).map((value): Sample => ({ dim: number(value), valueFor: () => value })),
    fc
      .constantFrom("n", "m", "k")
      .map((name): Sample => ({ dim: dimVariable(name), valueFor: (values) => values.get(name)! })),
    fc
      .tuple(fc.constantFrom(...operations), tie("sample"), tie("sample"))
      .map(([operation, a, b]): Sample => {
        const dim = operation.build(a.dim, b.dim);
        if (dim === null) return a;
        return {
          dim,
          valueFor: (values) => {
            const [x, y] = [a.valueFor(values), b.valueFor(values)];
            return x === null || y === null ? null : operation.compute(x, y);
          },
        };
      }),
  ),
})).sample;

const values: fc.Arbitrary<Values> = fc
  .tuple(...["n", "m", "k"].map((name) => fc.tuple(fc.constant(name), fc.integer({ min: 1, max: 12 }))))
  .map((pairs) => new Map(pairs as [string, number][]));

describe("normal forms", () => {
  test("evaluate to what the arithmetic gives", () => {
    fc.assert(
      fc.property(samples, values, (sample, given) => {
        const expected = sample.valueFor(given);
        if (expected !== null) expect(evaluateDim(sample.dim, given)).toBe(expected + 0);
      }),
    );
  });

  test("of equal dimensions are equal: ring laws", () => {
    fc.assert(
      fc.property(samples, samples, samples, ({ dim: a }, { dim: b }, { dim: c }) => {
        expect(dimKey(addDims(a, b))).toBe(dimKey(addDims(b, a)));
        expect(dimKey(mulDims(a, b))).toBe(dimKey(mulDims(b, a)));
        expect(dimKey(addDims(addDims(a, b), c))).toBe(dimKey(addDims(a, addDims(b, c))));
        expect(dimKey(subDims(a, a))).toBe(dimKey(number(0)));
      }),
    );
  });

  test("`equal` and `different` are right for all values", () => {
    fc.assert(
      fc.property(samples, samples, values, (a, b, given) => {
        const [x, y] = [a.valueFor(given), b.valueFor(given)];
        if (x !== null && y !== null && compareDims(a.dim, b.dim) === "equal") expect(x === y).toBe(true);
      }),
    );
    expect(compareDims(twice(n), addDims(twice(m), number(1)))).toBe("different");
  });

  test("`alwaysNonNegative` is right for all values of at least 1", () => {
    fc.assert(
      fc.property(samples, values, (sample, given) => {
        const value = sample.valueFor(given);
        if (value !== null && alwaysNonNegative(sample.dim)) expect(value).toBeGreaterThanOrEqual(0);
      }),
    );
  });
});

test.each<[string, Dim | null, string]>([
  ["(2n + 3) // 2", floorDivDims(addDims(twice(n), number(3)), number(2)), "n + 1"],
  [
    "(n + 2m - 3) // 2",
    floorDivDims(subDims(addDims(n, twice(m)), number(3)), number(2)),
    "m + (n + 1) // 2 - 2",
  ],
  ["(n m + k) // n", floorDivDims(addDims(mulDims(n, m), k), n), "m + k // n"],
  ["(n m + k) % n", modDims(addDims(mulDims(n, m), k), n), "k % n"],
  ["7 % 3", modDims(number(7), number(3)), "1"],
  ["6 n / 3", exactDivDims(mulDims(number(6), n), number(3)), "2 * n"],
  ["(n / 2) 2", mulDims(exactDivDims(n, number(2))!, number(2)), "n"],
  ["(n / m) m", mulDims(exactDivDims(n, m)!, m), "n"],
  ["(n + 2) / 2", exactDivDims(addDims(n, number(2)), number(2)), "n / 2 + 1"],
  ["7 / 2", exactDivDims(number(7), number(2)), "undefined"],
  ["n // 0", floorDivDims(n, number(0)), "undefined"],
  ["n - m", subDims(n, m), "n - m"],
  ["-(n // 2)", subDims(number(0), floorDivDims(n, number(2))!), "-(n // 2)"],
  ["n m - 2 n", subDims(mulDims(n, m), twice(n)), "m * n - 2 * n"],
])("%s", (_, dim, expected) => {
  expect(dim === null ? "undefined" : showDim(dim)).toBe(expected);
});

describe("equations", () => {
  const solved = (build: (unknown: Dim) => [Dim, Dim]): string => {
    const metas = new Metas();
    const unknown = metas.fresh();
    const verdict = metas.unify(...build(unknown));
    return verdict === "equal" ? showDim(metas.resolve(unknown)) : verdict;
  };

  test("a linear unknown is found when its value is whole", () => {
    expect(solved((x) => [x, addDims(n, number(1))])).toBe("n + 1");
    expect(solved((x) => [addDims(x, m), n])).toBe("n - m");
    expect(solved((x) => [twice(x), twice(m)])).toBe("m");
    expect(solved((x) => [twice(x), number(7)])).toBe("different");
    expect(solved((x) => [twice(x), addDims(twice(m), number(1))])).toBe("different");
  });

  test("a product waits for one of its factors", () => {
    expect(solved((x) => [mulDims(x, n), m])).toBe("undecided");
    expect(solved((x) => [mulDims(x, x), m])).toBe("undecided");
  });

  test("what is left when nothing else tells is divided exactly", () => {
    const metas = new Metas();
    const unknown = metas.fresh();
    expect(metas.unifyByDivision(mulDims(unknown, n), m)).toBe("equal");
    expect(showDim(metas.resolve(unknown))).toBe("m / n");
    expect(metas.unify(mulDims(unknown, n), m)).toBe("equal");
  });

  test("an unknown never contains itself", () => {
    expect(solved((x) => [x, floorDivDims(x, number(2))!])).toBe("undecided");
  });

  test("solutions make both sides equal", () => {
    fc.assert(
      fc.property(samples, samples, ({ dim: a }, { dim: b }) => {
        const metas = new Metas();
        const unknown = metas.fresh();
        const left = addDims(unknown, a);
        expect(metas.unify(left, b)).toBe("equal");
        expect(compareDims(metas.resolve(left), b)).toBe("equal");
      }),
    );
  });
});
