/** W1: the product of two matrices. The reference runs along rows of both, so that it takes a second and not a minute. */
import { arrayOf, dimensions, normal, productOf, type Workload } from "./workload.ts";

export const matmul: Workload = {
  id: "W1",
  title: "product of two 1024 × 1024 matrices",
  file: "matmul",
  function: "matmul",
  dims: { m: 1024, k: 1024, n: 1024 },
  small: { m: 5, k: 7, n: 6 },
  inputs: (dims) => {
    const [m, k, n] = dimensions(dims, "m", "k", "n");
    return [normal("a", [m, k]), normal("b", [k, n])];
  },
  reference: (dims, inputs) => {
    const [m, k, n] = dimensions(dims, "m", "k", "n");
    return [product(arrayOf(inputs, "a"), arrayOf(inputs, "b"), [m, k, n])];
  },
  resultElements: (dims) => productOf(dims, "m", "n"),
  operations: (dims) => {
    const [m, k, n] = dimensions(dims, "m", "k", "n");
    return 2 * m * k * n;
  },
};

/** a b, for a of m × k and b of k × n, row-major. */
export function product(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  [m, k, n]: readonly [number, number, number],
): Float64Array {
  const c = new Float64Array(m * n);
  for (let i = 0; i < m; i++) {
    const row = c.subarray(i * n, (i + 1) * n);
    for (let l = 0; l < k; l++) {
      const factor = a[i * k + l]!;
      for (let j = 0; j < n; j++) row[j]! += factor * b[l * n + j]!;
    }
  }
  return c;
}
