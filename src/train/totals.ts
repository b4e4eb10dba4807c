/**
 * Sums over steps that stay on the device: a step's loss and hits are added there, and are read once for many steps.
 *
 *     step: loss, hits ──▶ totals.loss += loss, totals.hits += hits      read every 20 steps, while the next ones run
 */
import { type Device } from "../device.ts";
import { argumentsOf, type DeviceArgument, type DeviceValue, isOnDevice } from "../device-value.ts";
import { loadModule } from "../module.ts";
import { type DeviceTensor } from "../runtime/tensor.ts";

const text = `struct Totals {
  loss: f32
  hits: i32
}

fn add(totals: Totals, loss: f32, hits: i32) -> Totals =
  Totals { loss: totals.loss + loss, hits: totals.hits + hits }
`;

export interface Totals {
  /** Adds a step's results, scalars on the device; waits for nothing. */
  readonly add: (loss: DeviceArgument, hits: DeviceArgument) => Promise<void>;
  /**
   * The sums of what was added since the last call; what is added meanwhile counts for the next one. One call at a time: the next
   * one waits for this one's numbers.
   */
  readonly take: () => Promise<{ readonly loss: number; readonly hits: number }>;
  readonly free: () => void;
}

/** Two sums of the same kind: while one is read, the other goes on. */
interface Bank {
  readonly value: DeviceValue;
  readonly loss: DeviceTensor;
  readonly hits: DeviceTensor;
}

/** Sums that begin at 0. Throws the device's errors. */
export async function openTotals(device: Device): Promise<Totals> {
  const compiled = loadModule({ name: "totals.fec", text }).compile("add");
  const add = await device.compile(compiled, { inPlace: { totals: 0 } });
  const openBank = async (): Promise<Bank> => {
    const value = await add.put("totals", { loss: 0, hits: 0 });
    const [loss, hits] = argumentsOf(value, add.params[0]!.shape, "totals").filter(isOnDevice);
    return { value, loss: loss!, hits: hits! };
  };
  const banks = [await openBank(), await openBank()] as const;
  let current: 0 | 1 = 0;
  let taken: Promise<unknown> = Promise.resolve();
  const takeFrom = async ({ loss, hits }: Bank): Promise<{ loss: number; hits: number }> => {
    const [sumOfLosses, sumOfHits] = await Promise.all([loss.read(), hits.read()]);
    for (const sum of [loss, hits]) sum.write([0]);
    return { loss: sumOfLosses[0]!, hits: sumOfHits[0]! };
  };
  return {
    add: async (loss, hits) => {
      await add.run(banks[current].value, loss, hits);
    },
    take: async () => {
      await taken;
      const bank = banks[current];
      current = current === 0 ? 1 : 0;
      const sums = takeFrom(bank);
      taken = sums.catch(() => {});
      return sums;
    },
    free: () => {
      add.free();
      for (const { loss, hits } of banks) [loss, hits].forEach((sum) => sum.free());
    },
  };
}
