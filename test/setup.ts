/**
 * The same driver in every run: SwiftShader, which comes with the development dependencies, on the systems that have it. Others may take
 * minutes over what it compiles in a second. `FECIT_DEVICE=gpu npx vitest run` tests another.
 *
 * The same random cases in every run, so that a failure is about the change and not about luck. `FC_SEED=… npx vitest run` tries
 * others.
 *
 * Plans and kernels as they are without what was measured on the machine that tests. `FECIT_MEASURED=on npx vitest run` takes that.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env["FC_SEED"] ?? 20261123) });

if (process.platform === "linux" && process.arch === "x64") process.env["FECIT_DEVICE"] ??= "swiftshader";

process.env["FECIT_MEASURED"] ??= "off";
