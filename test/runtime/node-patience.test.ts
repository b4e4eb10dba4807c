/** Waiting for a driver: what is given back, and when the loop sleeps. */
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { openPatience, patienceWith } from "../../src/runtime/node-patience.ts";

const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe("a wait", () => {
  let naps: number[];

  beforeEach(() => {
    naps = [];
    vi.spyOn(Atomics, "wait").mockImplementation((_array, _index, _value, milliseconds) => {
      naps.push(milliseconds ?? Infinity);
      return "timed-out";
    });
  });
  afterEach(() => vi.restoreAllMocks());

  it("gives what the promise gives, and throws what it throws", async () => {
    const patiently = openPatience(patienceWith("software"));
    await expect(patiently(Promise.resolve(7))).resolves.toBe(7);
    await expect(patiently(Promise.reject(new Error("lost")))).rejects.toThrow("lost");
  });

  it("sleeps while something is waited for, never longer than it may, and not afterwards", async () => {
    const patience = { alertMs: 0, part: 0.5, longestMs: 1 };
    const patiently = openPatience(patience);
    let settle = (): void => {};
    const wait = patiently(new Promise<void>((resolve) => (settle = resolve)));
    while (naps.length < 5) await turns(1);
    expect(Math.max(...naps)).toBeLessThanOrEqual(patience.longestMs);
    settle();
    await wait;
    await turns(2);
    const { length } = naps;
    await turns(50);
    expect(naps).toHaveLength(length);
  });

  it("sleeps once a turn, however many wait and whenever they began", async () => {
    const patiently = openPatience({ alertMs: 0, part: 1000, longestMs: 1 });
    for (let i = 0; i < 20; i++) await patiently(Promise.resolve());
    const settle: (() => void)[] = [];
    const waits = Array.from({ length: 5 }, () =>
      patiently(new Promise<void>((resolve) => settle.push(resolve))),
    );
    const before = naps.length;
    await turns(20);
    expect(naps.length - before).toBeLessThanOrEqual(21);
    expect(naps.length).toBeGreaterThan(before);
    settle.forEach((resolve) => resolve());
    await Promise.all(waits);
  });

  it("does not sleep before it was waited long enough", async () => {
    const patiently = openPatience({ alertMs: Infinity, part: 1, longestMs: 1 });
    let settle = (): void => {};
    const wait = patiently(new Promise<void>((resolve) => (settle = resolve)));
    await turns(50);
    settle();
    await wait;
    expect(naps).toEqual([]);
  });
});
