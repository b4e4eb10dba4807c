/**
 * What becomes of the driver's complaints, on a device that complains on demand.
 */
/// <reference types="@webgpu/types" />
import { describe, expect, test } from "vitest";
import { openSession } from "../../src/runtime/session.ts";
import { bufferUsage } from "../../src/runtime/usage.ts";

class GPUOutOfMemoryError extends Error {}
class GPUValidationError extends Error {}

/** A device that makes buffers, and whose error scopes end as told. */
function complainingDevice(): {
  readonly device: GPUDevice;
  readonly complain: (filter: "validation" | "out-of-memory", error: Error) => void;
  readonly complainUnwatched: (error: Error) => void;
  readonly lose: (info: { readonly reason: string; readonly message: string }) => void;
  readonly destroyed: () => number;
} {
  const scopes: string[] = [];
  const complaints = new Map<string, Error>();
  const listeners: ((event: { error: Error; preventDefault: () => void }) => void)[] = [];
  let lose: (info: { readonly reason: string; readonly message: string }) => void = () => {};
  let destroyed = 0;
  const device = {
    lost: new Promise((resolve) => (lose = resolve)),
    addEventListener: (_: string, listener: (typeof listeners)[number]) => listeners.push(listener),
    pushErrorScope: (filter: string) => scopes.push(filter),
    popErrorScope: async () => {
      const filter = scopes.pop() ?? "";
      const error = complaints.get(filter) ?? null;
      complaints.delete(filter);
      return error;
    },
    createBuffer: ({ size }: GPUBufferDescriptor) => ({ size, destroy: () => destroyed++ }),
    destroy: () => {},
  };
  return {
    device: device as unknown as GPUDevice,
    complain: (filter, error) => complaints.set(filter, error),
    complainUnwatched: (error) => listeners.forEach((hear) => hear({ error, preventDefault: () => {} })),
    lose: (info) => lose(info),
    destroyed: () => destroyed,
  };
}

const request = { size: 3 * 2 ** 20, usage: bufferUsage.storage };

describe("a session", () => {
  test("counts what is allocated and released", async () => {
    const session = openSession(complainingDevice().device);
    const [owned] = await session.allocate("executables", [request, request], "loading");
    expect([session.live("executables"), session.live("tensors")]).toEqual([2 * request.size, 0]);
    if (owned !== undefined) session.release(owned);
    expect(session.live("executables")).toBe(request.size);
  });

  test("gives all buffers or none when memory runs out, and says how much was planned", async () => {
    const { device, complain, destroyed } = complainingDevice();
    const session = openSession(device);
    await session.allocate("tensors", [request], "first");
    complain("out-of-memory", new GPUOutOfMemoryError("no"));
    const allocation = session.allocate("executables", [request, request], "loading program step");
    await expect(allocation).rejects.toMatchObject({
      name: "OutOfMemoryError",
      plannedBytes: 2 * request.size,
    });
    await expect(allocation).rejects.toThrowErrorMatchingInlineSnapshot(
      `[OutOfMemoryError: loading program step: the device could not give 6 MiB besides the 3 MiB that are in use; free tensors, make the batch smaller, or choose an adapter with more memory]`,
    );
    expect([session.live("executables"), destroyed()]).toEqual([0, 2]);
  });

  test("tells a refused command where it was run", async () => {
    const { device, complain } = complainingDevice();
    const session = openSession(device);
    complain("validation", new GPUValidationError("Offset out of range.\n - While encoding"));
    await expect(session.guarded("program step", () => 1)).rejects.toThrowErrorMatchingInlineSnapshot(
      `[CommandError: program step: the driver refused a command: Offset out of range.; please report it with the program]`,
    );
    expect(await session.guarded("program step", () => 1)).toBe(1);
  });

  test("tells a complaint that nobody watched for at the next use, once", () => {
    const { device, complainUnwatched } = complainingDevice();
    const session = openSession(device);
    complainUnwatched(new GPUOutOfMemoryError("no"));
    expect(() => session.requireAlive("program step")).toThrowErrorMatchingInlineSnapshot(
      `[OutOfMemoryError: program step: the device could not give more besides the 0 bytes that are in use; free tensors, make the batch smaller, or choose an adapter with more memory]`,
    );
    expect(() => session.requireAlive("program step")).not.toThrow();
  });

  test("explains a promise that failed by a loss, though the loss is told later", async () => {
    const { device, lose } = complainingDevice();
    const session = openSession(device);
    const explained = session.explain("read", new Error("AbortError"));
    lose({ reason: "unknown", message: "the driver was reset" });
    expect(await explained).toMatchObject({ name: "DeviceLostError", reason: "unknown" });
    expect((await explained).message).toMatchInlineSnapshot(
      `"read: the device was lost (the driver was reset); open it again, and if this recurs lower dispatchesPerSubmit or the batch, since drivers reset a device that works too long on one submission"`,
    );
    await expect(session.allocate("tensors", [request], "tensor")).rejects.toMatchObject({
      name: "DeviceLostError",
    });
  });
});
