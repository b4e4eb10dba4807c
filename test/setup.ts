/**
 * The same random cases in every run, so that a failure is about the change and not about luck. `FC_SEED=… npx vitest run` tries
 * others.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env["FC_SEED"] ?? 20261123) });
