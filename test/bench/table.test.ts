/** The tables of the measurements, from measurements that are made up. */
import { expect, it } from "vitest";
import { withTables } from "../../bench/document.ts";
import {
  type Ceilings,
  errorOf,
  median,
  type ModelMeasurement,
  type WorkloadMeasurement,
} from "../../bench/measurement.ts";
import { ceilingsTable, failureList, joinRounds, modelTable, workloadTable } from "../../bench/table.ts";

const ceilings: Ceilings = {
  kind: "ceilings",
  adapter: "an adapter",
  machine: "a machine",
  productRate: 20e9,
  productShape: "tiles",
  registerRate: 50e9,
  memory: [{ bytes: 2 ** 26, copyCommand: 30e9, copyKernel: 6e9, readKernel: 12e9 }],
  dispatchSeconds: 15e-6,
  roundTripSeconds: 60e-6,
};

const hand: WorkloadMeasurement = {
  kind: "workload",
  workload: "W1",
  system: "hand",
  milliseconds: [150, 110, 130],
  firstMs: 700,
  device: { kernels: 1, peakBytes: 12_582_912 },
  error: 9.6e-5,
};
const ours: WorkloadMeasurement = { ...hand, system: "ours", milliseconds: [260], error: 2e-4 };
const onProcessor: WorkloadMeasurement = { ...hand, system: "onnx", milliseconds: [6.5], device: null };

it("one row for each system of each workload", () => {
  expect(workloadTable([onProcessor, ours, ceilings, hand])).toMatchInlineSnapshot(`
    "| workload | system                  | median ms | ÷ hand | ÷ fecit | kernels | peak MB | GFLOP/s |   GB/s | of the limit | error | first call ms |
    | -------- | ----------------------- | --------: | -----: | ------: | ------: | ------: | ------: | -----: | -----------: | ----: | ------------: |
    | W1       | hand-written WGSL       |       130 |   1.00 |   0.500 |       1 |    12.6 |    16.5 | 0.0968 |         83 % |  1e-4 |           700 |
    | W1       | fecit                   |       260 |   2.00 |    1.00 |       1 |    12.6 |    8.26 | 0.0484 |         41 % |  2e-4 |           700 |
    | W1       | ONNX Runtime, processor |      6.50 | 0.0500 |  0.0250 |         |         |     330 |   1.94 |              |  1e-4 |           700 |
    "
  `);
});

it("without a hand-written kernel, without ceilings", () => {
  expect(workloadTable([{ ...ours, workload: "W9" }])).toMatchInlineSnapshot(`
    "| workload | system | median ms | ÷ hand | ÷ fecit | kernels | peak MB | GFLOP/s |    GB/s | of the limit | error | first call ms |
    | -------- | ------ | --------: | -----: | ------: | ------: | ------: | ------: | ------: | -----------: | ----: | ------------: |
    | W9       | fecit  |       260 |        |    1.00 |       1 |    12.6 |    4.84 | 0.00264 |              |  2e-4 |           700 |
    "
  `);
});

it("rounds are joined: their calls together, the first of the first calls, the largest error", () => {
  const second: WorkloadMeasurement = { ...hand, milliseconds: [1], firstMs: 20, error: 1 };
  expect(joinRounds([hand, second])).toEqual([{ ...hand, milliseconds: [150, 110, 130, 1], error: 1 }]);
});

it("ceilings", () => {
  expect(ceilingsTable(ceilings)).toMatchInlineSnapshot(`
    "| ceiling                        | an adapter                  |
    | ------------------------------ | --------------------------- |
    | best product of 1024³          | 20.0 GFLOP/s (tiles)        |
    | multiply and add in registers  | 50.0 GFLOP/s                |
    | kernel that copies 64 MiB      | 6.00 GB/s, read and written |
    | kernel that reads 64 MiB       | 12.0 GB/s                   |
    | the command that copies 64 MiB | 30.0 GB/s, read and written |
    | an empty dispatch among 1000   | 15.0 µs                     |
    | submit one and wait            | 60.0 µs                     |
    "
  `);
});

it("models, of which one could not be timed", () => {
  const model: ModelMeasurement = {
    kind: "model",
    system: "fecit",
    task: "forward",
    size: "224 × 224",
    batch: 8,
    milliseconds: [2000],
    firstMs: 9000,
    kernels: 40,
    blockKernels: [2, 2, 2, 2],
    peakBytes: 1e8,
  };
  const pytorch = { ...model, system: "PyTorch", milliseconds: [1000], kernels: null, blockKernels: null };
  const large = { ...model, size: "800 × 1344", batch: 1, milliseconds: [] };
  expect(modelTable([model, pytorch, large])).toMatchInlineSnapshot(`
    "| task    | images         | system  |    s | images/s | ÷ fecit | kernels | of a block | peak MB |
    | ------- | -------------- | ------- | ---: | -------: | ------: | ------: | ---------: | ------: |
    | forward | 8 × 224 × 224  | fecit   | 2.00 |     4.00 |    1.00 |      40 | 2, 2, 2, 2 |     100 |
    | forward | 8 × 224 × 224  | PyTorch | 1.00 |     8.00 |    2.00 |         |            |     100 |
    | forward | 1 × 800 × 1344 | fecit   |      |          |         |      40 | 2, 2, 2, 2 |     100 |
    "
  `);
});

it("what could not be measured", () => {
  expect(failureList([{ kind: "failed", workload: "W2", system: "jax", problem: "no device\n  at …" }])).toBe(
    "- W2, jax: no device\n",
  );
});

it("tables stand between the page's markers", () => {
  const page = "# A\n<!-- table: models -->\nold\n<!-- end -->\nB\n";
  expect(withTables(page, { models: "| new |\n" })).toBe(
    "# A\n<!-- table: models -->\n\n| new |\n\n<!-- end -->\nB\n",
  );
  expect(() => withTables(page, { ceilings: "" })).toThrow("the page has no table ceilings");
});

it("a result that is no number, or has another size, is infinitely wrong", () => {
  const reference = [Float64Array.of(100, 0.5)];
  expect(errorOf([[101, 0.5]], reference)).toBeCloseTo(0.01);
  expect(errorOf([[NaN, 0.5]], reference)).toBe(Infinity);
  expect(errorOf([[100]], reference)).toBe(Infinity);
  expect(errorOf([], reference)).toBe(Infinity);
});

it("the median of an even number of times is the mean of the middle ones", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
});
