/** Random numbers by counter, and the order of training made of them. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { drawMove } from "../../../src/train/data/augment.ts";
import { batchesOfEpoch, orderStart, trainingOrder } from "../../../src/train/data/order.ts";
import { permutation, philox, randomBelow, randomBits } from "../../../src/train/data/random.ts";

test("the generator gives the numbers that its authors published with Random123", () => {
  const all = 0xffffffff;
  expect(philox([0, 0, 0, 0], [0, 0])).toEqual([0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]);
  expect(philox([all, all, all, all], [all, all])).toEqual([0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]);
  expect(philox([0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344], [0xa4093822, 0x299f31d0])).toEqual([
    0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1,
  ]);
});

test("seeds above 2^32, purposes and places draw different numbers", () => {
  const drawn = [
    randomBits(1, "flip", 0, 0),
    randomBits(1 + 2 ** 32, "flip", 0, 0),
    randomBits(1, "order", 0, 0),
    randomBits(1, "flip", 1, 0),
    randomBits(1, "flip", 0, 1),
  ];
  expect(new Set(drawn).size).toBe(drawn.length);
});

test("a whole number below n is each of them about equally often", () => {
  const counts = [0, 0, 0];
  for (let i = 0; i < 3000; i++) counts[randomBelow(3, 5, "order", 0, i)]! += 1;
  for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(120);
});

test("a permutation holds every number once, and is another in the next round", () => {
  const first = permutation(100, 3, "order", 0);
  expect([...first].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i));
  expect(first).toEqual(permutation(100, 3, "order", 0));
  expect(first).not.toEqual(permutation(100, 3, "order", 1));
});

test("an epoch shows every image once; what fills no batch waits for the next epoch", () => {
  const order = trainingOrder(10, 4);
  const first = order(orderStart(1));
  const second = order(first.after);
  const third = order(second.after);
  expect(batchesOfEpoch(10, 4)).toBe(2);
  expect([first.epoch, second.epoch, third.epoch]).toEqual([0, 0, 1]);
  expect(new Set([...first.indices, ...second.indices]).size).toBe(8);
  expect(second.after).toEqual({ seed: 1, epoch: 1, position: 0 });
});

test("an order goes on from any place as if it had never stopped", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 0, max: 30 }),
      fc.integer({ min: 0, max: 2 ** 40 }),
      (size, batch, stop, seed) => {
        fc.pre(batch <= size);
        const whole = trainingOrder(size, batch);
        let place = orderStart(seed);
        for (let i = 0; i < stop; i++) place = whole(place).after;
        expect(trainingOrder(size, batch)(place)).toEqual(whole(place));
      },
    ),
  );
});

test("a batch larger than the data set is refused", () => {
  expect(() => trainingOrder(3, 4)).toThrow("a batch of 4 can't be made of 3 images");
});

test("images are mirrored half of the time, and shifted by at most the padding", () => {
  const moves = Array.from({ length: 1000 }, (_, i) => drawMove({ flip: true, padding: 2 }, 7, 3, i));
  const mirrored = moves.filter((move) => move.mirrored).length;
  expect(Math.abs(mirrored - 500)).toBeLessThan(60);
  expect([...new Set(moves.map((move) => move.down))].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  expect([...new Set(moves.map((move) => move.right))].sort((a, b) => a - b)).toEqual([-2, -1, 0, 1, 2]);
  expect(drawMove({ flip: false, padding: 0 }, 7, 3, 0)).toEqual({ mirrored: false, down: 0, right: 0 });
});

test("a seed is a whole number", () => {
  expect(() => orderStart(1.5)).toThrow("1.5 is no seed");
  expect(() => orderStart(-1)).toThrow("-1 is no seed");
});
