/** Every error of the back half is a message with help and an exit code; none is a stack. */
import { describe, expect, it } from "vitest";
import { BindingError } from "../../src/codegen/bindings.ts";
import { failureOf } from "../../src/cli/device-failure.ts";
import { ArgumentError } from "../../src/host-value.ts";
import {
  AdapterError,
  CommandError,
  DeviceLostError,
  LimitError,
  OutOfMemoryError,
  ShaderError,
  TensorError,
} from "../../src/runtime/errors.ts";
import { DataError } from "../../src/train/data/data-error.ts";

describe("failureOf", () => {
  it.each<[Error, 1 | 3, message: string, help: string]>([
    [
      new LimitError("tensor %x", "maxBufferSize", 9, 8, "make it smaller"),
      3,
      "tensor %x: needs maxBufferSize of 9, the device has 8",
      "make it smaller",
    ],
    [
      new OutOfMemoryError("program f", 1024, 0),
      3,
      "program f: the device could not give 1 KiB",
      "free tensors",
    ],
    [
      new DeviceLostError("program f", "unknown", "reset"),
      3,
      "program f: the device was lost (reset)",
      "open it again",
    ],
    [
      new CommandError("program f", "no"),
      3,
      "program f: the driver refused a command: no",
      "please report it",
    ],
    [new BindingError("k", "its 9 buffers …"), 3, "kernel k: its 9 buffers …", "fuse less"],
    [new TensorError("x: another shape"), 1, "x: another shape", ""],
    [new ArgumentError("x: expected f32; did you mean y?"), 1, "x: expected f32", "did you mean y?"],
    [new DataError("no images", [], "name a folder"), 1, "no images", "name a folder"],
  ])("%o", (error, code, message, help) => {
    const failure = failureOf(error)!;
    expect(failure.code).toBe(code);
    expect(failure.message).toContain(message);
    expect(failure.help ?? "").toContain(help);
    expect(failure.message).not.toMatch(/\n|; /);
  });

  it("shows what was tried for an adapter", () => {
    const failure = failureOf(new AdapterError("gpu", ["llvmpipe: no GPU"], "install a driver"))!;
    expect(failure).toMatchObject({ code: 3, message: 'no adapter for the device choice "gpu"' });
    expect(failure.notes).toEqual(["tried llvmpipe: no GPU"]);
    expect(failure.help).toMatch(/^install a driver; or run with `--device interpreter`/);
  });

  it("shows the place in a shader that a driver refuses", () => {
    const failure = failureOf(new ShaderError("k", "unexpected token", "  3 | let a = ;\n        ^"))!;
    expect(failure.code).toBe(3);
    expect(failure.message).toBe("kernel k: the driver refused its shader: unexpected token");
    expect(failure.notes.slice(0, 2)).toEqual(["  3 | let a = ;", "        ^"]);
  });

  it("knows nothing of other errors: they are internal ones", () => {
    expect(failureOf(new RangeError("x"))).toBeNull();
    expect(failureOf("x")).toBeNull();
  });
});
